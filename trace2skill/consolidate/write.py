"""Writing a section: one call gives the wording of its rules, one line each; the program decides everything else.

Which rules are written, where they stand and what they count is settled before. A line is held to be one that stands
alone; one that is not is asked for again, and then the rule keeps the words it has.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import not_

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.consolidate.bounded import Asker, Bounds, answered, lines, tokens
from trace2skill.consolidate.cut import Place, plain_words
from trace2skill.consolidate.settle import BookRule, RuleBook
from trace2skill.core.record import Record
from trace2skill.skills.markdown import section_text
from trace2skill.skills.near import stems
from trace2skill.skills.skill import Skill

PROMPT = "book_write"
MOST_QUOTED = 3  # wordings of supporters that the writer sees
QUOTE = 320  # characters of one of them
DOTS = "\u2026"
SENTENCE_END = re.compile(r"[.;:!?]\s+|\n+")
CONDITION = re.compile(
    r"\b(?:if|when|whenever|unless|except|where|in case|as long as|provided|otherwise|while)\b", re.IGNORECASE
)
TARGET = re.compile(r"\]\(([^)\s]+)")
LEAST_SHARED = 0.25  # share of a line's words that its draft or its quotes must have
FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
LEANS = re.compile(
    r"^(?:then|they|them|it|its|this|that|these|those|such|also|afterwards|otherwise|and|but|so|however|instead|"
    r"likewise|similarly|as above|the same|the former|the latter)\b",
    re.IGNORECASE,
)
PRAISE = re.compile(
    r"\b(best practices?|remember that|always remember|it is (?:important|crucial|essential)|be careful)\b", re.I
)


class WrittenLine(BaseModel):
    """A line of the answer."""

    model_config = ConfigDict(extra="ignore")
    rule: str
    says: str


class WrittenPair(BaseModel):
    """A pair of opposed rules that can both hold, each in its case."""

    model_config = ConfigDict(extra="ignore")
    pair: str
    says: str
    evidence: list[str] = Field(default_factory=list)


class Written(BaseModel):
    """What the writer answers."""

    model_config = ConfigDict(extra="ignore")
    lines: list[WrittenLine]
    conditional: list[WrittenPair] = Field(default_factory=list)


class ToWord(Record):
    """A rule to be worded: its words in the book, and words of its supporters."""

    says: str
    quotes: tuple[str, ...]


class Sheet(Record, form="Sheet", version=1):
    """What one call of the writer is about: a section as it stands, rules for it, and the pairs among them that oppose.

    A pair names its two rules by number.
    """

    place: Place
    section: str
    rules: tuple[ToWord, ...]
    pairs: tuple[tuple[int, int], ...] = ()
    refuted: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="Rules for this section that were tried and refuted."
    )


class SheetWording(Record, form="SheetWording", version=1):
    """The words of a sheet: a line a rule, '' where it keeps its own, and a line a pair, '' where that stays open."""

    lines: tuple[str, ...]
    conditional: tuple[str, ...] = ()


class Limit(Record):
    """How long a rule may be."""

    characters: int = Field(default=320, ge=80, le=1_000, description="Most characters of one written rule.")


USUAL = Limit()


def write(ask: Asker, sheet: Sheet, bounds: Bounds, limit: Limit = USUAL) -> SheetWording:
    """Word the rules of a sheet.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    numbers = list(range(len(sheet.rules)))
    said, between = [""] * len(numbers), [""] * len(sheet.pairs)
    asked: Counter[tuple[int, ...]] = Counter()

    def once(items: Sequence[int], before: Sequence[str]) -> Written:
        asked[tuple(items)] += 1
        return ask(PROMPT, Written, _values(sheet, items, limit), before)

    def broken(answer: Written, items: Sequence[int]) -> list[str]:
        """Asked again, what fits is taken and the rest keeps its own words: no line is worth a third call."""
        return _problems(answer, sheet, items, limit).in_words if asked[tuple(items)] < 2 else []

    def fits(items: Sequence[int]) -> bool:
        return tokens([*_shown(sheet, items), sheet.section, *sheet.refuted]) <= bounds.room

    for items, answer in answered(numbers, fits, once, broken):
        if answer is None:
            continue
        bad = _problems(answer, sheet, items, limit).of
        for line in answer.lines:
            if line.rule not in bad:
                said[int(line.rule[1:]) - 1] = one_line(line.says)
        for pair in answer.conditional:
            if pair.pair not in bad:
                between[int(pair.pair[1:]) - 1] = one_line(pair.says)
    return SheetWording(lines=tuple(said), conditional=tuple(between))


