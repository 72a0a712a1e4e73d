"""The log analyst: evidence instead of gold. It must point at the steps that show cause and consequence.

An imported log has no expected answer to hold a fix against. So the analyst names the steps in which a decision was
taken and those in which its consequence shows, and where something failed and then worked it cites what worked. The
program checks that these steps are there and in that order. The lessons are `observed`, never `verified`.
"""

from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.analysts.asking import one_call_request
from trace2skill.analysts.checks import LessonRules, complaint
from trace2skill.analysts.events import Recovery, recoveries
from trace2skill.analysts.reading import nothing_to_read, room_for_trajectory, whole
from trace2skill.analysts.report import CauseReport, LessonDraft, dropped_of, lessons_of
from trace2skill.analysts.strategy import Case, Means, Stage
from trace2skill.core.errors import BadAnswer
from trace2skill.llm import ask
from trace2skill.prompts import prompt_digest, render
from trace2skill.types.lesson import KIND_OF, Extraction, LessonKind
from trace2skill.types.trajectory import OutcomeKind, Trajectory

PROMPTS = ("log_analyst", "log_task")
ASKED = 2


class Refusal(BaseModel):
    """A recovery found by program that is none."""

    model_config = ConfigDict(extra="ignore")
    failed: int = Field(description="The step that failed, by the list.")
    reason: str = Field(min_length=1, max_length=500)


class ObservedReport(CauseReport):
    """What the log analyst answers."""

    consequence_steps: list[int] = Field(default_factory=list, description="Steps in which the consequence shows.")
    recovery_steps: list[int] = Field(default_factory=list, description="Steps in which it was put right, if any.")
    refused_recoveries: list[Refusal] = Field(
        default_factory=list,
        description="Recoveries of the list that are none, with the reason: the program that found them can be wrong.",
    )

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
    runs_commands: ClassVar[bool] = False
    tokens: ClassVar[tuple[int, int]] = (10_000, 1_500)
    calls: ClassVar[int] = 1

    def __init__(self, means: Means) -> None:
        self._means = means
        self._model = means.model

    @property
    def identity(self) -> dict[str, object]:
        """What an extraction's key holds of the analyst."""
        return {"analyst": "log 1", "model": self._model.identity, "prompts": prompt_digest(*PROMPTS)}

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
        found = recoveries(trajectory)
        user = render(
            "log_task",
            outcome=_in_words(trajectory),
            recoveries="\n".join(map(str, found)) or "none",
            steps=whole(trajectory, room_for_trajectory(self._model), everyone=True),
        )
        request = one_call_request(self._model, render("log_analyst"), user, trajectory.seed)
        rules = LessonRules.of_log(trajectory, case.gold)
        client = self._means.client()
        for _ in range(ASKED):
            try:
                report = ask(client, request, ObservedReport, step=case.step)
            except BadAnswer as error:
                return [Extraction(**common, verdict="bad_answer", reason=str(error), raw=error.raw)]
            missing = not_shown(report, trajectory) if report.lessons else []
            kept, broken = rules.sort_out(report.lessons, report.evidence)
            passed_over = unanswered(report, found) if report.lessons else []
            if not missing and not broken and not passed_over:
                break
            again = _again(report, [*missing, *passed_over], broken)
            request = request.model_copy(update={"messages": (*request.messages, *again)})
        told = {"surface": report.surface, "cause": report.cause}
        if missing:
            reason = f"the steps do not show it: {'; '.join(missing)}"
            return [Extraction(**common, **told, verdict="unverified", reason=reason, dropped=dropped_of(broken))]
        grounded = [_grounded(draft, report, found) for draft in kept]
        weak = trajectory.outcome.source if trajectory.outcome.weak else ""
        lessons = lessons_of(grounded, trajectory, kind, "observed", report.evidence, weak_label=weak)
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
    for name in ("cause_steps", "consequence_steps"):
        if not getattr(report, name):
            problems.append(f"{name} is empty: name the steps that show it, or hand in no lesson")
    if report.cause_steps and report.consequence_steps and min(report.cause_steps) > max(report.consequence_steps):
        problems.append("the consequence comes before its cause")
    return problems


def unanswered(report: ObservedReport, found: Sequence[Recovery]) -> list[str]:
    """Candidates of a recovery of what the report points at, which it neither cites nor refuses. Asked about once."""
    pointed, refused = {*report.cause_steps, *report.consequence_steps}, _refused(report)
    return [
        f"what failed in step {item.failed} seems to have worked in step {item.worked}: cite it in recovery_steps, or "
        "refuse it in refused_recoveries with the reason"
        for item in found
        if item.failed in pointed and item.failed not in refused and item.worked not in report.evidence
    ]


def _refused(report: ObservedReport) -> set[int]:
    return {item.failed for item in report.refused_recoveries}


def _grounded(draft: LessonDraft, report: ObservedReport, found: Sequence[Recovery]) -> LessonDraft:
    """A lesson with the recovery of what it points at among its steps, where the report cites it."""
    steps = set(draft.steps or report.evidence)
    steps |= {item.worked for item in found if item.failed in steps and item.worked in report.recovery_steps}
    return draft.model_copy(update={"steps": sorted(steps)})


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
