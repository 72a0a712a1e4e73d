"""The contrast analyst: one call over a pass and a failure of the same task. What did the pass do differently?"""

from functools import partial
from typing import ClassVar

from trace2skill.analysts.asking import extraction_by_one_call, one_call_request
from trace2skill.analysts.checks import LessonRules
from trace2skill.analysts.given import form_of_lessons, prompts_of, shown_skill
from trace2skill.analysts.reading import fitting, room_for_trajectory, whole
from trace2skill.analysts.report import SkilledReport
from trace2skill.analysts.strategy import Case, Means, Stage
from trace2skill.domains.base import pictures_of
from trace2skill.prompts import render
from trace2skill.types.lesson import Extraction
from trace2skill.types.trajectory import OutcomeKind

PROMPTS = ("contrast_analyst", "contrast_task")
LESSONS = partial(
    form_of_lessons,
    proved_by="the step of the run that failed in which this went wrong, and what came of it",
    shown_by="the log of the run that failed shows the mistake",
    example="the run that failed drops by name alone in its step 5 and ends with 41 of 42 guests",
    passed=True,
    pair=True,
)


class ContrastAnalyst:
    """Examines pairs. Its lessons belong to the trajectory that passed and are marked `ungated`."""

    name: ClassVar[str] = "contrast"
    stage: ClassVar[Stage] = "contrast"
    signal: ClassVar[str] = "contrast"
    way: ClassVar[str] = ""
    outcomes: ClassVar[tuple[OutcomeKind, ...]] = ("passed",)
    leaves_pairs: ClassVar[bool] = False
    runs_commands: ClassVar[bool] = False
    tokens: ClassVar[tuple[int, int]] = (14_000, 1_200)
    calls: ClassVar[int] = 1

    def __init__(self, means: Means) -> None:
        self._means = means
        self._domain = means.domain
        self._model = means.model

    @property
    def identity(self) -> dict[str, object]:
        """What an extraction's key holds of the analyst."""
        return {"analyst": "contrast 2", "model": self._model.identity, "prompts": prompts_of(LESSONS(), *PROMPTS)}

    def examine(self, case: Case) -> list[Extraction]:
        """Name what made the difference. Evidence are steps of the trajectory that passed.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
        """
        task, passed, failed = case.own_task, case.trajectory, case.failure
        client, pictures = self._means.client(), pictures_of(self._domain, task)
        rules = LessonRules.of(passed, self._domain.gold_only(task), failed, skill=case.skill)
        description = self._domain.describe(task)
        system = render("contrast_analyst", how_to_write=LESSONS())
        skill = shown_skill(case.skill, description, passed, failed)

        def attempt(room: int) -> Extraction:
            user = render(
                "contrast_task",
                description=description,
                skill=skill,
                passed=whole(passed, room),
                failed=whole(failed, room),
            )
            request = one_call_request(self._model, system, user, passed.seed, pictures)
            return extraction_by_one_call(
                client,
                request,
                SkilledReport,
                passed,
                "success",
                rules,
                step=case.step,
                against=failed.id,
                skill=case.skill,
            )

        return [fitting(room_for_trajectory(self._model, len(pictures)) // 2, attempt)]
