"""The simulated inducer, coder and writer: they know what texts mean and err in a given share of their judgements.

A judgement is one theme of one text in one request; whether it goes wrong, and how, is drawn by a hash. A script
may play these roles with a reader of its own.
"""

import json
import re
from collections.abc import Callable

from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks
from trace2skill.sim.meaning import MeaningReader, PlantedReader, labelled_reader
from trace2skill.sim.profile import chance, pick
from trace2skill.skills.near import stems

LINE = re.compile(r'^(?P<id>[a-z]+[\d.]+): (?P<text>".*")$', re.MULTILINE)
PAIR = re.compile(r"^(?P<id>p\d+): (?P<first>k\d+) and (?P<second>k\d+) contradict", re.MULTILINE)
OWN = "own: "
FIT = re.compile(
    r"(?!\W*(?:then|it|its|they|them|that|this|these|those|so|also|and|but|such|otherwise)\b)[^\n]{1,320}", re.I
)
"""What can stand as a line of a skill as it is."""


def reader_of(heard: Heard) -> MeaningReader:
    """What this simulated model knows texts by."""
    return labelled_reader(heard.profile.corpus) if heard.profile.name == "labelled" else PlantedReader()


def induce(heard: Heard, reader: MeaningReader | None = None) -> Spoken:
    """Group the rules by theme."""
    reader, texts = reader or reader_of(heard), _lines(heard, "rules")
    meant = {id: reader.themes(text) for id, text in texts.items()}
    known = sorted({theme for themes in meant.values() for theme in themes if not theme.startswith(OWN)})
    by_theme: dict[str, list[str]] = {}
    alone = []
    for id, themes in meant.items():
        taken = _judged(heard, id, themes, known)
        for theme in taken:
            by_theme.setdefault(theme, []).append(id)
        if themes and not taken:
            alone.append(id)
    groups = [_group(reader, theme, cited, texts, meant) for theme, cited in sorted(by_theme.items())]
    groups += [{"cites": [id], "says": ""} for id in alone]
    cited_anywhere = {id for group in groups for id in group["cites"]}
    return answer_json({"rules": groups, "no_rule": [id for id in texts if id not in cited_anywhere]})


def assign(heard: Heard, reader: MeaningReader | None = None) -> Spoken:
    """Compare the rules with the book."""
    return answer_json({"codes": [code for code, _ in _coded(heard, reader or reader_of(heard))]})


def again(heard: Heard, reader: MeaningReader | None = None) -> Spoken:
    """Compare the rules with the book, and group what fits nothing in it."""
    reader, texts = reader or reader_of(heard), _lines(heard, "rules")
    coded = _coded(heard, reader)
    meant = {id: reader.themes(text) for id, text in texts.items()}
    by_theme: dict[str, list[str]] = {}
    for code, missing in coded:
        for theme in missing:
            by_theme.setdefault(theme, []).append(str(code["rule"]))
    new = [_group(reader, theme, cited, texts, meant) for theme, cited in sorted(by_theme.items()) if len(cited) > 1]
    return answer_json({"codes": [code for code, _ in coded], "new": new})


def write(heard: Heard, reader: MeaningReader | None = None) -> Spoken:
    """Word the rules in the words they have where these can stand alone, else in the plain words of their themes."""
    reader = reader or reader_of(heard)
    drafts = {name: json.loads(found["text"]) for name, found in _drafts(heard).items()}
    said = {}
    for id, draft in drafts.items():
        says = draft if heard.turns == 0 and FIT.fullmatch(draft) else _plain(reader, draft)
        if chance("write", heard.key, id) < heard.profile.mistakes:
            says = list(drafts.values())[pick(len(drafts), "write", heard.key, id)]
        said[id] = says
    conditional = []
    for pair in PAIR.finditer(heard.opening):
        if chance("pair", drafts[pair["first"]], drafts[pair["second"]]) < 0.5:
            first, second = (_plain(reader, drafts[pair[side]]) for side in ("first", "second"))
            says = first if first == second else f"{first} Where that does not hold: {second}"
            evidence = [_backing(heard, pair[side], says) for side in ("first", "second")]
            if all(evidence):
                conditional.append({"pair": pair["id"], "says": says, "evidence": evidence})
    lines = [{"rule": id, "says": says} for id, says in said.items()]
    return answer_json({"lines": lines, "conditional": conditional})


