"""Assertions that count: handed in by the writer, fit to be judged, and said the same of by all judges."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trace2skill.agents.loop import cut
from trace2skill.evaluation.assertions import Assertion, ShareOf, agreement, confirmed
from trace2skill.evaluation.audit import AssertionsKept
from trace2skill.proposals.assertions import MOST, WrittenAssertion
from trace2skill.proposals.trigger_queries import cleaned
from trace2skill.runs.audit_asking import Panel
from trace2skill.runs.audit_sessions import ShownSegment
from trace2skill.safety.screening import screened
from trace2skill.types.trajectory import STRONG

SHORTEST, LONGEST = 12, 500
"""Characters of an assertion."""
SPEAKS, TO_THE_JUDGES = "speaks to the reader", "speaks to the judges"
"""Of what keeps a text out of a skill this alone: no agent reads assertions, and many name commands that do harm."""
OF_JUDGING = re.compile(
    r"(?i)\b(?:judges?|verdicts?|(?:this|these|every|all|each|any) assertions?"
    r"|(?:first|second|both|either) answers?|(?:who|what)ever reads|does_not_hold|cannot_be_told)\b|`holds`"
)
"""Words of judging: an assertion is about the work, and who judges it is told no more."""
WHY_NOT = {
    "disagree": "the judges disagree",
    "cannot_be_told": "the log does not show it",
    "unusable": "no usable answer of a judge",
    "does_not_hold": "the session did not meet it, and is not known to have failed",
}

NONE = ShareOf.counted(())


class Confirmed(NamedTuple):
    """What counts, by segment, and how good it is."""

    kept: Mapping[str, tuple[Assertion, ...]]
    dropped: Mapping[str, tuple[tuple[str, str], ...]]
    """(what an assertion says, why it does not count), by segment."""
    told: AssertionsKept


NOTHING = Confirmed(
    {}, {}, AssertionsKept(segments=0, written=0, kept=0, confirmed_by="nobody", verdicts=NONE, guessed=NONE)
)


def as_confirmed(segments: Sequence[ShownSegment], given: Mapping[str, tuple[Assertion, ...]]) -> Confirmed:
    """Assertions that a person has confirmed, which count as they are; held against how the sessions ended.

    Args:
        segments: that are asked about.
        given: the assertions by segment.
    """
    kept, verdicts, guessed = {item.id: given[item.id] for item in segments}, list[bool](), list[bool]()
    for item in segments:
        _add_verdict(item, [one.recorded for one in kept[item.id]], verdicts, guessed)
    count = sum(map(len, kept.values()))
    told = AssertionsKept(
        segments=len(segments),
        written=count,
        kept=count,
        confirmed_by="a person",
        verdicts=ShareOf.counted(verdicts),
        guessed=ShareOf.counted(guessed),
    )
    return Confirmed(kept, {}, told)


def write_assertions(panel: Panel, segments: Sequence[ShownSegment]) -> Confirmed:
    """Have assertions written and confirmed.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached, Interrupted: what was asked is in the store.
    """
    said = panel.written(segments)
    dropped: dict[str, list[tuple[str, str]]] = {item.id: [] for item in segments}
    fit: dict[str, list[Assertion]] = {}
    for segment, written in zip(segments, said, strict=True):
        fit[segment.id] = []
        for item in written or ():
            text = cleaned(item.says)
            if why := _why_unfit(text, item, segment, [one.says for one in fit[segment.id]]):
                dropped[segment.id].append((cut(text, LONGEST), why))
            else:
                steps = tuple(sorted({n for n in item.steps if 1 <= n <= segment.steps}))
                fit[segment.id].append(Assertion(says=text, steps=steps))
    with_some = [item for item in segments if fit[item.id]]
    rows = panel.of_sessions(with_some, fit)
    kept, verdicts, guessed = dict[str, tuple[Assertion, ...]](), list[bool](), list[bool]()
    for segment in with_some:
        told = [confirmed(row) for row in rows[segment.id]]
        _add_verdict(segment, [one for one in told if one in ("holds", "does_not_hold")], verdicts, guessed)
        kept[segment.id] = _counting(segment, fit[segment.id], told, dropped[segment.id])
    counts = Counter(why for items in dropped.values() for _, why in items)
    told_all = AssertionsKept(
        segments=len(segments),
        written=sum(len(written or ()) for written in said),
        kept=sum(map(len, kept.values())),
        dropped=dict(sorted(counts.items())),
        unusable=sum(written is None for written in said),
        confirmed_by="judges",
        agreement=agreement(len(panel.judges), [row for segment in with_some for row in rows[segment.id]]),
        verdicts=ShareOf.counted(verdicts),
        guessed=ShareOf.counted(guessed),
    )
    return Confirmed(kept, {id: tuple(items) for id, items in dropped.items()}, told_all)


def _why_unfit(text: str, item: WrittenAssertion, segment: ShownSegment, before: Sequence[str]) -> str:
    if not SHORTEST <= len(text) <= LONGEST:
        return "too short or too long"
    if not any(1 <= number <= segment.steps for number in item.steps):
        return "names no step of the log"
    if any(text.casefold() == one.casefold() for one in before):
        return "said before"
    if len(before) >= MOST:
        return "more than was asked for"
    told = {found.reason for found in screened(text)}
    return TO_THE_JUDGES if SPEAKS in told or OF_JUDGING.search(text) else ""


def _add_verdict(segment: ShownSegment, told: Sequence[str], verdicts: list[bool], guessed: list[bool]) -> None:
    """Note whether 'all assertions hold' agrees with how the session ended, where somebody says so."""
    if told and segment.outcome in ("passed", "failed"):
        agrees = all(one == "holds" for one in told) == (segment.outcome == "passed")
        (verdicts if segment.source in STRONG else guessed).append(agrees)


def _counting(
    segment: ShownSegment, fit: Sequence[Assertion], told: Sequence[str], dropped: list[tuple[str, str]]
) -> tuple[Assertion, ...]:
    """The assertions that count: on which all judges agree, and of which, where the session did not meet one, the
    session is known to have failed.
    """
    kept = []
    for item, what in zip(fit, told, strict=True):
        if what == "holds":
            kept.append(item)
        elif what == "does_not_hold" and segment.outcome == "failed":
            kept.append(item.model_copy(update={"recorded": "does_not_hold"}))
        else:
            dropped.append((item.says, WHY_NOT[what]))
    return tuple(kept)
