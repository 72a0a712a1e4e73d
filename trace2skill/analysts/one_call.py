"""The one-call error analyst: the paper's ablation (A-LLM). It reads the log alone, and nobody checks what it says."""

from functools import partial
from typing import ClassVar

from trace2skill.analysts.asking import extraction_by_one_call, one_call_request
from trace2skill.analysts.checks import LessonRules
from trace2skill.analysts.given import form_of_lessons, kinds_of_causes, prompts_of, shown_skill
from trace2skill.analysts.reading import fitting, nothing_to_read, room_for_trajectory, whole
from trace2skill.analysts.report import CauseReport
from trace2skill.analysts.strategy import Case, Means, Stage
from trace2skill.domains.base import pictures_of
from trace2skill.prompts import render
from trace2skill.types.lesson import Extraction
from trace2skill.types.trajectory import OutcomeKind

PROMPTS = ("one_call_error_analyst", "one_call_error_task")
LESSONS = partial(
    form_of_lessons,
    proved_by="the place of the log that proves it",
    shown_by="steps of the log show the mistake and what came of it, or what was run can give nothing else",
    example="step 6 drops by name alone; step 8 counts 41 of 42 guests",
    fault=True,
)


class OneCallErrorAnalyst:
    """Examines failed trajectories in one call each. Its lessons are marked `ungated`."""

    name: ClassVar[str] = "one_call_error"
    stage: ClassVar[Stage] = "extract"
    signal: ClassVar[str] = "error"
    way: ClassVar[str] = "one_call"
    outcomes: ClassVar[tuple[OutcomeKind, ...]] = ("failed",)
    leaves_pairs: ClassVar[bool] = False
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
        return {
            "analyst": "one-call error 2",
            "model": self._model.identity,
            "prompts": prompts_of(LESSONS(), *PROMPTS),
        }

    def examine(self, case: Case) -> list[Extraction]:
        """Say from the log why one run failed.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
        """
        task, trajectory = case.own_task, case.trajectory
        if not trajectory.turns:
            return [nothing_to_read(trajectory, "error")]
        pictures = pictures_of(self._domain, task)
        rules = LessonRules.of(trajectory, self._domain.gold_only(task), skill=case.skill)
        client, description = self._means.client(), self._domain.describe(task)
        system = render("one_call_error_analyst", kinds=kinds_of_causes(fix=False), how_to_write=LESSONS())
        skill = shown_skill(case.skill, description, trajectory)

        def attempt(room: int) -> Extraction:
            steps = whole(trajectory, room)
            user = render("one_call_error_task", description=description, skill=skill, steps=steps)
            request = one_call_request(self._model, system, user, trajectory.seed, pictures)
            return extraction_by_one_call(
                client, request, CauseReport, trajectory, "error", rules, step=case.step, skill=case.skill
            )

        return [fitting(room_for_trajectory(self._model, len(pictures)), attempt)]
