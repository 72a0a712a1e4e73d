"""The log analyst: evidence instead of gold. It must point at the steps that show cause and consequence.

An imported log has no expected answer to hold a fix against. So the analyst names the steps in which a decision was
taken and those in which its consequence shows. The program checks that these steps are there and in that order. Where
no step shows a cause, a lesson may be inferred, and then counts half. What failed and then worked is a candidate, found
by program, and the analyst may refuse it. The lessons are `observed`, never `verified`.
"""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from pydantic import Field

from trace2skill.analysts.asking import one_call_request
from trace2skill.analysts.checks import LessonRules, complaint
from trace2skill.analysts.events import recoveries
from trace2skill.analysts.given import form_of_lessons, prompts_of
from trace2skill.analysts.reading import nothing_to_read, room_for_trajectory, whole
from trace2skill.analysts.report import LessonDraft, LessonReport, dropped_of, lessons_of
from trace2skill.analysts.strategy import Case, Means, Stage
from trace2skill.core.errors import BadAnswer
from trace2skill.llm import ask
from trace2skill.prompts import render
from trace2skill.types.lesson import KIND_OF, MOST_LESSONS, Extraction, LessonKind
from trace2skill.types.trajectory import OutcomeKind, Trajectory

PROMPTS = ("log_analyst", "log_task")
LESSONS = partial(
    form_of_lessons,
    proved_by="what in the log proves it, or from what you infer it",
    shown_by="steps of the log show the cause and what came of it",
    example="step 6 drops by name alone; in step 9 the user misses a guest",
    skill=False,
)
ASKED, MOST_REASON = 2, 600


class ObservedReport(LessonReport):
    """What the log analyst answers."""

    surface: str = Field(default="", max_length=2000, description="How it ended.")
    cause: str = Field(default="", max_length=2000, description="What mattered most; 'unknown' where nothing shows it.")
    cause_steps: list[int] = Field(default_factory=list, description="Numbers of the steps that show the cause.")
    consequence_steps: list[int] = Field(default_factory=list, description="Steps in which the consequence shows.")
    recovery_steps: list[int] = Field(default_factory=list, description="Steps in which it was put right, if any.")
    refused: str = Field(default="", max_length=2000, description="Candidates that are no recovery, and why.")
    lessons: list[LessonDraft] = Field(max_length=MOST_LESSONS)

    @property
    def evidence(self) -> list[int]:
        """All steps it points at."""
        return sorted({*self.cause_steps, *self.consequence_steps, *self.recovery_steps})


class LogAnalyst:
    """Examines imported trajectories of any kind of work, in one call each."""

    name: ClassVar[str] = "log"
    stage: ClassVar[Stage] = "observe"
    signal: ClassVar[str] = ""
    way: ClassVar[str] = "model"
    outcomes: ClassVar[tuple[OutcomeKind, ...]] = ("passed", "failed", "unknown")
    leaves_pairs: ClassVar[bool] = False
    runs_commands: ClassVar[bool] = False
    tokens: ClassVar[tuple[int, int]] = (10_000, 1_500)
    calls: ClassVar[int] = 1

    def __init__(self, means: Means) -> None:
        self._means = means
        self._model = means.model

    @property
    def identity(self) -> dict[str, object]:
        """What an extraction's key holds of the analyst."""
        return {"analyst": "log 2", "model": self._model.identity, "prompts": prompts_of(LESSONS(), *PROMPTS)}

    def examine(self, case: Case) -> list[Extraction]:
        """Say from the log what mattered, with the steps that show it.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
        """
        trajectory = case.trajectory
        kind: LessonKind = KIND_OF.get(trajectory.outcome.kind, "unknown")
        if not trajectory.turns:
            return [nothing_to_read(trajectory, kind)]
        common = {"trajectory_id": trajectory.id, "task_id": trajectory.task_id, "kind": kind}
        found, rules = recoveries(trajectory), LessonRules.of_log(trajectory, case.gold)
        user = render(
            "log_task",
            outcome=_in_words(trajectory),
            reason=_reason(trajectory, rules),
            recoveries="\n".join(map(str, found)) or "none",
            steps=whole(trajectory, room_for_trajectory(self._model), everyone=True),
        )
        request = one_call_request(self._model, render("log_analyst", how_to_write=LESSONS()), user, trajectory.seed)
        client = self._means.client()
        for _ in range(ASKED):
            try:
                report = ask(client, request, ObservedReport, step=case.step)
            except BadAnswer as error:
                return [Extraction(**common, verdict="bad_answer", reason=str(error), raw=error.raw)]
            missing = not_shown(report, trajectory) if report.lessons else []
            kept, broken = rules.sort_out(report.lessons, report.evidence)
            if not missing and not broken:
                break
            request = request.model_copy(update={"messages": (*request.messages, *_again(report, missing, broken))})
        told = {"surface": report.surface, "cause": report.cause, "refused": report.refused}
        if missing:
            reason = f"the steps do not show it: {'; '.join(missing)}"
            return [Extraction(**common, **told, verdict="unverified", reason=reason, dropped=dropped_of(broken))]
        weak = trajectory.outcome.source if trajectory.outcome.weak else ""
        lessons = lessons_of(kept, trajectory, kind, "observed", report.evidence, weak_label=weak)
        made = Extraction(
            **common,
            **told,
            verdict="lessons" if lessons else "nothing_learned",
            lessons=lessons,
            dropped=dropped_of(broken),
            reason="" if lessons else "the analyst drew no general lesson",
        )
        return [made]


def not_shown(report: ObservedReport, trajectory: Trajectory) -> list[str]:
    """What a report says without a step that shows it, in words that tell the analyst what to mend."""
    last, problems = len(trajectory.steps), []
    for name in ("cause_steps", "consequence_steps", "recovery_steps"):
        absent = [step for step in getattr(report, name) if not 1 <= step <= last]
        if absent:
            problems.append(f"{name} names step {absent[0]}, and the last one is {last}")
    if any(draft.certainty == "shown" for draft in report.lessons):
        for name in ("cause_steps", "consequence_steps"):
            if not getattr(report, name):
                problems.append(f"{name} is empty: name the steps that show it, or call the lesson inferred")
    if report.cause_steps and report.consequence_steps and min(report.cause_steps) > max(report.consequence_steps):
        problems.append("the consequence comes before its cause")
    return problems


def _again(
    report: ObservedReport, missing: Sequence[str], broken: Sequence[tuple[LessonDraft, str]]
) -> tuple[dict[str, str], dict[str, str]]:
    parts = [f"What you say is not shown: {'; '.join(missing)}."] if missing else []
    parts += [complaint(broken)] if broken else []
    asked = "\n".join(parts) + "\nAnswer again, whole, with this mended or left out."
    return {"role": "assistant", "content": report.model_dump_json()}, {"role": "user", "content": asked}


def _in_words(trajectory: Trajectory) -> str:
    outcome = trajectory.outcome
    words = {"passed": "it passed", "failed": "it failed"}.get(outcome.kind, "nobody said")
    weak = ", which is a guess" if outcome.weak and outcome.kind != "unknown" else ""
    return f"{words} (said by: {outcome.source}{weak})"


def _reason(trajectory: Trajectory, rules: LessonRules) -> str:
    """Why it ended so, in the words of who said it; '' where they give the expected answer away, which nobody sees."""
    reason = " ".join(trajectory.outcome.reason.split())[:MOST_REASON]
    return "" if rules.leaks_in(reason) else reason
