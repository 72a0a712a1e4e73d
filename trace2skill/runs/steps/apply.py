"""Step `apply`: the groups of the rule book are applied to S0; the result is the candidate."""

from trace2skill.consolidate import Groups
from trace2skill.consolidate.candidate import Candidate, build_candidate
from trace2skill.consolidate.editor import ModelEditor, editor_identity
from trace2skill.consolidate.quarantine import allowed_in
from trace2skill.consolidate.screened_edits import ScreenedEditor, screened_root
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import skill_of, stored
from trace2skill.types.references import Merged


def _parts(rt: Runtime, root: Merged, base: str, tasks: int) -> tuple[object, ...]:
    how = rt.settings.learning
    editor = (editor_identity(rt.settings.models.merger), how.polish)
    parts = (root.content, base, how.thresholds, tasks, how.edits, how.limits, editor)
    allowed = sorted(allowed_in(rt.store))
    return *parts, *([allowed] if allowed else [])


def candidate(rt: Runtime, root: Merged, base: str, tasks: int) -> Candidate:
    """Apply the groups of the rule book to S0 and keep the candidate skill.

    Raises:
        SkillInvalid: the result breaks a rule of a skill.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`, where the editor is asked.
    """
    groups = stored(rt, "groups", root.content, Groups)
    before, how, editor = skill_of(rt, base), rt.settings.learning, None
    passed, dropped = screened_root(rt.store, before, groups)  # a writer has words of its own
    if "merger" in rt.settings.roles_asked:
        step = StepLabel("apply", unit=root.content[:12])
        editor = ScreenedEditor(ModelEditor(rt.client, rt.settings.models.merger, step), rt.store)
    skill, made = build_candidate(
        before, passed, how.thresholds, tasks, how.edits, how.limits, editor, polish=how.polish
    )
    rt.store.put("skill", skill.digest, skill)
    return made.model_copy(update={"dropped": (*made.dropped, *dropped)}) if dropped else made


def _expects(seen: Foresight) -> list[Expected]:
    """Whether a file will need repair nobody knows; most do not."""
    settings = seen.rt.settings
    polishes = settings.learning.polish and "merger" in settings.roles_asked and seen.new_patches >= 1 and seen.learns
    return [Expected(APPLY.asked("wording"), float(len(seen.evolutions) * (1 + seen.later_rounds)))] if polishes else []


APPLY = RunStep(
    name="apply",
    version=6,
    parts=_parts,
    expects=_expects,
    do=candidate,
    gives=Candidate,
    shown="apply",
    asks=(
        Asks("apply", "merger", (12_000, 3_000), part="wording"),
        Asks("apply", "merger", (4_000, 2_000), part="repair"),
    ),
    again=False,
    folder="candidate",
)
