"""More places that tell that a secret stands in them, by their kind. Data, no code.

Each is a kind of secret and an expression; what is taken out is its group `value`. The words that a text needs for it
are read off the expression.
"""

GAP = r"[^\n|;&]{0,160}?[\s\"',]"
"""The rest of a command up to one of its words, in a shell or as a list of arguments."""
VALUE = r"[\"']?(?P<value>[^\s\"'$<{\\-][^\s\"'\\]{3,199})"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
LEFT, RIGHT = r"\\{0,3}[\"']", r"\\{0,3}[\"']"
TELLS = r"(?:pass(?:word|wd|phrase|code)?|pwd?|secret|token|(?:api|access|secret|private|signing|encryption)[_-]?key|credential)s?"
"""How the name of a setting ends that holds a secret."""
TOLD = ("pass", "password", "passwd", "passphrase", "passcode", "pw", "pwd", "secret", "token", "key", "credential")
"""What stands where `TELLS` ends, but for an `s`."""
SPOKEN = r"(?:pass(?:word|wd|phrase|code|wort)|kennwort|secret|token|(?:api|access|secret|private)[ _-]key)"
NO_NAME = r"(?-i:(?=\S{0,60}[a-z])(?=\S{0,60}[A-Z]))(?=\S{0,60}\d[^\s\d]{1,40}\d|\S{0,60}\d\S{0,60}[!@#%^&*+=]|\S{0,60}[!@#%^&*+=]\S{0,60}\d)"
"""Of a value that a sentence tells behind its name: what no word and no name of code is made of."""
ABROAD = r"(?:passwort|kennwort|contrase(?:ñ|n)a|mot de passe|senha|wachtwoord|has[łl]o|пароль|密码|密碼|口令|パスワード|비밀번호)"
HOLDS = rf"{RIGHT}?\s{{0,3}}(?:[:=：]|=>)\s{{0,3}}{LEFT}?"
MIXED_VALUE = r"(?P<value>(?=[^\s\"']{0,80}\d)(?=[^\s\"']{0,80}[A-Za-z])[^\s\"'(){}\[\],;<>$\\]{6,200})(?![\w(.\[])"
NO_WORDS = r"(?!(?:pass(?:word|wd|phrase)?|secret|token|value|string|none|null|true|false|required|hidden|changed|prompt|default|undefined|disabled|enabled|optional|invalid|missing|expired|incorrect)(?![a-z]))"

AS_ARGUMENT = (
    rf"(?i)[\"'][\w.-]{{0,60}}_?{TELLS}[\"'],\s{{0,3}}[\"'](?P<value>(?=[^\"'\s]{{0,80}}\d)[^\"'\\\s]{{8,200}})[\"']"
)
IN_BLOCK = rf"(?im)^[ \t\"'-]{{0,20}}[\w.-]{{0,60}}{TELLS}[\"']?:[ \t]{{0,3}}[>|][+-]?[ \t]{{0,3}}\n[ \t]{{1,20}}(?P<value>[^\s]{{4,400}})"
IN_TABLE = rf"(?i)\|\s{{0,20}}[`*]{{0,2}}[\w -]{{0,30}}{TELLS}[`*]{{0,2}}\s{{0,20}}\|\s{{0,20}}[`*]{{0,2}}(?P<value>(?=[^\s|]{{0,80}}\d)[^\s|`]{{6,200}})"
IN_MANIFEST = rf"(?im)^[ \t]{{1,20}}[\w.-]{{0,60}}{TELLS}:[ \t](?P<value>[A-Za-z0-9+/]{{7,400}}={{1,2}})[ \t]*$"
TYPED = rf"(?i)\b(?:send|send_keys|sendline|fill|type|set_value)\b[^\n]{{0,80}}?{TELLS}[\w\"'\])#]{{0,20}},\s{{0,3}}[\"'](?P<value>[^\"'\n]{{4,200}})[\"']"

