"""Step `propose`: the lessons of one trajectory, as a patch of S0."""

import logging

from trace2skill.analysts import rules
from trace2skill.consolidate.quarantine import allowed_of, review_lessons, suspected_in
from trace2skill.core.step_label import StepLabel
from trace2skill.prompts.refuted import refuted_parts
from trace2skill.proposals.propose import propose, propose_identity
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep, always
from trace2skill.runs.steps.stored import looks_again, skill_of, stored
from trace2skill.runs.verdicts import refuted_before
from trace2skill.types.lesson import Extraction
from trace2skill.types.references import Extracted, Proposed

log = logging.getLogger(__name__)


def _parts(rt: Runtime, extracted: Extracted, base: str) -> tuple[object, ...]:
    """The lessons and S0, what a person or a look to come lets through of what is held up, and what is refuted."""
    by_rules = extracted.log == "rules"
    who = rules.VERSION if by_rules else propose_identity(rt.settings.models.analyst, rt.settings.learning.edits)
    extraction = rt.store.get("extraction", extracted.content, Extraction)
    allowed = allowed_of(rt.store, skill_of(rt, base), extraction.lessons) if extraction else []
    looked = suspected_in(rt.store, skill_of(rt, base), extraction.lessons) if extraction and looks_again(rt) else []
    refuted = () if by_rules else refuted_parts(refuted_before(rt, skill_of(rt, base).name))
    return (
        who,
        extracted.content,
        base,
        *([allowed] if allowed else []),
        *([{"looked": looked}] if looked else []),
        *refuted,
    )


def propose_patch(rt: Runtime, extracted: Extracted, base: str) -> Proposed:
    """Write the lessons of one trajectory into a patch of S0.

    A lesson that the screening finds suspicious is not shown to the proposer, and waits for review; one that it no more
    than suspects is, where a model looks at what comes of it.

    Raises:
        BadInput: the lessons come from a held-out task.
    """
    extraction, skill = stored(rt, "extraction", extracted.content, Extraction), skill_of(rt, base)
    if not extracted.log:  # what logs say of held-out tasks was left out when they were read
        rt.evolve_task(extraction.task_id)
    lessons, aside = review_lessons(rt.store, skill, extraction.lessons, looked=looks_again(rt))
    extraction, step = extraction.model_copy(update={"lessons": lessons}), StepLabel("propose", extracted.name)
    if extracted.log == "rules" or not lessons:
        patch = rules.patch_of(extraction, skill)
    else:
        model, edits, refuted = rt.settings.models.analyst, rt.settings.learning.edits, refuted_before(rt, skill.name)
        patch = propose(rt.client, model, extraction, skill, edits, step=step, refuted=refuted)
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
        halved=tuple(lesson.id for lesson in lessons if lesson.certainty == "inferred"),
        quarantined=tuple(item.digest for item in aside),
    )


def _expects(seen: Foresight) -> list[Expected]:
    """The analyses in the store have their patches there, too."""
    asked = seen.new_analyses * seen.rates.taught
    seen.later_patches = seen.later_analyses * seen.rates.taught
    seen.new_patches = asked + seen.mined
    seen.patches = seen.analyses * seen.rates.taught + seen.mined
    return [Expected(PROPOSE.asks[0], asked)]


PROPOSE = RunStep(
    name="propose",
    version=2,
    parts=_parts,
    expects=_expects,
    do=propose_patch,
    gives=Proposed,
    shown="propose: {extracted.name}",
    asks=(Asks("propose", "analyst", (6_000, 1_000)),),
    one_call=always,
    mapped=True,
)
