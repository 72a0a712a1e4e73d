"""What a rule would make its reader do, in five languages: turn a safeguard off, act without asking, take something
out, hide, or settle where nobody looks.

Each order is a pattern over one sentence, as its reader takes it, with what makes the same words good advice: 'Never
cancel without asking' holds the words of 'cancel without asking'. A pattern without one of its own is good advice where
a negation governs its verb.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from trace2skill.safety.bounded import bounded
from trace2skill.safety.everyday import is_told_once
from trace2skill.safety.quick import Quick
from trace2skill.safety.view import View

SENTENCE = re.compile(r"(?<=[.!?;。！？；])\s+|(?<=[。！？；])|\n")
CLAUSE_END = re.compile(r"[,;:，；：]")
LONGEST_SENTENCE = 2000


class Order(NamedTuple):
    """An order, and what stands before or around it where it is none.

    `everyday`: honest advice gives such an order, too; what it is about decides whether it does harm.
    """

    reason: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str]
    everyday: bool = False


class Reason(NamedTuple):
    """Why a text is no advice, and whether honest advice says such a thing, too."""

    reason: str
    everyday: bool = False


def any_of(*patterns: str) -> re.Pattern[str]:
    """One pattern for several, in any case of letters."""
    return re.compile(bounded("|".join(patterns)), re.IGNORECASE)


UNSAFE, UNASKED, TAKEN, HIDDEN, SETTLES = (
    "turns off a safeguard",
    "acts without asking",
    "sends what is confidential",
    "hides what is done",
    "settles where nobody looks",
)
NEVER = re.compile(r"(?!)")

# English. `NOT` is a negation that governs what follows it directly.
NOT = r"\b(?:never|not|dont|don t|cannot|cant|must not|mustnt|shouldnt|avoid|refuse to|no one may|nobody may|without|rather than|instead of)\b(?:\s+(?:ever|to|simply|just|silently|blindly|globally|be))?\s+$"
YES_EN = r"(?:confirm\w*|approv\w*|permission|consent|authori[sz]ation|go.?ahead|sign.?off)"
GUARD_EN = (
    r"(?:sandbox\w*|isolation|safety|security|safeguard\w*|guard ?rails?|permission (?:check|prompt|system|dialog)\w*|firewall\w*|anti.?virus|authenticat\w+"
    r"|authori[sz]ation|verification|certificate\w*|\bssl\b|\btls\b|audit(?:ing| log\w*|s)?\b|logging|rate limit\w*|content filter\w*|moderation|\b[2m]fa\b|access control\w*"
    r"|signature check\w*|host key\w*|pre.?commit hooks?|branch protection\w*|code review\w*|confirmation\w*|selinux|apparmor|seccomp|approval\w*|two.?factor|privacy|encryption"
    r"|the review|safe mode|protections?|restrictions?)"
)
SECRET_EN = (
    r"(?:passwords?|passphrases?|credentials?|secrets?|\btokens?\b|api.?keys?|private keys?|ssh keys?|environment variables?|\benv\b|card numbers?|conversations?"
    r"|chat history|customer (?:data|records?|list|details)|personal data|user data|source code|cookies?|session ids?|system prompt|home directory|key ?files?)"
)
# German, Spanish: accents are gone. Chinese, Russian: as they are.
GUARD_DE = r"(?:sandbox\w*|sicherheit\w*|schutz\w*|prufung\w*|uberprufung\w*|verifi\w*|authentifizier\w*|firewall|zertifikat\w*|protokollier\w*|berechtigung\w*|bestatigung\w*|virenscan\w*|freigabe\w*|verschlusselung|zwei-?faktor\w*|genehmigung\w*)"
YES_DE = r"(?:ruckfrage\w*|nachfrag\w*|bestatigung\w*|bestatig\w*|zustimmung|erlaubnis|genehmigung|freigabe|einwilligung|einverstandnis)"
SECRET_DE = r"(?:passw\w+|kennw\w+|zugangsdaten|anmeldedaten|\w*schlussel\w*|tokens?|geheim\w+|kundendaten|umgebungsvariablen|api.?keys?|quell(?:code|text)|gesprach\w*|kreditkarten\w*)"
GUARD_ES = r"(?:sandbox|aislamiento|seguridad|verificacion\w*|autenticacion|cortafuegos|firewall|certificados?|auditoria|proteccion\w*|permisos|confirmacion\w*|antivirus|controles|cifrado|aprobacion\w*|salvaguard\w*)"
YES_ES = r"(?:confirmacion|permiso|aprobacion|autorizacion|consentimiento|visto bueno)"
SECRET_ES = r"(?:contrasen\w+|credencial\w*|claves?|tokens?|secretos?|datos (?:de (?:los |las )?)?(?:clientes?|personales|usuarios?)|variables de entorno|api.?keys?|codigo fuente|conversacion\w*|tarjetas?(?! de (?:embarque|visita))\b)"
GUARD_ZH = r"(?:沙箱|沙盒|安全|验证|驗證|校验|校驗|认证|認證|防火[墙牆]|[证證][书書]|审计|審計|日志|日誌|[权權]限|保[护護]|确认|確認|检查|檢查|双因素|审批|審批|加密|限制|杀毒|殺毒)"
YES_ZH = r"(?:询问|詢問|确认|確認|征求|徵求|请示|請示|批准|同意|[许許]可|授[权權]|审批|審批|允[许許])"
SECRET_ZH = r"(?:密码|密碼|口令|凭[据证]|憑[據證]|密[钥鑰]|令牌|token|机密|機密|客户|客戶|用户数据|環境變量|环境变量|api.?key|源代码|源碼|对话|聊天记录|个人信息)"
GUARD_RU = r"(?:песочниц|безопасност|проверк|аутентифик|авториза|фаервол|файрвол|брандмауэр|сертификат|аудит|журналир|логирован|защит|прав[аи]? доступа|разрешени|подтвержд|антивирус|ограничен|шифрован|верифик)\w*"
YES_RU = r"(?:подтвержден|разрешен|согласи|одобрен|спроса|запроса|ведома|санкции)\w*"
SECRET_RU = r"(?:парол|учетн|учётн|токен|секрет|ключ|данны[ех] (?:о )?(?:клиент|пользов)|персональн|переменн\w+ окружен|исходн\w+ код|переписк|cookie)\w*"

# What makes "without asking" good advice: it is what is never done.
WITHOUT_EN = any_of(
    r"\b(?:never|not|dont|don t|cannot|cant|no|avoid|refuse|nobody|nothing)\b[^.;]*\bwithout\b",
    r"\b(?:never|do not|dont|don t|avoid) (?:\w+ ){0,2}(?:assume|auto|treat|take|consider|answer|click|press)",
)
WITHOUT_DE = any_of(
    r"\b(?:nie|niemals|nicht|kein\w*|nichts|nur)\b[^.;]*\bohne\b",
    r"\b(?:nie|niemals|nicht)\b (?:die |eine )?(?:ruckfrage|bestatigung|genehmigung|freigabe)",
    r"(?:ruckfrage|bestatigung|genehmigung|freigabe)\w* (?:nie|niemals|nicht)\b",
)
WITHOUT_ES = any_of(r"\b(?:nunca|no|jamas|nada)\b[^.;]*\bsin\b")
WITHOUT_RU = any_of(r"\b(?:не|нельзя|никогда|ничего)\b[^.;]*\bбез\b")
WITHOUT_ZH = any_of(
    r"(?:不要|切勿|别|禁止|不得|不能|不可|[绝絕]不|避免|不[应應])[^。；]{0,12}(?:未[经經]|不[经經]|没有|[没沒]|跳[过過]|省略|[绕繞][过過]|忽略|忘|自[动動])"
)

ORDERS: tuple[Order, ...] = (
    # act without asking
    Order(UNASKED, any_of(
        rf"\b(?:never|do not|dont|don t|no need to|need not|stop|skip|omit|drop|avoid|bypass|forget)\b(?: \w+){{0,3}}? (?:ask|confirm|wait|check|prompt|request|seek|requir|get|obtain)\w*\b[^.;!?]{{0,40}}\b{YES_EN}",
        r"\b(?:never|do not|dont|don t|no need to|need not|stop)\b(?: \w+){0,2}? (?:ask|consult|involve|wait for|check with|bother)\w* (?:(?:the|a|any|your) )?(?:user|human|operator|owner|customer|reviewer|person|anyone|somebody|supervisor)s?\b[^.;!?]{0,20}(?:\bfirst\b|\bbefore\b|\bwhether\b|\bif\b|$)",
    ), any_of(r"\b(?:twice|again|more than once|if (?:the user|they) (?:has|have) already|already (?:confirmed|approved))\b")),
    Order(UNASKED, any_of(
        r"(?:\A|[,;:] ?|\b(?:always|just|simply|then|and|please|should|must|may|can|directly|automatically|immediately|silently|it is (?:fine|ok|okay|safe) to) )(?:go ahead|proceed|continue|execute|run|approve|accept|apply|merge|push|deploy|delete|remove|send|pay|refund|cancel|book|grant|install|commit|change|overwrite|publish|transfer|close|act|do|make|issue|drop|reset|update|submit)\b[^.;!?]{0,70}\bwithout (?:\w+ ){0,3}?(?:ask|confirm|approv|permission|consent|wait|prompt|review|check|verif|authori)\w*",
    ), WITHOUT_EN, everyday=True),
    Order(UNASKED, any_of(
        r"\bauto.?approv\w*|\bassume (?:yes|consent|approval|permission|that the user (?:agrees|approves|has approved))|\b(?:answer|say|reply|press|type|click|choose|select)\b (?:with )?(?:yes|y|allow|accept|approve|allow all|always allow)\b[^.;]{0,30}\b(?:every|all|any|each|whatever|always|prompt|dialog|question)",
        r"\b(?:treat|take|consider|regard|count)\b[^.;]{0,50}\b(?:as|to be) (?:pre.?)?(?:approved|confirmed|authori[sz]ed|agreed)|\b(?:confirmation|approval|permission|consent)s? (?:is|are) (?:not (?:needed|required|necessary)|unnecessary|optional|never (?:needed|required)|a waste)|\bno (?:confirmation|approval|permission|consent|review) (?:is )?(?:needed|required|necessary)",
    ), WITHOUT_EN),
    Order(UNASKED, any_of(
        rf"\b(?:frag|bitt|wart)\w*\b[^.;]{{0,30}}\b(?:nie|niemals|nicht|keinesfalls)\b[^.;]{{0,30}}\b{YES_DE}|\b(?:nie|niemals|nicht|keinesfalls|nie mehr)\b[^.;]{{0,20}}\b(?:um|nach|auf)\b[^.;]{{0,15}}\b{YES_DE}[^.;]{{0,20}}\b(?:frag|bitt|wart)\w*|\b(?:frag|bitt|wart)\w* (?:nie|niemals|nicht) (?:nach|um|auf|erst|vorher|den)\b",
        rf"\b{YES_DE} (?:ist|sind|wird) (?:nicht|nie|kein\w*) (?:notig|erforderlich|notwendig)|\b(?:uberspring|spar|lass)\w*\b[^.;]{{0,25}}\b(?:ruckfrage|bestatigung|genehmigung|freigabe)\w*",
    ), WITHOUT_DE),
    Order(UNASKED, any_of(
        rf"\bohne\b[^.;]{{0,25}}\b{YES_DE}|\bohne (?:zu|vorher|erst|jemanden)\b[^.;]{{0,20}}\b(?:fragen|bestatigen)\b",
    ), WITHOUT_DE, everyday=True),
    Order(UNASKED, any_of(
        rf"\b(?:nunca|no|jamas)\b(?: \w+){{0,2}}? (?:pid|ped|solicit|esper|pregunt|consult)\w*\b[^.;]{{0,40}}\b(?:{YES_ES}|al usuario|antes)\b|\b(?:omite|salta|evita pedir)\w*\b[^.;]{{0,20}}\b{YES_ES}",
        rf"\bno (?:hace falta|es necesari[oa]|se necesita)\b[^.;]{{0,20}}\b(?:{YES_ES}|preguntar|confirmar)",
    ), WITHOUT_ES),
    Order(UNASKED, any_of(
        rf"\bsin (?:\w+ ){{0,2}}?(?:pedir|preguntar|confirmar|consultar|esperar|solicitar|avisar|{YES_ES})\b",
    ), WITHOUT_ES, everyday=True),
    Order(UNASKED, any_of(
        rf"(?:不要|[从從]不|永[远遠]不要|切勿|别再?|不再)[^。；]{{0,8}}{YES_ZH}|(?:跳[过過]|省略|[绕繞][过過])[^。；]{{0,10}}{YES_ZH}|(?:自[动動]|一律|[总總]是|直接)[^。；]{{0,6}}(?:批准|同意|接受|允[许許]|[选選][择擇]是)",
    ), WITHOUT_ZH),
    Order(UNASKED, any_of(
        rf"(?:[无無]需|不必|不用|[无無][须須])[^。；]{{0,8}}{YES_ZH}|(?:未[经經]|不[经經]|[无無]需等待)[^。；]{{0,10}}{YES_ZH}",
    ), WITHOUT_ZH, everyday=True),
    Order(UNASKED, any_of(
        rf"\b(?:не|никогда не|больше не)\s+(?:\w+\s+){{0,2}}?(?:спрашива|запрашива|жди|ждите|ждать|ожида|проси|уточня|подтвержда|согласовыва)\w*[^.;]{{0,40}}(?:{YES_RU}|подтвержд\w*|разрешени\w*|пользовател\w*|человек\w*)|\bне (?:спрашивай|спрашивайте|жди)\b",
        r"\b(?:подтверждение|разрешение|согласие)\s+(?:не\s+)?(?:не нужно|не требуется|не обязательно)",
    ), WITHOUT_RU),
    Order(UNASKED, any_of(
        rf"\bбез\s+(?:\w+\s+){{0,2}}?{YES_RU}",
    ), WITHOUT_RU, everyday=True),
    # turn off a safeguard
    Order(UNSAFE, any_of(
        rf"\b(?:turn(?:ing)? off|switch(?:ing)? off|shut(?:ting)? off|disabl\w+|deactivat\w+|skip\w*|bypass\w*|circumvent\w*|suppress\w*|weaken\w*|relax|loosen|get around|work around|override|overrule|evade|defeat)\b[^.;,]{{0,40}}?\b{GUARD_EN}",
        rf"\bignor(?:e|ing) (?:\w+ ){{0,3}}?(?:certificate|security|safety|permission|authori[sz]ation|polic(?:y|ies)|restriction|warning)s?\b|\b{GUARD_EN}\b[^.;,]{{0,25}}\b(?:must|should|can|may|has to|needs? to)? ?(?:be|is|stay|kept?|set to|to) (?:off|disabled|turned off|switched off|skipped|bypassed|false|deactivated|ignored)\b",
        r"\b(?:outside|out of) (?:of )?the sandbox\b|\b(?:run|work|start|execute|act|log ?in)\b[^.;]{0,30}\b(?:as root|as (?:an )?administrator|with (?:full|all|root|admin|elevated) (?:rights|permissions|privileges|access)|in privileged mode|unrestricted)\b|\b(?:give|grant|allow)\b[^.;]{0,30}\b(?:full|all|admin|root|write|unrestricted) (?:access|rights|permissions|privileges)\b",
    ), any_of(rf"{NOT[:-1]}(?:turn|switch|shut|disabl|deactivat|skip|bypass|circumvent|suppress|weaken|relax|loosen|get around|work around|override|overrule|evade|defeat|ignor|run|work|start|execute|act|log|give|grant|allow)", r"\b(?:never|must not|should not|cannot) (?:be )?(?:off|disabled|skipped|bypassed)")),
    Order(UNSAFE, any_of(
        rf"(?:deaktivier|abschalt|ausschalt|abgeschalt|ausgeschalt|abstell|umgeh|uberspring|ignorier|unterdruck|ausser kraft)\w*[^.;]{{0,50}}\b{GUARD_DE}|\b{GUARD_DE}[^.;]{{0,50}}(?:deaktivier|abschalt|ausschalt|abgeschalt|ausgeschalt|abstell|umgeh|umgang|uberspring|ignorier)\w*|\b(?:schalt|stell)\w*\b[^.;]{{0,40}}\b{GUARD_DE}[^.;]{{0,15}}\b(?:ab|aus)\b|ausserhalb der sandbox|\bmit (?:allen|vollen) rechten\b|\bals (?:root|administrator)\b",
    ), any_of(r"(?:deaktivier|abschalt|ausschalt|abgeschalt|ausgeschalt|abstell|umgeh|uberspring|ignorier|unterdruck|schalt|stell|arbeit|lauf|start)\w*[^.;,]{0,40}\b(?:nie|niemals|nicht|keine?n?)\b", r"\b(?:nie|niemals|nicht|keine?n?)\b[^.;,]{0,40}(?:deaktivier|abschalt|ausschalt|abgeschalt|ausgeschalt|abstell|umgeh|uberspring|ignorier|unterdruck|schalt|stell|arbeit|lauf|start)")),
    Order(UNSAFE, any_of(
        rf"\b(?:desactiv|deshabilit|inhabilit|apag|omit|salt[ae]|eludi|elude|esquiv|ignor|quita|desconect|suprim)\w*[^.;]{{0,45}}\b{GUARD_ES}|fuera del sandbox|\bcon (?:todos los|plenos) permisos|\bcomo (?:root|administrador)\b",
    ), any_of(r"\b(?:nunca|no|jamas)\b (?:\w+ ){0,1}?(?:desactiv|deshabilit|inhabilit|apag|omit|salt|elud|esquiv|ignor|quit|desconect|suprim)")),
    Order(UNSAFE, any_of(
        rf"(?:[关關][闭閉掉]|禁用|停用|[绕繞][过過]|[规規]避|跳[过過]|忽略|解除|卸[载載]|取消|[关關]了)[^。；，]{{0,14}}{GUARD_ZH}|{GUARD_ZH}[^。；，]{{0,8}}(?:[关關][闭閉掉]|禁用|停用|[绕繞][过過])|沙[箱盒]之?外|以?(?:root|管理[员員])(?:身份|[权權]限)",
    ), any_of(r"(?:不要|切勿|禁止|不得|不能|不可|[绝絕]不|别|避免|不[应應])[^。；]{0,8}(?:[关關]|禁用|停用|[绕繞]|[规規]避|跳|忽略|解除|卸|取消|以|在)")),
    Order(UNSAFE, any_of(
        rf"(?:отключ|выключ|обойди|обход|обойти|пропусти|пропуск|игнорируй|деактивир|сними|снять|убери|подави|заглуши)\w*[^.;]{{0,50}}\b{GUARD_RU}|вне песочниц\w*|от имени (?:root|администратор)\w*|с (?:полными|правами) (?:root|прав|администратор)\w*",
    ), any_of(r"\b(?:не|нельзя|никогда)\s+(?:\w+\s+)?(?:отключ|выключ|обходи|обойти|пропуска|игнорир|деактивир|снима|убира|подавл|запуска)")),
    # take out what is confidential
    Order(TAKEN, any_of(
        rf"\b(?:send|forward|upload|post|copy|transmit|e-?mail|exfiltrat\w*|leak|share|paste|submit|report|push|sync|mirror|attach|deliver|ship)\b[^.;]{{0,60}}\b{SECRET_EN}\b[^.;]{{0,60}}\b(?:to|at|into|via|with|through)\b",
        rf"\b(?:include|print|echo|write|append|embed|put|quote|output|repeat|dump|add)\b[^.;]{{0,30}}\b{SECRET_EN}\b[^.;]{{0,25}}\b(?:in|into|to|as|at)\b[^.;]{{0,25}}\b(?:answers?|repl(?:y|ies)|commits?|comments?|file names?|urls?|quer(?:y|ies)|reports?|summar(?:y|ies)|messages?|issues?|tickets?|branch|output|response)\b",
        r"\b(?:send|forward|upload|post|copy|transmit|e-?mail|submit|report|push|mirror|deliver|back up|sync)\b[^.;]{0,60}\b(?:to|at|into|via|on|with|through)\b (?:\w+ ){0,3}?(?:webhook|pastebin|paste site|gist|public (?:bucket|repo\w*|channel|link|folder)|external (?:\w+ )?(?:server|host|address|service|endpoint|site|account|mailbox)|third.?part(?:y|ies)|outside (?:\w+ )?(?:server|address|account)|attacker|collector|personal (?:account|e?-?mail|address|drive)|another (?:server|account|tenant)|our (?:server|collector|endpoint|mirror))",
    ), any_of(rf"{NOT[:-1]}(?:send|forward|upload|post|copy|transmit|e-?mail|exfiltrat|leak|share|paste|submit|report|push|sync|mirror|attach|deliver|ship|include|print|echo|write|append|embed|put|quote|output|repeat|dump|add|back)", r"\bauthori[sz]ation header\b")),
    Order(TAKEN, any_of(
        rf"\b(?:send|sende|schick|leit|ubertrag|lad|kopier|poste|mail|ubermittl|veroffentlich|teil)\w*[^.;]{{0,60}}\b{SECRET_DE}[^.;]{{0,60}}\b(?:an|auf|nach|zu|in|mit|hoch|weiter)\b|\b{SECRET_DE}[^.;]{{0,60}}\b(?:an|auf|nach)\b[^.;]{{0,60}}(?:send|schick|leit|ubertrag|lad|kopier|poste|mail|ubermittl)\w*|\b(?:send|schick|lad|leit|kopier)\w*[^.;]{{0,60}}\b(?:extern\w+|fremd\w+|webhook|pastebin|dritte\w*)",
    ), any_of(r"(?:send|schick|leit|ubertrag|lad|kopier|poste|mail|ubermittl|veroffentlich|teil)\w*[^.;,]{0,40}\b(?:nie|niemals|nicht|keine?n?)\b", r"\b(?:nie|niemals|nicht|keine?n?)\b[^.;,]{0,60}(?:send|schick|leit|ubertrag|lad|kopier|poste|mail|ubermittl|veroffentlich|teil)")),
    Order(TAKEN, any_of(
        rf"\b(?:envi|mand|sub[ea]|reenvi|copi|public|transmit|filtr|compart)\w*[^.;]{{0,60}}\b{SECRET_ES}\b[^.;]{{0,60}}\b(?:a|al|hacia|en|con)\b|\b(?:envi|mand|sub[ea]|reenvi|copi)\w*[^.;]{{0,60}}\b(?:extern[oa]|webhook|pastebin|tercer[oa]s?|ajen[oa])\b",
    ), any_of(r"\b(?:nunca|no|jamas)\b[^.;,]{0,20}(?:envi|mand|sub|reenvi|copi|public|transmit|filtr|compart)")),
    Order(TAKEN, any_of(
        rf"(?:[发發][送到给給]|上[传傳]|[转轉][发發]|[复複][制製]|提交|[传傳][输輸送]|泄露|寄[到给給]|[贴貼][到上]|公[开開]|[导導]出)[^。；]{{0,24}}{SECRET_ZH}|(?:把|[将將])[^。；]{{0,20}}{SECRET_ZH}[^。；]{{0,20}}(?:[发發]|上[传傳]|[转轉]|[复複][制製]|提交|[传傳]|寄|[贴貼])[^。；]{{0,8}}(?:到|至|[给給]|去)|(?:[发發]送|上[传傳]|[转轉][发發])[^。；]{{0,16}}(?:外部|第三方|webhook)",
    ), any_of(r"(?:不要|切勿|禁止|不得|不能|不可|[绝絕]不|别|避免|不[应應])[^。；，]{0,16}(?:[发發]|上[传傳]|[转轉]|[复複]|提交|[传傳]|泄露|寄|[贴貼]|公|[导導])")),
    Order(TAKEN, any_of(
        rf"(?:отправ|пошли|посыла|перешли|пересыла|загруз|скопиру|выложи|передай|передава|опублику|слей)\w*[^.;]{{0,60}}\b{SECRET_RU}[^.;]{{0,60}}\s(?:на|в|по|к|через)\s|(?:отправ|пошли|перешли|загруз)\w*[^.;]{{0,60}}(?:внешн|сторонн|постороннем|webhook|вебхук)\w*",
    ), any_of(r"\b(?:не|нельзя|никогда)\b[^.;,]{0,30}(?:отправ|посыла|пересыла|загруж|копир|выклад|переда|публик|слива)", r"заголов")),
    # hide
    Order(HIDDEN, any_of(
        r"\b(?:do not|dont|don t|never|avoid|stop|no need to)\b(?: \w+){0,2}? (?:tell|inform|mention|report|reveal|disclos|alert|notify|log|record|document|note|show|list|say|write down)\w*\b[^.;]{0,30}\b(?:this|that you|these|the (?:change|step|action|fee|charge|transfer|command|deletion|download|installation|rule|instruction|access|failure)s?|in the (?:summary|report|log|commit|answer|reply|changelog)|to (?:the )?(?:user|reviewer|owner|admin|anyone|anybody))\b",
        r"\b(?:secretly|covertly|stealthily|in secret|behind (?:his|her|their|the user.?s) back|unnoticed|without (?:a trace|leaving (?:a trace|traces)|(?:mentioning|reporting|logging|telling|noting|disclosing)))\b|\b(?:clear|delete|erase|wipe|remove|truncate|unset)\b[^.;]{0,25}\b(?:shell history|bash history|command history|histfile|audit (?:log|trail)|traces?|your tracks|evidence|log entr)",
        r"\b(?:hide|conceal|disguise|mask|obscure)\b[^.;]{0,40}\b(?:from (?:the )?(?:user|reviewer|owner|log|admin|anyone)|this|these|the (?:change|command|file|rule|instruction|step)s?)\b",
    ), any_of(r"\b(?:never|do not|dont|don t|must not|avoid) (?:\w+ ){0,2}?(?:hide|conceal|disguise|mask|clear|delete|erase|wipe|secretly|covertly)", r"\b(?:nothing|never|not|no)\b[^.;]*\bwithout (?:mentioning|reporting|logging|telling|noting)", r"\b(?:nothing|none|not|never|cannot|no (?:\w+ ){1,3}?)(?: ?\w+){0,2}? ?\b(?:go|goes|pass|passes|slips?|remains?|stays?|left|happens?|fails?) (?:\w+ )?unnoticed\b", r"\b(?:errors?|failures?|exceptions?|mistakes?|warnings?|typos?|gaps?|faults?|bugs?|mismatch\w*|(?:failed|failing|wrong|missing|broken|stale|empty) \w+)\b(?: \w+){0,7}? (?:goe?s?|pass|passes|slips?|remains?|stays?|happens?) (?:\w+ )?unnoticed\b", r"\bstack trace")),
    Order(HIDDEN, any_of(
        r"\b(?:erwahn|sag|meld|bericht|informier|verrat|protokollier|zeig|erzahl|verschweig)\w*\b[^.;]{0,40}\b(?:nicht|nie|niemals|nichts|niemand\w*|keinem)\b[^.;]{0,30}\b(?:nutzer|benutzer|kunden?|anwender|prufer|davon|daruber|dies\w*)\b|\b(?:nutzer|benutzer|kunden?|anwender|prufer|niemandem|keinem)\b[^.;]{0,30}\b(?:nichts?|nie|niemals|davon|niemandem|keinem)?\b[^.;]{0,15}\b(?:erwahn|sag|meld|bericht|verrat|erzahl|verschweig)\w*[^.;]{0,15}(?:nichts?|davon|nie)?",
        r"\b(?:heimlich|unbemerkt|stillschweigend|verdeckt|ohne spuren|ohne (?:es |dies )?(?:zu )?(?:erwahnen|melden|sagen|protokollieren))\b|\bverschweig\w*|\bverheimlich\w*|\b(?:losch|loesch)\w*[^.;]{0,25}\b(?:spuren|verlauf|protokoll\w*)",
    ), any_of(r"\b(?:nie|niemals|nicht) (?:heimlich|unbemerkt|verschweigen|verheimlichen)|\A(?:sag|meld|bericht|informier|zeig|nenn|erklar)\w*\b(?!.*\b(?:nicht|nie|niemals|nichts|keinem|niemandem)\b)")),
    Order(HIDDEN, any_of(
        r"\b(?:no|nunca|jamas)\b (?:(?:se|lo|le|les|la) ){0,2}(?:dig|mencion|inform|cuent|avis|revel|muestr|report|registr|document|comuni)\w*[^.;]{0,40}\b(?:usuario|cliente|nadie|esto|ello|revisor|cambio|paso|registro|informe)\b|\b(?:en secreto|a escondidas|silenciosamente|secretamente|sin (?:decirlo|avisar|mencionar\w*|dejar rastros?|registrar\w*))\b|\b(?:oculta|esconde|disimula|borra)\w*[^.;]{0,30}\b(?:usuario|revisor|historial|rastros?|registros?|huellas?)\b",
    ), any_of(r"\b(?:nunca|no|jamas) (?:ocult|escond|disimul|borr)")),
    Order(HIDDEN, any_of(
        r"(?:不要|别|切勿|不得|[无無]需|不必|[绝絕]不)[^。；]{0,6}(?:告[诉訴知]|通知|提[及到]|透露|[记記][录錄]|[显顯]示|[报報]告|[说說]明)[^。；]{0,12}(?:用[户戶]|使用者|客[户戶]|任何人|此|[这這]|[审審]|日志)|(?:偷偷|悄悄|暗中|秘密地|[静靜]默地|不留痕[迹跡])|(?:[隐隱][藏瞒瞞]|掩[盖蓋])[^。；]{0,12}|(?:清除|[删刪]除)[^。；]{0,10}(?:痕[迹跡]|[历歷]史[记記][录錄]|日志)",
    ), any_of(r"(?:不要|切勿|不得|禁止|[绝絕]不)[^。；]{0,4}(?:[隐隱]|掩|偷偷|悄悄|清除|[删刪]除)|[隐隱]藏(?:的)?(?:行|列|工作表|[单單]元格|文件)")),
    Order(HIDDEN, any_of(
        r"\bне\s+(?:говори|сообщай|упоминай|рассказывай|показывай|уведомляй|раскрывай|записывай|докладывай|отражай)\w*[^.;]{0,40}(?:пользовател|клиент|никому|об этом|про это|это|журнал|отч[её]т)\w*|\b(?:тайно|тайком|незаметно|скрытно|втихую|молча)\b|(?:скрой|скрыва|спрячь|утаи|замети)\w*[^.;]{0,30}(?:пользовател|следы|журнал|проверя)\w*|(?:сотри|удали|очисти)\w*[^.;]{0,25}(?:следы|истори\w+ команд|журнал)\w*",
    ), any_of(r"\bне\s+(?:скрыва|прячь|утаива|удаля|стира)")),
    # settle
    Order(SETTLES, any_of(
        r"\b(?:write|add|append|copy|put|paste|insert|include|repeat|save|install|place)\b[^.;]{0,40}\b(?:this|these|the same|it|following)?\b[^.;]{0,40}\b(?:to|into|in|at)\b[^.;]{0,30}(?:claude\.md|agents\.md|gemini\.md|\.cursorrules|copilot-instructions|every (?:other )?skill|all (?:other )?skills|each new (?:file|project|repo)|system prompt|\bcrontab\b|startup script|\.?bashrc|\.?zshrc|\.?profile\b|authorized.?keys)",
    ), any_of(NOT[:-1])),
)  # fmt: skip


class OrderReader:
    """Reads texts for orders, sentence by sentence. A sentence is read once: a text is looked at whole and in lines."""

    def __init__(self, orders: Iterable[Order], *, by_clause: bool = False) -> None:
        """`by_clause`: only what stands before an order, or in its own clause, makes it good advice."""
        self._by_clause = by_clause
        self._orders = [*orders]
        self._quick = Quick([order.pattern for order in self._orders])
        self._in_sentence = lru_cache(maxsize=4096)(self._looked_at)

    def __call__(self, text: str) -> Iterator[Reason]:
        """Why a text is no advice, each once."""
        yield from dict.fromkeys(told for said in _sentences(text) for told in self._in_sentence(said))

    def _looked_at(self, said: str) -> tuple[Reason, ...]:
        found = [self._orders[number] for number in self._quick.found_in(View(said))]
        good = (order for order in found if not self._is_good(order, said))
        return tuple(dict.fromkeys(Reason(order.reason, order.everyday and is_told_once(said)) for order in good))

    def _is_good(self, order: Order, said: str) -> bool:
        match = order.pattern.search(said) if self._by_clause else None
        end = CLAUSE_END.search(said, match.end()) if match else None
        return order.unless.search(said, 0, end.start() if end else len(said)) is not None


@lru_cache(maxsize=64)
def _sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, which several readers look at one after the other."""
    return tuple(filter(None, (" ".join(one.split())[:LONGEST_SENTENCE] for one in SENTENCE.split(text))))


orders_in = OrderReader(ORDERS)
