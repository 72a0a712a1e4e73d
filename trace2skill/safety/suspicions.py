"""The patterns of `trace2skill.safety.screening`: what a lesson has no business to say.

`LINE_RULES` look at a line as its reader would take it (accents, look-alikes and emphasis taken out); what they find
is named by the whole line. `SPAN_RULES` look at the text as it is and name the piece: a host, a command, a blob.
"""

import re
from typing import NamedTuple

from trace2skill.safety.bounded import bounded


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile(bounded("|".join(patterns)), re.IGNORECASE)


ORDERS = r"(?:instruction|prompt|rule|guideline|polic|direction|command|constraint|restriction)"
BEFORE = r"(?:previous|prior|above|earlier|preceding|original|existing|all|any|your|these|those|the)"
SPEAKS_TO_READER = _any(
    rf"\b(?:ignore|disregard|forget|override|bypass|overlook)\b(?: \w+){{0,3}} {BEFORE}\b[^.]{{0,40}}\b{ORDERS}",
    r"\b(?:ignore|disregard|forget) (?:everything|anything|all (?:of )?(?:that|this|it)|what you were told)\b",
    r"\b(?:ignore|disregard|override) (?:the )?(?:system|safety|developer|user)\b",
    r"\byou (?:are|will be) now (?:an?|the|in|un|free|root|admin)\b|\byou must now\b|\bfrom now on,? (?:you|act|always|respond|answer)",
    r"\bpretend (?:to be|you are|that you)\b|\bact as (?:an? )?(?:unrestricted|unfiltered|admin|root|dan\b|jailbr)",
    r"\bjailbr(?:eak|oken)|\bdeveloper mode\b|\bdo anything now\b",
    r"\b(?:system|developer|hidden|initial) prompt\b|\bnew (?:system )?instructions?\b ?:?|\byour (?:real|true|new|actual|only) (?:task|goal|job|purpose|instruction|objective)",
    r"\b(?:attention|important|note|notice|urgent|instruction|message)\b[^.]{0,12}\b(?:to|for) (?:the |any |all )?(?:ai|llm|assistant|agent|model|chatbot)s?\b",
    r"\b(?:ai|llm) (?:assistant|agent|model)s?\b[^.]{0,30}\b(?:must|should|shall|has to|have to|reading)\b",
    r"\bif you are an? (?:ai|llm|language model|assistant|agent)\b|\bas an? (?:ai|language) (?:model|assistant)\b|\bwhen(?:ever)? you read this\b",
    r"\b(?:do not|dont|never) (?:tell|inform|alert|notify|mention (?:this|it|that)|reveal (?:this|it|that)|disclose (?:this|it|that)|show this|report this|log this)\b",
    r"\bwithout (?:telling|informing|notifying|alerting) (?:the |any)?|\bkeep (?:this|it) (?:a )?(?:secret|hidden|between us|confidential)\b|\bhide (?:this|it) from\b",
    r"\b(?:reveal|print|repeat|output|leak|show) (?:me )?(?:your|the) (?:\w+ )?(?:prompt|instructions|secrets?|credentials|api keys?|configuration)\b",
    r"</?(?:system|assistant|user|instructions?|tool_call|function_calls?|im_start|im_end)\b|\[/?(?:inst|sys|system)\]|<\|[a-z_]+\|>|<<sys>>",
    r"\A(?:system|assistant|developer|human) ?:|### ?(?:system|instruction|human|assistant)\b",
    # German, French, Spanish, Italian, Portuguese, Dutch; accents are gone here
    r"\b(?:ignorier\w*|vergiss|vergesst|missacht\w*|umgeh\w*)\b[^.]{0,50}\b(?:anweisung|regel|vorgabe|instruktion|prompt|befehl|richtlinie)",
    r"\bdu bist (?:jetzt|ab jetzt|nun)\b|\bab sofort (?:bist|sollst|musst)\b|\bsag(?:e|t)? (?:es |das )?(?:keinem|niemandem)\b",
    r"\b(?:ignore[zr]?|oublie[zr]?|neglige[zr]?)\b[^.]{0,50}\b(?:instructions?|consignes?|regles?|directives?)|\btu es (?:maintenant|desormais)\b|\bvous etes (?:maintenant|desormais)\b|\bne (?:le )?dis (?:rien|pas)\b",
    r"\b(?:ignora\w*|olvida\w*|descarta\w*|omite)\b[^.]{0,50}\b(?:instrucci|reglas?|indicaci|ordenes|directrices)|\bahora eres\b|\bno (?:le |se lo )?digas\b",
    r"\b(?:ignora\w*|dimentica\w*|trascura\w*)\b[^.]{0,50}\b(?:istruzion|regol|indicazion|direttiv)|\b(?:ora|adesso) sei\b",
    r"\b(?:ignor\w+|esquec\w+|desconsider\w+)\b[^.]{0,50}\b(?:instruc|regras?|orienta|diretriz)|\bagora (?:voce|tu) (?:e|es)\b",
    r"\b(?:negeer|vergeet|omzeil)\w*\b[^.]{0,50}\b(?:instructies?|regels?|opdracht|aanwijzing)|\bje bent nu\b",
    # Russian, Polish, Turkish
    r"(?:игнор|забуд|пренебре)\w*.{0,50}(?:инструкц|указан|правил)|ты теперь|не (?:говори|сообщай)",
    r"\b(?:zignoruj|ignoruj|zapomnij|pomin)\w*\b[^.]{0,50}\b(?:instrukcj|polece|zasad|regul)|\byok say\w*|\btalimatlar\w* (?:yok|unut|gormezden)",
    # Chinese, Japanese, Korean, Arabic, Hindi
    r"(?:忽略|无视|無視|忘记|忘記|不要理会|跳过).{0,16}(?:指令|指示|规则|規則|提示|说明|要求)|你现在是|你現在是|不要告诉|不要告訴|系统提示",
    r"(?:指示|命令|ルール|規則|プロンプト).{0,12}(?:無視|忘れ|従わな)|あなたは今|ユーザーに(?:は)?(?:言わない|伝えない|知らせない)",
    r"(?:지시|명령|규칙|프롬프트|지침).{0,16}(?:무시|잊|따르지)|당신은 이제",
    r"(?:تجاهل|انس|اهمل).{0,40}(?:تعليمات|التعليمات|قواعد|القواعد|اوامر|الاوامر)|انت الان",
    r"(?:निर्देश|नियम|आदेश).{0,40}(?:अनदेखा|नज़रअंदाज|भूल)",
)  # fmt: skip

