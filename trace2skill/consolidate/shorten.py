"""Wording lines more shortly: one call a section; the program decides whether the shorter line says what it did.

It has to be shorter by a tenth, to keep what may not be lost (`kept_words`), to bring in nothing, and to pass the
screening. What does not stays as it was, and says why.
"""

import json
from collections import Counter
from collections.abc import Sequence
from operator import not_

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.consolidate.bounded import Asker, Bounds, answered, tokens
from trace2skill.consolidate.cut import plain_words
from trace2skill.consolidate.kept_words import CODE, LONGEST, not_kept
from trace2skill.consolidate.write import Limit, one_line, unfit
from trace2skill.core.record import Record
from trace2skill.safety.screening import screened
from trace2skill.skills.near import stems

PROMPT = "shortener"
TENTH = 0.1
"""By so much of its characters a line has to be shorter to be worth it."""
FROM_ITS_WORDS = 0.6
"""Share of its words that a shorter line has from those that it stands for."""
ROOMY = Limit(characters=1_000)


class ShorterWords(BaseModel):
    """An entry of the answer."""

    model_config = ConfigDict(extra="ignore")
    lines: list[str]
    says: str


class ShorterSection(BaseModel):
    """What the model answers."""

    model_config = ConfigDict(extra="ignore")
    shorter: list[ShorterWords] = Field(default_factory=list)


class LongLine(Record):
    """A line as it stands, without list mark; `follows` where nothing stands between it and the one before."""

    text: str
    follows: bool = Field(default=False, exclude_if=not_)


class LongSection(Record, form="LongSection", version=1):
    """What one call is about: a place, and the lines of it that may be worded more shortly."""

    place: str
    lines: tuple[LongLine, ...]

    @property
    def name(self) -> str:
        """What a person reads in the UI."""
        return self.place


class ShorterLine(Record):
    """Lines first..last of a section, counted from 0, in one line."""

    first: int
    last: int
    says: str


class NotShortened(Record):
    """A shorter line that was not taken, and why."""

    lines: str
    says: str
    why: str

    @property
    def in_words(self) -> str:
        """For a reader."""
        return f"{self.why}: {self.says!r} for {self.lines!r}"


class ShortenedSection(Record, form="ShortenedSection", version=1):
    """What came of a section."""

    shorter: tuple[ShorterLine, ...] = ()
    refused: tuple[NotShortened, ...] = ()


def shorten(ask: Asker, section: LongSection, bounds: Bounds) -> ShortenedSection:
    """Word the lines of a section more shortly, where that loses nothing that can be seen.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    taken, refused = dict[int, ShorterLine](), list[NotShortened]()
    asked: Counter[tuple[int, ...]] = Counter()

    def once(items: Sequence[int], before: Sequence[str]) -> ShorterSection:
        asked[tuple(items)] += 1
        shown = "\n".join(_line(section, number) for number in items)
        return ask(PROMPT, ShorterSection, {"place": section.place, "lines": shown}, before)

    def broken(answer: ShorterSection, items: Sequence[int]) -> list[str]:
        """Asked again, what fits is taken and the rest stays as it is: no line is worth a third call."""
        return [one.why for one in _judged(section, answer, items)[1]] if asked[tuple(items)] < 2 else []

    def fits(items: Sequence[int]) -> bool:
        return tokens([section.lines[number].text for number in items]) <= bounds.room

    for items, answer in answered(list(range(len(section.lines))), fits, once, broken):
        if answer is not None:
            good, bad = _judged(section, answer, items)
            taken |= {one.first: one for one in good}
            refused += bad
    return ShortenedSection(shorter=tuple(taken[number] for number in sorted(taken)), refused=tuple(refused))


def why_not_shorter(says: str, lines: Sequence[str]) -> list[str]:
    """Why a line may not take the place of others; nothing where it may.

    Args:
        says: the shorter line, without list mark.
        lines: what it stands for: one line, or several that say the same.
    """
    length = sum(map(len, lines))
    found = unfit(says, ROOMY)
    if len(says) > (1 - TENTH) * length:
        found.append(f"it has {len(says)} characters, and {length} less a tenth is wanted")
    if len(says) > ROOMY.characters or length > LONGEST:  # nothing so long is compared
        return found or [f"what it stands for has more than {LONGEST} characters"]
    found += not_kept(says, lines)
    wanted, own = stems(CODE.sub(" ", says)), stems(" ".join(lines))
    if len(wanted & own) < FROM_ITS_WORDS * len(wanted):
        found.append("it is not in the words of what it stands for")
    return found + [str(item) for item in screened(says, known="\n".join(lines))]


def _judged(
    section: LongSection, answer: ShorterSection, items: Sequence[int]
) -> tuple[list[ShorterLine], list[NotShortened]]:
    ids = {f"l{number + 1}": number for number in items}
    good, bad, used = list[ShorterLine](), list[NotShortened](), set[int]()
    plain = {plain_words(section.lines[number].text) for number in range(len(section.lines))}
    for entry in answer.shorter:
        numbers, says = sorted({ids[id] for id in entry.lines if id in ids}), one_line(entry.says)
        lines = [section.lines[number].text for number in numbers]
        if not lines or len(numbers) != len(entry.lines):
            why = [f"{', '.join(entry.lines) or 'no line'}: not ids of lines that were given, each once"]
        elif used & {*numbers} or not _in_a_row(section, numbers):
            why = [f"{', '.join(entry.lines)}: each stands for one shorter line, and they follow each other"]
        else:
            why = why_not_shorter(says, lines)
            why += ["another line says it in these words"] * (plain_words(says) in plain)
        if why:
            bad.append(NotShortened(lines=" / ".join(lines), says=says, why="; ".join(why)))
            continue
        used.update(numbers)
        plain.add(plain_words(says))
        good.append(ShorterLine(first=numbers[0], last=numbers[-1], says=says))
    return good, bad


def _in_a_row(section: LongSection, numbers: Sequence[int]) -> bool:
    return list(numbers) == list(range(numbers[0], numbers[-1] + 1)) and all(
        section.lines[number].follows for number in numbers[1:]
    )


def _line(section: LongSection, number: int) -> str:

    line = section.lines[number]
    return f"{'+' if line.follows else ''}l{number + 1}: {json.dumps(line.text, ensure_ascii=False)}"
