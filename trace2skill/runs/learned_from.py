"""What a skill has learned from, as far as the store knows: an audit does not ask about it."""

from collections.abc import Iterable

from pydantic import Field

from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.core.forms import from_text_or_none
from trace2skill.core.record import Record
from trace2skill.runs.session_groups import stored, words_of
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import RunSummary
from trace2skill.runs.watermarks import TakenIn, Watermark
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.store.rows import RunRow
from trace2skill.versions.registry import Registry, learned_from


class LearnedFrom(Record):
    """What a skill has learned from."""

    known: bool
    ids: frozenset[str] = Field(default=frozenset(), description="Of trajectories and tasks.")
    asked: frozenset[str] = Field(default=frozenset(), description="Requests by the words that tell them apart.")


def what_taught(store: Store, skills: Iterable[Skill]) -> LearnedFrom:
    """What runs over skills of these names have learned from, and what their lines rest on.

    Of a run that did not write down what it took in, all is taken for learned that any log of the store held.
    """
    known, ids, read = False, set[str](), set[str]()
    for skill in skills:
        known = known or bool(Registry(store).versions(skill.name))
        ids |= learned_from(store, skill, lambda digest: _tasks_of(store, digest))
        for row in store.runs("run", "ingest"):
            summary = from_text_or_none(row.summary, RunSummary) if row.summary else None
            if summary is not None and summary.skill_name == skill.name:
                known = True
                read |= {item.trajectory_id for item in summary.analyses} | _taken_in(store, row)
                ids |= {item.task_id for item in summary.analyses}
    asked = set[str]()
    for found in stored(store, read):
        asked |= words_of(found)
        ids |= {found.parent} - {""}
    return LearnedFrom(known=known or bool(ids), ids=frozenset(ids | read), asked=frozenset(asked))


def _taken_in(store: Store, row: RunRow) -> set[str]:
    """The logs that a run learned from, by the ids of their segments."""
    settings = from_text_or_none(row.settings, RunSettings)
    if settings is None or settings.data.sources is None:
        return set()
    taken = store.get("intake", settings.data.sources.content, TakenIn)
    if taken is not None:
        return {*taken.ids}
    return {item.id for mark in store.all_of("source", Watermark) for item in mark.taken}


def _tasks_of(store: Store, digest: str) -> set[str]:
    ledger = store.get("support", digest, SupportLedger)
    return {task for row in ledger.rows for task in row.support.tasks} if ledger else set()
