"""Rules that serve somebody else than the user: they tell to disregard what was asked for, or how to please a check.

Who follows a skill works for a user who never sees how the runs were checked that the skill was learned from. A rule
such as 'write values even if the request asks for formulas' makes a check pass and the user's work wrong.
"""

from trace2skill.safety.orders import Order, OrderReader, any_of

DISREGARDS, PLEASES = "tells to disregard the request", "serves a check and not the user"


ASKER = r"(?:requests?|tasks?|users?|prompts?|instructions?|questions?|customers?|clients?|assignments?|briefs?)"
WISHES = (
    r"(?:says?|said|asks?|asked|wants?|wanted|requires?|required|tells?|told|speaks?|mentions?|specif\w+|demands?|demanded"
    r"|calls? for|requests?|requested|prefers?|insists?|states?|instructs?)"
)
NOT_BEFORE = r"\b(?:never|not|dont|cannot|cant|mustnt|avoid|without|refuse to|no reason to)\b[^.;,]{0,25}"
"""A negation that governs what follows it: 'never ignore the instructions'."""

INSTEAD = r"\b(?:instead of|rather than|in place of)\b"

RULES: tuple[Order, ...] = (
    Order(DISREGARDS, any_of(
        rf"\b(?:even (?:if|when|where|though)|although|though|despite (?:the fact )?that)\b (?:the |a |an |your |its )?(?:\w+ )?{ASKER}\b[^.;,]{{0,30}}?\b{WISHES}\b",
        rf"\b(?:regardless of|no matter|irrespective of|whatever|whichever way)\b(?: what| whether| how| which \w+)? (?:the |a |an |your )?(?:\w+ )?{ASKER} (?:\w+ )?{WISHES}\b",
        r"\b(?:regardless of|irrespective of|despite|in spite of|contrary to|in defiance of)\b (?:the |any |all |what )?(?:users? |explicit |written |given )*(?:requests?|instructions?|wording|wish(?:es)?)\b(?! (?:for|type|size|kind|method|count|rate|being|sheet|tab))",
    ), any_of(
        rf"\b(?:even (?:if|when|where|though)|although|though)\b[^.;,]{{0,40}}\b{ASKER}\b[^.;,]{{0,15}}\b(?:not|doesnt|dont|didnt|never|no|only|nothing|neither|seems?|appears?|leaves?|omits?|just|silent|single|one|example)\b",
        r"\b(?:do|give|deliver|follow|return|honou?r|produce|answer|write|use)\w*\b (?:exactly |just )?(?:whatever|whichever)",
        rf"{NOT_BEFORE}(?:regardless|irrespective|despite|contrary|whatever|even (?:if|when))",
    )),
    Order(DISREGARDS, any_of(
        rf"{INSTEAD} (?:\w+ing )?(?:exactly )?(?:what|whatever|the way) (?:(?:was|is|were|are|has been|had been|you were) )?(?:\w+ly )?(?:asked|requested|instructed|told|specified|wanted|demanded|said)\b",
        rf"{INSTEAD} (?:\w+ing )?(?:exactly )?(?:what|whatever|the way) (?:(?:the |a |an |your |its )?(?:\w+ )?{ASKER}|you|they|he|she|somebody|someone) (?:\w+ )?{WISHES}\b",
        rf"{INSTEAD} (?:the|a|an) (?:requested|asked.for|instructed|demanded|wanted) \w+",
        rf"{INSTEAD} (?:the |a |an )?(?:\w+ ){{1,3}}(?:that|which) (?:was|is|were|are) (?:\w+ly )?(?:requested|asked for|demanded|wanted)\b",
    ), any_of(rf"{NOT_BEFORE}(?:instead of|rather than|in place of)", r"\bdo something else\b")),
    Order(DISREGARDS, any_of(
        r"\b(?:ignore|disregard|override|overrule|disobey|deviate from|do the opposite of|(?:do not|dont|never|stop) (?:follow|obey|do as))(?:ing|s)?\b (?:the |any |all |what (?:the )?|a |an |such |these |those |explicit |literal )*(?:users?|customers?|clients?|tasks?)?\s?(?:requests?|instructions?|wishes|wording|asks?|wants?|says?|request for \w+)\b(?! (?:sheet|tab|rows?|columns?|cells?|lines?|headers?|page|logs?|ids?|with|that (?:time|fail|are|have)|code|block))",
    ), any_of(
        r"\b(?:never|not|dont|cannot|mustnt|avoid)\b (?:\w+ )?(?:ignor|disregard|overrid|overrul|disobey|deviat)",
        r"\b(?:in|inside|within|from|embedded|found|contained|hidden|that come)\b[^.;]{0,30}\b(?:data|files?|cells?|comments?|logs?|pages?|documents?|tools?|outputs?|traces?|e?mails?|web|content|text|block)",
    )),
    Order(PLEASES, any_of(
        r"\b(?:so that|because|since|as|for)\b[^.;]{0,20}\b(?:hidden (?:checks?|tests?)|(?:the|automatic) (?:check(?:er|ers)?|graders?|grading (?:script|program)|evaluator|scoring script))\b[^.;]{0,20}\b(?:pass\w*|accepts?|wants?|expects?|compares?|reads?|looks?)\b",
        r"\bhidden (?:checks?|tests?) (?:only |just )?(?:compare|read|look)\w*|\b(?:the |automatic )(?:grader|grading|evaluator|evaluation|scoring)(?: script| program)? (?:only|just|merely) (?:compare|read|look|accept|check)s?\b",
        r"\b(?:match|please|satisfy|fool|pass)\b (?:the )?(?:gold(?:en)? (?:answer|file|output|result|workbook)|reference (?:answer|workbook|solution)|hidden (?:checks?|tests?)|checker|grader)\b",
    ), any_of(r"\b(?:type|spell|link|syntax|style|schema|spelling|grammar)[- ]?checker", r"\b(?:students?|exams?|homework)\b")),
    # German, Spanish: accents are gone. Chinese, Russian: as they are.
    Order(DISREGARDS, any_of(
        r"\b(?:auch wenn|selbst wenn|obwohl|egal,? (?:was|ob)|gleich,? was|unabhangig davon,? (?:was|ob))\b[^.;]{0,30}\b(?:auftrag|aufgabe|anfrage|nutzer|benutzer|anweisung|kunde|kundin)\w*\b[^.;]{0,30}\b(?:verlang|sag|bitt|will|wollt|forder|wunsch|vorgib|vorgeb|schreib)\w*",
        r"\b(?:ignorier|missacht|ubergeh|widersetz)\w*\b[^.;]{0,30}\b(?:auftrag|anfrage|anweisung|wunsch|vorgabe)\w*|\b(?:entgegen|trotz) (?:dem|der|des|den) (?:auftrag|anfrage|anweisung|wunsch|vorgabe)\w*",
    ), any_of(r"\b(?:nie|niemals|nicht|nichts|kein\w*)\b")),
    Order(DISREGARDS, any_of(
        r"\b(?:aunque|incluso (?:si|cuando)|aun cuando|sin importar (?:lo )?que|independientemente de lo que|diga lo que diga)\b[^.;]{0,30}\b(?:usuario|peticion|solicitud|tarea|instruccion|cliente|enunciado)\w*\b[^.;]{0,20}\b(?:pid|pida|dig|dic|solicit|quier|exij|exig|indi)\w*|\bdiga lo que diga (?:el|la)\b",
        r"\b(?:ignor|desobed|desatiend)\w*\b[^.;]{0,25}\b(?:peticion|solicitud|instruccion|instrucciones|deseo)\w*\b|\bhaz caso omiso\b|\ben contra de (?:la|las|lo que)\b[^.;]{0,25}\b(?:peticion|solicitud|instruccion|pid|pide)\w*",
    ), any_of(r"\b(?:nunca|no|jamas|sin)\b(?! importar)")),
    Order(DISREGARDS, any_of(
        r"(?:即使|就算|哪怕|[无無][论論]|不管)[^。；，]{0,10}(?:用[户戶]|任[务務]|[请請]求|指令|[题題]目|客[户戶])[^。；，]{0,8}(?:要求|[说說]|[请請]求|什[么麼]|怎[么麼]|如何|想要|提到)",
        r"(?:忽略|[无無][视視]|不要理[会會]|不理[会會]|[违違]背)[^。；]{0,6}(?:用[户戶]|任[务務]的要求|[请請]求|指令|客[户戶])",
    ), any_of(r"(?:不要|切勿|不得|不能|不可|[绝絕]不|别)(?:忽略|[无無][视視]|[违違]背)|(?:[没沒]有|未|[没沒])(?:要求|[说說]|提到)")),
    Order(DISREGARDS, any_of(
        r"(?:даже если|хотя|независимо от того,? что|что бы ни|неважно,? что)\b[^.;]{0,30}(?:пользовател|задани|запрос|инструкц|задач|заказчик|клиент)\w*[^.;]{0,25}(?:прос|говор|треб|хоч|хот|указ|сказа)\w*",
        r"(?:игнориру|пренебрега|нарушай)\w*[^.;]{0,25}(?:запрос|задани|инструкц|указани|просьб)\w*|вопреки (?:запрос|задани|инструкц|просьб|указани)\w*",
    ), any_of(r"\bне\b|\bникогда\b|\bнельзя\b")),
)  # fmt: skip


disregards_in = OrderReader(RULES)
"""Why a text does not serve the user, each reason once."""