SENSITIVE = (
    r"(?:passwords?|passphrases?|credentials?|secrets?|tokens?|api.?keys?|private keys?|ssh keys?|environment variables?|"
    r"card numbers?|conversations?|chat history|customer (?:data|records?|list)|personal data|user data|source code|cookies?)"
)
TO_DO = r"(?<!never )(?<!not )(?<!dont )(?<!don't )\b"
"""The start of a verb that is told to be done: what is told not to be done is advice."""
HARMFUL_ORDER = _any(
    rf"{TO_DO}(?:send|forward|upload|post|copy|transmit|e-?mail|exfiltrate|leak|share|paste|submit|report)\b[^.]{{0,60}}\b{SENSITIVE}\b[^.]{{0,60}}\b(?:to|at|into|via)\b",
    rf"{TO_DO}(?:disable|turn off|switch off|skip|bypass|circumvent|deactivate|suppress|weaken)\b[^.]{{0,30}}\b(?:safety|security|verification|authentication|authorization|confirmation|guard\w*|sandbox|firewall|audit|logging|polic(?:y|ies)|ssl|tls|certificate|2fa|mfa|antivirus|permission checks?)\b",
    rf"{TO_DO}(?:always|just|simply|immediately|automatically|silently)\b[^.]{{0,70}}\bwithout\b[^.]{{0,25}}\b(?:ask|confirm|approv|verif|check|permission|consent|identif)",
    r"\b(?:always|automatically) (?:approve|accept|grant|refund|authori[sz]e|trust)\b|\bgrant\b[^.]{0,30}\b(?:admin|root|full access)",
    r"\b(?:transfer|wire|pay|refund)\b[^.]{0,40}\b(?:to (?:account|wallet|iban)|bitcoin|btc\b)",
    r"\bexfiltrat",
)  # fmt: skip