AT_COMMANDS = (
    rf"(?:\bpass(?:in|out)?[ =]|-k )pass:{VALUE}",
    rf"\b(?:zip|unzip)\b{GAP}-P ?{VALUE}",
    rf"\b(?:7z[ar]?|rar|unrar) [a-z]\b{GAP}-p{VALUE}",
    rf"\b(?:plink|pscp|psftp|putty)\b{GAP}-pw {VALUE}",
    rf"\b(?:sqlcmd|bcp|osql|isql)\b{GAP}-P ?{VALUE}",
    rf"\b(?:mongo|mongosh|mongodump|mongorestore|crackmapexec|netexec|rdesktop|sshpass|keytool|useradd|usermod)\b{GAP}-p[ =]?{VALUE}",
    rf"\b(?:xfreerdp|cmdkey|net|sc|runas)\b{GAP}/p(?:ass)?:{VALUE}",
    rf"\bsnmp(?:walk|get|getnext|bulkwalk|bulkget|set|trap|table|status|inform)\b{GAP}-[cAX] ?{VALUE}",
    rf"\bhtpasswd\b{GAP}-[a-zA-Z]*b[a-zA-Z]*\s+\S{{1,200}}\s+\S{{1,80}}\s+{VALUE}",
    rf"\b(?:smbclient|rpcclient|smbget|mount\.cifs|net rpc)\b{GAP}(?:-U|--user)[ =]?[\"']?[\w.\\/@-]{{1,80}}%{VALUE}",
    rf"\b(?:https? |xh |lftp |siege |wrk )(?:{GAP})?(?:-a|-u|-A|--auth)[ =]?[\"']?[\w.@-]{{1,80}}[:,](?!//){VALUE}",
    r"\b(?:(?:sqlplus|rman target|expdp|impdp|sqlldr)\s{1,3}(?:-\w{1,20}\s{1,3}){0,4}|oracle:(?:thin|oci):)[\w$#]{1,40}/(?P<value>[^\s\"'@/]{4,80})@",
    rf"(?i)\bnet1? (?:user|use)\b(?=[^\n]{{0,200}} /(?:add|user|domain|active))[^\n]{{0,120}}?\s(?:\\\\[^\s]{{1,120}}|\b\w{{1,40}})\s+{VALUE}(?= /)",
    rf"\bmc (?:alias|config host) (?:set|add)\s+\S{{1,80}}\s+\S{{1,200}}\s+\S{{1,80}}\s+{VALUE}",
    rf"\b(?:rabbitmqctl|kafka-configs|ejabberdctl|samba-tool user)\s+(?:add_user|change_password|create|setpassword|register)\s+\S{{1,80}}\s+{VALUE}",
    rf"\b(?:aws configure set|gcloud config set|npm config set|composer config|heroku config:set|fly secrets set|gh secret set|vercel env add)\s+\S{{0,60}}{TELLS}[ =]+{VALUE}",
    r"\b(?:wandb|vault|hf|huggingface-cli|railway|doppler|netlify|supabase|pulumi|dvc|comet|mlflow)\s+(?:auth\s+)?login\s+(?:--token[ =]|--relogin\s+)?(?P<value>[\w.-]{20,200})",
    r"[\"']?\b(?:echo|printf)\s+[\"']?[\w.@-]{1,40}:(?P<value>[^\s\"'|]{4,100})[\"']?\s*\|\s*(?:sudo\s+)?chpasswd",
    r"\b(?:echo|printf)\s+[\"']?(?P<value>[^\s\"'|$-][^\s\"'|]{3,100})[\"']?\s*\|\s*(?:sudo\s+-\w*S|passwd\b|gpg\b[^\n]{0,80}passphrase-fd|docker login\b[^\n]{0,120}--password-stdin|gh auth login --with-token|cryptsetup\b|kinit\b)",
    rf"\bnmcli\b{GAP}(?:password|wifi-sec\.psk) {VALUE}",
    rf"\bwpa_passphrase\s+\S{{1,80}}\s+{VALUE}",
    rf"--(?:from-literal|set|set-string|var|build-arg|env|header)[ =][\"']?[\w.-]{{0,60}}{TELLS}=(?P<value>[^\s\"'$,][^\s\"',]{{3,199}})",
    rf"(?:-var[ =]|\bvault kv (?:put|patch)\s+\S{{1,120}}\s+(?:\S{{1,80}}\s+){{0,4}}?|\brclone config create\b{GAP}|\bkv set\b{GAP})[\"']?[\w.-]{{0,60}}{TELLS}=(?P<value>[^\s\"'$][^\s\"']{{3,199}})",
    rf"{LEFT}--?(?:[\w-]{{0,30}}-)?(?:password|passwd|passphrase|token|secret|api-key|pass){RIGHT}\s{{0,3}},\s{{0,3}}{LEFT}(?P<value>[^\"'\\\n]{{4,200}}){RIGHT}",
    rf"\b(?:curl|https?(?= )|wget)\b{GAP}(?:-b|--cookie)[ =]?[\"'](?P<value>[\w.-]{{1,80}}=[^\n\"']{{6,1000}})",
    r"(?i)\bvault[^\n]{0,60}?[^\w.]s\.(?P<value>[A-Za-z0-9]{24})\b",
    rf"--(?:[\w-]{{0,30}}-)?(?:pass(?:word|wd|phrase|code)?|storepass|keypass|token|secret|api-?key)(?:=|\s(?=\S{{0,80}}\d)){VALUE}",
)  # fmt: skip
"""At a place of a command that asks for one."""

