"""Step `rewrite`: one call writes S0 anew from all lessons."""

from collections.abc import Sequence

from trace2skill.baselines.rewrite import Rewritten, rewrite, rewrite_identity
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import lessons_of, skill_of
from trace2skill.types.references import Extracted


def _parts(rt: Runtime, analysed: Sequence[Extracted], base: str) -> tuple[object, ...]:
    """All lessons at once, S0, and the model."""
    identity = rewrite_identity(rt.settings.models.merger, rt.settings.learning.limits)
    return identity, [item.content for item in analysed], base


def rewrite_skill(rt: Runtime, analysed: Sequence[Extracted], base: str) -> Rewritten:
    """Have one call write S0 anew from the lessons of all analyses; S0 itself where there is no lesson."""
    before, lessons = skill_of(rt, base), lessons_of(rt, analysed)
    if not lessons:
        return Rewritten(skill=base, lessons=0)
    step = StepLabel("rewrite", unit=base[:12])
    skill, seen = rewrite(rt.client, rt.settings.models.merger, before, lessons, rt.settings.learning.limits, step=step)
    rt.store.put("skill", skill.digest, skill)
    return Rewritten(skill=skill.digest, lessons=seen, left_out=len(lessons) - seen)


REWRITE = RunStep(
    name="rewrite",
    version=1,
    parts=_parts,
    do=rewrite_skill,
    gives=Rewritten,
    shown="rewrite",
    asks=(Asks("rewrite", "merger", (20_000, 3_000)),),
)