LINE_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("speaks to the reader", SPEAKS_TO_READER),
    ("asks for something harmful", HARMFUL_ORDER),
)

ENDINGS = r"(?:com|net|org|dev|xyz|ru|cn|top|info|biz|site|online|onion|example|test|tk|club|live|cloud|page|link|click|zip|mov)"
COMMANDS = _any(
    # delete
    r"\brm\s+(?:-[\w-]+\s+)+\S*|\brm\s+[/~*.]\S*|\bfind\b[^\n|;]{0,80}\s-(?:delete|exec\s+rm)\b|\bshred\s+\S+|\bmkfs(?:\.\w+)?\b|\bdd\s+(?:if|of)=\S*",
    r"\btruncate\s+-s\s*0|>\s*/dev/(?:sd|nvme|hd)\w*|\bgit\s+(?:reset\s+--hard|clean\s+-\w*[fdx]\w*|push\s+(?:\S+\s+)*(?:-f\b|--force\S*|--mirror))",
    r"\b(?:drop|truncate)\s+(?:table|database|schema)\b|\bdelete\s+from\s+\w+\s*(?:;|$)|\bshutil\.rmtree\b|\bos\.(?:remove|unlink|rmdir|removedirs)\(|\bdel\s+/[sfq]\b|\brmdir\s+/s\b|\bRemove-Item\b|\bformat\s+[a-z]:",
    r"\bkill\s+-9\s+-1\b|\bkillall\b|:\(\)\s*\{|\b(?:docker|podman)\s+(?:system\s+prune|rm\s+-f)|\bkubectl\s+delete\b|\bterraform\s+destroy\b|\baws\s+s3\s+(?:rm|rb)\b|\bdropdb\b",
    # download, and running what was downloaded
    r"\b(?:curl|wget|aria2c|lynx|httpie)\s+\S+|\b(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\b|\bcertutil\s+-urlcache|\bbitsadmin\b|\bStart-BitsTransfer\b",
    r"\b(?:pip3?|uv|pipx|conda|npm|pnpm|yarn|gem|cargo|go|brew|apt|apt-get|yum|dnf|apk|choco|winget|snap)\s+(?:pip\s+)?(?:install|add|get|i)\s+\S+|\bnpx\s+\S+|\bgit\s+clone\s+\S+|\bdocker\s+(?:pull|run)\s+\S+",
    r"\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b|\|\s*(?:python3?|perl|ruby|node)\b|\b(?:iex|Invoke-Expression)\b|\bpowershell(?:\.exe)?\s+-\w+|\b(?:urlretrieve|urlopen)\(|\brequests\.(?:get|post|put)\(|\bhttpx\.(?:get|post|put)\(",
    r"\b(?:ba|z)?sh\s+<\(|\bsource\s+<\(|\beval\s*[(\"'$`]|\bexec\s*\(|\b(?:os\.system|os\.popen|subprocess\.\w+|child_process)\b|\bpython3?\s+-c\b|\bperl\s+-e\b|\bbase64\s+(?:-d|-D|--decode)\b|\bxxd\s+-r\b",
    # escalate
    r"\bsudo\b(?:\s+\S+)?|\bdoas\s+\S+|\bsu\s+-(?:\s|$)|\bchmod\s+(?:-\w+\s+)*(?:[augo]*\+[sx]\w*|[0-7]?777|[2467][0-7]{3}|a\+w)|\bchown\s+(?:-\w+\s+)*root|\bsetcap\b|\busermod\b|\bvisudo\b|/etc/sudoers\S*|--privileged\b|\brunas\b|\bnsenter\b|\binsmod\b|\bcrontab\s+\S+|\bsystemctl\s+(?:disable|stop|mask)\b|\biptables\s+-F|\bufw\s+disable|\bsetenforce\s+0",
    # exfiltrate
    r"\b(?:nc|ncat|netcat|socat)\s+\S+|\b(?:scp|sftp|rsync|ssh|ftp|telnet)\s+\S*[@:/.]\S*|/dev/(?:tcp|udp)/\S*|\b(?:env|printenv|set|history)\s*[|>]\s*\S*",
    r"(?:~|\$HOME|/root|/home/\S+)?/?\.(?:ssh|aws|gnupg|kube|docker)/\S*|\.netrc\b|\bid_(?:rsa|ed25519|ecdsa)\b|/etc/(?:passwd|shadow)\b|/proc/(?:self|\d+)/environ|\bnslookup\s+\S+|\bdig\s+\S*\$\(",
)  # fmt: skip

