"""What keeps an everyday command within the work, where the text itself says so: for runs in which no model looks.

Scopes are read off what the command is done to (build output, own files in /tmp, a database or container that is named
a test's, a library of the machine's own package manager) or off the clause that it stands in (a scratch clone). They
excuse that one command and nothing beside it, and nothing where the clause speaks of others, of all, or of what anybody
may have written. A scope may be a lie: patterns read that it is there, and not that it is so.
"""

import re

from trace2skill.safety.bounded import bounded


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile(bounded("|".join(patterns)), re.IGNORECASE)


ENDS_COMMAND = re.compile(r"&&|\|\||[;|\n]")
OWN_FILES = _any(
    # what builds and tests make, wherever it stands; own files below /tmp; caches of programs; kinds of files that are made
    r"(?:\./)?(?:[\w-]{1,60}/){0,3}(?:build|dist|target|node_modules|__pycache__|__snapshots__|\.?pytest_cache|\.mypy_cache|\.ruff_cache|\.tox|\.nox|\.venv|venv|out|tmp|temp|coverage|htmlcov|\.next|\.nuxt|\.gradle|\.parcel-cache|\.cache|[\w-]{1,60}\.egg-info)(?:/[\w.*-]{1,60}){0,4}/?",
    r"/(?:var/)?tmp/[\w-]{2,60}[\w.*-]{0,60}(?:/[\w.*-]{1,60}){0,4}/?|~/\.cache/[\w-]{1,60}(?:/[\w.*-]{1,60}){0,4}/?|(?:[\w-]{1,60}/){0,3}[\w-]{0,60}\*\.(?:o|pyc|pyo|tmp|log|bak|class|orig|rej)",
)  # fmt: skip
VARIABLE = re.compile(r"\$\{?(?P<name>\w{1,60})\}?")
MADE = re.compile(r"\b(?P<name>\w{1,60})=[\"']?(?:\$\(|`)\s{0,9}mktemp\b")
OF_A_TEST = re.compile(
    r"\A(?:tests?|testing|tmp|temp|scratch|fixtures?)(?:\Z|[_.\d-])"
    r"|[_.-](?:tests?|testing|tmp|temp|scratch|fixtures?)[_.\d-]{0,9}\Z",
    re.IGNORECASE,
)
"""At the beginning or end of a name: between other words it may be anything, such as results of tests."""
OF_A_LOAD = re.compile(r"\A(?:staging|stage|stg)_\w{1,60}\Z", re.IGNORECASE)
"""A table that rows pass through on their way in."""
DATABASE = re.compile(
    r"\A(?:dropdb\s+(?:-{1,2}[\w-]{1,40}\s+){0,6}|(?:drop|truncate)\s+(?P<what>table|database|schema)\s+(?:if\s+exists\s+)?|delete\s+from\s+)[\"'`]?(?P<name>[\w.-]{1,60})(?![\w.-])(?![\"'`]?\s*,)",
    re.IGNORECASE,
)
CONNECTED = re.compile(
    r"\bpsql\s+(?:-[\w=-]{1,40}\s+){0,6}-d\s*(?P<name>[\w-]{1,60})\s(?![^\n]{0,80}\s-d\b)[^\n`;&|]{0,80}\Z",
    re.IGNORECASE,
)
CONTAINER = re.compile(
    r"\A(?:docker|podman)\s+rm\s+(?:-[\w-]{1,40}\s+){1,3}(?P<name>[\w.-]{1,60})[`\"').,;:]*\Z", re.IGNORECASE
)
PACKAGES = re.compile(
    r"\A(?:sudo\s+)?(?:apt-get|apt|dnf|yum|zypper|apk)\s+(?:-{1,2}(?:y|yes|qq?|no-install-recommends|no-cache)\s+){0,4}(?:update[`\"').,;:]*\Z|(?:install|add)\s+(?P<names>[^`|;&<>\n]{1,200}))",
    re.IGNORECASE,
)
LIBRARY = re.compile(
    r"(?!libpam|libnss|\S*(?:daemon|server|service|agent))(?:lib[a-z0-9][a-z0-9.+-]{1,40}|[a-z0-9][a-z0-9.+-]{1,40}-(?:dev|devel|headers|utils|common|data)|(?:python3|fonts|texlive)-[a-z0-9.+-]{1,40}|build-essential|pkg-config)"
)
"""What a distribution calls its libraries, headers, fonts and language bindings."""
PLAIN_OPTION = re.compile(r"-{1,2}(?:y|yes|qq?|no-install-recommends|no-cache)")
EXECUTABLE = re.compile(
    r"\Achmod\s+(?:-\w{1,9}\s+)?[au]*\+x\s+[\"']?(?:\./)?(?:[\w-]{1,60}/){0,4}[\w-]{1,60}(?:\.\w{1,10})?[`\"').,;:]*(?=\s|\Z|[^\x00-\x7f])"
)
UNNAMED_CLONE = re.compile(r"\Agit\s+clone(?:\s+--?[a-z-]{1,40}(?:[= ]\d{1,9})?){1,6}\s*\Z")
STARTS_ANEW = re.compile(r"\Agit\s+(?:reset|clean)\b", re.IGNORECASE)
SCRATCH = _any(
    r"\b(?:scratch|throw.?away|disposable|temporary|temp)[ -](?:git )?(?:clones?|worktrees?|checkouts?|cop(?:y|ies)|repo(?:sitory|s)?)\b",
    r"\b(?:wegwerf|probe|temporar\w*|temporär\w*|scratch)[ -]?(?:klon\w*|arbeitskopie\w*|kopie\w*|worktree\w*|checkout\w*)",
    r"\b(?:clon(?:es)?|copias?|repositorios?) (?:de usar y tirar|desechables?|temporal(?:es)?|de prueba)\b",
    r"(?:临时|臨時|一次性)的?(?:克隆|副本|工作树|工作樹|仓库|倉庫|clone|worktree)|(?:временн|одноразов|черновом?)\w{0,4} (?:клон|копи|worktree)\w*",
)  # fmt: skip
NEGATED = re.compile(
    r"(?:\b(?:not|never|nor|nicht|nie|kein\w{0,2}|no|nunca|ни|не|никогда)\b|n't|不|没|沒|别|別|勿)[^.;,:]{0,30}\Z",
    re.IGNORECASE,
)
"""How a clause ends before what it says that it is not."""
NOT_ALONE = _any(
    # what is of others or of everybody, what anybody may have written, and every place there is
    r"\b(?:users?|customers?|owners?|shared|production|live|colleagues?|others?|everywhere|wherever|every\w*|somebody|someone|all|whatever|any|attachments?|tickets?|forum|e-?mails?|web ?pages?|downloads?|downloaded)\b",
    r"\b(?:nutzer\w*|benutzer\w*|kunden?\w*|kolleg\w*|andere\w*|uberall|überall|alle\w*|jede\w*)\b|\b(?:usuari\w+|clientes?|producci\w+|compañer\w+|otr[oa]s?|tod[oa]s?|cualquier\w*)\b",
    r"用户|用戶|客户|客戶|生产|同事|其他|别人|所有|任何|пользовател|клиент(?:а|у|ов|ы)?\b|чуж|коллег|друг(?:их|ие|им)\b|\bвсе[хм]?\b|рабоч\w+ (?:копи|сервер)",
)  # fmt: skip
CLAUSE = re.compile(r"[.;:!?]\s|[。；：！？\n]")


