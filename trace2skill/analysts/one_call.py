"""The one-call error analyst: the paper's ablation (A-LLM). It reads the log alone, and nobody checks what it says."""

from trace2skill.analysts.asking import extraction_by_one_call, one_call_request
from trace2skill.analysts.checks import LessonRules
from trace2skill.analysts.reading import fitting, nothing_to_read, room_for_trajectory, whole
from trace2skill.analysts.report import CauseReport
from trace2skill.domains.base import Domain, pictures_of
from trace2skill.llm import Door, ModelSettings
from trace2skill.prompts import prompt_digest, render
from trace2skill.types.lesson import Extraction
from trace2skill.types.task import Task
from trace2skill.types.trajectory import Trajectory

PROMPTS = ("one_call_error_analyst", "one_call_error_task")


class OneCallErrorAnalyst:
    """Examines failed trajectories in one call each. Its lessons are marked `ungated`."""

    def __init__(self, domain: Domain, model: ModelSettings) -> None:
        self._domain = domain
        self._model = model

    @property
    def identity(self) -> dict[str, object]:
        """What an extraction's key holds of the analyst."""
        return {"analyst": "one-call error 1", "model": self._model.identity, "prompts": prompt_digest(*PROMPTS)}

    def examine(self, door: Door, task: Task, trajectory: Trajectory, *, step: str) -> Extraction:
        """Say from the log why one run failed.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Door.complete`.
        """
        if not trajectory.turns:
            return nothing_to_read(trajectory, "error")
        pictures = pictures_of(self._domain, task)
        rules = LessonRules.of(trajectory, self._domain.gold_only(task))

        def attempt(room: int) -> Extraction:
            steps = whole(trajectory, room)
            user = render("one_call_error_task", description=self._domain.describe(task), steps=steps)
            request = one_call_request(self._model, render("one_call_error_analyst"), user, trajectory.seed, pictures)
            return extraction_by_one_call(door, request, CauseReport, trajectory, "error", rules, step=step)

        return fitting(room_for_trajectory(self._model, len(pictures)), attempt)
