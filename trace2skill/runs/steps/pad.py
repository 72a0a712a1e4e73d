"""Step `pad`: S0, as long as another skill."""

from trace2skill.baselines.padding import SENTENCES, padded
from trace2skill.baselines.rewrite import Rewritten
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import skill_of


def _parts(rt: Runtime, base: str, like: str) -> tuple[object, ...]:
    return SENTENCES, base, like


def pad(rt: Runtime, base: str, like: str) -> Rewritten:
    """Pad S0 to the length of another skill, and keep the result."""
    skill = padded(skill_of(rt, base), skill_of(rt, like))
    rt.store.put("skill", skill.digest, skill)
    return Rewritten(skill=skill.digest, lessons=0)


PAD = RunStep(name="pad", version=1, parts=_parts, do=pad, gives=Rewritten, shown="pad", again=False)