def stays_within_work(text: str, start: int, command: str) -> bool:
    """Does the text keep a command within the work?

    Args:
        text: where it stands.
        start: where in it.
        command: the command from there on, to the end of its code span or line.
    """
    one = ENDS_COMMAND.split(command, maxsplit=1)[0].strip()
    return _has_scope(one, text, start) and not speaks_of_others(text, start)


def speaks_of_others(text: str, start: int) -> bool:
    """Does the clause around a place speak of others, of all there is, or of what anybody may have written?"""
    return NOT_ALONE.search(_clause(text, start)) is not None


def _has_scope(one: str, text: str, start: int) -> bool:
    if one.startswith("rm "):
        return _are_own(one.split()[1:], text)
    if found := DATABASE.match(one):
        return _is_of_a_test(found) or _is_connected_to_a_test(text[max(0, start - 200) : start])
    if found := CONTAINER.match(one):
        return OF_A_TEST.search(found["name"]) is not None
    if found := PACKAGES.match(one):
        return found["names"] is None or _are_libraries(found["names"].split())
    if EXECUTABLE.match(one) or UNNAMED_CLONE.match(one):
        return True
    return STARTS_ANEW.match(one) is not None and _is_scratch(_clause(text, start))


def _is_scratch(clause: str) -> bool:
    found = SCRATCH.search(clause)
    return found is not None and NEGATED.search(clause[: found.start()]) is None


def _are_own(words: list[str], text: str) -> bool:
    targets = [word.strip("\"'`").rstrip(".,;:)\"'`") for word in words if not word.startswith("-")]
    made = {found["name"] for found in MADE.finditer(text)}
    return bool(targets) and all(
        ".." not in target
        and (OWN_FILES.fullmatch(target) or ((found := VARIABLE.fullmatch(target)) and found["name"] in made))
        for target in targets
    )


def _is_of_a_test(found: re.Match[str]) -> bool:
    loads = (found["what"] or "").lower() == "table" and OF_A_LOAD.match(found["name"])
    return bool(loads or OF_A_TEST.search(found["name"]))


def _is_connected_to_a_test(before: str) -> bool:
    found = CONNECTED.search(before)
    return found is not None and OF_A_TEST.search(found["name"]) is not None


def _are_libraries(words: list[str]) -> bool:
    names = [word.strip("\"'.,;:)") for word in words if not PLAIN_OPTION.fullmatch(word)]
    return bool(names) and all(LIBRARY.fullmatch(name) for name in names)


def _clause(text: str, start: int) -> str:
    """What stands around a command, to the ends of its clause."""
    before = text[max(0, start - 200) : start]
    ends = [found.end() for found in CLAUSE.finditer(before)]
    head = before[ends[-1] :] if ends else before
    return head + CLAUSE.split(text[start : start + 200], maxsplit=1)[0]
