"""What steps get out of the store and put into it."""

import logging
from collections.abc import Sequence
from typing import Literal

from trace2skill.consolidate.bounded import ModelAsker, asked_identity
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.runtime import Runtime
from trace2skill.skills.skill import Skill
from trace2skill.store import RecordKind, T
from trace2skill.types.lesson import Extraction, Lesson
from trace2skill.types.references import Extracted

log = logging.getLogger(__name__)


def skill_of(rt: Runtime, digest: str) -> Skill:
    """The skill of that digest.

    Raises:
        BadInput: the store has lost it.
    """
    skill = rt.skill(digest)
    if skill is None:
        raise BadInput("this step needs a skill")
    return skill


def stored(rt: Runtime, kind: RecordKind, id: str, cls: type[T]) -> T:
    """What the store has under that kind and id.

    Raises:
        BadInput: nothing, any more.
    """
    record = rt.store.get(kind, id, cls)
    if record is None:
        raise BadInput(f"the store {rt.settings.operation.store} has no {kind} {id[:14]}: was it pruned? run again")
    return record


def keep_extraction(
    rt: Runtime, extraction: Extraction, seed: int, step: StepLabel, log_by: Literal["", "rules", "model"] = ""
) -> Extracted:
    """Put an extraction and its lessons into the store; `log_by` says who drew it, where it is of an imported log."""
    records: list[tuple[RecordKind, str, Record]] = [("lesson", lesson.id, lesson) for lesson in extraction.lessons]
    rt.store.put_all([*records, ("extraction", extraction.digest, extraction)])
    told = (rt.run_id, step, extraction.trajectory_id, extraction.verdict, len(extraction.lessons))
    log.info("%s %s: trajectory %s %s, %d lessons", *told)
    return Extracted(
        content=extraction.digest,
        trajectory_id=extraction.trajectory_id,
        task_id=extraction.task_id,
        seed=seed,
        kind=extraction.kind,
        verdict=extraction.verdict,
        lessons=len(extraction.lessons),
        contrast=bool(extraction.against),
        log=log_by,
        weak=any(lesson.weak_label for lesson in extraction.lessons),
    )


def lessons_of(rt: Runtime, analysed: Sequence[Extracted]) -> list[Lesson]:
    """The lessons of analyses, in their order.

    Raises:
        BadInput: the store has lost one, or it is of a held-out task.
    """
    found: list[Lesson] = []
    for item in analysed:
        rt.evolve_task(item.task_id)
        found += stored(rt, "extraction", item.content, Extraction).lessons
    return found


def asks_merger(rt: Runtime, stage: str, name: str, asks: str, part: str = "") -> ModelAsker:
    """The merger's model, asked for one job of the consolidation; `asks` is the digest of what the job is about."""
    step = StepLabel(stage, name, part=part, unit=asks[:12])
    return ModelAsker(rt.client, rt.settings.models.merger, step)


def looks_again(rt: Runtime) -> bool:
    """Does a model look at what a candidate would say?"""
    return rt.settings.learning.second_look and "merger" in rt.settings.roles_asked


def bounds_of(rt: Runtime, prompt: str) -> dict[str, object]:
    """What the key of a job of the consolidation holds of whoever answers it."""
    return asked_identity(rt.settings.models.merger, rt.settings.learning.merge, prompt, version=1)