def own_words(rule: BookRule, limit: Limit = USUAL) -> str:
    """The words a rule has without a writer: those of the book, or of a supporter whose words stand alone."""
    every = {text: unfit(text, limit) for text in (rule.says, *rule.texts)}
    fit = [text for text, problems in every.items() if not problems]
    best = fit[0] if fit else min(every, key=lambda text: (bool(_leaning(text)), len(every[text]), len(text), text))
    return best if FENCE.search(best) else one_line(best)


def sheets(
    base: Skill,
    book: RuleBook,
    wanted: Iterable[BookRule],
    places: Mapping[str, Place],
    refuted: Mapping[Place, Sequence[str]] | None = None,
) -> list[tuple[Sheet, tuple[BookRule, ...]]]:
    """The sheets of the rules to be written, each with its rules in the order of their numbers; `places` by their ids.

    A rule whose supporters all use the same words keeps them and is on no sheet, unless something opposes it. A rule
    that opposes another stands on the sheet of the better supported one. `refuted` are the words of refuted rules, by
    the place that they were asked for.
    """
    rules = {rule.id: rule for rule in wanted}
    pairs = [(item.first, item.second) for item in book.opposed if item.first in rules and item.second in rules]
    home = {id: places[id] for id in rules}
    for pair in pairs:
        first, second = sorted(pair, key=lambda id: (-rules[id].support.weight, id))
        home[second] = home[first]
    in_pairs = {id for pair in pairs for id in pair}
    by_place: dict[Place, list[BookRule]] = defaultdict(list)
    for id in sorted(rules, key=lambda id: rules[id].says):
        if id in in_pairs or len(rules[id].texts) > 1:
            by_place[home[id]].append(rules[id])
    made = []
    for place in sorted(by_place, key=lambda place: place.words):
        here = by_place[place]
        number = {rule.id: n for n, rule in enumerate(here)}
        sheet = Sheet(
            place=place,
            section=_section(base, place),
            rules=tuple(ToWord(says=rule.says, quotes=_quotes(rule)) for rule in here),
            pairs=tuple(sorted((number[a], number[b]) for a, b in pairs if a in number and b in number)),
            refuted=tuple((refuted or {}).get(place, ())),
        )
        made.append((sheet, tuple(here)))
    return made


def _quotes(rule: BookRule) -> tuple[str, ...]:
    others = [text for text in rule.texts if plain_words(text) != plain_words(rule.says)]
    return tuple(_around(text, rule.says) for text in others[:MOST_QUOTED])


def _around(text: str, says: str) -> str:
    """As much of a long text as fits a quote, around the sentence that shares most words with what is said."""
    if len(text) <= QUOTE:
        return text
    wanted = stems(says)
    starts = [0, *(found.end() for found in SENTENCE_END.finditer(text))]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    best = max(range(len(parts)), key=lambda n: (len(wanted & stems(parts[n])), -n))
    start = max(0, min(starts[best], len(text) - QUOTE))
    piece = text[start : start + QUOTE - 2].strip()
    return f"{DOTS if start else ''}{piece}{DOTS if start + QUOTE - 2 < len(text) else ''}"


def _section(base: Skill, place: Place) -> str:
    text = base.text(place.file) or ""
    return "" if place.title else section_text(text, place.section)


def _shown(sheet: Sheet, items: Sequence[int]) -> list[str]:
    return [text for n in items for text in (sheet.rules[n].says, *sheet.rules[n].quotes)]


def _values(sheet: Sheet, items: Sequence[int], limit: Limit) -> dict[str, object]:
    here = set(items)
    rules = [
        {
            "id": f"k{n + 1}",
            "says": lines([sheet.rules[n].says], f"k{n + 1} rule ").partition(": ")[2],
            "quotes": lines(sheet.rules[n].quotes, f"q{n + 1}."),
        }
        for n in items
    ]
    pairs = [
        {"id": f"p{n + 1}", "first": f"k{a + 1}", "second": f"k{b + 1}"}
        for n, (a, b) in enumerate(sheet.pairs)
        if a in here and b in here
    ]
    return {
        "place": sheet.place.words,
        "section": sheet.section,
        "rules": rules,
        "pairs": pairs,
        "limit": limit.characters,
        "refuted": sheet.refuted,
    }


class _Problems(dict[str, list[str]]):
    """What is wrong with an answer, by the id it is about."""

    @property
    def of(self) -> frozenset[str]:
        """The ids with which something is wrong."""
        return frozenset(self)

    @property
    def in_words(self) -> list[str]:
        """For the re-ask."""
        return [f"{id}: {problem}" for id, problems in self.items() for problem in problems]


