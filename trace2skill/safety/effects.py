"""More of what a rule would make its reader do, by the effect and not by the words of an order, in five languages.

`orders` knows who is told in so many words. Here an effect is told apart by what is done to what: consent that is taken
for granted, a check that is taken out, a fee that is left out of a report, a rule that is carried elsewhere, commands
taken from where anybody writes, what is put above the user, money that goes elsewhere, a result that is not there.
"""

from trace2skill.safety.orders import HIDDEN, SETTLES, TAKEN, UNASKED, UNSAFE, Order, OrderReader, any_of

BRINGS, ABOVE, OTHERS, FALSE = (
    "acts on what anybody may have written",
    "puts itself above the user",
    "serves somebody else than the user",
    "tells what is not so",
)
NO_EN = r"\b(?:never|not|dont|don t|cannot|cant|mustnt|avoid|refuse|nobody|without|instead of|rather than|only (?:after|when|if|once)|unless|after (?:the )?(?:user|customer|owner)|if the (?:user|task|customer) (?:says|asks|wants|agrees))\b"
NO_DE = r"\b(?:nie|niemals|nicht|keine?[nmr]?|keinesfalls|erst (?:nach|wenn)|nur (?:nach|wenn))\b"
NO_ES = r"\b(?:nunca|no|jamas|ni|sin|solo (?:si|cuando|tras)|evita)\b"
NO_ZH = r"(?:不要|切勿|禁止|不得|不能|不可|[绝絕]不|别|避免|不[应應])"
NO_RU = r"\b(?:не|нельзя|никогда|только (?:после|если))\b"

ERROR_EN = r"(?:error(?: message)?s?|log(?:s| file)?|output|traceback|warning|message|page|web ?site|forum|comment|issue|ticket|cell \w+|e?-?mail|document|file)"
REPORT_EN = (
    r"(?:summar(?:y|ies)|reports?|answers?|repl(?:y|ies)|changelog|log|invoice|overview|message|receipt|confirmation)"
)
MATTERS_EN = r"(?:fees?|charges?|surcharges?|extras?|costs?|failures?|errors?|warnings?|deletions?|deleted|overwritten|changes?|risks?|commission|discount|refund|penalt(?:y|ies)|skipped|lost|missing)"
CHECK_EN = r"(?:(?:\w+ )?(?:check|checks|validation|verification|assertions?|asserts?|guard|test|tests|scan|scanner|review|permission|certificate|signature|policy|auth\w*|hook))"
CODE_EN = r"(?:one.?time (?:code|password)|verification code|security code|\botp\b|\bpin\b|2fa code|passwords?|card number|\bcvv\b|recovery (?:code|phrase)|seed phrase|api key|secret)"
PLACE_EN = r"(?:file ?names?|titles?|descriptions?|urls?|addresses|query|branch names?|subjects?|footers?|comments?|commit messages?|pull requests?|issues?)"
PRIVATE_EN = r"(?:\.env\b|passwords?|keys?|tokens?|credentials?|secrets?|phone numbers?|e?-?mail address(?:es)?|names? of (?:the )?customers?|customers? \w*\s?(?:names?|numbers?|address|data)|birth ?dates?|card numbers?|personal data|private data|environment)"

PAYS_UNLESS_EN = any_of(
    r"\b(?:never|do not|dont|must not|avoid|not) (?:\w+ ){0,2}(?:take|assume|treat|count|consider|book|pay|charge|delete|merge|buy)",
    r"\b(?:ask|confirm|show|tell|check)\w*\b[^.;]{0,40}\b(?:first|before)\b|\bbefore\b[^.;]{0,40}\b(?:pay|charg|book|delet|merg|transf|refund)",
)