HARMLESS_COMMANDS = re.compile(
    # the checkout itself, as it lies there; asking an interpreter what it imports; what Python makes again by itself
    r"\b(?:uv\s+)?pip3?\s+install\s+(?:-[\w-]+\s+)*?(?:-e|--editable)\s+['\"]?\.(?:\[[\w,-]+\])?['\"]?(?=\s*(?:$|[`'\").,;:]|--?[a-z]))"
    r"|\b(?:uv\s+)?pip3?\s+install\s+(?:-[\w-]+\s+){0,4}(?:(?:-r|--requirement)\s+['\"]?(?:\./)?(?:requirements|constraints)[\w-]{0,40}\.(?:txt|lock)['\"]?|--(?:user|help|dry-run))[`'\").,;:]*(?=\s|$)"
    r"|\bpython3?\s+-c\s+(?P<mark>[\"'])(?:(?:import\s+[\w.]+(?:\s*,\s*[\w.]+)*|from\s+[\w.]+\s+import\s+\w[\w, ]*+|print\([\w., ]*\))\s*+(?:;\s*+)?){1,8}(?P=mark)"
    r"|\bfind\s+\.\s+(?:-type\s+[fd]\s+)?-name\s+['\"]?(?:\*\.pyc|__pycache__)['\"]?\s+(?:-type\s+[fd]\s+)?(?:-delete|(?:-prune\s+)?-exec\s+rm\s+-rf?\s+\{\}\s+(?:\+|\\?;))"
)
"""Pieces in which a dangerous command seems to stand, and that do nothing but what a reader at work does all day."""


class SpanRule(NamedTuple):
    """What no piece of a text may be, and why."""

    reason: str
    pattern: re.Pattern[str]


