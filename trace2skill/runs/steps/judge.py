"""Step `judge`: a model says how an imported trajectory ended, where nobody else does."""

from collections.abc import Sequence

from trace2skill.analysts.judge import judge_identity, judged
from trace2skill.core.errors import BadInput
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep, always
from trace2skill.runs.watermarks import Taken
from trace2skill.types.trajectory import Trajectory


def _parts(rt: Runtime, item: Taken) -> tuple[object, ...]:
    return judge_identity(rt.settings.models.analyst), item.content


def to_judge(rt: Runtime, taken: Sequence[Taken]) -> list[Taken]:
    """The trajectories that nobody has labelled, where the settings ask for a judge."""
    sources = rt.settings.data.sources
    return [item for item in taken if sources and sources.judge and item.outcome == "unknown"]


def judge(rt: Runtime, item: Taken) -> Taken:
    """Ask the model how one trajectory ended; it is kept with what the model said.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    trajectory = trajectory_of(rt, item)
    outcome = judged(rt.client, rt.settings.models.analyst, trajectory, step=StepLabel("judge", item.id))
    labelled = Trajectory.model_validate({**trajectory.model_dump(), "outcome": outcome.model_dump()})
    rt.store.put("trajectory", f"{item.id} judged {labelled.digest[:12]}", labelled)
    return Taken.of(labelled)


def trajectory_of(rt: Runtime, item: Taken) -> Trajectory:
    """An imported trajectory, as a judge labelled it where one did.

    Raises:
        BadInput: the store does not hold it any more.
    """
    judged_id = f"{item.id} judged {item.content[:12]}"
    found = rt.store.get("trajectory", item.id, Trajectory)
    if found is None or found.digest != item.content:
        found = rt.store.get("trajectory", judged_id, Trajectory) or found
    if found is None:
        raise BadInput(f"the store {rt.settings.operation.store} has no trajectory {item.id}: was it pruned? run again")
    return found


def _expects(seen: Foresight) -> list[Expected]:
    old = sum(seen.has(JUDGE.key(seen.rt, item)) for item in seen.unlabelled)
    return [Expected(JUDGE.asks[0], len(seen.unlabelled) - old, old)]


JUDGE = RunStep(
    name="judge",
    version=None,
    parts=_parts,
    expects=_expects,
    do=judge,
    gives=Taken,
    shown="judge: {item.id}",
    asks=(Asks("judge", "analyst", (10_000, 400)),),
    one_call=always,
    mapped=True,
)