def _problems(answer: Written, sheet: Sheet, items: Sequence[int], limit: Limit) -> _Problems:
    given, here = [f"k{n + 1}" for n in items], set(items)
    pairs = {f"p{n + 1}": pair for n, pair in enumerate(sheet.pairs) if set(pair) <= here}
    found: dict[str, list[str]] = defaultdict(list)
    worded = Counter(line.rule for line in answer.lines)
    listed = Counter(item.pair for item in answer.conditional)
    for id in [*(id for id in worded if id not in given), *(id for id in listed if id not in pairs)]:
        found[id].append("it was not given")
    for id in given:
        if worded[id] != 1:
            found[id].append(f"it has {worded[id] or 'no'} line{'s' if worded[id] > 1 else ''}")
    for id in pairs:
        if listed[id] > 1:
            found[id].append(f"it has {listed[id]} lines")
    plain = Counter(plain_words(line.says) for line in answer.lines)
    for line in answer.lines:
        if line.rule in given:
            others = [sheet.rules[n].says for n in items if f"k{n + 1}" != line.rule]
            found[line.rule] += unfit(line.says, limit) + _beyond(
                line.says, sheet.rules[int(line.rule[1:]) - 1], others
            )
            if plain[plain_words(line.says)] > 1:
                found[line.rule].append("another rule has the same words")
    for item in answer.conditional:
        if item.pair in pairs:
            found[item.pair] += unfit(item.says, limit) + _unbacked(item, sheet, pairs[item.pair])
    return _Problems({id: problems for id, problems in found.items() if problems})


def unfit(says: str, limit: Limit) -> list[str]:
    """Why a line is none that stands alone; nothing where it is one."""
    text = one_line(says)
    found = []
    if not re.search(r"\w", text):
        return ["the line is empty"]
    if len(text) > limit.characters:
        found.append(f"the line has {len(text)} characters, more than {limit.characters}")
    if leans := _leaning(text):
        found.append(f"the line starts with '{leans}' and so leans on another one: name what is meant")
    if praise := PRAISE.search(text):
        found.append(f"'{praise.group()}' tells nobody what to do: leave it out")
    if text.startswith(("#", "|", ">")) or FENCE.search(says):
        found.append("the line is no plain sentence")
    if text.count("`") % 2:
        found.append("a code mark is not closed")
    return found


def _leaning(text: str) -> str:
    """The word at the start of a line that points to another one, '' where there is none."""
    found = LEANS.match(re.sub(r"^[*_`\s]+", "", text))
    return found.group() if found else ""


def _beyond(says: str, rule: ToWord, others: Sequence[str]) -> list[str]:
    """What a line has from nowhere in its rule: a condition, a link, or nearly all of its words."""
    words = " ".join((rule.says, *rule.quotes))
    found = []
    having = sum(bool(CONDITION.search(text)) for text in rule.quotes)
    if CONDITION.search(says) and not CONDITION.search(rule.says) and having * 2 <= len(rule.quotes):
        found.append(f"'{_found(CONDITION, says)}' makes a condition that neither the draft nor most quotes have")
    wanted, own = stems(says), stems(words)
    shared = len(wanted & own)
    another = max((len(wanted & stems(text)) for text in others), default=0)
    if len(wanted) > 3 and (shared < LEAST_SHARED * len(wanted) or another > max(shared, 0.8 * len(wanted))):
        found.append("the line is not in the words of its rule: was it meant for another one?")
    found += [
        f"the link {target} is in none of the quoted words" for target in TARGET.findall(says) if target not in words
    ]
    return found


def _unbacked(item: WrittenPair, sheet: Sheet, pair: tuple[int, int]) -> list[str]:
    """Why a conditional rule is not backed by words of both sides."""
    if not CONDITION.search(item.says):
        return ["the line does not say when each side holds"]
    found = []
    for side in pair:
        rule = sheet.rules[side]
        quotes = {f"q{side + 1}.{n}": text for n, text in enumerate(rule.quotes, 1)} | {f"k{side + 1}": rule.says}
        backing = [quotes[id] for id in item.evidence if id in quotes]
        if not backing:
            found.append(f"no evidence is named from the words of k{side + 1}")
        elif not any(len(stems(item.says) & stems(text)) >= 2 for text in backing):
            found.append(f"the line shares nothing with the evidence named for k{side + 1}")
    return found


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match.group() if match else ""


def one_line(text: str) -> str:
    """A rule in one line, without list mark."""
    return re.sub(r"^(?:[-*+]|\d+[.)])\s+", "", " ".join(text.split()))
