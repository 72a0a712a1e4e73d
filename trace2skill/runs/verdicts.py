"""What a run knows of the verdicts on rules: those of the runs that had ended when it began.

An attempt to go on with a run knows what its first attempt knew, so that its steps are those of the first. A run of an
experiment, or one without memory, knows none.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from operator import not_
from weakref import WeakKeyDictionary

from pydantic import Field

from trace2skill.consolidate.settle import RuleBook
from trace2skill.core.record import Record
from trace2skill.runs.past import NO_PAST, Past, ended, past_of
from trace2skill.runs.refutation import verdicts_of
from trace2skill.runs.rule_verdict import RuleVerdict
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.skill_reviews import SkillReviews, reviews_of

MOST_SHOWN = 30
"""Refuted rules that a prompt shows: those with the most tasks behind them."""
_known: WeakKeyDictionary[Runtime, "_Known"] = WeakKeyDictionary()
_once = threading.RLock()
"""Every proposer asks at the same moment, and the first reads the summaries of all earlier runs."""


@dataclass
class _Known:
    """What a run knows, and what its proposers are told, which each of their keys asks for."""

    of: str
    past: Past
    shown: tuple[str, ...] | None = None


class VerdictMark(Record, form="VerdictMark", version=1):
    """The runs that had ended when a run began, by id, and what reviewers had said by then."""

    runs: tuple[str, ...] = ()
    reviews: str = Field(default="", exclude_if=not_, description="Digest of a `SkillReviews`, '' for none.")


def past_known(rt: Runtime, skill: str, *, keep: bool = True) -> Past:
    """The runs over a skill that had ended when this one began; `keep` settles which, for all attempts of the run."""
    return _what_is_known(rt, skill, keep=keep).past


def verdicts_for(rt: Runtime, skill: str, book: RuleBook) -> Mapping[str, RuleVerdict]:
    """The rules of a book that stand refuted for this run, by id; `skill` is the name of S0."""
    past = _what_is_known(rt, skill).past
    return verdicts_of(past, book.rules, rt.settings.learning.new_evidence) if past.runs or past.votes else {}


def refuted_before(rt: Runtime, skill: str) -> tuple[str, ...]:
    """What the rules say that stood refuted and waiting when the run began: what its proposers are told."""
    with _once:
        known = _what_is_known(rt, skill)
        if known.shown is None:
            known.shown = _shown(rt, skill, known.past)
        return known.shown


def _shown(rt: Runtime, skill: str, past: Past) -> tuple[str, ...]:
    last = next((summary.book for _, summary in reversed(past.runs) if summary.book), "")
    book = rt.store.get("book", last, RuleBook) if last else None
    found = verdicts_for(rt, skill, book) if book else {}
    rules = book.rules if book else ()
    waits = {id for id, verdict in found.items() if verdict.waits and verdict.harms}
    return tuple(rule.says for rule in rules if rule.id in waits)[:MOST_SHOWN]


def _what_is_known(rt: Runtime, skill: str, *, keep: bool = True) -> _Known:
    if rt.settings.operation.part_of or not rt.settings.learning.memory:
        return _Known("", NO_PAST, ())
    of = f"{rt.run_id} {skill} {keep}"
    with _once:
        known = _known.get(rt)
        if known is None or known.of != of:
            runs, reviews = _mark(rt, skill, keep=keep)
            known = _known[rt] = _Known(of, past_of(rt.store, skill, runs, reviews))
        return known


def _mark(rt: Runtime, skill: str, *, keep: bool) -> tuple[frozenset[str], SkillReviews]:
    """The runs that count, and what reviewers had said when the run began."""
    id = f"verdicts/{rt.run_id}"
    with rt.store.alone(id):
        mark = rt.store.get("memory", id, VerdictMark)
        if mark is None:
            reviews = reviews_of(rt.store, skill)
            before = tuple(one for one in ended(rt.store.run_heads()) if one != rt.run_id)
            mark = VerdictMark(runs=before, reviews=reviews.digest if reviews.requests else "")
            if keep:
                rt.store.put("memory", id, mark)
                if mark.reviews:  # what is read later changes what the store has under the name of the skill
                    rt.store.put("review", mark.reviews, reviews)
        else:
            known = rt.store.get("review", mark.reviews, SkillReviews) if mark.reviews else None
            reviews = known or SkillReviews(skill=skill)
    return frozenset(mark.runs), reviews
