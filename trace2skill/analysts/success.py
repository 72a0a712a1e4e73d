"""The success analyst: one call over one successful trajectory (method.md section 3)."""

from trace2skill.analysts.asking import extraction_by_one_call, one_call_request
from trace2skill.analysts.checks import LessonRules
from trace2skill.analysts.reading import fitting, nothing_to_read, room_for_trajectory, whole
from trace2skill.analysts.report import LessonReport
from trace2skill.domains.base import Domain, pictures_of
from trace2skill.llm import Door, ModelSettings
from trace2skill.prompts import prompt_digest, render
from trace2skill.types.lesson import Extraction
from trace2skill.types.task import Task
from trace2skill.types.trajectory import Trajectory

PROMPTS = ("success_analyst", "success_task")


class SuccessAnalyst:
    """Examines successful trajectories. One instance serves all of a run."""

    def __init__(self, domain: Domain, model: ModelSettings) -> None:
        self._domain = domain
        self._model = model

    @property
    def identity(self) -> dict[str, object]:
        """What an extraction's key holds of the analyst."""
        return {"analyst": "success 2", "model": self._model.identity, "prompts": prompt_digest(*PROMPTS)}

    def examine(self, door: Door, task: Task, trajectory: Trajectory, *, step: str) -> Extraction:
        """Name the behaviours that earned one success.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Door.complete`.
        """
        if not trajectory.turns:
            return nothing_to_read(trajectory, "success")
        pictures = pictures_of(self._domain, task)
        rules = LessonRules.of(trajectory, self._domain.gold_only(task))

        def attempt(room: int) -> Extraction:
            steps = whole(trajectory, room)
            user = render("success_task", description=self._domain.describe(task), steps=steps)
            request = one_call_request(self._model, render("success_analyst"), user, trajectory.seed, pictures)
            return extraction_by_one_call(door, request, LessonReport, trajectory, "success", rules, step=step)

        return fitting(room_for_trajectory(self._model, len(pictures)), attempt)
