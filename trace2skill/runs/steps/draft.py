"""Step `draft`: a first skill from the domain's description."""

from trace2skill.core.step_label import StepLabel
from trace2skill.proposals.draft import draft_identity, draft_skill
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep


def _parts(rt: Runtime) -> tuple[object, ...]:
    return draft_identity(rt.settings.models.analyst), rt.domain.about, rt.settings.data.split_seed


def draft(rt: Runtime) -> str:
    """Draft S0 from the domain's description; returns its digest."""
    model = rt.settings.models.analyst
    step = StepLabel("draft", "S0")
    skill = draft_skill(rt.client, model, rt.domain.about, seed=rt.settings.data.split_seed, step=step)
    rt.store.put("skill", skill.digest, skill)
    return skill.digest


def _expects(seen: Foresight) -> list[Expected]:
    return [Expected(DRAFT.asks[0], float(seen.base is None))]


DRAFT = RunStep(
    name="draft",
    version=1,
    parts=_parts,
    expects=_expects,
    do=draft,
    gives=str,
    shown="draft S0",
    asks=(Asks("draft", "analyst", (2_000, 1_500)),),
)
