"""What analysts are told besides their case: the skill that the agent had, the kinds of causes, the form of a lesson.

The skill is the one with which the trajectory was rolled out, S0 of the run. It does not change while the run lasts,
and the trajectory's content names it: so does every key that holds the trajectory.
"""

import functools

from trace2skill.core.digest import digest_of
from trace2skill.prompts import prompt_digest, render
from trace2skill.skills.relevant import outlines, relevant_sections
from trace2skill.skills.skill import Skill
from trace2skill.types.trajectory import Trajectory

LESSON_FORM, SKILL_SHOWN, FAULT_KINDS = "lesson_form", "skill_shown", "fault_kinds"
SHARED = (LESSON_FORM, SKILL_SHOWN, FAULT_KINDS)
"""The prompts that several analysts share: part of the identity of each."""


def shown_skill(skill: Skill | None, description: str, *trajectories: Trajectory) -> str:
    """The outline of the skill and its text; of a long one the sections closest to the task and to what was done."""
    if skill is None:
        return render(SKILL_SHOWN, outline="", text="")
    texts = [description, *(_said(trajectory) for trajectory in trajectories)]
    return render(SKILL_SHOWN, outline=outlines(skill), text=relevant_sections(skill, texts))


@functools.cache
def form_of_lessons(
    *,
    proved_by: str,
    shown_by: str,
    example: str,
    skill: bool = True,
    fault: bool = False,
    passed: bool = False,
    pair: bool = False,
) -> str:
    """How lessons are written.

    Args:
        proved_by: what an analyst of this kind names as the proof.
        shown_by: when it may call a lesson shown.
        example: the proof in the example.
        skill: is it shown a skill?
        fault: does it say of which kind a cause is?
        passed: does it read a run that passed?
        pair: and beside it one of the same task that failed?
    """
    told = {"proved_by": proved_by, "shown_by": shown_by, "example": example}
    return render(LESSON_FORM, **told, skill=skill, fault=fault, passed=passed, pair=pair).strip()


def prompts_of(form: str, *names: str) -> str:
    """What an analyst is told, as a part of its identity: its prompts, and the form of lessons as it has it.

    Args:
        form: how it is told to write lessons; its own words in it stand in no prompt's source.
        names: of its own prompts.
    """
    return digest_of(prompt_digest(*names, *SHARED), form)


def kinds_of_causes(*, fix: bool) -> str:
    """The kinds of causes; `fix`: would one be handed in?"""
    return render(FAULT_KINDS, fix=fix).strip()


def _said(trajectory: Trajectory) -> str:
    said = [step for step in trajectory.steps if step.source == "agent"]
    return "\n".join(
        part for step in said for part in (step.message, *(str(call.arguments) for call in step.tool_calls))
    )