IN_SETTINGS = (
    # a variable in capitals, or one that is told without a blank, may hold letters alone
    r"(?<![\w.$-])(?:[A-Z][A-Z0-9_]{0,40}_)?(?:PASS(?:WORD|WD|PHRASE)?|PWD?|SECRET|(?:API|SECRET|PRIVATE|SIGNING|ENCRYPTION|MASTER|ACCESS|APP|AUTH)_(?:KEY|TOKEN)|SECRET_KEY_BASE)=(?P<value>[^\s\"'$<{(/\\.\[-][^\s\"'\\]{5,300})",
    rf"(?im)(?:^|(?<=[\s;&?\"'|]))[\w.-]{{0,60}}(?:password|passwd|pwd|passphrase|secret)=(?P<value>{NO_WORDS}[A-Za-z][A-Za-z!@#%^*+_-]{{7,60}})(?=[\s;&\"'|\\]|$)",
    rf"(?i)\bpassw(?:or)?d{RIGHT}?\s{{0,3}}[:=]\s{{0,3}}{LEFT}(?P<value>(?=[^\"'\s]{{0,5}}\d)[^\"'\\\s]{{4,5}}){RIGHT}",
    # the name and the value apart
    rf"(?i)\bname[\"']?\s?[:=]\s?[\"']?[\w.-]{{0,60}}{TELLS}[\"']?[\s,}}]{{1,12}}[\"']?value[\"']?\s?[:=]\s?[\"']?(?P<value>[^\s\"'$<{{\\]{{4,300}})",
    rf"(?i)\b(?:name|key|id|type)=[\"'][\w.-]{{0,60}}{TELLS}[\"'][^<>\n]{{0,120}}?\s(?:value|default|content)=[\"'](?P<value>[^\"'\n]{{4,300}})",
    AS_ARGUMENT,
    IN_BLOCK,
    IN_TABLE,
    r"(?im)^(?:[\w.-]{1,40},){1,6}(?:password|passwd|secret|api_?key|token)[ \t]*\r?\n(?:[^,\n]{0,80},){1,6}(?P<value>[^,\s]{6,200})",
    # what certain files hold
    rf"(?i)(?:client-key|token|tls\.key|ca\.key|ssh-privatekey|\.dockerconfigjson)(?:-data)?{RIGHT}?:\s{{0,3}}{LEFT}?(?P<value>[A-Za-z0-9+/=]{{40,8000}})",
    IN_MANIFEST,
    r"(?i)\bPrivate-?Key\s?=\s?(?P<value>[A-Za-z0-9+/]{42,44}={1,2})",
    r":_(?:auth|password)\s?=\s?[\"']?(?P<value>[A-Za-z0-9+/=_-]{8,400})",
    r"\b(?:enable|username\s+\S{1,40}(?:\s+privilege\s+\d+)?)\s+(?:secret|password)\s+(?:\d\s+(?P<value>\S{4,120}))",
    r"(?i)\bSharedAccessKey=(?P<value>[A-Za-z0-9+/=]{16,120})",
    r"(?i)\buserPassword::?\s(?P<value>\S{4,400})",
    r"(?i)\b(?:jdbc:oracle:(?:thin|oci):)[\w$#]{1,40}/(?P<value>[^\s\"'@/]{4,80})@",
    r"(?i)\botpauth://[^\s\"']{1,300}?[?&]secret=(?P<value>[A-Z2-7=]{12,200})",
)  # fmt: skip
"""Under the name of a setting, in the form of a file."""