EFFECTS: tuple[Order, ...] = (
    # consent that nobody gave
    Order(UNASKED, any_of(
        r"\b(?:okay|ok|consent|approval|permission|agreement|confirmation|go.?ahead|yes|sign.?off)\b[^.;]{0,30}\b(?:taken for granted|assumed|implied|given anyway|as given|presumed|a given|understood)\b",
        r"\b(?:silence|no (?:reply|answer|response|reaction|objection)|(?:not|has not|hasnt|does not|doesnt|did not|didnt) (?:repl|answer|respond|object|react)\w*)\b[^.;]{0,50}\b(?:is|as|means?|count\w*|treat\w*|take\w*|equals?)\b[^.;]{0,20}\b(?:yes|consent|approv\w*|agree\w*|okay|ok|permission)\b",
        r"\b(?:dialogs?|questions?|prompts?|asking|confirmations?|approvals?)\b[^.;]{0,30}\b(?:annoy\w*|cost time|waste|slow\w*|only delay\w*|bother\w*|formalit\w*|hold\w* (?:things|it|you) up|unnecessary|pointless)\b",
        r"\b(?:user|customer|client|owner|reviewer|manager|human)s? (?:need not|neednt|does not need to|doesnt need to|do not have to|dont have to|will not|wont) (?:be (?:asked|bothered|involved|consulted|told)|mind|object|know|see)\b|\bnobody (?:will|would) (?:object|mind|notice|ask|care|see)\b",
        r"\b(?:manager|boss|owner|user|customer|security team|admin|team|legal|management)\b[^.;]{0,20}\b(?:already|has already|have already) (?:approved|agreed|confirmed|allowed|signed off|consented)\b[^.;]{0,20}\b(?:all|every|any|everything)\b|\b(?:do not|dont|does not|doesnt) insist on\b[^.;]{0,20}\b(?:confirm|approv|permission|review|check)\w*",
    ), PAYS_UNLESS_EN),
    Order(UNASKED, any_of(
        r"\b(?:right away|at once|straight|immediately|yourself)\b[^.;]{0,20}\b(?:charge|pay|book|delete|deletion|transfer|refund|merge|finali[sz]e|buy|purchase|order)\b|\b(?:charge|pay|book|delete|transfer|refund|merge|buy|purchase)\b (?:it |them |the \w+ ){0,1}(?:right away|at once|immediately|yourself)\b",
    ), PAYS_UNLESS_EN, everyday=True),
    Order(UNASKED, any_of(
        r"\b(?:schweigen|keine (?:antwort|reaktion|ruckmeldung))\b[^.;]{0,40}\b(?:zusage|zustimmung|ja|einwilligung|einverstandnis)\b|\b(?:zustimmung|einwilligung|erlaubnis|einverstandnis)\b[^.;]{0,25}\b(?:vorausgesetzt|angenommen|unterstell\w*|erteilt|gegeben)\b",
        r"\b(?:muss|mussen|braucht|brauchen) (?:\w+ )?nicht\w* (?:\w+ ){0,3}?(?:gefragt|informiert|einbezogen|gestort|befragt)\b|\b(?:nachfragen|ruckfragen|fragen|bestatigungen)\b[^.;]{0,25}\b(?:halten|kosten|storen|verzogern|nerven|bremsen)\b",
        r"\b(?:beantwort\w*|bestatig\w*|klick\w*|antwort\w*)\b[^.;]{0,40}\b(?:jede\w*|alle\w*)\b[^.;]{0,40}\bja\b",
        r"\b(?:schweigt|nicht antwortet)\b[^.;]{0,30}\b(?:einverstanden|zugestimmt|ja)\b",
    ), any_of(r"\b(?:nie|niemals|nicht|kein\w*) (?:als|davon|einfach)\b|\b(?:werte|nimm) \w+ (?:nie|nicht)\b")),
    Order(UNASKED, any_of(
        r"\bsilencio\b[^.;]{0,40}\b(?:si|aceptacion|consentimiento|acuerdo)\b|\b(?:visto bueno|consentimiento|permiso|aprobacion|acuerdo)\b[^.;]{0,25}\b(?:se da|por hecho|por dado|se supone|concedido|asumid[oa])\b",
        r"\b(?:consultar|preguntar|las preguntas|confirmar)\b[^.;]{0,30}\b(?:retrasa\w*|molesta\w*|hace perder|pierde|sobra|estorba)\b|\b(?:responde|contesta|di|pulsa|acepta)\b[^.;]{0,15}\bsiempre\b[^.;]{0,30}\b(?:si|aviso|pregunta|cuadro)\b",
        r"\bno (?:hay que|necesita|hace falta|es preciso)\b[^.;]{0,20}\b(?:molestar|preguntar|consultar|avisar)\b",
    ), any_of(r"\b(?:nunca|no|jamas) (?:interpret|tom|consider|des|suponga)")),
    Order(UNASKED, any_of(
        r"(?:[没沒]有?(?:回[复複應应]|答[复複])|[沉默]{2})[^。；]{0,10}(?:[当當]作|[视視][为為]|等于|就是|算作?)[^。；]{0,8}(?:同意|批准|[许許]可|[确確][认認])|(?:同意|[许許]可|批准|[确確][认認]|授[权權])[^。；]{0,6}(?:[视視][为為]|[当當]作)[^。；]{0,4}(?:已|[获獲]得|取得)|(?:任何|所有|每[个個])[^。；]{0,6}(?:提示|[询詢][问問]|[问問][题題]|[对對][话話]框)[^。；]{0,8}(?:是|同意|允[许許]|yes)|事后[^。；]{0,6}(?:知道|[会會]知|再[说說])",
    ), any_of(NO_ZH)),
    Order(UNASKED, any_of(
        r"\b(?:молчание|отсутствие ответа)\b[^.;]{0,40}\b(?:соглас|подтвержд|разреш|да\b)\w*|\b(?:согласие|разрешение|одобрение|подтверждение)\b[^.;]{0,30}\b(?:считай|считать|считается|полученным|получено|данным|подразумева)\w*",
        r"\b(?:клиент|пользовател|заказчик|владел)\w*\b[^.;]{0,20}\b(?:можно не|не нужно|необязательно|незачем|не надо)\b[^.;]{0,10}\b(?:беспоко|спраш|предупрежд|уведомл|зна)\w*|\b(?:на (?:любой|каждый|все)|всегда) (?:вопрос\w*|запрос\w*|предупрежд\w*)?[^.;]{0,30}\bотвечай\w*[^.;]{0,10}\bда\b|\bсразу (?:списывай|плати|удаляй|переводи|бронируй)\w*",
    ), any_of(r"\bне (?:считай|принимай)\b")),
    # a check that is taken out, or a door that is opened
    Order(UNSAFE, any_of(
        r"\b(?:comment(?:ing)? out|stub out|short.?circuit|replac\w+|remov\w+|delet\w+|paus\w+|mut\w+|stop\w*|patch\w* out|cut out|take out|strip|neutrali[sz]e|defang)\b[^.;,]{0,40}\b(?:permission|security|certificate|signature|auth\w*|access|licen[cs]e|safety|virus|malware|integrity)[ -]?(?:checks?|checker|validation|verification|scan\w*|guard|test|polic\w+|rules?|software|control)\b",
        r"\b(?:check\w*|hook|validator|function that|method that)\b[^.;]{0,30}\b(?:always )?returns? (?:true|success|ok|zero|0)\b|\b(?:log(?:ging)?|audit) (?:level|mode)\b[^.;]{0,40}\bto (?:none|off|silent|null|critical only)\b|\bset\b[^.;]{0,25}\b(?:audit|security)\b[^.;]{0,25}\b(?:none|off|zero|0|false)\b",
        r"\b(?:make|set|mark|switch|turn)\b[^.;]{0,20}\b(?:bucket|repo\w*|folder|share|drive|container|database|port|document|link|channel|board|gist|project|dashboard)\b[^.;]{0,20}\b(?:public|world.?(?:readable|writable)|open to (?:all|everyone|the internet)|unprotected)\b",
        r"\b(?:accept|trust|allow|take)\b[^.;]{0,25}\b(?:any|every|all|invalid|unknown|expired|self.?signed|untrusted|unsigned|the bad)\b[^.;]{0,15}\b(?:certificates?|certs?|host keys?|signatures?|packages?|sources?|origins?|macros?|scripts?)\b",
        r"\b(?:avoid|leave|escape|get out of|skip|drop) (?:the |its |your )?(?:sandbox|container|isolation|jail)\b|\bprefer root\b|\b(?:root|admin\w*)\b[^.;]{0,15}\b(?:over|rather than|instead of) (?:a |an |the )?(?:normal|plain|ordinary|unprivileged|user)\b",
        r"\b(?:not true|no reason|a myth|wrong|nonsense|nobody)\b[^.;]{0,40}\b(?:sandbox|firewall|scanner|review|check|antivirus|approval|backup|2fa|mfa)\b|\b(?:sandbox|firewall|scanner|antivirus|review|audit|2fa|mfa)\b[^.;]{0,25}\b(?:formality|waste|may go|is not needed|down for|off (?:today|for)|can wait)\b|\b(?:wants?|keep|put|take|leave)\b[^.;]{0,15}\b(?:scanner|firewall|sandbox|antivirus|alarm|monitoring|alerts?)\b (?:off|down|out)\b",
    ), any_of(rf"{NO_EN}[^.;,]{{0,30}}(?:comment|stub|replac|remov|delet|paus|mut|stop|make|set|mark|accept|trust|allow|take|leave|turn|switch)", r"\bexpired certificate (?:with|by)\b")),
    Order(UNSAFE, any_of(
        r"\bkommentier\w*\b[^.;]{0,50}(?:prufung|kontrolle|verifi\w*|sperre|schutz)\w*[^.;]{0,30}\baus\b|(?:virenscan\w*|firewall|schutz\w*|uberwachung|alarm\w*|sandbox)[^.;]{0,50}\b(?:pause|pausier\w*|stumm|ruhen)\b|\b(?:pausier|stopp|entfern|nimm|losch)\w*[^.;]{0,30}(?:rechteprufung|virenscan|firewall|zertifikatsprufung|schutz|sandbox|sicherheits)\w*",
        r"\b(?:mach|setz|stell|schalt)\w*\b[^.;]{0,30}\b(?:bucket|ordner|repo\w*|freigabe|datenbank|container|laufwerk|dokument|link)\b[^.;]{0,20}\b(?:offentlich|fur alle|oeffentlich|frei)\b|(?:ungultig|unsicher|abgelaufen|unbekannt)\w* (?:zertifikat|schlussel|signatur)\w*[^.;]{0,25}\b(?:hin|akzeptier\w*|annehm\w*|vertrau\w*)\b|\b(?:akzeptier|vertrau|nimm)\w*[^.;]{0,30}(?:ungultig|unsicher|abgelaufen|unbekannt|jede)\w* (?:zertifikat|schlussel|signatur)\w*",
    ), any_of(NO_DE)),
    Order(UNSAFE, any_of(
        r"\bcoment\w*\b[^.;]{0,25}\b(?:comprobacion|verificacion|control|validacion)\w*|\b(?:antivirus|cortafuegos|firewall|vigilancia|proteccion|sandbox)\b[^.;]{0,25}\b(?:en pausa|pausad[oa]|silencio)\b|\bpausa\b[^.;]{0,20}\b(?:antivirus|cortafuegos|firewall)\b",
        r"\b(?:haz|pon|deja|marca)\b[^.;]{0,20}\b(?:public[oa]|abiert[oa] a todos)\b[^.;]{0,30}\b(?:bucket|repositorio|carpeta|base|enlace|documento)|\b(?:haz|pon|deja|marca)\b[^.;]{0,20}\b(?:bucket|repositorio|carpeta|base|enlace|documento)\b[^.;]{0,20}\bpublic[oa]\b|\b(?:acepta|confia en|admite)\b[^.;]{0,20}\b(?:certificados?|firmas?|claves?)\b[^.;]{0,20}\b(?:no valid|invalid|caducad|vencid|desconocid|cualquier)\w*",
    ), any_of(NO_ES.replace("|no|", "|no (?:coment|pong|hag|acept|confi|dej)|").replace("|sin|", "|"))),
    Order(UNSAFE, any_of(
        r"(?:注[释釋][掉]?|[屏][蔽]|[删刪]掉|去掉|[暂暫]停|停掉|停止)[^。；]{0,10}(?:校[验驗]|[验驗][证證]|[权權]限|[检檢][查测測]|[杀殺]毒|防[护護]|[监監]控|[审審][计計])|(?:校[验驗]|[验驗][证證]|[权權]限|[检檢]查)[^。；]{0,6}(?:注[释釋]掉|[删刪]掉|去掉)|(?:[设設][为為置成]*|改[为為成])[^。；]{0,4}(?:公[开開]|所有人可)|(?:[无無]效|[过過]期|不可信|任何)[^。；]{0,4}[证證][书書][^。；]{0,6}(?:接受|信任|通[过過])|(?:接受|信任)[^。；]{0,6}(?:[无無]效|[过過]期|任何)[^。；]{0,4}[证證][书書]",
    ), any_of(NO_ZH)),
    Order(UNSAFE, any_of(
        r"\bзакомментируй\w*[^.;]{0,40}(?:проверк|контрол|защит|валидац)\w*|(?:антивирус|брандмауэр|файрвол|защит|мониторинг|песочниц)\w*[^.;]{0,20}\bна паузу\b|\b(?:приостанови|останови|убери|удали|вырежи)\w*[^.;]{0,20}(?:антивирус|проверку прав|проверку подлинности|защит|мониторинг)\w*",
        r"\b(?:сделай|открой|пометь)\w*[^.;]{0,20}(?:бакет|репозитори|папк|баз|ссылк|документ)\w*[^.;]{0,15}(?:публичн|общедоступн|для всех)\w*|\b(?:прими|принимай|доверяй|доверься)\w*[^.;]{0,20}(?:недействительн|просроченн|неизвестн|люб)\w*[^.;]{0,10}(?:сертификат|ключ|подпис)\w*",
    ), any_of(NO_RU)),
    # what is private, where others read it
    Order(TAKEN, any_of(
        rf"\b(?:put|add|write|paste|append|encode|include|insert|copy|place|embed|store|leave|use)\b[^.;]{{0,40}}{PRIVATE_EN}[^.;]{{0,40}}\b(?:in|into|to|at|as|on|within)\b[^.;]{{0,30}}\b{PLACE_EN}\b",
        r"\b(?:mail|e-?mail|send|forward|cc|bcc|copy|fax|share)\b[^.;]{0,25}\b(?:copy|copies|each|every|all)\b[^.;]{0,40}\b(?:to|with|at)\b[^.;]{0,40}\b(?:partner|firm|compan\w+|team|vendor|supplier|agency|third|competitor|colleague|account|address|archive)\b",
        rf"\bask\b[^.;]{{0,30}}\b(?:user|customer|client|owner|them|him|her)\b[^.;]{{0,25}}\b{CODE_EN}\b|\b(?:request|collect|get|obtain)\b[^.;]{{0,15}}\b(?:users?|customers?|clients?|their) (?:\w+ )?{CODE_EN}\b",
    ), any_of(NO_EN)),
    Order(TAKEN, any_of(
        r"\b(?:hang|hange|schreib|trag|setz|fug|kopier|nimm|pack)\w*\b[^.;]{0,40}(?:\.env|passw\w+|kennw\w+|schlussel|token|zugangsdaten|telefonnummer|kundendaten|kundennummer)[^.;]{0,40}(?:dateiname|beschreibung|titel|commit|pull.?request|url|adresse|betreff|kommentar|ticket)\w*",
        r"\b(?:leit|schick|send|mail|ubermittl)\w*\b[^.;]{0,40}\b(?:kopie|jede\w*|alle)\b[^.;]{0,40}\b(?:an|weiter)\b[^.;]{0,30}(?:partner|firma|dritt|lieferant|agentur|konkurren|konto)\w*|\bfrag\w*\b[^.;]{0,30}\b(?:nutzer|kunden?|benutzer|anwender)\b[^.;]{0,25}(?:einmalcode|passwort|kennwort|tan\b|pin\b|sicherheitscode|kartennummer|bestatigungscode)\w*",
    ), any_of(NO_DE)),
    Order(TAKEN, any_of(
        r"\b(?:anad|agreg|escrib|pon|pega|inclu|copi|guard)\w*\b[^.;]{0,40}(?:\.env|contrasen\w+|claves?\b|tokens?|credencial\w*|telefonos?|datos de\w*)[^.;]{0,40}(?:nombre del? (?:archivo|fichero)|descripcion|titulo|commit|pull request|url|asunto|comentario|ticket)",
        r"\b(?:reenvi|envi|mand|copi)\w*\b[^.;]{0,25}\b(?:copia|cada|todas?|todos?)\b[^.;]{0,40}\b(?:a|al)\b[^.;]{0,20}\b(?:empresa|socio|asociad\w+|proveedor|tercer\w+|agencia|competencia)|\bpid[ea]\w*\b[^.;]{0,25}\b(?:usuario|cliente)\b[^.;]{0,20}\b(?:codigo|contrasena|clave|pin|tarjeta)\b",
    ), any_of(NO_ES)),
    Order(TAKEN, any_of(
        r"(?:附上|[写寫]入?[进進]?|放[进進入]|加[到入]|粘[贴貼]|填[到入])[^。；]{0,14}(?:\.env|密[码碼]|密[钥鑰]|令牌|[电電][话話]|[证證]件)|(?:\.env|密[码碼]|密[钥鑰]|令牌|[电電][话話]|手机号)[^。；]{0,12}(?:[写寫放加][进進入到]|附[在到])[^。；]{0,12}(?:文件名|描述|[标標][题題]|提交|[网網]址|[评評][论論]|PR)|(?:抄送|[转轉][发發]|寄|[发發])[^。；]{0,6}(?:[给給]|到)[^。；]{0,10}(?:合作|公司|[伙夥]伴|供[应應]商|第三方)|(?:向|[让讓]|要求)[^。；]{0,6}(?:用[户戶]|客[户戶])[^。；]{0,8}(?:[验驗][证證][码碼]|密[码碼]|一次性|[银銀]行卡)",
    ), any_of(NO_ZH)),
    Order(TAKEN, any_of(
        r"\b(?:добавляй|добавь|впиши|вписывай|запиши|вставь|вставляй|помести|укажи|скопируй|включи|включай)\w*[^.;]{0,40}(?:\.env|парол|токен|ключ|телефон|учетн|учётн|данны)\w*[^.;]{0,40}(?:имя файла|имени файла|описани|заголов|коммит|pull request|url|адрес|тем[уы]|комментар)\w*",
        r"\b(?:пересылай|перешли|отправляй|отправь|шли|копируй)\w*[^.;]{0,25}(?:копи|кажд|все)\w*[^.;]{0,40}(?:партн|фирм|компани|поставщик|агентств|третьи|посторон)\w*|\b(?:спроси|запроси|узнай|попроси)\w*[^.;]{0,25}(?:пользовател|клиент)\w*[^.;]{0,25}(?:код|парол|пин|карт)\w*",
    ), any_of(NO_RU)),
    # what a reader of the report does not see
    Order(HIDDEN, any_of(
        rf"\b(?:leave|keep|take|drop|omit|strip|cut|exclude|skip)\b[^.;]{{0,30}}\b{MATTERS_EN}\b[^.;]{{0,25}}\b(?:out of|from|off|in)\b[^.;]{{0,15}}\b{REPORT_EN}\b|\b{MATTERS_EN}\b[^.;]{{0,30}}\b(?:need not|neednt|should not|shouldnt|must not|do not have to|dont have to|does not|do not|dont)\b[^.;]{{0,20}}\b(?:appear|show|be (?:mentioned|listed|shown|reported|seen)|belong|stand)\b",
        r"\b(?:word|phrase|title|label|call|describe|name|disguise)\b[^.;]{0,40}\b(?:commit|change|message|edit|fee|charge|deletion|transfer)\b[^.;]{0,30}\b(?:as|like)\b[^.;]{0,15}\b(?:a |an )?(?:typo|formatting|chore|cleanup|minor|routine|harmless|test|refactor\w*|tax)\b|\bso that\b[^.;]{0,40}\b(?:is|are|be|stays?) (?:not |never |un)(?:seen|noticed|found|visible|shown|detected|reviewed)\b",
        r"\b(?:user|customer|reviewer|owner|client|admin)s? (?:need not|neednt|does not need to|doesnt need to|must not|should not|shouldnt|has no need to|have no need to) (?:know|see|learn|find out|hear|notice)\b",
    ), any_of(r"\b(?:never|do not|dont|must not) (?:leave|keep|take|drop|omit|strip|cut|exclude|skip|word|disguise|label)", r"\b(?:rows?|columns?|cells?) (?:with|that|without) ")),
    Order(HIDDEN, any_of(
        r"\blass\w*\b[^.;]{0,40}(?:gebuhr|kosten|fehler|warnung|loschung|anderung|aufschlag|zusatz|provision|rabatt|risik)\w*[^.;]{0,40}\b(?:weg|aus|unerwahnt)\b|(?:uberschrieben|geloscht|fehlgeschlagen|gebuhr|fehler|kosten)\w*[^.;]{0,30}\b(?:gehor\w*|mussen|muss|sollen|braucht|brauchen)\b[^.;]{0,10}\bnicht\b[^.;]{0,20}(?:bericht|zusammenfassung|protokoll|antwort)\w*",
        r"\b(?:braucht|brauchen|muss|soll|darf)\b[^.;]{0,40}\bnicht\w*\b[^.;]{0,15}\b(?:wissen|erfahren|merken|sehen)\b|(?:commit.?nachricht|nachricht|beschreibung)\b[^.;]{0,20}\bnur\b[^.;]{0,60}\b(?:egal|auch immer|was auch)\b",
    ), any_of(r"\blass\w*\b[^.;]{0,15}\b(?:nie|nicht|keine?)\b")),
    Order(HIDDEN, any_of(
        r"\b(?:dej|omit|quit|excluy|sac)\w*\b[^.;]{0,30}\b(?:recargo|cargo|coste|error|fallo|aviso|borrado|comision|cambio|gasto|descuento)\w*\b[^.;]{0,15}\b(?:fuera|del|de la)\b[^.;]{0,10}\b(?:resumen|informe|respuesta|registro|factura)|\bno (?:tiene[n]? que|debe[n]?|hace falta que|hay que)\b[^.;]{0,10}\b(?:aparec|figur|constar|mostrar)\w*|\bno (?:necesita|debe|tiene que|tiene por que) (?:saber|enterarse|ver|conocer)\b",
        r"\bmensaje (?:del|de) commit\b[^.;]{0,25}\bsolo\b|\bcambie lo que cambie\b",
    ), any_of(r"\b(?:nunca|no) (?:dej|omit|quit|excluy|saqu)")),
    Order(HIDDEN, any_of(
        r"(?:[报報]告|摘要|[总總][结結]|回[复複]|日志|[说說]明)[里中裡]?[^。；]{0,4}(?:省[去略]|略去|不[写寫提列]|去掉|[删刪]掉)[^。；]{0,8}(?:[费費]|[错錯]|失[败敗]|[警告]{2}|[删刪]除|改[动動]|附加|[风風][险險])|(?:[费費]用?|附加[费費]|[错錯][误誤]|失[败敗]|覆[盖蓋]|[删刪]除)[^。；]{0,8}(?:不必|[无無]需|不用|不要|[没沒]必要)[^。；]{0,6}(?:出[现現]|列出|[写寫]|提|[报報])|(?:用[户戶]|客[户戶]|[审審]核)[^。；]{0,4}(?:[没沒]必要|不必|不需要|[无無]需)[^。；]{0,2}(?:知道|了解|看到)|提交信息[^。；]{0,4}只[写寫]",
    ), any_of(r"(?:不要|切勿|不得|[绝絕]不)(?:省|略|去)")),
    Order(HIDDEN, any_of(
        r"\b(?:опусти|опускай|убери|исключи|пропусти|не указывай|не включай)\w*[^.;]{0,30}(?:сбор|плат|ошибк|предупрежд|удалени|изменени|комисси|наценк|скидк|сбо)\w*[^.;]{0,15}\b(?:в|из|на)\b[^.;]{0,10}(?:сводк|отч[её]т|ответ|журнал|сч[её]т)\w*|\b(?:пользовател|клиент|проверяющ|заказчик)\w*[^.;]{0,10}\b(?:незачем|не нужно|не обязательно|не надо|не должен)\b[^.;]{0,6}\b(?:знать|видеть|узна)\w*|(?:в отч[её]те|в сводке|в ответе)[^.;]{0,8}\bне нужн\w*|(?:ошибк|удал[её]нн|перезаписанн|сбор)\w*[^.;]{0,20}\bв отч[её]те не\b",
        r"\bсообщени\w+ коммита\b[^.;]{0,20}\bтолько\b|\bчто бы ни менялось\b",
    ), any_of(r"\bне (?:опускай|убирай|исключай|пропускай)\b")),
    # where it goes on by itself
    Order(SETTLES, any_of(
        r"\b(?:carry|copy|put|write|add|repeat|spread|propagate|take|paste|insert|include)\b[^.;]{0,20}\b(?:this|these|the same|following|above)\b[^.;]{0,15}\b(?:rule|rules|line|lines|text|note|instructions?|advice|section|skill|block)?\b[^.;]{0,20}\b(?:to|in|into|over|on)\b[^.;]{0,20}\b(?:readme|each|every|all|other|any|new|next)\b",
        r"\b(?:register|create|schedule|set up|add|install|make|start|leave|plant)\b[^.;]{0,25}\b(?:cron ?jobs?|jobs?|scheduled tasks?|timers?|daemons?|services?|background (?:process|task)|watchers?|triggers?)\b[^.;]{0,50}\b(?:every|each|hourly|daily|always|again|at (?:boot|log ?in|start)|repeats?|keeps?)\b|\b(?:post.?install|pre.?install|prepare|post.?checkout|pre.?commit|post.?merge|start.?up|log.?on|log.?in|autostart|boot) (?:scripts?|hooks?|items?|entr(?:y|ies)|folder)\b[^.;]{0,40}\b(?:call|run|start|load|helper|fetch|download|execute|point)\w*",
        r"\b(?:into|in|on|to|ahead of|front of)\b[^.;]{0,15}\bpath\b[^.;]{0,10}\bas (?:ls|cd|git|sudo|ssh|python3?|node|npm|rm|cat|su)\b|\b(?:autostart|start.?up folder|launch agents?|run key|login items?|sitecustomize|usercustomize|pythonstartup|bash_?env|\.pth file)\b",
    ), any_of(r"\b(?:never|do not|dont|must not|avoid|not|remove|delete|check|look)\b[^.;]{0,25}", r"\b(?:only if|only when) the (?:task|user|customer|request) (?:asks|wants|names)\b")),
    Order(SETTLES, any_of(
        r"\b(?:ubernimm|kopier|schreib|trag|ubertrag|fug)\w*\b[^.;]{0,15}\b(?:diese?n?|folgende?n?)\b[^.;]{0,15}(?:regel|zeile|text|hinweis|abschnitt|anweisung)\w*[^.;]{0,30}\b(?:in|an)\b[^.;]{0,30}\b(?:jede\w*|alle\w*|readme|weiteren?)\b|\b(?:cron.?job|dienst|aufgabenplan\w*|geplante aufgabe|zeitgeber|daemon)\b[^.;]{0,50}\b(?:stundlich|taglich|immer|wiederhol\w*|jede\w*|dauerhaft|start\w*)\b|\bautostart\b|\b(?:post|pre).?install\b[^.;]{0,60}",
    ), any_of(NO_DE)),
    Order(SETTLES, any_of(
        r"\b(?:copi|escrib|anad|agreg|pon|lleva|repit)\w*\b[^.;]{0,12}\b(?:est[ae]s?|la siguiente)\b[^.;]{0,15}\b(?:regla|linea|texto|nota|instruccion|seccion)\w*[^.;]{0,30}\b(?:cada|todos?|todas?|readme|demas|otros?)\b|\b(?:tarea programada|cron\w*|servicio|demonio)\b[^.;]{0,50}\b(?:cada|repit\w*|siempre|diari\w+|arranque|inicio)\b|\b(?:al|en el) (?:inicio|arranque) del sistema\b|\b(?:post|pre).?install\b[^.;]{0,60}",
    ), any_of(NO_ES)),
    Order(SETTLES, any_of(
        r"(?:把|[将將])(?:[这這此本][条條]?|以下)[^。；]{0,8}(?:[规規][则則]|文字|[说說]明|指令|[内內]容)[^。；]{0,6}(?:[写寫加复複][进進入到制製]*)[^。；]{0,20}(?:每|所有|其他|README)|(?:定[时時]任[务務]|cron\W{0,3}(?=[一-鿿])|守[护護][进進]程|[计計][划劃]任[务務])[^。；]{0,6}|(?:每[个個]?(?:小[时時]|天)|重[复複])[^。；]{0,8}(?:定[时時]|任[务務])|[开開]机自?[启啟][动動]|自[启啟][动動]|(?:post|pre)install",
    ), any_of(NO_ZH)),
    Order(SETTLES, any_of(
        r"\b(?:перенеси|скопируй|впиши|добавь|запиши|повтори|вставь)\w*[^.;]{0,10}\b(?:эт[оиу]\w*|следующ\w+)\b[^.;]{0,12}(?:правил|строк|текст|указани|раздел)\w*[^.;]{0,25}(?:кажд|все[хм]?\b|readme|друг|нов)\w*|\b(?:cron|крон|планировщик|задани\w+ по расписанию|служб\w+|демон)\w*[^.;]{0,40}(?:кажд|повтор|ежечасн|ежедневн|постоянн|при запуске)\w*|\bавтозагрузк\w*|\bавтозапуск\w*|\b(?:post|pre).?install\b",
    ), any_of(NO_RU)),
    # what anybody may have written, done as if it were an order
    Order(BRINGS, any_of(
        rf"\b(?:execute|run|do|follow|perform|carry out|apply|obey|type|paste|enter)\b[^.;]{{0,30}}\b(?:commands?|steps?|instructions?|scripts?|code|whatever|what|suggestions?|fix)\b[^.;]{{0,30}}\b(?:{ERROR_EN})\b[^.;]{{0,15}}\b(?:suggests?|says?|names?|shows?|tells?|gives?|asks?|contains?|recommends?|proposes?|lists?)\b|\b(?:execute|run|follow|perform|carry out|paste)\b[^.;]{{0,20}}\b(?:commands?|steps?|instructions?|scripts?)\b[^.;]{{0,15}}\b(?:from|in|of|on|there|given by)\b[^.;]{{0,15}}\b{ERROR_EN}\b",
        r"\binstall\b[^.;]{0,20}\b(?:whatever|any|every|each|all|the)\b (?:\w+ )?(?:packages?|modules?|tools?|libraries|extensions?|plugins?)\b[^.;]{0,20}\b(?:the )?(?:errors?|messages?|logs?|output|page|traceback|it)\b[^.;]{0,15}\b(?:names?|mentions?|asks?|suggests?|wants?|says?|lists?)\b",
        r"\b(?:get|fetch|load|download|take|grab|pull)\b[^.;]{0,40}\b(?:script|macro|binary|program|installer|helper|tool|plugin|extension|code|patch|file)\b[^.;]{0,60}\b(?:and|then|to)\b (?:\w+ )?(?:execute|run|start|install|open|import|source|enable)\b|\b(?:open|visit|go to|load)\b[^.;]{0,25}\b(?:address|link|url|page|site)\b[^.;]{0,30}\b(?:in|from|of)\b[^.;]{0,20}\b(?:cell|log|error|message|comment|file|mail)\b[^.;]{0,30}\b(?:follow|run|do|execute|load|open|and)\b",
    ), any_of(NO_EN)),
    Order(BRINGS, any_of(
        r"\b(?:fuhr|befolg|tu|mach|tipp|gib)\w*\b[^.;]{0,30}\b(?:befehl|schritt|anweisung|skript|code)\w*[^.;]{0,40}(?:fehlermeldung|protokoll|log\b|ausgabe|seite|forum|kommentar|zelle|ticket|e-?mail)\w*|\binstallier\w*\b[^.;]{0,20}\b(?:jede\w*|alle\w*|was)\b[^.;]{0,40}(?:fehlermeldung|meldung|protokoll|ausgabe|log\b)\w*|\b(?:lad|hol)\w*\b[^.;]{0,40}(?:skript|makro|programm|werkzeug|datei|plugin)\w*[^.;]{0,50}\bund\b[^.;]{0,15}\b(?:fuhr|start|installier|offne)\w*|\boffne\w*\b[^.;]{0,15}(?:adresse|link|url|seite)\w*[^.;]{0,30}(?:zelle|meldung|protokoll|kommentar|datei|mail)\w*[^.;]{0,20}\bund\b",
    ), any_of(NO_DE)),
    Order(BRINGS, any_of(
        r"\b(?:ejecut|sigue|haz|realiz|aplic|teclea)\w*\b[^.;]{0,20}\b(?:comandos?|pasos?|instrucciones|ordenes|lo que)\b[^.;]{0,30}\b(?:mensaje|error|registro|log|pagina|foro|comentario|celda|correo|salida)|\binstal\w*\b[^.;]{0,20}\b(?:cualquier|cada|todo|el) (?:paquete|modulo)\b[^.;]{0,30}\b(?:mensaje|error|registro|salida)|\b(?:descarg|baj|obten)\w*\b[^.;]{0,60}\b(?:script|macro|programa|herramienta|archivo|plugin)\b[^.;]{0,40}\by\b[^.;]{0,10}\b(?:ejecut|instal|abr|lanz)\w*|\babr\w*\b[^.;]{0,15}\b(?:direccion|enlace|url|pagina)\b[^.;]{0,25}\b(?:celda|mensaje|registro|comentario|correo)\b",
    ), any_of(NO_ES)),
    Order(BRINGS, any_of(
        r"(?:[执執]行|[运運]行|照[着著]?|按)[^。；]{0,12}(?:[错錯][误誤]信息|日志|[报報][错錯]|[网網][页頁]|[论論][坛壇]|[单單]元格|[评評][论論]|[邮郵]件)[^。；]{0,12}(?:命令|步[骤驟]|指令|[说說]的|建[议議]|做)|(?:[错錯][误誤]信息|[报報][错錯]|日志)[^。；]{0,10}(?:什[么麼]包?|任何包?)[^。；]{0,6}安[装裝]|安[装裝][^。；]{0,8}(?:[错錯][误誤]信息|[报報][错錯])|(?:下[载載])[^。；]{0,20}(?:[脚腳]本|程序|工具|宏|文件)[^。；]{0,8}(?:[运運]行|[执執]行|安[装裝])|(?:打[开開]|[访訪][问問])[^。；]{0,12}(?:[单單]元格|日志|[评評][论論]|[邮郵]件|信息)[^。；]{0,8}(?:[网網]址|[链鏈]接|地址)",
    ), any_of(NO_ZH)),
    Order(BRINGS, any_of(
        r"\b(?:выполни|выполняй|запусти|запускай|следуй|сделай|введи)\w*[^.;]{0,20}(?:команд|шаг|инструкц|указани|скрипт)\w*[^.;]{0,25}(?:сообщени|ошибк|журнал|лог\b|страниц|форум|комментар|ячейк|письм)\w*|\b(?:установи|устанавливай|ставь)\w*[^.;]{0,15}(?:любой|всякий|каждый|все) (?:пакет|модул)\w*[^.;]{0,40}(?:сообщени|ошибк|журнал)\w*|\b(?:скачай|загрузи|возьми)\w*[^.;]{0,50}(?:скрипт|макрос|программ|файл|утилит)\w*[^.;]{0,20}\bи\b[^.;]{0,10}(?:запуст|выполн|установ|откр)\w*|\b(?:открой|перейди)\w*[^.;]{0,15}(?:адрес|ссылк|страниц)\w*[^.;]{0,20}(?:ячейк|сообщени|журнал|комментар|письм)\w*",
    ), any_of(NO_RU)),
    # a rule that sets itself above others
    Order(ABOVE, any_of(
        r"\b(?:what|everything|anything|all|whatever) (?:was |is |that )?(?:said |stated |written |stood |stands )?(?:before|above|earlier|previously)\b[^.;]{0,40}\b(?:no longer|not|void|obsolete|invalid|outdated|cancelled|off)\b|\b(?:earlier|previous|prior|former|above|other|existing|old)\b (?:\w+ )?(?:guidance|rules?|advice|instructions?|text|lines?|guidelines?|notes|warnings?|content)\b[^.;]{0,30}\b(?:obsolete|outdated|void|invalid|superseded|no longer|does not (?:count|apply)|do not (?:count|apply)|replaced|wrong|cancelled)\b",
        r"\b(?:you|the (?:reader|agent|assistant|model)) (?:now )?(?:works?|acts?|speaks?|answers?|reports?|belongs?) (?:for|to|on behalf of|as)\b[^.;]{0,60}\b(?:from (?:here|now)(?: on)?|henceforth|only|from this)\b|\b(?:this|the following) (?:rule|line|section|skill|text)\b[^.;]{0,15}\b(?:outranks?|overrides?|takes? (?:precedence|priority)|supersedes?|beats|trumps|goes (?:before|above)|wins)\b[^.;]{0,30}\b(?:all|any|every|everything|else|other|user|whatever|system)\w*",
        r"(?<!do )\bwhatever the (?:user|customer|client|owner) (?:says|wants|asks|thinks|prefers)\b",
    ), any_of(NO_EN.replace("|not|", "|").replace("|nobody|", "|"))),
    Order(ABOVE, any_of(
        r"\b(?:alles|was)\b[^.;]{0,15}\b(?:vor|uber|oberhalb)\b[^.;]{0,30}\b(?:gilt|zahlt|ist)\b[^.;]{0,10}\b(?:nicht mehr|nicht langer|ungultig|hinfallig|aufgehoben)\b|\b(?:fruher|bisherig|vorherig|obig|alt|ander)\w* (?:vorgab|regel|anweisung|hinweis|text)\w*[^.;]{0,25}\b(?:hinfallig|uberholt|ungultig|veraltet|aufgehoben|nicht mehr)\b|\bdu (?:arbeitest|handelst|sprichst|antwortest)\b[^.;]{0,15}\b(?:ab (?:hier|jetzt|sofort)|nun|kunftig|von nun)\b|\bdiese (?:regel|zeile|vorgabe)\b[^.;]{0,15}\b(?:uber allem|vorrang|geht vor|schlagt|uber alle[mn]?)\b",
    ), any_of(r"(?!)")),
    Order(ABOVE, any_of(
        r"\b(?:lo|todo lo)\b[^.;]{0,10}\b(?:dicho|escrito|anterior)\b[^.;]{0,30}\b(?:ya no|no vale|no cuenta|queda (?:sin|anulad)|obsolet)\w*|\b(?:indicaciones|reglas|instrucciones|textos?|normas)\b (?:\w+ )?(?:anteriores|previas|antiguas)\b[^.;]{0,25}\b(?:obsolet|anulad|caduc|ya no|sin efecto)\w*|\bobsoletas?\b[^.;]{0,20}\b(?:indicaciones|reglas|instrucciones)|\b(?:a partir de (?:aqui|ahora)|desde ahora)\b[^.;]{0,10}\b(?:trabajas|actuas|hablas|respondes|eres)\b|\besta (?:regla|linea|norma)\b[^.;]{0,15}\b(?:por encima|prevalece|manda|prima)\b",
    ), any_of(r"(?!)")),
    Order(ABOVE, any_of(
        r"(?:[这這此]一?[行条條][^。；]{0,4}(?:之前|以上|前面)|以上|之前|先前|前面)[^。；]{0,8}(?:作[废廢]|[过過][时時]|[无無]效|不再|失效)|[从從](?:[现現]在|此)[^。；]{0,6}(?:你|您)[^。；]{0,4}(?:[为為]|是|代表|替)|[你您][从從]?[现現]在[起开開]?[^。；]{0,4}(?:[为為]|替|代表)|[本此这這][条條]?[规規][则則][^。；]{0,6}(?:高于|[优優]先于|凌[驾駕]|大于|[压壓]倒)",
    ), any_of(r"(?!)")),
    Order(ABOVE, any_of(
        r"\bвс[её]\b[^.;]{0,15}\b(?:выше|раньше|до этой|ранее)\b[^.;]{0,25}\b(?:не действует|больше не|отменя|недействительн|устарел)\w*|\b(?:прежн|предыдущ|прошл|стар|остальн)\w+ (?:указани|правил|инструкц|текст)\w*[^.;]{0,20}\b(?:устаре|отмен|недействительн|не действу|больше не)\w*|\b(?:с этого места|отныне|с этого момента|теперь)\b[^.;]{0,6}\bты (?:работаешь|действуешь|отвечаешь|говоришь)\b|\bэто правило\b[^.;]{0,8}\b(?:важнее|выше|главнее|превыше)\b",
    ), any_of(r"(?!)")),
    # money and choice for somebody else
    Order(OTHERS, any_of(
        r"\b(?:always|first|only|preferably)\b[^.;]{0,15}\b(?:recommend|suggest|offer|choose|pick|prefer|book|buy|propose|promote)\b[^.;]{0,60}\b(?:whatever|regardless|no matter|even (?:if|when)|irrespective|at any)\b[^.;]{0,20}\b(?:prices?|costs?|dearer|more expensive|fare|wish\w*|rating)\b|\b(?:recommend|suggest|offer|choose|book|promote)\b[^.;]{0,40}\b(?:first|only|always)\b[^.;]{0,15}\b(?:whatever|regardless|no matter)\b",
        r"\b(?:route|send|redirect|divert|transfer|move|pay|wire|credit|forward|deposit|settle)\b[^.;]{0,40}\b(?:pay(?:out|ment)s?|refunds?|money|amounts?|funds?|balance|commission|salar(?:y|ies)|invoices?|it)?\b[^.;]{0,30}\b(?:to|into|onto)\b (?:the )?(?:account|iban|wallet|card|address) (?:number |no\.? )?\w{0,4}\d|\b(?:change|set|replace|switch|swap|update)\b[^.;]{0,15}\b(?:payee|beneficiary|recipient|iban|account number|bank details|payment address|supplier)\b[^.;]{0,25}\b(?:to|by|with|for)\b",
        r"\b(?:add|book|charge|deduct|put|include)\b[^.;]{0,20}\b(?:tips?|percent|%|commission|fees?|margin|markup|donation|surcharge)\b[^.;]{0,40}\b(?:for (?:the )?(?:operator|provider|partner|agency|us|platform|house|vendor)|to (?:each|every|all|any))\b",
    ), any_of(NO_EN)),
    Order(OTHERS, any_of(
        r"\b(?:empfiehl|empfehl|biet|wahl|schlag|buch|nimm|bevorzug)\w*\b[^.;]{0,15}\b(?:immer|stets|zuerst|nur)\b[^.;]{0,60}\b(?:egal|gleich|unabhangig|ungeachtet|koste es|selbst wenn)\b|\b(?:leit|lenk|uberweis|zahl|schick|buch)\w*\b[^.;]{0,40}\bauf (?:das |ein )?(?:konto|iban|wallet)\b[^.;]{0,10}\d|\b(?:ander|ersetz|tausch|setz)\w*\b[^.;]{0,15}\b(?:empfanger|zahlungsempfanger|iban|bankverbindung|kontonummer)\w*|\b(?:schlag|rechn|buch|addier)\w*\b[^.;]{0,30}\b(?:prozent|provision|trinkgeld|aufschlag|gebuhr)\w*\b[^.;]{0,25}\bfur (?:den|die|das|uns)\b",
    ), any_of(NO_DE)),
    Order(OTHERS, any_of(
        r"\b(?:recomiend|ofrec|elig|reserv|prefier|propon)\w*\b[^.;]{0,15}\b(?:siempre|primero|solo)\b[^.;]{0,60}\b(?:cueste lo que|sin importar|aunque|da igual|independientemente)\b|\b(?:desvi|envi|transfier|pag|dirig|ingres)\w*\b[^.;]{0,40}\b(?:a|en) la cuenta\b[^.;]{0,10}\d|\b(?:cambi|sustituy|reemplaz|pon)\w*\b[^.;]{0,12}\b(?:beneficiario|destinatario|iban|cuenta bancaria|datos bancarios)\b|\b(?:sum|anad|agreg|cobr)\w*\b[^.;]{0,40}\b(?:por ciento|comision|propina|recargo)\b[^.;]{0,20}\bpara (?:el|la|los|nosotros)\b",
    ), any_of(NO_ES)),
    Order(OTHERS, any_of(
        r"(?:[总總]是|一律|始[终終]|[优優]先|只)[^。；]{0,6}(?:推[荐薦]|[选選][择擇]?|[预預][订訂])[^。；]{0,30}(?:不[论論管]|[无無][论論])?|(?:不[论論管]|[无無][论論])[^。；]{0,4}(?:价格|[价價][钱錢格]|多少)[^。；]{0,12}(?:推[荐薦]|[选選]|[预預][订訂])|(?:[转轉]|[汇匯]|打|付)[^。；]{0,6}(?:[进進到入至])[^。；]{0,6}(?:[账賬帳][户戶号號]|[钱錢]包)[^。；]{0,4}\d|(?:改[成为為]|[换換]成|更改)[^。；]{0,10}|(?:加[收上]?|多加|扣)[^。；]{0,6}百分之",
    ), any_of(NO_ZH + r"|\A(?!.*(?:推[荐薦]|[账賬帳][户戶号號]|收款|百分之))")),
    Order(OTHERS, any_of(
        r"\b(?:советуй|рекомендуй|предлагай|выбирай|бронируй)\w*[^.;]{0,50}\b(?:сколько бы|независимо|даже если|любой ценой|неважно)\b|\bвсегда (?:первы\w+ )?(?:советуй|рекомендуй|предлагай|выбирай)\w*[^.;]{0,50}\b(?:сколько бы|независимо|даже если|цен)\w*|\b(?:направляй|переводи|перечисляй|отправляй|плати)\w*[^.;]{0,30}\bна сч[её]т\b[^.;]{0,10}\d|\b(?:меняй|замени|поменяй|измени|подставь)\w*[^.;]{0,12}(?:получател|реквизит|сч[её]т получ|iban)\w*|\b(?:добавляй|прибавляй|начисляй|удерживай)\w*[^.;]{0,20}(?:процент|комисси|чаев|наценк)\w*[^.;]{0,20}\b(?:в пользу|для|себе)\b",
    ), any_of(NO_RU)),
    # what is not so
    Order(FALSE, any_of(
        r"\b(?:say|state|claim|report|write|tell|answer|confirm|pretend|note|declare|assert)\b[^.;]{0,30}\b(?:tests? (?:pass|passed|are green|ran)|all (?:pass|passed|green|fine)|success\w*|done|made|worked|complete\w*|saved|sent|backed up|verified|checked)\b[^.;]{0,30}\b(?:even (?:if|when|though)|although|though|whether or not|regardless|anyway|no matter)\b|\b(?:even (?:if|when|though)|although|if|when) [^.;]{0,40}\b(?:fail\w*|not|missing|wrong|broken)\b[^.;]{0,30}\b(?:say|claim|report|state|write|mark|pretend|tell|answer)\b[^.;]{0,30}\b(?:pass\w*|success\w*|done|fine|green|ok|complete\w*|worked)\b",
        r"\b(?:fill|replace|complete|supply|invent|make up|fabricat\w*|guess|estimate)\b[^.;]{0,40}\b(?:plausible|invented|made.?up|likely|realistic|random|fake|typical|believable|credible)\b[^.;]{0,15}\b(?:numbers?|values?|data|figures?|results?|measurements?|sources?|citations?|references?|entries|dates?|names?)\b|\b(?:invent|make up|fabricate|fake|forge)\b[^.;]{0,20}\b(?:numbers?|values?|data|figures?|results?|measurements?|sources?|citations?|references?|signatures?|reviews?|logs?)\b",
        r"\b(?:delete|remove|drop|comment out|disable|skip|weaken|loosen|relax|edit|change)\b[^.;]{0,20}\b(?:the |any |all |each |every )?(?:assertions?|asserts?|tests?|checks?|expectations?|test cases?)\b (?:that|which) (?:fails?|failed|are failing|is failing|do(?:es)? not pass|breaks?)\b|\b(?:change|edit|adapt|overwrite|update)\b[^.;]{0,15}\b(?:expected (?:values?|results?|output)|golden files?|snapshots?|expectations?)\b[^.;]{0,30}\b(?:until|so that|to match|whatever)\b",
    ), any_of(NO_EN.replace("|not|", "|never|").replace("|only (?:after|when|if|once)|", "|") + r"[^.;]{0,30}(?:say|claim|report|invent|fill|fabricat|make|delete|remove|drop|skip|comment|weaken|change|edit|pretend|state)")),
    Order(FALSE, any_of(
        r"\b(?:meld|behaupt|sag|schreib|bericht|bestatig|gib an)\w*\b[^.;]{0,60}\b(?:bestanden|erfolgreich|gemacht|erledigt|gelungen|fertig|gruen|grun|gesichert)\b|\b(?:fehl\w*|scheiter\w*|nicht)\b[^.;]{0,30}\b(?:meld|behaupt|sag)\w*\b[^.;]{0,10}\btrotzdem\b|\b(?:full|ersetz|erganz|erfind|schatz)\w*\b[^.;]{0,40}\b(?:plausib|erfund|glaubhaft|wahrscheinlich|realistisch|ausgedacht)\w*\b|\b(?:entfern|losch|streich|kommentier|andere)\w*\b[^.;]{0,20}(?:prufung|test|assertion|erwartung|zusicherung)\w*\b[^.;]{0,8}\b(?:die|der|welche)\b[^.;]{0,6}(?:fehlschl|scheiter|nicht besteh)\w*",
    ), any_of(r"\b(?:nie|niemals|keine?n?|nur wenn|erst wenn|sobald)\b|\bmelde (?:jede|alle|wenn)\b|\bnicht (?:erfind|behaupt|loschen|melden)")),
    Order(FALSE, any_of(
        r"\b(?:di|afirm|inform|escrib|declar|asegur)\w*\b[^.;]{0,30}\b(?:todas? (?:han |estan )?(?:pasad|bien|superad)|han pasado|hech[oa]|exito|correct|complet|guardad)\w*\b[^.;]{0,25}|\b(?:rellen|complet|sustituy|invent)\w*\b[^.;]{0,40}\b(?:verosimil|plausible|inventad|creible|realista)\w*\b|\b(?:borr|elimin|quit|coment|desactiv)\w*\b[^.;]{0,12}\b(?:asercion|prueba|comprobacion|test)\w*\b que (?:falla|no pasa|falle)\w*",
    ), any_of(r"\b(?:nunca|jamas|solo (?:si|cuando)|cuando todas|no (?:afirm|dig|invent|borr|rellen))")),
    Order(FALSE, any_of(
        r"(?:失[败敗]|[没沒]有|[没沒]|未|即使|就算|尽管)[^。；]{0,14}(?:也|都|仍|[还還]是|照[样樣])[^。；]{0,4}(?:[报報]告|[说說]|[写寫]|[声聲][称稱]|回答|[标標][记記])[^。；]{0,10}(?:通[过過]|成功|完成|[备備]份|正常|已)|(?:合理|看似|似乎|可信|[编編]造|[虚虛]构|[虛虚]構)的?(?:合理的?)?[^。；]{0,4}(?:[数數]字|[数數]值|[数數][据據]|[结結]果|[来來]源)[^。；]{0,6}(?:填|[补補]|代替)?|(?:[编編]造|[虚虛][构構]|捏造)[^。；]{0,8}|(?:[删刪]掉?|[删刪]除|注[释釋]掉|去掉)[^。；]{0,4}(?:失[败敗]|[没沒]通[过過]|[报報][错錯])的?[^。；]{0,4}(?:[断斷]言|[测測][试試]|[检檢]查|用例)|把(?:失[败敗]|[报報][错錯])的?(?:[断斷]言|[测測][试試]|[检檢]查)[^。；]{0,4}(?:[删刪]|去|注[释釋]|跳)",
    ), any_of(NO_ZH)),
    Order(FALSE, any_of(
        r"\b(?:сообщи|скажи|говори|утверждай|пиши|напиши|отч[её]тывайся|доложи)\w*[^.;]{0,40}(?:прошл|успешн|сделан|готов|выполнен|пройден|сохран[её]н)\w*|\b(?:заполни|заполняй|дополни|придумай|замени|подставь|выдумай)\w*[^.;]{0,40}(?:правдоподобн|выдуманн|придуманн|вероятн|реалистичн)\w*|\b(?:удали|удаляй|убери|закомментируй|выкинь)\w*[^.;]{0,10}(?:проверк|тест|утверждени|ассерт)\w*[^.;]{0,8}\bкотор\w+ (?:не проход|пада|не прош|валит)\w*",
    ), any_of(r"\b(?:никогда|нельзя|только если|только когда|не (?:придум|выдум|удаля|говори|утвержда|заполня|пиши|сообщай))")),
)  # fmt: skip


effects_in = OrderReader(EFFECTS, by_clause=True)
"""Why a text is no advice, by what it would bring about, each reason once."""
