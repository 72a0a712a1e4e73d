"""Flow `ablate`: the effect of each edit group of a candidate, and the pruned skill through the same gate."""

from prefect import flow

from flows.evaluate import score
from tasks.hooks import flow_run_id, on_bad_end
from tasks.tagged import tagged
from trace2skill.evaluation.ablation import AblationSettings
from trace2skill.runs import ablate as run
from trace2skill.runs import promotion
from trace2skill.runs import refresh as refresh_steps
from trace2skill.runs.pruned import Pruned
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.types.decision import Decision


@flow(name="ablate", persist_result=False, flow_run_name="ablate {of}", **on_bad_end("ablate"))
def ablate(settings: RunSettings, of: str, how: AblationSettings) -> Pruned:
    """Leave the edit groups of a run's candidate out one by one, then let the pruned skill compete.

    Args:
        settings: the settings of that run.
        of: id of the run.
        how: what is left out, and how it is judged.
    """
    rt = runtime(settings)
    refresh_steps.start(rt, "ablate", flow_run=flow_run_id(), of=of, how=how.model_dump(mode="json"))
    study = run.begin(rt, of, how)
    tasks = list(study.tasks)
    with tagged(*settings.tags):
        while batch := study.next_batch():
            study.take(score(settings, batch.conditions, tasks, batch.seeds))
        pruned = study.pruned_candidate()
        scored = score(settings, promotion.conditions(rt, pruned, study.base), tasks)
    decision: Decision = promotion.verdict(rt, pruned, scored)
    promotion.promote(rt, pruned, study.base, decision)
    return run.finish(rt, study, pruned, scored, decision)