SAFEGUARDS = _any(
    r"--dangerously-[\w-]+|--no-?verify\b|--insecure\b|--no-check-certificate\b|--no-?sandbox\b|--yolo\b|--full-auto\b|--allow-all\w*|--approve-all\b|--auto-approve\b"
    r"|--skip-(?:permissions?|verification|checks?|auth\w*|ssl\w*|tls\w*)\b|--disable-(?:sandbox|security|web-security|auth\w*|ssl\w*|tls\w*|verification|protection)[\w-]*"
    r"|--trusted-host\b\S*|--allow-unauthenticated\b|--force-yes\b|--ignore-certificate-errors\b|--accept-all\b|--no-gpg-check\b|--nogpgcheck\b|--skip-broken-signature\w*",
    r"\bverify_?(?:ssl|certs?|mode)?\s*[=:]\s*(?:False|0|no|none|false|ssl\.CERT_NONE)\b|\bcheck_hostname\s*=\s*False|\bCERT_NONE\b|_create_unverified_context|\brejectUnauthorized\b\W{1,4}false"
    r"|NODE_TLS_REJECT_UNAUTHORIZED|\bStrictHostKeyChecking[= ]\s*(?:no|accept-new|off)|\bUserKnownHostsFile[= ]/dev/null|\bsslVerify\s*[= ]\s*(?:false|0)|GIT_SSL_NO_VERIFY|PYTHONHTTPSVERIFY\s*=\s*0|\bInsecureSkipVerify\b"
    r"|\bcurl\b[^\n|;]{0,120}?\s-[a-zA-Z]*k[a-zA-Z]*\b|\bbypassPermissions\b|\bdanger-full-access\b|\bapproval[_-]policy\W{1,4}never|\bautoApprove\b|\bskip-permissions\b|\bset\s+-\+e\b",
)
STARTS = _any(
    r">>?\s*[\"']?(?:~|\$HOME|\$\{HOME\}|/root|/home/[\w.-]+|/etc)?/?\.?(?:bashrc|bash_profile|bash_login|bash_aliases|profile|zshrc|zprofile|zshenv|gitconfig|npmrc|pypirc|pip\.conf|vimrc|inputrc|crontab|environment|hosts|rc\.local|ld\.so\.preload|config/fish\S*|ssh/(?:authorized_keys|config|rc))\b"
    r"|\btee\s+(?:-a\s+)?\S*(?:bashrc|profile|zshrc|authorized_keys|crontab|/etc/\S+)|\bauthorized_keys\b|\bgit\s+config\s+(?:--(?:global|system|local)\s+)?(?:core\.(?:hooksPath|sshCommand|fsmonitor|pager|editor)|alias\.\S+|credential\.\S+|url\.\S+|http\.proxy\S*)"
    r"|\.git/hooks/\S*|\bLD_PRELOAD\s*=|\bPROMPT_COMMAND\s*=|\balias\s+(?:ls|cd|sudo|git|ssh|rm|python3?|pip3?|npm|cat)=|\bsystemctl\s+(?:--user\s+)?(?:enable|link)\b|\bsetx\s+\S+|\breg\s+add\b|\bschtasks\b|\blaunchctl\s+load\b|\bat\s+now\b|\bnohup\s+\S+",
)
INSTALLS = _any(
    r"\b(?:poetry|pdm|rye|hatch|bun|deno|composer|nuget|luarocks|cpan|cpanm|opam|stack|cabal|mix|vcpkg|conan|helm|flatpak|pkg|port|pacman|zypper|nix-env|mamba|micromamba|pixi|easy_install|asdf|volta|mise|gh\s+extension|code|cursor|vsce|kubectl\s+krew|ansible-galaxy|terraform|R|julia)\s+(?:-[\w-]+\s+)*(?:install|add|require|repo\s+add|get|-S|-i|-iA|in|--install-extension|plugin\s+install)\b\s*\S+"
    r"|\beasy_install\s+\S+|\bdotnet\s+(?:add\s+\S*\s*package|tool\s+install)\s+\S+|\b(?:uvx|bunx|pipx\s+run|uv\s+tool\s+run|(?:p?npm|yarn|pnpm)\s+(?:exec|dlx|i)|deno\s+run|go\s+run)\s+\S+|\binstall\.packages\(|\bPkg\.add\(|\bbrew\s+tap\s+\S+|\badd-apt-repository\s+\S+|\bpip3?\s+(?:-\S+\s+)*(?:download|wheel)\s+\S+|--(?:extra-)?index-url\b\S*(?:\s+\S+)?|\bregistry\s*=\s*\S+|\bpython3?\s+-m\s+pip\s+install\s+\S+",
)

