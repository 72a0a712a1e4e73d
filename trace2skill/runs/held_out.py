"""Held-out tasks: what may be looked at, and the record of having looked."""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.mined.asked_texts import AskedTexts
from trace2skill.mined.requests import alike
from trace2skill.runs.intake import asks_nothing
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.summary import LeftOut
from trace2skill.skills.skill import Skill
from trace2skill.store.skill_history import SkillHistory
from trace2skill.types.evaluation import Evaluation, Measured
from trace2skill.types.task import Task
from trace2skill.versions.registry import learned_from

log = logging.getLogger(__name__)


def seen_before(rt: Runtime, skill: Skill | None) -> set[str]:
    """Tasks, held out or not, from which a skill has learned as far as the store knows, with those of equal input."""
    if skill is None:
        return set()

    def tasks_of(digest: str) -> set[str]:
        ledger = rt.store.get("support", digest, SupportLedger)
        return {task for row in ledger.rows for task in row.support.tasks} if ledger else set()

    return learned_from(rt.store, skill, tasks_of)


def left_out_as_seen(tasks: Iterable[Task], seen: set[str]) -> dict[str, LeftOut]:
    """Of held-out tasks those from which a skill has learned, or from a session of them: they prove nothing of it."""
    reason = "the skill has learned from it in an earlier run, so it proves nothing here"
    found = [task.id for task in tasks if seen & {task.id, *task.sessions}]
    return {id: LeftOut(task_id=id, verdict="seen", reason=reason) for id in found}


class HeldOutMarks(NamedTuple):
    """By what a log is known as one of a held-out task."""

    ids: set[str]
    """Of such tasks, and of the sessions that these were made of."""
    telling: set[str]
    """Instructions that no evolve task has."""
    asks: Callable[[str], bool] = asks_nothing
    """Does a text ask a question that is held out, in whatever words around it?"""


def marks_of_held_out(rt: Runtime) -> HeldOutMarks:
    """By what logs of the tasks that a run holds out are known."""
    held_out = [rt.task(id) for id in (*rt.splits.validation, *rt.splits.test)]
    said_in_evolve = {alike(rt.task(id).instruction) for id in rt.splits.evolve}
    ids = {id for task in held_out for id in (task.id, *task.sessions)}
    telling = {task.instruction for task in held_out if alike(task.instruction) not in said_in_evolve}
    questions = [rt.task(id) for id in rt.splits.evolve] + held_out
    if any(task.domain != "questions" for task in questions):
        return HeldOutMarks(ids, telling)
    return HeldOutMarks(ids, telling, asks_one_of({task.id for task in held_out}, questions))


def asks_one_of(held_out: set[str], questions: Iterable[Task]) -> Callable[[str], bool]:
    """Says of a text whether it asks one of these questions, which no other of all asks in the same words."""
    texts = AskedTexts()
    for task in questions:
        words = "\n".join(filter(None, (task.detail.get("context", ""), task.instruction)))
        texts.asks(task.id, "tasks", words, json.loads(task.detail.get("choices", "[]")))
    compared = texts.compared(more=True)
    return lambda text: any(held_out.issuperset(names) for names in compared.asked_in(text))


def tasks_of_split(rt: Runtime, split: str, why: str) -> list[str]:
    """The tasks of a split, for an evaluation. Opening the test split needs a reason; it is counted and recorded.

    Raises:
        BadInput: the test split without a reason, or no such split.
    """
    if split != "test":
        return list(rt.splits.named(split))
    if not why.strip():
        raise BadInput("the test split is sealed: say why it is opened (--why), it is recorded")
    open_test(rt, why)
    return list(rt.splits.test)


def open_test(rt: Runtime, why: str, by: str = "") -> int:
    """Write an opening of the test split into the record; returns how many there are with it.

    `by` names a run whose reruns look at the same figures again: they are the same opening.
    """
    reason = f"{why.strip()} ({by})" if by else why.strip()
    data = digest_of(sorted(rt.task(task).content for task in rt.splits.test))
    number, new = SkillHistory(rt.store).opening_number(data, reason, once=bool(by))
    if new:
        told = (rt.settings.data.path, number, reason)
        log.warning("the test split of %s was opened for the %d. time: %s", *told)
    return number


def keep_evaluations(rt: Runtime, evaluations: Sequence[Evaluation], split: str) -> None:
    """Keep what was measured, with who measured it on what, for later comparisons."""
    for item in evaluations:
        kept = Measured(
            evaluation=item,
            agent=rt.settings.agent_name,
            data=rt.settings.data.path.name,
            domain=rt.domain.name,
            split=split,
            run_id=rt.run_id,
        )
        rt.store.put("evaluation", kept.digest, kept)
