"""What a run knows of the verdicts on rules: those of the runs that had ended when it began.

An attempt to go on with a run knows what its first attempt knew, so that its steps are those of the first. A run of an
experiment, or one without memory, knows none.
"""

from collections.abc import Mapping
from weakref import WeakKeyDictionary

from trace2skill.consolidate.settle import RuleBook
from trace2skill.core.record import Record
from trace2skill.runs.past import NO_PAST, Past, ended, past_of
from trace2skill.runs.refutation import verdicts_of
from trace2skill.runs.rule_verdict import RuleVerdict
from trace2skill.runs.runtime import Runtime

MOST_SHOWN = 30
"""Refuted rules that a prompt shows: those with the most tasks behind them."""
_known: WeakKeyDictionary[Runtime, tuple[str, Past]] = WeakKeyDictionary()


class VerdictMark(Record, form="VerdictMark", version=1):
    """The runs that had ended when a run began, by id."""

    runs: tuple[str, ...] = ()


def verdicts_for(rt: Runtime, skill: str, book: RuleBook) -> Mapping[str, RuleVerdict]:
    """The rules of a book that stand refuted for this run, by id; `skill` is the name of S0."""
    past = _past(rt, skill)
    return verdicts_of(past, book.rules, rt.settings.learning.new_evidence) if past.runs else {}


def refuted_before(rt: Runtime, skill: str) -> tuple[str, ...]:
    """What the rules say that stood refuted and waiting when the run began: what its proposers are told."""
    past = _past(rt, skill)
    last = next((summary.book for _, summary in reversed(past.runs) if summary.book), "")
    book = rt.store.get("book", last, RuleBook) if last else None
    if book is None:
        return ()
    found = verdicts_for(rt, skill, book)
    return tuple(rule.says for rule in book.rules if rule.id in found and found[rule.id].waits)[:MOST_SHOWN]


def _past(rt: Runtime, skill: str) -> Past:
    if rt.settings.operation.part_of or not rt.settings.learning.memory:
        return NO_PAST
    known = _known.get(rt)
    if known is None or known[0] != f"{rt.run_id} {skill}":
        known = (f"{rt.run_id} {skill}", past_of(rt.store, skill, frozenset(_mark(rt).runs)))
        _known[rt] = known
    return known[1]


def _mark(rt: Runtime) -> VerdictMark:
    id = f"verdicts/{rt.run_id}"
    with rt.store.alone(id):
        mark = rt.store.get("memory", id, VerdictMark)
        if mark is None:
            mark = VerdictMark(runs=tuple(one for one in ended(rt.store.runs()) if one != rt.run_id))
            rt.store.put("memory", id, mark)
        return mark
