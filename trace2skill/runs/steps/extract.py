"""Step `extract`: lessons from one rollout."""

from trace2skill.analysts import analyst_named, chosen
from trace2skill.analysts.strategy import Case
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.distill import choose_for_analysis
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Expected, asked_by
from trace2skill.runs.steps.contrast import pairs_to_come
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import keep_extraction, stored
from trace2skill.types.references import AnalysisJob, Extracted
from trace2skill.types.trajectory import Trajectory


def _parts(rt: Runtime, job: AnalysisJob) -> tuple[object, ...]:
    """The trajectory and the analyst. The skill that it is shown is the one that the trajectory's content names."""
    analyst, rolled = rt.analyst(analyst_named(job.analyst)), job.rolled
    sandbox = rt.sandbox.name if analyst.runs_commands else ""
    return rt.domain.version, analyst.identity, sandbox, rt.task(rolled.cell.task_id).content, rolled.content


def extract(rt: Runtime, job: AnalysisJob) -> Extracted:
    """Draw lessons from one trajectory.

    Raises:
        BadInput: the trajectory is of a held-out task.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    analyst, task = rt.analyst(analyst_named(job.analyst)), rt.evolve_task(job.rolled.cell.task_id)
    trajectory = stored(rt, "trajectory", job.rolled.trajectory_id, Trajectory)
    step = StepLabel("extract", job.name, part=analyst.name)
    scope = EXTRACT.key(rt, job) if analyst.runs_commands else ""
    (extraction,) = analyst.examine(Case(trajectory, step, task=task, skill=rt.skill(job.rolled.skill), scope=scope))
    return keep_extraction(rt, extraction, trajectory.seed, step)


def _expects(seen: Foresight) -> list[Expected]:
    settings, found = seen.rt.settings, []
    asked = (settings.learning.analysts, settings.learning.error_analyst)
    known = [job for rolled in seen.rolled for job in choose_for_analysis(rolled, *asked)]
    for analyst in chosen(asked[0], asked[1:], "extract"):
        jobs = [job for job in known if job.analyst == analyst.name]
        old = sum(seen.has(EXTRACT.key(seen.rt, job)) for job in jobs)
        to_come = seen.unknown * seen.rates.share(analyst.outcomes)
        to_pay = len(jobs) - old + max(0.0, to_come - pairs_to_come(seen) * analyst.leaves_pairs)
        seen.analysed(to_pay, old)
        if "failed" in analyst.outcomes:  # passes that no failure stands beside are not read again
            to_pay += seen.analysed_again(seen.sweep * seen.rates.share(("failed",)))
        found.append(Expected(EXTRACT.asked(analyst.name), to_pay, old))
    return found


def _one_call(job: AnalysisJob) -> bool:
    analyst = analyst_named(job.analyst)
    return analyst.calls == 1 and not analyst.runs_commands


EXTRACT = RunStep(
    name="extract",
    version=2,
    parts=_parts,
    expects=_expects,
    do=extract,
    gives=Extracted,
    shown="extract: {job.name}",
    asks=asked_by("extract"),
    one_call=_one_call,
    mapped=True,
)
