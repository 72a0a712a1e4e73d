"""One structured call for lessons: checked by program, asked once more where a rule is broken, then dropped."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from trace2skill.analysts.checks import LessonRules, complaint
from trace2skill.analysts.report import CauseReport, LessonDraft, LessonReport, dropped_of, lessons_of
from trace2skill.core.errors import BadAnswer
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask
from trace2skill.skills.skill import Skill
from trace2skill.types.lesson import Extraction, LessonKind
from trace2skill.types.picture import Picture
from trace2skill.types.trajectory import Trajectory

R = TypeVar("R", bound=LessonReport)
CONTRADICTED = "the expected result contradicts the request: nothing is to be learned from it"


def one_call_request(
    model: ModelSettings, system: str, user: str, seed: int, pictures: tuple[Picture, ...] = ()
) -> Request:
    """The request of an analyst that needs one call."""
    messages = ({"role": "system", "content": system}, {"role": "user", "content": user})
    return Request(role="analyst", settings=model, messages=messages, seed=seed, pictures=pictures)


def extraction_by_one_call(
    client: Client,
    request: Request,
    wanted: type[LessonReport],
    trajectory: Trajectory,
    kind: LessonKind,
    rules: LessonRules,
    *,
    step: StepLabel,
    against: str = "",
    skill: Skill | None = None,
) -> Extraction:
    """What an analyst of one call makes of a trajectory. Nobody checks its word, so the lessons are `ungated`.

    Where it says that the expected result contradicts the request there are none, whatever it handed in.

    An answer that stays malformed is the verdict `bad_answer`, with the raw answer.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    common = {"trajectory_id": trajectory.id, "task_id": trajectory.task_id, "kind": kind, "against": against}
    try:
        report, kept, broken = ask_for_lessons(client, request, wanted, rules, _cause_steps, step=step)
    except BadAnswer as error:
        return Extraction(**common, verdict="bad_answer", reason=str(error), raw=error.raw)
    found = {}
    if isinstance(report, CauseReport):
        found = {"surface": report.surface, "cause": report.cause, "fault": report.kind}
        if report.kind == "reference":
            broken = [*broken, *((draft, CONTRADICTED) for draft in kept)]
            return Extraction(**common, **found, verdict="reference", dropped=dropped_of(broken), reason=report.cause)
    lessons = lessons_of(kept, trajectory, kind, "ungated", _cause_steps(report), skill=skill)
    return Extraction(
        **common,
        **found,
        verdict="lessons" if lessons else "nothing_learned",
        lessons=lessons,
        dropped=dropped_of(broken),
        reason="" if lessons else "the analyst drew no general lesson",
    )


def ask_for_lessons(
    client: Client,
    request: Request,
    wanted: type[R],
    rules: LessonRules,
    default_steps: Callable[[R], Sequence[int]],
    *,
    step: StepLabel,
) -> tuple[R, list[LessonDraft], list[tuple[LessonDraft, str]]]:
    """The report, its lessons that keep the rules, and those that do not with the reason.

    Raises:
        BadAnswer: the first answer stayed malformed. A malformed second one leaves the first as it was.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    report = ask(client, request, wanted, step=step)
    kept, broken = _sorted_out(rules, report, default_steps)
    if not broken or (isinstance(report, CauseReport) and report.kind == "reference"):
        return report, kept, broken
    again = f"{complaint(broken)}\nAnswer again, whole, with these mended or left out."
    messages = (
        *request.messages,
        {"role": "assistant", "content": report.model_dump_json()},
        {"role": "user", "content": again},
    )
    try:
        report = ask(client, request.model_copy(update={"messages": messages}), wanted, step=step)
    except BadAnswer:
        return report, kept, broken
    return report, *_sorted_out(rules, report, default_steps)


def _sorted_out(
    rules: LessonRules, report: R, default_steps: Callable[[R], Sequence[int]]
) -> tuple[list[LessonDraft], list[tuple[LessonDraft, str]]]:
    ruled = rules.of_cause(report.kind) if isinstance(report, CauseReport) else rules
    return ruled.sort_out(report.lessons, default_steps(report))


def _cause_steps(report: LessonReport) -> Sequence[int]:
    return report.cause_steps if isinstance(report, CauseReport) else ()
