"""The success analyst: one call over one successful trajectory."""

from functools import partial
from typing import ClassVar

from trace2skill.analysts.asking import extraction_by_one_call, one_call_request
from trace2skill.analysts.checks import LessonRules
from trace2skill.analysts.given import form_of_lessons, prompts_of, shown_skill
from trace2skill.analysts.reading import fitting, nothing_to_read, room_for_trajectory, whole
from trace2skill.analysts.report import SkilledReport
from trace2skill.analysts.strategy import Case, Means, Stage
from trace2skill.domains.base import pictures_of
from trace2skill.prompts import render
from trace2skill.types.lesson import Extraction
from trace2skill.types.trajectory import OutcomeKind

PROMPTS = ("success_analyst", "success_task")
LESSONS = partial(
    form_of_lessons,
    proved_by="the mistake that was avoided or mended, and the step in which the log shows it",
    shown_by="the log shows the mistake or the wrong result itself, and not only the trap",
    example="dropping by name alone had lost a guest, as step 6 finds",
    passed=True,
)


class SuccessAnalyst:
    """Examines successful trajectories. One instance serves all of a run."""

    name: ClassVar[str] = "success"
    stage: ClassVar[Stage] = "extract"
    signal: ClassVar[str] = "success"
    way: ClassVar[str] = ""
    outcomes: ClassVar[tuple[OutcomeKind, ...]] = ("passed",)
    leaves_pairs: ClassVar[bool] = True
    runs_commands: ClassVar[bool] = False
    tokens: ClassVar[tuple[int, int]] = (8_000, 1_200)
    calls: ClassVar[int] = 1

    def __init__(self, means: Means) -> None:
        self._means = means
        self._domain = means.domain
        self._model = means.model

    @property
    def identity(self) -> dict[str, object]:
        """What an extraction's key holds of the analyst."""
        return {"analyst": "success 4", "model": self._model.identity, "prompts": prompts_of(LESSONS(), *PROMPTS)}

    def examine(self, case: Case) -> list[Extraction]:
        """Name the mistakes that one success avoided, and how; mostly there is nothing to name.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
        """
        task, trajectory = case.own_task, case.trajectory
        if not trajectory.turns:
            return [nothing_to_read(trajectory, "success")]
        pictures = pictures_of(self._domain, task)
        rules = LessonRules.of(trajectory, self._domain.gold_only(task), skill=case.skill)
        client, description = self._means.client(), self._domain.describe(task)
        system = render("success_analyst", how_to_write=LESSONS())
        skill = shown_skill(case.skill, description, trajectory)

        def attempt(room: int) -> Extraction:
            steps = whole(trajectory, room)
            user = render("success_task", description=description, skill=skill, steps=steps)
            request = one_call_request(self._model, system, user, trajectory.seed, pictures)
            return extraction_by_one_call(
                client, request, SkilledReport, trajectory, "success", rules, step=case.step, skill=case.skill
            )

        return [fitting(room_for_trajectory(self._model, len(pictures)), attempt)]
