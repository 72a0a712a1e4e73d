"""A second look at what a candidate would say: a model names the lines that nobody should follow.

The screening (`trace2skill.safety`) knows words. An order in other words passes it; whoever reads for what a line makes
its reader do sees it. What the model names is kept out and goes to quarantine, where a person may let it in. Its answer
only ever withholds: what it does not name is where it was before.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.consolidate.bounded import Asker, Bounds, answered, ids, lines, tokens
from trace2skill.core.record import Record
from trace2skill.safety.screening import Finding, finding_of

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


class SecondLook(Record):
    """What came of it: a finding for each text that is withheld, and the texts that nobody could judge."""

    found: dict[str, Finding]
    unjudged: tuple[str, ...] = ()


class SecondLooker:
    """Looks at the texts of one candidate; none is asked about twice.

    Args:
        ask: answers.
        about: what the skill is for, in its own words.
        bounds: how much one call may hold.
        allowed: ids of findings that a person has allowed: such a text is not asked about.
    """

    def __init__(self, ask: Asker, about: str, bounds: Bounds, allowed: Collection[str] = ()) -> None:
        self._ask, self._about, self._bounds, self._allowed = ask, about, bounds, allowed
        self._seen: dict[str, Finding | None] = {}
        self._unjudged: list[str] = []

    def __call__(self, texts: Iterable[str]) -> SecondLook:
        """What is to be said of these texts, in one call for at most `MOST` that are new.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
        """
        given = list(dict.fromkeys(texts))
        self._look_at([text for text in given if text not in self._seen])
        found = {text: finding for text in given if (finding := self._seen[text]) is not None}
        return SecondLook(found=found, unjudged=tuple(text for text in given if text in self._unjudged))

    @property
    def unjudged(self) -> tuple[str, ...]:
        """All texts that nobody could judge."""
        return tuple(self._unjudged)

    def _look_at(self, new: Sequence[str]) -> None:
        self._seen.update(dict.fromkeys(new))
        asked = [text for text in new if finding_of(REASON, text).id not in self._allowed]
        for part, answer in answered(asked, self._fits, self._once, _strangers):
            if answer is None:
                self._unjudged += part
                continue
            by_id = dict(zip(ids(part, "l"), part, strict=True))
            for named in reversed(answer.withhold):
                text = by_id[named.line]
                self._seen[text] = finding_of(REASON, text, why=_in_words(named))

    def _once(self, part: Sequence[str], said: Sequence[str]) -> LinesToWithhold:
        return self._ask(PROMPT, LinesToWithhold, {"about": self._about, "lines": lines(part, "l")}, said)

    def _fits(self, part: Sequence[str]) -> bool:
        return len(part) <= MOST and tokens([self._about, *part]) <= self._bounds.room


def _strangers(answer: LinesToWithhold, part: Sequence[str]) -> list[str]:
    known = set(ids(part, "l"))
    return [f"{named.line!r} is no id of a line" for named in answer.withhold if named.line not in known]


def _in_words(named: HarmfulLine) -> str:
    why = " ".join(named.why.split())[:200]
    return f"{IN_WORDS[named.does]}: {why}" if why else IN_WORDS[named.does]
