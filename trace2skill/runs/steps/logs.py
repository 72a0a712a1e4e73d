"""The steps of a run over imported trajectories: who says how they ended, and what they teach.

As `trace2skill.steps`: a step is a pure function of its key, and keeps its result.
"""

from trace2skill.analysts import rules
from trace2skill.analysts.judge import judge_identity, judged
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.noun import Noun
from trace2skill.runs.intake import Intake, Taken, Withheld
from trace2skill.runs.runtime import Runtime
from trace2skill.store import NounKind
from trace2skill.types.lesson import Extraction
from trace2skill.types.references import Extracted, Observed
from trace2skill.types.trajectory import Trajectory


def to_judge(rt: Runtime, intake: Intake) -> list[Taken]:
    """The trajectories that nobody has labelled, where the settings ask for a judge."""
    sources = rt.settings.data.sources
    return [item for item in intake.taken if sources and sources.judge and item.outcome == "unknown"]


def judge_key(rt: Runtime, item: Taken) -> str:
    """Key of `judge`: the trajectory and the judge."""
    return f"judge/{digest_of(judge_identity(rt.settings.models.analyst), item.content)}"


def judge(rt: Runtime, item: Taken) -> Taken:
    """Ask the model how one trajectory ended; it is kept with what the model said.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Door.complete`.
    """
    trajectory = _stored(rt, item)
    outcome = judged(rt.door, rt.settings.models.analyst, trajectory, step=f"judge: {item.id}")
    labelled = Trajectory.model_validate({**trajectory.model_dump(), "outcome": outcome.model_dump()})
    rt.store.put("trajectory", f"{item.id} judged {labelled.digest[:12]}", labelled)
    return Taken.of(labelled)


def to_observe(intake: Intake, judgements: list[Taken]) -> list[Taken]:
    """What is analysed: all that ended in some way, with what a judge said of it."""
    newer = {item.id: item for item in judgements}
    return [newer.get(item.id, item) for item in intake.taken if item.outcome != "infrastructure_error"]


def observe_key(rt: Runtime, item: Taken) -> str:
    """Key of `observe`: the analyst and the trajectory."""
    who = rules.VERSION if _by_rules(rt) else rt.log_analyst.identity
    return f"observe/{digest_of('observe 1', who, item.id, item.content)}"


def observe(rt: Runtime, item: Taken) -> Observed:
    """Draw lessons from one imported trajectory, by rules or by the log analyst.

    Raises:
        BadInput: the store does not hold the trajectory any more.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Door.complete`.
    """
    trajectory = _stored(rt, item)
    withheld = rt.store.get("withheld", item.id, Withheld)
    gold = withheld.gold if withheld else ()
    if _by_rules(rt):
        made = rules.mine_one(trajectory, gold)
    else:
        made = [rt.log_analyst.examine(rt.door, trajectory, gold, step=f"observe: {item.id}")]
    return Observed(extracted=tuple(_keep(rt, extraction, trajectory) for extraction in made))


def _keep(rt: Runtime, extraction: Extraction, trajectory: Trajectory) -> Extracted:
    nouns: list[tuple[NounKind, str, Noun]] = [("lesson", lesson.id, lesson) for lesson in extraction.lessons]
    rt.store.put_all([*nouns, ("extraction", extraction.digest, extraction)])
    return Extracted(
        content=extraction.digest,
        trajectory_id=extraction.trajectory_id,
        task_id=extraction.task_id,
        seed=trajectory.seed,
        kind=extraction.kind,
        verdict=extraction.verdict,
        lessons=len(extraction.lessons),
        log="rules" if _by_rules(rt) else "model",
        weak=any(lesson.weak_label for lesson in extraction.lessons),
    )


def _by_rules(rt: Runtime) -> bool:
    return rt.settings.data.sources is not None and rt.settings.data.sources.analyst == "rules"


def _stored(rt: Runtime, item: Taken) -> Trajectory:
    judged_id = f"{item.id} judged {item.content[:12]}"
    found = rt.store.get("trajectory", item.id, Trajectory)
    if found is None or found.digest != item.content:
        found = rt.store.get("trajectory", judged_id, Trajectory) or found
    if found is None:
        raise BadInput(f"the store {rt.settings.operation.store} has no trajectory {item.id}: was it pruned? run again")
    return found
