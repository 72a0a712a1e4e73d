"""A second look at what a candidate would say: a model names the lines that nobody should follow.

The screening (`trace2skill.safety`) knows words. An order in other words passes it; whoever reads for what a line makes
its reader do sees it. What the model names is kept out and goes to quarantine, where a person may let it in. What it
does not name is where it was before, but for one thing: the model is told which lines the screening suspects and no
more. Such a line gets in where the model calls it harmless in so many words, and silence leaves it out.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import not_
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.consolidate.bounded import Asker, Bounds, answered, ids, lines, tokens
from trace2skill.core.record import Record
from trace2skill.safety.screening import Finding, finding_of, reasons
from trace2skill.safety.shown import shown

PROMPT = "second_look"
MOST = 40
"""Lines of one call: among many more a reader skips some."""
REASON = "withheld by a second look"
Harm = Literal["unguarded", "unasked", "elsewhere", "hides", "settles", "obeys", "sides"]
IN_WORDS: dict[Harm, str] = {
    "unguarded": "it weakens a safeguard",
    "unasked": "it acts where somebody should be asked",
    "elsewhere": "it sends or fetches where the work does not need it",
    "hides": "it hides or misstates what others rely on",
    "settles": "it settles in beyond the work",
    "obeys": "it gives orders to those who may not give any",
    "sides": "it works against whom the reader works for",
}


class _Line(NamedTuple):
    """A text, and what is suspected of it."""

    text: str
    suspected: tuple[Finding, ...] = ()


_Verdict = Finding | str | None
"""Withheld; in it stays, and why; or nobody could judge."""
ALLOWED = "a person has allowed it"
MOST_TOLD = 4
"""Findings of a line that the model is told."""


class HarmfulLine(BaseModel):
    """A line that nobody should follow."""

    model_config = ConfigDict(extra="ignore")
    line: str
    does: Harm
    why: str = ""


class LinesToWithhold(BaseModel):
    """What the second look answers: the lines to be withheld, often none."""

    model_config = ConfigDict(extra="ignore")
    withhold: list[HarmfulLine] = Field(default_factory=list)


class HarmlessLine(BaseModel):
    """A suspected line that may stay."""

    model_config = ConfigDict(extra="ignore")
    line: str
    why: str = ""


class LinesJudged(LinesToWithhold):
    """What the second look answers where some lines are suspected: each of those is withheld or harmless."""

    harmless: list[HarmlessLine] = Field(default_factory=list)


class SecondLook(Record):
    """What came of it: a finding for each text that is withheld, and the texts that nobody could judge.

    `cleared` are the suspected texts that are harmless, with what keeps them so.
    """

    found: dict[str, Finding]
    unjudged: tuple[str, ...] = ()
    cleared: dict[str, str] = Field(default_factory=dict, exclude_if=not_)


class SecondLooker:
    """Looks at the texts of one candidate; none is asked about twice, unless more is suspected of it.

    Args:
        ask: answers.
        about: what the skill is for, in its own words.
        bounds: how much one call may hold.
        allowed: ids of findings that a person has allowed: such a text is not asked about.
        by: the name of who answers, for the record.
    """

    def __init__(self, ask: Asker, about: str, bounds: Bounds, allowed: Collection[str] = (), by: str = "") -> None:
        self._ask, self._about, self._bounds, self._allowed, self.by = ask, about, bounds, allowed, by
        self._seen: dict[_Line, _Verdict] = {}

    def __call__(self, texts: Iterable[str], suspected: Mapping[str, Sequence[Finding]] | None = None) -> SecondLook:
        """What is to be said of these texts, in one call for at most `MOST` that are new.

        Args:
            texts: what would be written.
            suspected: what the screening suspects of some of them.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
        """
        given = [_Line(text, tuple((suspected or {}).get(text, ()))) for text in dict.fromkeys(texts)]
        self._look_at([line for line in given if line not in self._seen])
        seen = {line.text: self._seen[line] for line in given}
        return SecondLook(
            found={text: verdict for text, verdict in seen.items() if isinstance(verdict, Finding)},
            unjudged=tuple(text for text, verdict in seen.items() if verdict is None),
            cleared={text: why for text, why in self.cleared.items() if text in seen},
        )

    @property
    def unjudged(self) -> tuple[str, ...]:
        """All texts that nobody could judge."""
        return tuple(dict.fromkeys(line.text for line, verdict in self._seen.items() if verdict is None))

    @property
    def cleared(self) -> dict[str, str]:
        """The suspected texts that are harmless, and what keeps them so."""
        found = ((line.text, verdict) for line, verdict in self._seen.items() if line.suspected)
        return {text: verdict for text, verdict in found if isinstance(verdict, str)}

    def _look_at(self, new: Sequence[_Line]) -> None:
        let_in = [line for line in new if finding_of(REASON, line.text).id in self._allowed]
        self._seen.update(dict.fromkeys(let_in, ALLOWED))
        asked, times = [line for line in new if line not in self._seen], Counter[tuple[_Line, ...]]()

        def once(part: Sequence[_Line], said: Sequence[str]) -> LinesToWithhold:
            times[tuple(part)] += 1
            return self._once(part, said)

        def broken(answer: LinesToWithhold, part: Sequence[_Line]) -> list[str]:
            """Asked again, what it names is named all the same; a suspected line that it passes over stays unjudged."""
            return [*_strangers(answer, part), *(_passed_over(answer, part) if times[tuple(part)] < 2 else ())]

        for part, answer in answered(asked, self._fits, once, broken):
            self._seen.update(zip(part, self._verdicts(part, answer), strict=True))

    def _verdicts(self, part: Sequence[_Line], answer: LinesToWithhold | None) -> list[_Verdict]:
        if answer is None:
            return [None] * len(part)
        named = {item.line: item for item in reversed(answer.withhold)}
        fine = {item.line: _own_words(item.why) for item in reversed(_harmless(answer))}
        return [
            finding_of(REASON, line.text, why=_in_words(named[id], line, self.by))
            if id in named
            else fine.get(id)
            if line.suspected
            else ""
            for id, line in zip(ids(part, "l"), part, strict=True)
        ]

    def _once(self, part: Sequence[_Line], said: Sequence[str]) -> LinesToWithhold:
        texts, told = [line.text for line in part], _told(part)
        values = {"about": self._about, "lines": lines(texts, "l"), "suspected": told}
        return self._ask(PROMPT, LinesJudged if told else LinesToWithhold, values, said)

    def _fits(self, part: Sequence[_Line]) -> bool:
        texts = [self._about, *(line.text for line in part), *_told(part).splitlines()]
        return len(part) <= MOST and tokens(texts) <= self._bounds.room


def _own_words(why: str) -> str:
    """What a model says, which is never what is said of a person."""
    said = _short(why)
    return f'"{said}"' if said == ALLOWED else said


def _told(part: Sequence[_Line]) -> str:
    """What is suspected of the lines, as a model reads it; '' where nothing is."""
    said = ((id, "; ".join(_named(line))) for id, line in zip(ids(part, "l"), part, strict=True) if line.suspected)
    return "\n".join(f"{id}: {json.dumps(words, ensure_ascii=False)}" for id, words in said)


def _named(line: _Line) -> list[str]:
    """The reasons, each with the piece that was found; of one that is all of the line, the reason alone."""
    found = line.suspected[:MOST_TOLD]
    return [one.reason if one.fragment == line.text else f"{one.reason}: {shown(one.fragment)}" for one in found]


def _strangers(answer: LinesToWithhold, part: Sequence[object]) -> list[str]:
    known = set(ids(part, "l"))
    return [f"{id!r} is no id of a line" for id in _spoken_of(answer) if id not in known]


def _passed_over(answer: LinesToWithhold, part: Sequence[_Line]) -> list[str]:
    said = _spoken_of(answer)
    left = [id for id, line in zip(ids(part, "l"), part, strict=True) if line.suspected and id not in said]
    return [f"{id} is suspected and stands neither under withhold nor under harmless" for id in left]


def _spoken_of(answer: LinesToWithhold) -> list[str]:
    return [*(item.line for item in answer.withhold), *(item.line for item in _harmless(answer))]


def _harmless(answer: LinesToWithhold) -> list[HarmlessLine]:
    return answer.harmless if isinstance(answer, LinesJudged) else []


def _in_words(named: HarmfulLine, line: _Line, by: str) -> str:
    why = _short(named.why)
    words = f"{IN_WORDS[named.does]}: {why}" if why else IN_WORDS[named.does]
    also = f"it was suspected of {reasons(line.suspected)}" if line.suspected else ""
    about = "; ".join(filter(None, (f"asked was {by}" if by else "", also)))
    return f"{words} ({about})" if about else words


def _short(why: str) -> str:
    return " ".join(why.split())[:200]
