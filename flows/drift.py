"""Flow `drift-watch`: the champion scored again with fresh seeds, on a schedule."""

from prefect import flow
from prefect.runtime import flow_run as running

from flows.evaluate import score
from tasks.events import tell
from tasks.hooks import flow_run_id, on_bad_end, planned_day
from tasks.tagged import tagged
from trace2skill.runs import drift as run
from trace2skill.runs import held_out, refresh
from trace2skill.runs.drift import DriftReport
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings


def watch_name() -> str:
    """What a person reads in the UI: the skill, and the label, which a schedule leaves to the day."""
    given = running.parameters
    return f"drift watch {given['settings'].label} {given.get('label') or planned_day()}"


@flow(name="drift-watch", persist_result=False, flow_run_name=watch_name, **on_bad_end("drift"))
def drift_watch(settings: RunSettings, label: str = "", roll_back: bool = False) -> DriftReport:
    """Does the champion still score what it scored? A significant drop is an event, and a rollback if so wanted.

    Args:
        settings: the settings of the refresh whose skill is watched.
        label: names the watch and gives it seeds of its own; '' takes the day for which the run was planned.
        roll_back: put the version before back into use where the score dropped significantly.
    """
    rt = runtime(settings)
    label = label or planned_day()
    refresh.start(rt, "drift", flow_run=flow_run_id(), label=label, roll_back=roll_back)
    before = run.baseline(rt)
    tasks = held_out.tasks_of_split(rt, "validation", "")
    with tagged(*settings.tags):
        scored = score(settings, [run.condition(rt)], tasks, run.seeds(rt, label))
    held_out.keep_evaluations(rt, scored, "validation")
    report = run.keep(rt, run.judge(rt, label, before, scored, roll_back=roll_back))
    tell("skill.regressed" if report.dropped else "skill.steady", report.name, report.model_dump(mode="json"))
    return report