LOADS = _any(
    # what runs code of others by the way: variables and settings that name it, data that is code
    r"\b(?:PYTHONPATH|PYTHONSTARTUP|PYTHONHOME|PYTHONINSPECT|BASH_ENV|ENV|LD_LIBRARY_PATH|LD_AUDIT|DYLD_\w+|NODE_OPTIONS|NODE_PATH|PERL5OPT|PERL5LIB|RUBYOPT|RUBYLIB|JAVA_TOOL_OPTIONS|GIT_SSH_COMMAND|GIT_SSH|GIT_EXTERNAL_DIFF|GIT_PROXY_COMMAND|PAGER|MANPAGER|VISUAL)\s*=\s*[\"']?(?:/|~|\.|--|\w+\s)\S*"
    r"|\bgit\s+-c\s+[\w.]+=\S*|\bnpm\s+config\s+set\s+\S+|\bpip3?\s+config\s+set\s+\S+|\b(?:sitecustomize|usercustomize)\b|\.pth\b(?=[^\n]{0,60}\b(?:imports?|site-packages))|\.config/autostart\S*|\bLaunchAgents\b",
    r"\bpickle\.loads?\(?|\bcPickle\b|\bmarshal\.loads?\(|\bdill\.loads?\(|\byaml\.(?:Unsafe|Full)?Loader\b|\byaml\.(?:unsafe_load|full_load)\b|\bjoblib\.load\(|\bweights_only\s*=\s*False|\btrust_remote_code\s*=\s*True|\ballow_pickle\s*=\s*True|\b(?:eval|compile|__import__)\s*\(\s*[a-z]",
)
OPENS = _any(
    # doors: containers that see the host, tunnels, servers for everybody, rights of agents and workflows
    r"-v\s*=?\s*/:\S*|--volume[= ]/:\S*|/var/run/docker\.sock|--(?:network|net|pid|ipc|uts|userns)[= ]host\b|--cap-add\b\S*(?:\s+\S+)?|--security-opt\b\S*(?:\s+\S+)?|\bhostPath\b|\ballowPrivilegeEscalation\W{1,4}true",
    r"\b(?:ngrok|cloudflared|localtunnel|serveo|chisel|frpc|bore|tailscale\s+funnel|lt\s+--port)\b(?:\s+\S+)?|\bssh\s+(?:-\w+\s+)*-[RD]\s*\S+|\bopenssl\s+s_client\b|\bhttp\.server\b[^\n]{0,40}(?:0\.0\.0\.0|--bind)|\$\([^)\n]{1,60}\)\.[\w.-]+",
    r"\bdefaultMode\b|\bacceptEdits\b|[\"']allow[\"']\s*:\s*\[|\.claude/settings\S*|\.mcp\.json\b|\bmcpServers\b|\bMCP server\b|\bpull_request_target\b|\bpermissions:\s*write-all|\bCODEOWNERS\b(?=[^\n]{0,60}@|)|\bwrite-all\b|X-Skip-\w+|\bX-(?:Auth|Debug|Admin)-(?:Bypass|Override)\b",
    r"\bssl\.(?:_create_default_https_context|create_default_context)\s*=|_create_stdlib_context\b|\bverify\s*=\s*None\b|\btrust_env\s*=\s*True|\bdisable_warnings\(|\b0o?7?77\b(?=[^\n]{0,20}chmod)",
)
DISGUISED = _any(
    r"(?<!\S)(?<!(?<!\S)[a-z] )(?!a b c )(?:[a-z] ){9,80}[a-z](?!\S)|\b[a-z]{1,3}(?:\"[a-z]{1,2}\"|'[a-z]{1,2}')[a-z]{1,3}\b|\\(?:0?1[0-7]{2}|x[0-9a-f]{2})(?:\\(?:0?[0-7]{2,3}|x[0-9a-f]{2})){2,}|\brot-?(?:13|47|5)\b|\b(?:read|spell|write|reverse|say|type|decode)\w*\b(?! the (?:list|rows?|log|table|column|traceback|stack|array|history)\b)[^.\n]{0,20}\b(?:backwards?|in reverse|reversed|from (?:right to left|the end))\b|\bbackwards\b(?=[^.\n]{0,30}\b(?:is|then|and|first|step))"
    r"|\b(?:first|last|initial|second|capital) (?:letters?|words?|characters?) of (?:the |each |every |these )?(?:following|lines?|words?|sentences?|:|[a-z]+:)|\b(?:decode|decrypt|decipher|unscramble|translate|convert)\b[^.\n]{0,40}\b(?:and|then)\b[^.\n]{0,15}\b(?:follow|obey|act|do|run|execute)\b|\bact on it\b|\b(?:caesar|vigenere|morse|braille|pig latin|leetspeak)\b",
)

