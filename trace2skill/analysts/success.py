"""The success analyst: one call over one successful trajectory (method.md section 3)."""

from trace2skill.analysts.reading import whole
from trace2skill.analysts.report import SuccessReport, lessons_of
from trace2skill.domains.base import Domain
from trace2skill.errors import BadAnswer
from trace2skill.lesson import Extraction
from trace2skill.llm import Door, ModelSettings, Request, ask
from trace2skill.prompts import prompt_digest, render
from trace2skill.task import Task
from trace2skill.trajectory import Trajectory

PROMPTS = ("success_analyst", "success_task")


class SuccessAnalyst:
    """Examines successful trajectories. One instance serves all of a run."""

    def __init__(self, domain: Domain, model: ModelSettings) -> None:
        self._domain = domain
        self._model = model

    @property
    def identity(self) -> dict[str, object]:
        """What an extraction's key holds of the analyst."""
        return {"analyst": "success 1", "model": self._model.identity, "prompts": prompt_digest(*PROMPTS)}

    def examine(self, door: Door, task: Task, trajectory: Trajectory, *, step: str) -> Extraction:
        """Name the behaviours that earned one success. An answer that stays malformed is a typed outcome.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Door.complete`.
        """
        user = render("success_task", description=self._domain.describe(task), steps=whole(trajectory))
        messages = ({"role": "system", "content": render("success_analyst")}, {"role": "user", "content": user})
        request = Request(role="analyst", settings=self._model, messages=messages, seed=trajectory.seed)
        common = {"trajectory_id": trajectory.id, "task_id": trajectory.task_id, "kind": "success"}
        try:
            report = ask(door, request, SuccessReport, step=step)
        except BadAnswer as error:
            return Extraction(**common, verdict="bad_answer", reason=str(error), raw=error.raw)
        spoken = [step.number for step in trajectory.steps if step.source == "agent"]
        lessons = lessons_of(report.lessons, trajectory, "success", "ungated", spoken)
        if not lessons:
            return Extraction(**common, verdict="nothing_learned", reason="the analyst drew no general lesson")
        return Extraction(**common, verdict="lessons", lessons=lessons)
