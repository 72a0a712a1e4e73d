"""Flow `arm`: one condition of an experiment by one author, from S0 to what the agent is given."""

from collections.abc import Callable
from typing import Any

from prefect import flow

from flows.distill import analyse, distill
from flows.refresh import build, skill_to_improve
from flows.rollout import rollout
from tasks.gather import Gathered, gather
from tasks.runner import mapped, sized, submitted
from tasks.steps import task_of
from trace2skill.baselines.sequential import batches, with_skill
from trace2skill.core.failures import tolerate
from trace2skill.experiment import study as run
from trace2skill.experiment.conditions import Condition, Evolve, ReasoningBank, Sequential, Start
from trace2skill.experiment.grid import Arm, ArmResult
from trace2skill.runs.distill import with_lessons
from trace2skill.runs.runtime import runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.bank import BANK
from trace2skill.runs.steps.draft import DRAFT
from trace2skill.runs.steps.embed import EMBED
from trace2skill.runs.steps.pad import PAD
from trace2skill.runs.steps.rewrite import REWRITE
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.types.references import Extracted, Rolled, RolloutJob

Jobs = list[RolloutJob]


@flow(name="arm", persist_result=False, flow_run_name="{arm.name}", validate_parameters=False)
def make_arm(
    settings: RunSettings, arm: Arm, condition: Condition, jobs: Jobs, like: str, tolerated: float
) -> ArmResult:
    """Make what the agent is given. `jobs` are the rollouts that lessons come from, not yet with a skill."""
    made: ArmResult = MAKERS[condition.kind](settings, arm, condition, jobs, like, tolerated)
    return made


def no_skill(settings: RunSettings, arm: Arm, *_: Any) -> ArmResult:
    """Nothing."""
    del settings
    return ArmResult(arm=arm)


def human(settings: RunSettings, arm: Arm, *_: Any) -> ArmResult:
    """The skill given."""
    return ArmResult(arm=arm, skill=skill_to_improve(settings, runtime(settings)))


def parametric(settings: RunSettings, arm: Arm, *_: Any) -> ArmResult:
    """A draft from the domain's description alone."""
    return ArmResult(arm=arm, skill=base_of(settings, "parametric"))


def evolve(settings: RunSettings, arm: Arm, condition: Evolve, jobs: Jobs, *_: Any) -> ArmResult:
    """All trajectories in parallel, one merged patch."""
    rt, base = runtime(settings), base_of(settings, condition.base)
    rolled = sized(rollout, settings)(settings, with_skill(jobs, base))
    distilled = sized(distill, settings)(settings, rolled.results, base)
    candidate = build(settings, rt, distilled)
    run.keep_votes(rt, candidate, distilled)
    return ArmResult(
        arm=arm,
        skill=candidate.skill,
        trajectories=len(rolled.results),
        lessons=distilled.lessons,
        rounds=1,
        failed=len(rolled.failures) + len(distilled.failures),
    )


def sequential(
    settings: RunSettings, arm: Arm, condition: Sequential, jobs: Jobs, _: str, tolerated: float
) -> ArmResult:
    """A few trajectories, a changed skill, the next few with it."""
    rt, skill = runtime(settings), base_of(settings, condition.base)
    failures, lessons, done = [], 0, 0
    planned = batches(jobs, condition.every, settings.data.split_seed)
    for batch in planned:
        futures = mapped(task_of(ROLLOUT), settings, with_skill(batch, skill))
        rolled = gather(rt, ROLLOUT.name, futures, [job.name for job in batch])
        distilled = distill.fn(settings, rolled.results, skill)  # no flow run for each batch
        candidate = build(settings, rt, distilled)
        run.keep_votes(rt, candidate, distilled)
        skill, lessons, done = candidate.skill, lessons + distilled.lessons, done + len(rolled.results)
        failures += [item.model_copy(update={"of": len(jobs)}) for item in (*rolled.failures, *distilled.failures)]
    tolerate(failures, tolerated)
    made = {"trajectories": done, "lessons": lessons, "rounds": len(planned), "failed": len(failures)}
    return ArmResult(arm=arm, skill=skill, **made)


def one_shot(settings: RunSettings, arm: Arm, condition: Any, jobs: Jobs, *_: Any) -> ArmResult:
    """All lessons in one call."""
    rt, base = runtime(settings), base_of(settings, condition.base)
    rolled, analysed = lessons_of(settings, jobs, base)
    taught = with_lessons(analysed.results)
    (made,) = gather(
        rt, REWRITE.name, [submitted(task_of(REWRITE), settings, taught, base)], ["skill"], tolerated=0.0
    ).results
    return ArmResult(
        arm=arm,
        skill=made.skill,
        trajectories=len(rolled.results),
        lessons=made.lessons,
        left_out=made.left_out,
        rounds=1,
        failed=len(rolled.failures) + len(analysed.failures),
    )


def reasoning_bank(settings: RunSettings, arm: Arm, condition: ReasoningBank, jobs: Jobs, *_: Any) -> ArmResult:
    """The lessons as they are, in a bank beside S0."""
    rt, base = runtime(settings), base_of(settings, condition.base)
    rolled, analysed = lessons_of(settings, jobs, base)
    taught = with_lessons(analysed.results)
    model = condition.bank.embedding
    futures = mapped(task_of(EMBED), settings, taught if model else [], model)
    embedded = gather(rt, EMBED.name, futures, [item.name for item in taught] if model else [])
    stored = submitted(task_of(BANK), settings, taught, embedded.results, condition.bank)
    (made,) = gather(rt, BANK.name, [stored], ["bank"], tolerated=0.0).results
    return ArmResult(
        arm=arm,
        skill=base,
        bank=made.content,
        trajectories=len(rolled.results),
        lessons=made.lessons,
        failed=len(rolled.failures) + len(analysed.failures) + len(embedded.failures),
    )


def padded(settings: RunSettings, arm: Arm, _: Any, jobs: Jobs, like: str, *__: Any) -> ArmResult:
    """S0, as long as another skill."""
    rt, base = runtime(settings), base_of(settings, "human")
    (made,) = gather(rt, PAD.name, [submitted(task_of(PAD), settings, base, like)], ["S0"], tolerated=0.0).results
    return ArmResult(arm=arm, skill=made.skill)


def lessons_of(settings: RunSettings, jobs: Jobs, base: str) -> tuple[Gathered[Rolled], Gathered[Extracted]]:
    """The trajectories of S0 and their analyses: the same as those of the skill that is evolved from it."""
    rolled = sized(rollout, settings)(settings, with_skill(jobs, base))
    return rolled, analyse(settings, rolled.results)[0]


def base_of(settings: RunSettings, start: Start) -> str:
    """S0: the skill given, or the author's own draft."""
    rt = runtime(settings)
    if start == "human":
        return skill_to_improve(settings, rt)
    return gather(rt, DRAFT.name, [submitted(task_of(DRAFT), settings)], ["S0"], tolerated=0.0).results[0]


MAKERS: dict[str, Callable[..., ArmResult]] = {
    "no_skill": no_skill,
    "human": human,
    "parametric": parametric,
    "evolve": evolve,
    "sequential": sequential,
    "rewrite": one_shot,
    "reasoning_bank": reasoning_bank,
    "padded": padded,
}