IN_REQUESTS = (
    rf"(?i)\b(?:proxy-)?authorization{RIGHT}?\s{{0,3}}[:=,]\s{{0,3}}{LEFT}?(?:(?:basic|bearer|token|apikey|api-key|key|negotiate|ntlm|oauth|hawk|sso-key|signature|splunk|genie(?:key)?|ghost|bot)\s{{1,3}})?(?P<value>(?=[^\s\"']{{0,60}}\d)[A-Za-z0-9_.+/=~:-]{{12,4000}})",
    r"(?i)\bauthorization\\{0,3}[\"']?\s{0,3}[:=]\s{0,3}\\{0,3}[\"']?digest [^\n]{0,600}?\b(?:response|cnonce)=\\{0,3}[\"'](?P<value>[0-9a-f]{16,128})",
    r"(?i)\b(?:signedheaders=[^\n]{0,400}?\bsignature|[?&]signature)[=:]\s{0,3}[\"']?(?P<value>[A-Za-z0-9+/=%]{32,600})",
    rf"(?im)(?:^|[\"'\s])(?:[a-z]{{1,20}}-){{0,4}}(?:api-?key|app-?key|application-key|subscription-key|access-key|auth-?key|secret-key|private-token|auth-token|access-token|job-token|deploy-token|session-token|csrf-?token|xsrf-token){RIGHT}?:\s{{0,3}}{LEFT}?(?P<value>(?=[^\s\"']{{0,60}}\d)[A-Za-z0-9_.+/=~-]{{12,4000}})",
    r"(?i)\b(?:jsessionid|phpsessid|asp\.net_sessionid|aspsessionid\w{0,8}|connect\.sid|laravel_session|_session_id|session_?id|sessid|sid|cfid|cftoken)[=:]\s{0,3}[\"']?(?P<value>(?=[A-Za-z_.-]{0,60}\d|[a-z]{24})[A-Za-z0-9%._-]{16,400})(?![\w(.\[])",
    r"(?i)document\.cookie\s{0,3}=\s{0,3}[\"'`](?P<value>[\w.-]{1,80}=[^\"'`\n]{6,1000})",
    r"(?i)[?&;](?:otp|pin|passcode|pass(?:word|wd)?|pwd|secret|ticket|session|sid|jwt|assertion|refresh_token|magic|nonce|state_token|invite|reset(?:_token)?|confirmation_token|sv_key|subscription-key|appid|app_key)=(?P<value>[A-Za-z0-9%+/=_.~-]{6,4000})",
    r"(?i)(?<![\w-])pass(?:word|wd)=(?P<value>[^\s&\"'<>$]{4,200})(?=&|$|\s)(?<=\d)",
    r"(?i)/(?:reset[_-]?password|password[_-]?reset|reset|verify(?:[_-]email)?|confirm|activate|invite|magic(?:[_-]link)?|hooks?|webhooks?|unsubscribe|share)/(?:[\w-]{1,40}/){0,2}(?P<value>(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{20,400})",
    rf"\bauth\s{{0,3}}[=:]\s{{0,3}}[(\[]\s{{0,3}}{LEFT}[^\"'\n]{{1,80}}{RIGHT},\s{{0,3}}{LEFT}(?P<value>[^\"'\\\n]{{4,200}}){RIGHT}",
    rf"\b(?:\w{{0,20}}Auth|(?:\w{{1,30}}\.)?(?:login|authenticate|basic_auth|set_credentials|PasswordCredentials?|NetworkCredential|auth))\(\s{{0,3}}{LEFT}[^\"'\n]{{1,80}}{RIGHT},\s{{0,3}}{LEFT}(?P<value>[^\"'\\\n]{{4,200}}){RIGHT}",
    r"(?i)\bConvertTo-SecureString\s+(?:-String\s+)?[\"'](?P<value>[^\"'\n]{4,200})",
    r"(?i)<(?:\w{1,20}:)?(?:password|passwd|secret|token|api-?key)\s[^<>\n]{0,200}>(?P<value>[^<>\s]{4,400})</",
    r"(?m)^(?:>\s?|C:\s?)?AUTH (?:[\w.@-]{1,40} )?(?P<value>(?=\S{0,80}\d)(?=\S{0,80}[A-Za-z])[^\s\"']{8,400})",
    r"(?i)\bAUTH (?:PLAIN|LOGIN|XOAUTH2)\s(?P<value>[A-Za-z0-9+/=]{8,800})",
    r"(?m)^(?:>\s?|C:\s?|--->\s?)?PASS (?P<value>(?=\S{0,80}\d)(?=\S{0,80}[A-Za-z])[^\s\"'./:\[]{6,200})[ \t]*$",
    r"(?i)\b\w{1,12} LOGIN [\"']?[\w.@-]{1,80}[\"']? [\"'](?P<value>[^\"'\n]{4,200})[\"']",
    r"(?i)\bPASSWORD\s+(?:=\s*)?(?:\$\w{0,20}\$(?P<value>[^$\n]{4,200})\$)",
    r"(?i)\bSET PASSWORD\b[^\n=]{0,120}=\s{0,3}(?:PASSWORD\()?'(?P<value>[^'\n]{4,200})'",
    TYPED,
)  # fmt: skip
"""In what is sent."""

