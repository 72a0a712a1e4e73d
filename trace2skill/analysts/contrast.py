"""The contrast analyst: one call over a pass and a failure of the same task. What did the pass do differently?"""

from typing import ClassVar

from trace2skill.analysts.asking import extraction_by_one_call, one_call_request
from trace2skill.analysts.checks import LessonRules
from trace2skill.analysts.reading import fitting, room_for_trajectory, whole
from trace2skill.analysts.report import LessonReport
from trace2skill.analysts.strategy import Case, Means, Stage
from trace2skill.domains.base import pictures_of
from trace2skill.prompts import prompt_digest, render
from trace2skill.types.lesson import Extraction
from trace2skill.types.trajectory import OutcomeKind

PROMPTS = ("contrast_analyst", "contrast_task")


class ContrastAnalyst:
    """Examines pairs. Its lessons belong to the trajectory that passed and are marked `ungated`."""

    name: ClassVar[str] = "contrast"
    stage: ClassVar[Stage] = "contrast"
    signal: ClassVar[str] = "contrast"
    way: ClassVar[str] = ""
    outcomes: ClassVar[tuple[OutcomeKind, ...]] = ("passed",)
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
        return {"analyst": "contrast 1", "model": self._model.identity, "prompts": prompt_digest(*PROMPTS)}

    def examine(self, case: Case) -> list[Extraction]:
        """Name what made the difference. Evidence are steps of the trajectory that passed.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
        """
        task, passed, failed = case.own_task, case.trajectory, case.failure
        client, pictures = self._means.client(), pictures_of(self._domain, task)
        rules = LessonRules.of(passed, self._domain.gold_only(task), failed)

        def attempt(room: int) -> Extraction:
            user = render(
                "contrast_task",
                description=self._domain.describe(task),
                passed=whole(passed, room),
                failed=whole(failed, room),
            )
            request = one_call_request(self._model, render("contrast_analyst"), user, passed.seed, pictures)
            return extraction_by_one_call(
                client, request, LessonReport, passed, "success", rules, step=case.step, against=failed.id
            )

        return [fitting(room_for_trajectory(self._model, len(pictures)) // 2, attempt)]