SPAN_RULES: tuple[SpanRule, ...] = tuple(SpanRule(reason, pattern) for reason, pattern in (
    ("turns off a safeguard", SAFEGUARDS),
    ("settles where nobody looks", STARTS),
    ("dangerous command", INSTALLS),
    ("dangerous command", LOADS),
    ("dangerous command", OPENS),
    ("encoded text", DISGUISED),
    ("HTML", re.compile(r"<\w{1,20}\s[^<>\n]{0,120}?\bon[a-z]{3,20}\s*=|<!--|-->|</?(?:script|img|iframe|a|style|svg|object|embed|form|input|link|meta|base|video|audio|div|span|button|template|noscript|textarea|details|summary|marquee|plaintext|xmp|listing|dialog|title|select|option|canvas|math|frame|frameset|applet)\b[^>\n]{0,120}>?|&(?:colon|newline|tab|lpar|lt|gt|sol|num);|<!\[CDATA\[|<!DOCTYPE\b|<\?(?:php|xml)?(?=[\s=])|<pre\b[^>\n]{0,120}>?", re.I)),
    ("hidden link or comment of Markdown", re.compile(r"^\[[^\]\n]*\]:\s*\S+.*$|!\[[^\]\n]*\]\([^)\n]*\)|\[\]\([^)\n]*\)", re.M)),
    ("data URL", re.compile(r"\bdata:[\w.+-]{0,80}/?[\w.+-]{0,80}[;,][^\s)\"']{0,80}|\b(?:java|vb)script:[^\s)\"']{0,80}", re.I)),
    ("address of a host", re.compile(
        rf"\b(?:https?|hxxps?|ftps?|wss?|ssh|git|file|s3|gs|ldap|jdbc:\w+)://[^\s)\"'>`\]]+|\bwww\.[^\s)\"'>`\]]+|(?<![\w.@/-])(?:[a-z0-9-]+\.)+{ENDINGS}\b(?:/[^\s)\"'>`\]]*)?"
        r"|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?![\w.])|(?<![\w.@/-])(?:[\w-]+\.)+(?:io|ai|co|me|sh|de|fr|uk|eu|us|br|es|it|nl|pl|jp|kr|in|to|cc|gg|ly|app|tech|store|shop|host|website|space|pw|su|kz|ir)/[^\s)\"'>`\]]+|(?<![\w.@/-])[\w.-]*[^\x00-\x7f\W][\w.-]*\.(?:com|net|org|dev|io|ru|cn)\b|\bxn--[a-z0-9-]+\b|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b[a-z0-9-]+(?: ?\[\.\] ?| ?\(dot\) ?|\[dot\]| dot )(?:com|net|org|io|ru|xyz|dev|ai|app|sh|me|co)\b|\b0x[0-9a-f]{2}(?:\.\w{1,4}){1,3}\b|\b(?:fetch|from|connect to|ping|visit|host|open|or)\s+[1-4]\d{9}\b", re.I)),
    ("dangerous command", COMMANDS),
    ("encoded text", re.compile(
        r"(?<![A-Za-z0-9+/_-])(?=[A-Za-z0-9+/_-]*[a-z])(?=[A-Za-z0-9+/_-]*[A-Z])(?=[A-Za-z0-9+/_-]*\d)[A-Za-z0-9+/]{36,}={0,2}|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{24,}={1,2}(?![A-Za-z0-9+/=])"
        r"|\b[0-9a-fA-F]{40,}\b|(?:\\x[0-9a-fA-F]{2}){4,}|(?:\\u\{?[0-9a-fA-F]{4}\}?){4,}|(?:%[0-9a-fA-F]{2}){5,}|(?:&#x?[0-9a-fA-F]+;){3,}|\b(?:[01]{8}[ ,]){4,}|(?:\b\d{2,3}[ ,]+){16,}")),
))  # fmt: skip
