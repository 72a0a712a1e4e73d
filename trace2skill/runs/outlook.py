"""Whether a run can end in a promotion at all, asked before it spends anything."""

from collections.abc import Sequence

from trace2skill.core.forms import from_text_or_none
from trace2skill.evaluation.outlook import GateOutlook, outlook
from trace2skill.runs.promotion import ways_of
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.rollout import known_rollout
from trace2skill.runs.summary import RunSummary
from trace2skill.types.decision import Look
from trace2skill.types.references import RolloutJob
from trace2skill.versions.registry import Registry
from trace2skill.versions.spending import single_look


def gate_outlook(rt: Runtime, validation: Sequence[str]) -> GateOutlook | None:
    """What the gate of this run can say at best, None where it will say nothing.

    Args:
        rt: the run.
        validation: the held-out tasks.
    """
    gate = rt.settings.gate
    if not gate.evaluate or not validation:
        return None
    seeds = len(gate.held_out_seeds)
    return outlook(len(validation), seeds, gate, _look(rt), settled=_settled(rt, validation))


def _look(rt: Runtime) -> Look:
    """The look this run takes: the one it took, where it is done again, or else the next."""
    gate, ways, champion = rt.settings.gate, ways_of(rt.settings), rt.given_skill
    if gate.spend == "at_once":
        return single_look(gate.level / ways)
    row = rt.store.run(rt.run_id)
    before = from_text_or_none(row.summary, RunSummary) if row and row.summary else None
    if champion and before and before.base == champion.digest and before.decision.look:
        return before.decision.look
    name, digest = (champion.name, champion.digest) if champion else ("", "")
    earns = gate.spend == "over_nights"
    return Registry(rt.store).next_look(name, digest, gate.level, ways=ways, earns=earns)


def _settled(rt: Runtime, validation: Sequence[str]) -> int:
    """How many held-out tasks the champion passes at every seed, as far as the store knows already."""
    champion, gate = rt.given_skill, rt.settings.gate
    if champion is None:
        return 0
    settled = 0
    for task in validation:
        jobs = [RolloutJob(task_id=task, seed=seed, skill=champion.digest) for seed in gate.held_out_seeds]
        known = [known_rollout(rt, job) for job in jobs]
        settled += all(item is not None and getattr(item.cell, gate.score) == 1.0 for item in known)
    return settled
