"""Words on which the sense of a rule turns, by kind: what denies, what makes a condition, what relates two things.

They are lists: what is in none of them is only held to the words of the longer line.
"""

import re

NEGATION = re.compile(
    r"(?i)\b(?:not|no|never|none|nothing|nobody|nowhere|neither|nor|without|cannot|except|unless|only|avoid|refrain|forbid\w*|"
    r"prohibit\w*|nicht|kein\w{0,2}|nie|niemals|nichts|niemand|ohne|nur|außer|jamais|sans|aucun\w?|sauf|seulement|nunca|"
    r"jamás|ningun\w|ningún|sólo|não|niet|geen|nooit|zonder|inte|ikke|aldrig|utan|uden|mai|senza|nigdy|bez|żad\w+|"
    r"не|нет|ни|никогда|нельзя|без|لا|لم|لن|بدون)\b"
    r"|\b\w{1,10}n['’]t\b|\bn['’](?=\w)|\bne\b(?=\s+\w+\s+pas\b)|\b(?:no|non)\b(?=\s+\w)"
    r"|[不没沒無勿未禁]|ない|ません|지\s?마|지\s?않"
)
CONDITION = re.compile(
    r"(?i)\b(?:if|when|whenever|unless|except|where|wherever|in case|as long as|provided|otherwise|while|wenn|falls|"
    r"sofern|sobald|solange|es sei denn|sonst|ansonsten|si|cuando|siempre que|salvo|quand|lorsque|dès que|pourvu que|"
    r"quando|caso|qualora|wanneer|indien|tenzij|när|såvida|hvis|når|medmindre|jeśli|jeżeli|если|когда)\b"
    r"|如果|若|もし|場合|たら|으면|경우"
)
BOUND = re.compile(
    r"(?i)\b(?:at least|at most|more than|less than|fewer than|no more than|no less than|up to|before|after|first|last|"
    r"below|above|between|exactly|mindestens|höchstens|mehr als|weniger als|bis zu|vor|nach|zuerst|zuletzt|au moins|"
    r"au plus|avant|après|al menos|como máximo|antes|después)\b"
)
RELATION = re.compile(
    r"(?i)\b(?:instead|rather|optional(?:ly)?|may|might|or|until|till|over|under|greater|smaller|larger|bigger|lower|higher|"
    r"less|fewer|more|earlier|later|min|max|minim\w+|maxim\w+|increas\w+|decreas\w+|rais\w+|reduc\w+|ascending|descending|"
    r"inside|outside|include\w*|exclude\w*|enabl\w+|disabl\w+|allow\w*|statt|anstatt|anstelle|lieber|oder|"
    r"darf|dürfen|bis|über|unter|größer|kleiner|en lugar|hasta|puede|mayor|menor|ou|peut|jusqu\w*|plutôt)\b"
)
OF_LITTLE = re.compile(r"(?i)\b(?:always|must|should|shall|immer|stets|muss|müssen|toujours|doit|siempre|debe)\b")
"""May be left out of an order, and not brought in; `always` stays where something is denied beside it."""
_UNITS = (
    r"(?P<ms>ms|milliseconds?|Millisekunden?)|(?P<second>secs?|seconds?|s|Sekunden?|segundos?|secondes?)|"
    r"(?P<minute>mins?|minutes?|Minuten?|minutos?)|(?P<hour>h|hours?|hrs?|Stunden?|horas?|heures?)|"
    r"(?P<day>days?|Tage?n?|días?|jours?)|(?P<week>weeks?|Wochen?|semanas?|semaines?)|"
    r"(?P<month>months?|Monate?n?|mes|meses|mois)|(?P<year>years?|Jahre?n?|años?|années?)|"
    r"(?P<kilobyte>ki?b|kilobytes?)|(?P<megabyte>mi?b|megabytes?)|(?P<gigabyte>gi?b|gigabytes?)|(?P<byte>bytes?)|"
    r"(?P<points>percentage points?)|(?P<percent>percent|per cent|Prozent)|(?P<pixel>px|pixels?)|(?P<mm>mm)|(?P<cm>cm)|"
    r"(?P<km>km)|(?P<kg>kg)|(?P<euro>euros?|€|eur)|(?P<dollar>dollars?|usd|\$)|(?P<pound>pounds?|£|gbp)|"
    r"(?P<yen>yen|¥|jpy)|(?P<cent>cents?)"
)
UNIT = re.compile(
    rf"(?i)(?<=\d)[\s-]?(?:{_UNITS})(?![^\W\d_])|"
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|eine[nr]?|zwei|drei|vier|fünf|zehn)[\s-]"
    rf"(?:{re.sub(r'[?]P<[a-z]+>', '?:', _UNITS)})(?![^\W\d_])|[$€£¥](?=\s?\d)|\b(?:EUR|USD|GBP|JPY|CHF)\s?(?=\d)"
)
"""A unit beside its number."""
OPERATOR = re.compile(r"<=|>=|!=|==|->|=>|[<>≤≥≠=±×→]")
WHY = re.compile(
    r"(?i)(?:[,:(]\s*|\s)(?:because|since|so that|as this|weil|denn|damit|porque|parce que|car)\b[^.;]*|"
    r"[,(]\s*(?:which|who|was|wodurch)\b[^.;,)]*|"
    r"(?:;\s*|[.]\s+)(?:it|they|this|that) (?:was|were|is|are|has|have)\b[^.;]*"
)
"""A reason: it may be left out, and what it says is not asked for."""
EXAMPLE = re.compile(r"(?i)\b(?:such as|for example|e\.g\.|zum Beispiel|z\. ?B\.)[^,;.()]*")
FILLER = frozenset(
    """
    a all always an and any are as at be because been being best both by can case certain clear clearly could did do
    does done e each ensure ever every everything exact exactly explicit explicitly for from fully further g give
    given good has have here i idea in into it its just kind like made make mean meet must need of often on one or
    other out own plainly please possible put really s same see shall should so still such sure take than that
    the their them then there these they thing this those to use usual very way well what whatever when where which
    while who will with within work would you your
    als auf auch bitte das dass dem den der des die ein eine einen einem einer es für im immer in mit sich
    sicher so stets
    und von wenn wirklich zu zum zur
    al con de del el en es favor la las lo los para por que se siempre su un una y
    au aux avec ce dans des du est et le les pour qui toujours une veuillez vous
    """.split()  # noqa: SIM905
)
"""Words that a line may lose or win without saying anything else."""
NEW = frozenset(
    "about away awa become find get go goe look mention note per remain say state tell via".split()  # noqa: SIM905
)
"""Words that stand for others in many lines, in the form of `stems`; others that the longer line lacks are refused."""
GERMAN = re.compile(r"\b(?:der|die|das|den|dem|und|nicht|ein|eine|einen|für|mit|von|im|zu|ist|bitte)\b")