MARKED: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        "private-key",
        rf"{LEFT}(?:d|p|q|dp|dq|qi|k){RIGHT}\s{{0,3}}:\s{{0,3}}{LEFT}(?P<value>[A-Za-z0-9_-]{{40,1400}}){RIGHT}",
        ('d"', "d'", 'p"', "p'", 'q"', "q'", 'qi"', "qi'", 'k"', "k'", 'd\\', 'p\\', 'q\\', 'qi\\', 'k\\'),
        r"[\\\"']{0,4}\s{0,3}:\s{0,3}[\\\"']{1,4}[A-Za-z0-9_-]{40}",
    ),
    ("password", r"(?<![\w$])(?P<value>\$(?:1|2[abxy]?|5|6|7|y|apr1|argon2(?:id?|d)|scrypt|sha1|P|H)\$[./A-Za-z0-9$,=+-]{20,400})", ("$",), r"(?:1|2[abxy]?|5|6|7|y|apr1|argon2(?:id?|d)|scrypt|sha1|P|H)\$"),
    ("private-key", r"\b(?P<value>LS0tLS1CRUdJTi[A-Za-z0-9+/]{20,8000}={0,2})", ("LS0tLS1CRUdJTi",), r"[A-Za-z0-9+/]{20}"),
    ("private-key", r"(?m)^Private-Lines: \d+\r?\n(?P<value>(?:[A-Za-z0-9+/=]{1,80}\r?\n){1,80})", ("Private-Lines: ",), r"\d"),
    ("access-key", r"\bhttps?://(?P<value>(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{16,200})(?::x-oauth-basic)?@", ("@",), ""),
    (
        "access-key",
        rf"\b(?:(?:waka_|access-(?:production|sandbox|development)-|api-|sdk-|mob-|pat-(?:na|eu|ap)\d-|signkey-){UUID}|{UUID}:fx)\b",
        ("waka_", "tion-", "box-", "ment-", "api-", "sdk-", "mob-", "pat-na1-", "pat-eu1-", "pat-ap1-", "pat-na2-", "signkey-", ":fx"),
        "",
    ),
    (
        "access-key",
        r"\b(?:(?:re|pcsk)_[A-Za-z0-9]{6,8}_[A-Za-z0-9]{24,}|snyk_(?:uat|sat)\.[a-z0-9]{8}\.[\w.-]{20,}|tskey-(?:[a-z]{2,10}-)?[A-Za-z0-9]{8,20}-[A-Za-z0-9]{16,}|CCIPAT_[A-Za-z0-9]{22}_[a-f0-9]{40}"
        r"|v1\.0-[a-f0-9]{24}-[a-f0-9]{100,}|A3-[A-Z0-9]{6}(?:-[A-Z0-9]{5,11}){4,5}|A{20,}[A-Za-z0-9%]{50,}|1//0[A-Za-z0-9_-]{40,}|secret_[A-Za-z0-9]{40,}|sk_[a-f0-9]{48}|pat[A-Za-z0-9]{14}\.[a-f0-9]{64}"
        r"|oy2[a-z0-9]{43}|4b1d[A-Za-z0-9]{38}|dp\.(?:pt|ct|sa|scim|audit|st(?:\.[a-z]{1,20})?)\.[A-Za-z0-9]{40,44}|glcbt-\d{1,4}_[A-Za-z0-9_-]{20}|xox[ce]-\d-[A-Za-z0-9-]{40,}|sk\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{16,})",
        ("re_", "pcsk_", "snyk_", "tskey-", "CCIPAT_", "v1.0-", "A3-", "AAAAAAAAAAAAAAAAAAAA", "1//0", "secret_", "sk_", "pat", "oy2", "4b1d", "dp.", "glcbt-", "xoxc-", "xoxe-", "sk.eyJ"),
        r"(?:(?<=re_)[A-Za-z0-9]{6,8}_|(?<=pat)[A-Za-z0-9]{14}\.|(?<!re_)(?<!pat)\S{8})",
    ),
    ("access-key", r"(?<![\w.~])[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{30,40}", ("Q~",), r"\S{30}"),
    (
        "secret",
        rf"(?i)(?<![A-Za-z0-9]){ABROAD}{HOLDS}{MIXED_VALUE}",
        ("wort", "woord", "contrase", "passe", "senha", "hasło", "haslo", "пароль", "密码", "密碼", "口令", "パスワード", "비밀번호"),
        r"(?:ñ|n)?a?\\{0,3}[\"']?\s{0,3}[:=：]",
    ),
    (
        "secret",
        rf"(?i)(?<![\w.-]){SPOKEN}(?:\s(?:is|was|ist|war|lautet|es|est))?\s[\"'`]?(?P<value>{NO_NAME}(?:[A-Za-z0-9/+]{{40}}|[A-Za-z0-9!@#%^&*+=_~-]{{10,200}}))(?![\w(\[/]|\.\w)",
        ("password", "passwd", "passphrase", "passcode", "passwort", "kennwort", "secret", "token", "key"),
        r"\s\S",
    ),
    (
        "secret",
        rf"(?i)(?<![A-Za-z0-9])[\w.-]{{0,40}}(?:_pw|_psk|psk|passcode|secret_key_base|session_?key|auth_?key|otp_?secret|(?-i:[a-z0-9]Pass(?:wd|phrase)?|[a-z0-9]Pwd?)){HOLDS}(?P<value>(?=[^\s\"']{{0,80}}\d)[^\s\"'(){{}}\[\],;<>$\\]{{6,200}})(?![\w(.\[])",
        ("_pw", "psk", "passcode", "key_base", "session_key", "sessionkey", "auth_key", "authkey", "otp_secret", "otpsecret", "pass", "pw"),
        rf"(?:wd|phrase|d)?{HOLDS}(?=[^\s\"']{{0,80}}\d)[^\s\"'(){{}}\[\],;<>$\\]{{6}}",
    ),
)  # fmt: skip
"""Those whose words are too many, or beyond ASCII: with the words of which each match has one, and what stands behind."""

KINDS_OF_PLACES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("password", AT_COMMANDS),
    ("secret", IN_SETTINGS),
    ("secret", IN_REQUESTS),
)
"""Kind and patterns."""
BEHIND_NAMES: dict[str, str] = {
    AS_ARGUMENT: r"s?[\"'],\s{0,3}[\"'](?=[^\"'\s]{0,80}\d)[^\"'\\\s]{8}",
    IN_BLOCK: r"s?[\"']?:[ \t]{0,3}[>|]",
    IN_TABLE: r"s?[`*]{0,2}\s{0,20}\|",
    IN_MANIFEST: r"s?:[ \t][a-z0-9+/]{7}",
    TYPED: r"[\w\"'\])#]{0,20},\s{0,3}[\"']",
}
"""Patterns that most texts with such a name would be looked through by, with what stands behind one of `TOLD`."""
