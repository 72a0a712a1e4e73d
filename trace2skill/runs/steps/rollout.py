"""Step `rollout`: the agent works on one task, and what it leaves is scored."""

import logging
import time
from pathlib import Path

from trace2skill.agents.harness import Assignment
from trace2skill.agents.react import skill_use
from trace2skill.baselines.bank import in_prompt
from trace2skill.core.step_label import StepLabel
from trace2skill.domains.answers import with_answer
from trace2skill.domains.base import SaysLeftOut, graded, pictures_of
from trace2skill.evaluation.ends import why_failed
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.recall import RECALL, recall
from trace2skill.runs.steps.step import RunStep
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.types.evaluation import Cell
from trace2skill.types.references import Rolled, RolloutJob
from trace2skill.types.trajectory import Outcome, Timing, Trajectory

log = logging.getLogger(__name__)
MOST_NAMED = 10


def _parts(rt: Runtime, job: RolloutJob) -> tuple[object, ...]:
    agent = (rt.harness.identity, rt.settings.models.agent.identity, rt.sandbox.name)
    return rt.domain.name, rt.domain.version, rt.task(job.task_id).content, job, agent


def rollout(rt: Runtime, job: RolloutJob) -> Rolled:
    """Let the agent work on one task and score what it leaves.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: nothing is kept but the model calls that were answered.
    """
    task, skill, key = rt.task(job.task_id), rt.skill(job.skill), ROLLOUT.key(rt, job)
    recalled = recall(rt, job)
    started = time.monotonic()
    with scratch_directory(prefix="t2s-rollout-") as directory:
        workspace = Path(directory)
        rt.domain.lay_out(task, workspace)
        assignment = Assignment(
            description=rt.domain.describe(task),
            workspace=workspace,
            skill=skill,
            memory=in_prompt(recalled),
            seed=job.seed,
            step=StepLabel("rollout", job.name, unit=trajectory_id(key)),
            scope=key,
            pictures=pictures_of(rt.domain, task),
        )
        conversation = rt.harness.work(rt.client, assignment)
        outputs = with_answer(rt.domain, task, rt.domain.collect(task, workspace), conversation.last_words)
        left_out = rt.domain.left_out(task, workspace) if isinstance(rt.domain, SaysLeftOut) else []
    grade = graded(rt.domain, task, outputs)
    passed, most = grade.hard == 1.0, rt.settings.models.agent.max_tokens
    reason = grade.reason if passed else why_failed(conversation.stop, grade.reason, most)
    if left_out and not passed:
        more = f" and {len(left_out) - MOST_NAMED} more" if len(left_out) > MOST_NAMED else ""
        reason = f"{reason}; not taken of what was left: {', '.join(left_out[:MOST_NAMED])}{more}"
    opened, run = skill_use(conversation, skill)
    trajectory = Trajectory(
        id=trajectory_id(key),
        task_id=task.id,
        seed=job.seed,
        model=rt.settings.models.agent.name,
        skill=job.skill,
        steps=conversation.steps,
        outcome=Outcome(kind="passed" if passed else "failed", hard=grade.hard, soft=grade.soft, reason=reason),
        stop=conversation.stop,
        usage=conversation.usage,
        skill_files_opened=opened,
        skill_scripts_run=run,
        outputs=outputs,
        agent=rt.harness.agent,
        agent_version=rt.harness.version,
        extra={**conversation.extra, **({"recalled": [lesson.id for lesson in recalled]} if recalled else {})},
    )
    rt.store.put("timing", trajectory.id, Timing(seconds=time.monotonic() - started))
    rt.store.put("trajectory", trajectory.id, trajectory)
    log.info("%s rollout: %s: trajectory %s %s", rt.run_id, job.name, trajectory.id, trajectory.outcome.kind)
    return Rolled(
        trajectory_id=trajectory.id, content=trajectory.digest, skill=job.skill, cell=Cell.of(trajectory), bank=job.bank
    )


def trajectory_id(key: str) -> str:
    """The id of the trajectory of a rollout with that key."""
    return "T" + key.rpartition("/")[2][:12]


def _expects(seen: Foresight) -> list[Expected]:
    """The rollouts that lessons come from; those that score skills are counted once it is known what was learned."""
    for spread, seeds in zip(seen.spreads, seen.evolutions, strict=True):
        jobs = spread.jobs(seeds, seen.base) if seen.base else []
        seen.rolled.append([found for found in (known_rollout(seen.rt, job) for job in jobs) if found])
    return [Expected(ROLLOUT.asks[0], seen.unknown, sum(map(len, seen.rolled)))]


def known_rollout(rt: Runtime, job: RolloutJob) -> Rolled | None:
    """The trajectory of a job, where the store has it."""
    key = ROLLOUT.key(rt, job)
    if rt.store.get_result(key) is None:
        return None
    trajectory = rt.store.get("trajectory", trajectory_id(key), Trajectory)
    if trajectory is None:
        return None
    return Rolled(trajectory_id=trajectory.id, content=trajectory.digest, skill=job.skill, cell=Cell.of(trajectory))


ROLLOUT = RunStep(
    name="rollout",
    version=1,
    parts=_parts,
    expects=_expects,
    do=rollout,
    gives=Rolled,
    shown="rollout: {job.name}",
    asks=(Asks("rollout", "agent", (40_000, 3_000), calls=8), RECALL),
    mapped=True,
)
