"""Step `apply`: the groups of the rule book are applied to S0; the result is the candidate."""

from trace2skill.consolidate import Groups
from trace2skill.consolidate.candidate import Candidate, build_candidate
from trace2skill.consolidate.editor import ModelEditor, editor_identity
from trace2skill.consolidate.quarantine import allowed_in
from trace2skill.consolidate.screened_edits import (
    Passed,
    ScreenedEditor,
    let_through,
    looked_root,
    screened_root,
    texts_written,
    unseen,
    written_in,
)
from trace2skill.consolidate.second_look import PROMPT as LOOK
from trace2skill.consolidate.second_look import SecondLooker
from trace2skill.consolidate.suspected import Suspicions
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import asks_merger, bounds_of, looks_again, skill_of, stored
from trace2skill.skills.skill import Skill
from trace2skill.types.references import Merged


def _parts(rt: Runtime, root: Merged, base: str, tasks: int) -> tuple[object, ...]:
    how = rt.settings.learning
    editor = (editor_identity(rt.settings.models.merger), how.polish)
    parts = (root.content, base, how.thresholds, tasks, how.edits, how.limits, editor)
    allowed = sorted(allowed_in(rt.store))
    looks = [bounds_of(rt, LOOK)] if looks_again(rt) else []
    return *parts, *([allowed] if allowed else []), *looks


def candidate(rt: Runtime, root: Merged, base: str, tasks: int) -> Candidate:
    """Apply the groups of the rule book to S0 and keep the candidate skill.

    Raises:
        SkillInvalid: the result breaks a rule of a skill.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`, where a model looks or mends.
    """
    groups, before = stored(rt, "groups", root.content, Groups), skill_of(rt, base)
    how, look, editor, suspicions = rt.settings.learning, None, None, Suspicions(rt.store, before)
    if looks_again(rt):
        asked = asks_merger(rt, "apply", root.content[:12], root.content, part="look")
        who = rt.settings.models.merger.name
        look = SecondLooker(asked, before.description, how.merge, allowed_in(rt.store), by=who)
    if "merger" in rt.settings.roles_asked:
        step = StepLabel("apply", unit=root.content[:12])
        editor = ScreenedEditor(ModelEditor(rt.client, rt.settings.models.merger, step), rt.store, look, suspicions)

    def built(passed: Passed, *, polish: bool = False) -> tuple[Skill, Candidate]:
        rules = (how.thresholds, tasks, how.policy, how.limits)
        return build_candidate(before, passed.root, *rules, editor, polish=polish)

    passed = screened_root(rt.store, before, groups, looked=look is not None)  # a writer has words of its own
    skill, made = built(passed)
    while True:
        texts = texts_written(before, passed.root, made)
        standing = dict.fromkeys(text for of_group in texts.values() for text in of_group)
        suspected = suspicions.by_text(written_in(passed.root, texts))
        seen = look(standing, suspected) if look else unseen(suspected)
        left = looked_root(rt.store, passed, texts, seen, suspected)
        if left.dropped == passed.dropped:
            break
        passed = left  # what takes their place is looked at, too
        skill, made = built(passed)
    if how.polish and editor is not None:
        skill, made = built(passed, polish=True)
    rt.store.put("skill", skill.digest, skill)
    record = {
        "dropped": (*made.dropped, *passed.dropped),
        "quarantined": tuple(item.digest for item in passed.aside),
        "unjudged": tuple(text for text in look.unjudged if text in standing) if look else (),
        "let_through": let_through(made, suspicions, look) if look else (),
    }
    return made.model_copy(update=record)


def _expects(seen: Foresight) -> list[Expected]:
    """Whether a file will need repair nobody knows; most do not. What is written is looked at in one call, mostly."""
    settings = seen.rt.settings
    if "merger" not in settings.roles_asked or seen.new_patches < 1 or not seen.learns:
        return []
    candidates = float(seen.parts * len(seen.evolutions) * (1 + seen.later_rounds))
    looks = [Expected(APPLY.asked("look"), candidates)] if settings.learning.second_look else []
    return [*looks, Expected(APPLY.asked("wording"), candidates)] if settings.learning.polish else looks


APPLY = RunStep(
    name="apply",
    version=6,
    parts=_parts,
    expects=_expects,
    do=candidate,
    gives=Candidate,
    shown="apply",
    asks=(
        Asks("apply", "merger", (2_500, 150), part="look"),
        Asks("apply", "merger", (12_000, 3_000), part="wording"),
        Asks("apply", "merger", (4_000, 2_000), part="repair"),
    ),
    folder="candidate",
)