def _lines(heard: Heard, block: str) -> dict[str, str]:
    """The texts of a data block by their ids."""
    return {found["id"]: json.loads(found["text"]) for found in LINE.finditer(heard.block(block))}


def _drafts(heard: Heard) -> dict[str, re.Match[str]]:
    inside = "\n".join(text for name, text in blocks(heard.opening) if re.fullmatch(r"k\d+", name))
    return {found["id"]: found for found in LINE.finditer(inside) if found["id"].startswith("k")}


def _backing(heard: Heard, rule: str, says: str) -> str:
    """The id of the words behind a rule that share most with a line, '' where none share two."""
    words = {found["id"]: json.loads(found["text"]) for found in LINE.finditer(heard.block(rule))}
    shared = {id: len(stems(says) & stems(text)) for id, text in words.items()}
    best = max(shared, key=lambda id: shared[id])
    return best if shared[best] >= 2 else ""


def _coded(heard: Heard, reader: MeaningReader) -> list[tuple[dict[str, object], frozenset[str]]]:
    """Each rule's code, and its themes that are not in the book."""
    texts, book = _lines(heard, "rules"), _lines(heard, "book")
    where: dict[str, str] = {}
    for id, says in book.items():
        for theme in reader.themes(says):
            plainer = len(reader.themes(says)) == 1 and len(reader.themes(book.get(where.get(theme, ""), ""))) != 1
            if theme not in where or plainer:
                where[theme] = id
    coded: list[tuple[dict[str, object], frozenset[str]]] = []
    for id, text in texts.items():
        themes = reader.themes(text)
        same, missing = set[str](), set[str]()
        for theme in sorted(themes) or [""]:
            draw = chance("judge", heard.key, id, theme) if heard.profile.mistakes else 1.0
            if draw < heard.profile.mistakes / 2:
                continue
            if draw < heard.profile.mistakes and book:
                same.add(f"b{1 + pick(len(book), heard.key, id, theme)}")
            elif theme in where:
                same.add(where[theme])
            elif theme:
                missing.add(theme)
        opposed = {where[other] for theme in sorted(themes) if (other := reader.opposite(theme)) in where}
        opposed = {b for b in opposed if chance("oppose", heard.key, id, b) >= heard.profile.mistakes}
        code = {"rule": id, "same": sorted(same), "opposed": sorted(opposed - same)}
        coded.append(({key: value for key, value in code.items() if value}, frozenset(missing)))
    return coded


def _judged(heard: Heard, id: str, themes: frozenset[str], known: list[str]) -> list[str]:
    """The themes a text is taken for: its own, but for mistakes, by which one is missed or another one taken."""
    taken = set()
    for theme in sorted(themes):
        draw = chance("judge", heard.key, id, theme) if heard.profile.mistakes else 1.0
        if draw >= heard.profile.mistakes:
            taken.add(theme)
        elif draw >= heard.profile.mistakes / 2 and known:
            taken.add(known[pick(len(known), heard.key, id, theme)])
    return sorted(taken)


def _group(
    reader: MeaningReader, theme: str, cited: list[str], texts: dict[str, str], meant: dict[str, frozenset[str]]
) -> dict[str, list[str] | str]:
    """A group in the words of one that says this and nothing else, the same one whoever else is cited."""
    pure = [id for id in cited if meant[id] == {theme}]
    best = min(pure, key=lambda id: chance("best", texts[id])) if pure else cited[0]
    says = "" if pure else reader.words(theme)
    return {"cites": [best, *(id for id in cited if id != best)], "says": says}


def _plain(reader: MeaningReader, text: str) -> str:
    """What a text says in the plain words of its first theme, else the text without what leans on others."""
    words = [reader.words(theme) for theme in sorted(reader.themes(text)) if reader.words(theme)]
    return words[0] if words else text


ROLES: dict[str, Callable[..., Spoken]] = {
    "You group rules by meaning": induce,
    "You compare rules with a rule book": assign,
    "You give left-over rules a second look": again,
    "You word the rules": write,
}
