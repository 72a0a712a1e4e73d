"""The steps of a run: each takes ids, loads what they name, does one thing, keeps the result, and returns its id.

A step is a pure function of its key. The keys are made here, and they cover all that can change the result: the
step's version, prompts, model, parameters, seed, and the digests of its inputs. Prefect only hands them on.
"""

import logging
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from trace2skill.agents.harness import Assignment
from trace2skill.agents.react import skill_use
from trace2skill.analysts import rules
from trace2skill.consolidate import EditGroup, Groups, cut_into_groups, merge
from trace2skill.consolidate.candidate import Candidate, build_candidate
from trace2skill.consolidate.editor import ModelEditor, editor_identity
from trace2skill.consolidate.merge import merge_identity
from trace2skill.consolidate.quarantine import Review, allowed_in, allowed_of, review, review_lessons
from trace2skill.consolidate.screened_edits import ScreenedEditor, screened_root
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.domains.answers import with_answer
from trace2skill.domains.base import Audit, pictures_of
from trace2skill.proposals.draft import draft_identity, draft_skill
from trace2skill.proposals.propose import propose, propose_identity
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.baselines import memory_of, recall
from trace2skill.skills.skill import Skill
from trace2skill.store import NounKind, T
from trace2skill.types.evaluation import Cell
from trace2skill.types.lesson import Extraction
from trace2skill.types.patch import Patch
from trace2skill.types.references import Extracted, Merged, Pair, Proposed, Rolled, RolloutJob
from trace2skill.types.trajectory import Outcome, Timing, Trajectory

log = logging.getLogger(__name__)


def audit_key(rt: Runtime, task_id: str) -> str:
    """Key of `audit`."""
    return _key("audit 1", rt.domain.version, rt.task(task_id).content)


def audit(rt: Runtime, task_id: str) -> Audit:
    """Can this task teach anything?"""
    return rt.domain.audit(rt.task(task_id))


def draft_key(rt: Runtime) -> str:
    """Key of `draft`."""
    return _key("draft 1", draft_identity(rt.settings.models.analyst), rt.domain.about, rt.settings.data.split_seed)


def draft(rt: Runtime) -> str:
    """Draft S0 from the domain's description; returns its digest."""
    model = rt.settings.models.analyst
    skill = draft_skill(rt.door, model, rt.domain.about, seed=rt.settings.data.split_seed, step="draft S0")
    rt.store.put("skill", skill.digest, skill)
    return skill.digest


def rollout_key(rt: Runtime, job: RolloutJob) -> str:
    """Key of `rollout`."""
    agent = (rt.harness.identity, rt.settings.models.agent.identity, rt.sandbox.name)
    return _key("rollout 1", rt.domain.name, rt.domain.version, rt.task(job.task_id).content, job, agent)


