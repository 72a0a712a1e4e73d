"""Step `contrast`: lessons from a pass and a failure of the same task."""

from collections import Counter

from trace2skill.analysts import analyst_named, chosen
from trace2skill.analysts.strategy import Case
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.distill import choose_pairs
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Expected, asked_by
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import keep_extraction, stored
from trace2skill.types.references import Extracted, Pair
from trace2skill.types.trajectory import Trajectory


def _parts(rt: Runtime, pair: Pair) -> tuple[object, ...]:
    """Both trajectories and the analyst."""
    task = rt.task(pair.passed.cell.task_id).content
    identity = rt.analyst(analyst_named(pair.analyst)).identity
    return rt.domain.version, identity, task, pair.passed.content, pair.failed.content


def contrast(rt: Runtime, pair: Pair) -> Extracted:
    """Draw lessons from a pass and a failure of the same task.

    Raises:
        BadInput: the trajectories are of a held-out task.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    passed, failed = (stored(rt, "trajectory", item.trajectory_id, Trajectory) for item in (pair.passed, pair.failed))
    analyst, task = rt.analyst(analyst_named(pair.analyst)), rt.evolve_task(passed.task_id)
    step = StepLabel("contrast", pair.name, part=analyst.name)
    (extraction,) = analyst.examine(Case(passed, step, task=task, other=failed, skill=rt.skill(pair.passed.skill)))
    return keep_extraction(rt, extraction, passed.seed, step)


def _expects(seen: Foresight) -> list[Expected]:
    """Pairs that are there, and of tasks with rollouts to come the share that will have both."""
    settings, found = seen.rt.settings, []
    for analyst in chosen(settings.learning.analysts, [], "contrast"):
        old, to_pay = 0, 0.0
        for rolled, seeds in zip(seen.rolled, seen.rounds, strict=True):
            pairs = [pair for pair in choose_pairs(rolled, settings.learning.analysts) if pair.analyst == analyst.name]
            done = sum(seen.has(CONTRAST.key(seen.rt, pair)) for pair in pairs)
            paired = {pair.passed.cell.task_id for pair in pairs}
            runs = Counter(item.cell.task_id for item in rolled)
            open_tasks = sum(task not in paired and runs[task] < len(seeds) for task in seen.evolve)
            old, to_pay = old + done, to_pay + len(pairs) - done + open_tasks * seen.rates.both(len(seeds))
        seen.analysed(to_pay, old)
        found.append(Expected(CONTRAST.asked(analyst.name), to_pay, old))
    return found


CONTRAST = RunStep(
    name="contrast",
    version=1,
    parts=_parts,
    expects=_expects,
    do=contrast,
    gives=Extracted,
    shown="contrast: {pair.name}",
    asks=asked_by("contrast"),
    mapped=True,
)
