"""Step `contrast`: lessons from a pass and a failure of the same task."""

from collections import Counter

from trace2skill.analysts import analyst_named, comparing
from trace2skill.analysts.strategy import Case
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.distill import choose_pairs
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Expected, asked_by
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep, always
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
    to_come = pairs_to_come(seen)
    for analyst in comparing(settings.learning.analysts):
        chosen_pairs = [pair for rolled in seen.rolled for pair in choose_pairs(rolled, settings.learning.analysts)]
        pairs = [pair for pair in chosen_pairs if pair.analyst == analyst.name]
        old = sum(seen.has(CONTRAST.key(seen.rt, pair)) for pair in pairs)
        to_pay = len(pairs) - old + to_come
        seen.analysed(to_pay, old)
        to_pay += seen.analysed_again(pairs_of_a_round(seen))
        found.append(Expected(CONTRAST.asked(analyst.name), to_pay, old))
    return found


def pairs_to_come(seen: Foresight) -> float:
    """Of tasks with rollouts to come, how many will have a pass and a failure that no pair has yet."""
    found = 0.0
    for rolled, spread in zip(seen.rolled, seen.spreads, strict=True):
        paired = {pair.passed.cell.task_id for pair in choose_pairs(rolled, seen.rt.settings.learning.analysts)}
        runs = Counter(item.cell.task_id for item in rolled)
        found += sum(
            seen.rates.both(drawn.seeds)
            for task, drawn in spread.tasks.items()
            if task not in paired and runs[task] < drawn.seeds
        )
    return found


def pairs_of_a_round(seen: Foresight) -> float:
    """How many tasks will have a pass and a failure in a later round."""
    return sum(seen.rates.both(drawn.seeds) for spread in seen.spreads for drawn in spread.tasks.values())


CONTRAST = RunStep(
    name="contrast",
    version=1,
    parts=_parts,
    expects=_expects,
    do=contrast,
    gives=Extracted,
    shown="contrast: {pair.name}",
    asks=asked_by("contrast"),
    one_call=always,
    mapped=True,
)