def rollout(rt: Runtime, job: RolloutJob) -> Rolled:
    """Let the agent work on one task and score what it leaves.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: nothing is kept but the model calls that were answered.
    """
    task, skill, key = rt.task(job.task_id), rt.skill(job.skill), rollout_key(rt, job)
    recalled = recall(rt, job)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="t2s-rollout-") as directory:
        workspace = Path(directory)
        rt.domain.lay_out(task, workspace)
        assignment = Assignment(
            description=rt.domain.describe(task),
            workspace=workspace,
            skill=skill,
            memory=memory_of(recalled),
            seed=job.seed,
            step=f"rollout: {job.name}",
            scope=key,
            pictures=pictures_of(rt.domain, task),
        )
        conversation = rt.harness.work(rt.door, assignment)
        outputs = with_answer(rt.domain, task, rt.domain.collect(task, workspace), conversation.last_words)
    grade = rt.domain.grade(task, outputs)
    opened, run = skill_use(conversation, skill)
    trajectory = Trajectory(
        id="T" + key.rpartition("/")[2][:12],
        task_id=task.id,
        seed=job.seed,
        model=rt.settings.models.agent.name,
        skill=job.skill,
        steps=conversation.steps,
        outcome=Outcome(
            kind="passed" if grade.hard == 1.0 else "failed", hard=grade.hard, soft=grade.soft, reason=grade.reason
        ),
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


def extract_key(rt: Runtime, rolled: Rolled) -> str:
    """Key of `extract`: the trajectory and the analyst, never the skill that the lessons will go into."""
    passed = rolled.cell.outcome == "passed"
    one_call = passed or rt.settings.learning.error_analyst == "one_call"
    analyst = rt.success_analyst if passed else rt.one_call_analyst if one_call else rt.error_analyst
    sandbox = "" if one_call else rt.sandbox.name
    return _key(
        "extract 2", rt.domain.version, analyst.identity, sandbox, rt.task(rolled.cell.task_id).content, rolled.content
    )


def extract(rt: Runtime, rolled: Rolled) -> Extracted:
    """Draw lessons from one trajectory.

    Raises:
        BadInput: the trajectory is of a held-out task.
    """
    task, step = rt.evolve_task(rolled.cell.task_id), f"extract: {rolled.name}"
    trajectory = _stored(rt, "trajectory", rolled.trajectory_id, Trajectory)
    if trajectory.outcome.kind == "passed":
        extraction = rt.success_analyst.examine(rt.door, task, trajectory, step=step)
    elif rt.settings.learning.error_analyst == "one_call":
        extraction = rt.one_call_analyst.examine(rt.door, task, trajectory, step=step)
    else:
        scope = extract_key(rt, rolled)
        extraction = rt.error_analyst.examine(rt.door, rt.store, task, trajectory, step=step, scope=scope)
    return _keep_extraction(rt, extraction, trajectory.seed, step)


def contrast_key(rt: Runtime, pair: Pair) -> str:
    """Key of `contrast`: both trajectories and the analyst."""
    parts = (rt.task(pair.passed.cell.task_id).content, pair.passed.content, pair.failed.content)
    return _key("contrast 1", rt.domain.version, rt.contrast_analyst.identity, *parts)


def contrast(rt: Runtime, pair: Pair) -> Extracted:
    """Draw lessons from a pass and a failure of the same task.

    Raises:
        BadInput: the trajectories are of a held-out task.
    """
    passed, failed = (_stored(rt, "trajectory", item.trajectory_id, Trajectory) for item in (pair.passed, pair.failed))
    task = rt.evolve_task(passed.task_id)
    extraction = rt.contrast_analyst.examine(rt.door, task, passed, failed, step=f"contrast: {pair.name}")
    return _keep_extraction(rt, extraction, passed.seed, f"contrast: {pair.name}")


def _keep_extraction(rt: Runtime, extraction: Extraction, seed: int, step: str) -> Extracted:
    for lesson in extraction.lessons:
        rt.store.put("lesson", lesson.id, lesson)
    rt.store.put("extraction", extraction.digest, extraction)
    told = (rt.run_id, step, extraction.trajectory_id, extraction.verdict, len(extraction.lessons))
    log.info("%s %s: trajectory %s %s, %d lessons", *told)
    return Extracted(
        content=extraction.digest,
        trajectory_id=extraction.trajectory_id,
        task_id=extraction.task_id,
        seed=seed,
        kind=extraction.kind,
        verdict=extraction.verdict,
        lessons=len(extraction.lessons),
        contrast=bool(extraction.against),
    )


def propose_key(rt: Runtime, extracted: Extracted, base: str) -> str:
    """Key of `propose_patch`: the lessons and S0."""
    by_rules = extracted.log == "rules"
    who = rules.VERSION if by_rules else propose_identity(rt.settings.models.analyst, rt.settings.learning.edits)
    extraction = rt.store.get("extraction", extracted.content, Extraction)
    allowed = allowed_of(rt.store, _skill(rt, base), extraction.lessons) if extraction else []
    return _key("propose 2", who, extracted.content, base, *([allowed] if allowed else []))


def propose_patch(rt: Runtime, extracted: Extracted, base: str) -> Proposed:
    """Write the lessons of one trajectory into a patch of S0.

    A lesson that the screening finds suspicious is not shown to the proposer, and waits for review.

    Raises:
        BadInput: the lessons come from a held-out task.
    """
    extraction, skill = _stored(rt, "extraction", extracted.content, Extraction), _skill(rt, base)
    if not extracted.log:  # what logs say of held-out tasks was left out when they were read
        rt.evolve_task(extraction.task_id)
    lessons, aside = review_lessons(rt.store, skill, extraction.lessons)
    extraction, step = extraction.model_copy(update={"lessons": lessons}), f"propose: {extracted.name}"
    if extracted.log == "rules" or not lessons:
        patch = rules.patch_of(extraction, skill)
    else:
        patch = propose(rt.door, rt.settings.models.analyst, extraction, skill, rt.settings.learning.edits, step=step)
    rt.store.put("patch", patch.digest, patch)
    log.info("%s %s: trajectory %s, %d edits", rt.run_id, step, patch.trajectory_id, len(patch.edits))
    return Proposed(
        content=patch.digest,
        trajectory_id=patch.trajectory_id,
        task_id=patch.task_id,
        kind=extracted.kind,
        extraction=extracted.content,
        verdict=patch.verdict,
        edits=len(patch.edits),
        unplaced=len(patch.unplaced),
        weak=extracted.weak,
        quarantined=tuple(item.digest for item in aside),
    )


def groups_of(rt: Runtime, proposed: list[Proposed], base: str) -> Review:
    """The edit groups of all patches, equal ones united, and those that the screening keeps out."""
    groups: list[EditGroup] = []
    for item in proposed:
        groups += cut_into_groups(_stored(rt, "patch", item.content, Patch), item.kind, weak=item.weak)
    return review(rt.store, _skill(rt, base), Groups.of(groups).groups)


def keep_leaf(rt: Runtime, group: EditGroup) -> Merged:
    """Put one group into the store as a leaf of the merge tree."""
    return _keep_groups(rt, Groups.of([group]))


def merge_key(rt: Runtime, sides: Sequence[Merged], base: str) -> str:
    """Key of `merge_sides`."""
    identity = merge_identity(rt.settings.models.merger, rt.settings.learning.merge, rt.settings.learning.edits)
    return _key("merge 2", identity, [side.content for side in sides], base)


def merge_sides(rt: Runtime, sides: Sequence[Merged], base: str, name: str) -> Merged:
    """Unite the sides of one node of the merge tree. Without a model, equal groups become one and others stand."""
    if "merger" not in rt.settings.roles_asked:
        stored = [_stored(rt, "groups", side.content, Groups) for side in sides]
        return _keep_groups(rt, Groups.of([group for side in stored for group in side.groups]))
    merged = merge(
        rt.door,
        rt.settings.models.merger,
        _skill(rt, base),
        [_stored(rt, "groups", side.content, Groups) for side in sides],
        step=f"merge: {name}",
        settings=rt.settings.learning.merge,
        policy=rt.settings.learning.edits,
    )
    return _keep_groups(rt, merged)


def _keep_groups(rt: Runtime, groups: Groups) -> Merged:
    rt.store.put("groups", groups.digest, groups)
    return Merged(content=groups.digest, groups=len(groups.groups))


def _skill(rt: Runtime, digest: str) -> Skill:
    skill = rt.skill(digest)
    if skill is None:
        raise BadInput("this step needs a skill")
    return skill


def _stored(rt: Runtime, kind: NounKind, id: str, cls: type[T]) -> T:
    noun = rt.store.get(kind, id, cls)
    if noun is None:
        raise BadInput(f"the store {rt.settings.operation.store} has no {kind} {id[:14]}: was it pruned? run again")
    return noun


def _key(*parts: object) -> str:
    name = str(parts[0]).partition(" ")[0]
    return f"{name}/{digest_of(*parts)}"


def candidate_key(rt: Runtime, root: Merged, base: str, tasks: int) -> str:
    """Key of `candidate`."""
    how = rt.settings.learning
    editor = (editor_identity(rt.settings.models.merger), how.polish)
    parts = (root.content, base, how.thresholds, tasks, how.edits, how.limits, editor)
    allowed = sorted(allowed_in(rt.store))
    return _key("candidate 5", *parts, *([allowed] if allowed else []))


def candidate(rt: Runtime, root: Merged, base: str, tasks: int) -> Candidate:
    """Apply the root of the merge tree to S0 and keep the candidate skill.

    Raises:
        SkillInvalid: the result breaks a rule of a skill.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Door.complete`, where the editor is asked.
    """
    groups = _stored(rt, "groups", root.content, Groups)
    before, how = _skill(rt, base), rt.settings.learning
    passed, dropped = screened_root(rt.store, before, groups)  # a merge has words of its own
    editor = None
    if "merger" in rt.settings.roles_asked:
        editor = ScreenedEditor(ModelEditor(rt.door, rt.settings.models.merger, "apply"), rt.store)
    skill, made = build_candidate(
        before, passed, how.thresholds, tasks, how.edits, how.limits, editor, polish=how.polish
    )
    rt.store.put("skill", skill.digest, skill)
    return made.model_copy(update={"dropped": (*made.dropped, *dropped)}) if dropped else made
