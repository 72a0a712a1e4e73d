"""The error analyst: an agent that must prove the cause of a failure by a fix which the harness runs.

No verified fix within the limits, no lesson.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from pydantic import ValidationError

from trace2skill.agents.loop import Said, Tool, converse
from trace2skill.agents.react import bash_tool
from trace2skill.analysts.agent_files import write_agent_files
from trace2skill.analysts.asking import CONTRADICTED
from trace2skill.analysts.checks import LessonRules, complaint
from trace2skill.analysts.feedback import Evaluating, feedback_on, in_words
from trace2skill.analysts.gate import GateResult, run_gate
from trace2skill.analysts.given import form_of_lessons, kinds_of_causes, prompts_of, shown_skill
from trace2skill.analysts.reading import index, nothing_to_read, room_for_trajectory, write_trace
from trace2skill.analysts.report import ErrorReport, LessonDraft, dropped_of, lessons_of
from trace2skill.analysts.strategy import Case, Means, Stage
from trace2skill.domains.base import Domain, FewAnswers, OwnLayout, fix_file, pictures_of
from trace2skill.llm import Request, ToolSpec
from trace2skill.llm.transport import has_native_tools
from trace2skill.prompts import render
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.sandbox.workspace import safe_read
from trace2skill.types.lesson import Extraction
from trace2skill.types.task import Task
from trace2skill.types.trajectory import OutcomeKind, StopReason, Trajectory

PROMPTS = ("error_analyst", "error_task")
LARGEST_FIX = 60_000
LESSONS = partial(
    form_of_lessons,
    proved_by="the part of the fix that proves it, such as the line that was changed",
    shown_by="the fix changes just this, or a step of the log shows what came of it",
    example="the fix compares whole rows where the agent compared names",
    fault=True,
)
ANSWERS_TAKEN = 3
"""How many answers are looked at where a fix is one: with more, the right one could be found by trying."""


class ErrorAnalyst:
    """Examines failed trajectories. One instance serves all of a run."""

    name: ClassVar[str] = "error"
    stage: ClassVar[Stage] = "extract"
    signal: ClassVar[str] = "error"
    way: ClassVar[str] = "agentic"
    outcomes: ClassVar[tuple[OutcomeKind, ...]] = ("failed",)
    leaves_pairs: ClassVar[bool] = False
    runs_commands: ClassVar[bool] = True
    tokens: ClassVar[tuple[int, int]] = (45_000, 4_000)
    calls: ClassVar[int] = 8

    def __init__(self, means: Means) -> None:
        self._means = means
        self._domain = means.domain
        self._model = means.model
        self._loop = means.loop
        self._command = means.command

    @property
    def identity(self) -> dict[str, object]:
        """What an extraction's key holds of the analyst."""
        return {
            "analyst": "error 4",
            "model": self._model.identity,
            "prompts": prompts_of(LESSONS(), *PROMPTS),
            "loop": self._loop.model_dump(mode="json"),
            "command": self._command.model_dump(mode="json"),
        }

    def examine(self, case: Case) -> list[Extraction]:
        """Find the cause of one failure, in a workspace with trace, input and output, and never gold.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
        """
        task, trajectory = case.own_task, case.trajectory
        if not trajectory.turns:
            return [nothing_to_read(trajectory, "error")]
        client, store = self._means.client(), self._means.store()
        with scratch_directory(prefix="t2s-analysis-") as directory:
            workspace = Path(directory)
            lay_out_left(self._domain, task, workspace, trajectory.outputs)
            write_trace(trajectory, workspace / "trace")
            write_agent_files(trajectory, workspace / "trace" / "agent")
            submission = _Submission(self, case, workspace)
            tools = (
                bash_tool(self._means.sandbox(), workspace, {}, self._command),
                Tool(Evaluating.spec, self.evaluating(task, trajectory, workspace)),
                Tool(SUBMIT, submission),
            )
            opening = self._opening(case)
            done = converse(client, store, opening, tools, self._loop, step=case.step, scope=case.scope)
        return [submission.extraction(done.stop)]

    def evaluating(self, task: Task, trajectory: Trajectory, workspace: Path) -> Evaluating:
        """The tool `evaluate` of one analysis. Of answers it knows the own; others are judged when handed in."""
        left, answer = trajectory.outputs, self.answers(task)
        return Evaluating(self._domain, task, left, lambda: left if answer else self._domain.collect(task, workspace))

    def gate(self, task: Task, fix: str) -> GateResult:
        """See `trace2skill.analysts.gate`."""
        return run_gate(self._domain, task, self._means.sandbox(), fix, self._command)

    def answers(self, task: Task) -> bool:
        """Is a fix of this task an answer, which is judged and not run?"""
        return self._domain.fix_command(task) is None

    def answers_taken(self, task: Task) -> int:
        """So many answers are looked at, where a fix is one."""
        few = self._domain.answers_taken(task) if isinstance(self._domain, FewAnswers) else ANSWERS_TAKEN
        return min(few, ANSWERS_TAKEN)

    def rules(self, case: Case) -> LessonRules:
        """What the lessons are checked against."""
        return LessonRules.of(case.trajectory, self._domain.gold_only(case.own_task), skill=case.skill)

    def _opening(self, case: Case) -> Request:
        task, trajectory, domain = case.own_task, case.trajectory, self._domain
        layout, description = domain.layout if isinstance(domain, OwnLayout) else "", domain.describe(task)
        system = render(
            "error_analyst",
            native_tools=has_native_tools(self._model),
            fix_contract=domain.fix_contract,
            fix_file=named_fix(domain, task),
            layout=layout,
            kinds=kinds_of_causes(fix=True),
            how_to_write=LESSONS(),
        )
        user = render(
            "error_task",
            description=description,
            reason=feedback_on(domain, task, trajectory.outputs) or trajectory.outcome.reason,
            skill=shown_skill(case.skill, description, trajectory),
            index=index(trajectory, room_for_trajectory(self._model) // 3),
        )
        messages = ({"role": "system", "content": system}, {"role": "user", "content": user})
        return Request(
            role="analyst",
            settings=self._model,
            messages=messages,
            seed=trajectory.seed,
            pictures=pictures_of(domain, task),
        )


class _Submission:
    """The `submit` tool: checks the form, runs the gate, has broken lessons mended once, keeps what opened the gate."""

    def __init__(self, analyst: ErrorAnalyst, case: Case, workspace: Path) -> None:
        self._analyst = analyst
        self._task = case.own_task
        self._trajectory = case.trajectory
        self._skill = case.skill
        self._workspace = workspace
        self._rules = analyst.rules(case)
        self._accepted: ErrorReport | None = None
        self._fix = ""
        self._refused = 0
        self._last = "the analyst handed nothing in"
        self._raw = ""

    def __call__(self, arguments: Mapping[str, object]) -> Said:
        try:
            report = ErrorReport.model_validate(arguments)
        except ValidationError as error:
            self._last, self._raw = "the report was malformed", str(dict(arguments))[:4000]
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
            return Said(f"The report is not valid: {problems}. Hand it in again.")
        if report.kind == "reference":
            self._accepted, self._fix = report, ""
            return Said("A person will look at the task. Done.", done=True)
        fix = self._handed_in(report.fix_file, arguments.get("fix"))
        if fix is None:
            self._last = f"there was no fix in the file '{report.fix_file}'"
            return Said(
                f"There is no fix: '{report.fix_file}' is no file in /workspace of at most {LARGEST_FIX} bytes. "
                "Write the fix to a file there, and hand everything in again with its name as fix_file."
            )
        return self._run(report, fix)

    def _run(self, report: ErrorReport, fix: str) -> Said:
        judged = self._analyst.gate(self._task, fix)
        if not judged.opened:
            self._last, self._refused = judged.reason, self._refused + 1
            if self._refused >= self._analyst.answers_taken(self._task) and self._analyst.answers(self._task):
                return Said(f"Your answer is not right: {judged.reason}. No more answers are taken.", done=True)
            if judged.leaks:
                return Said(f"Your fix is refused: {judged.reason}. Compute the result from the input.")
            said = judged.feedback or in_words(judged.grade, refused=self._refused)
            return Said(f"Your fix does not give the expected result yet.\n{said}")
        asked_before, self._accepted, self._fix = self._accepted is not None, report, fix
        _, broken = self._sorted_out(report)
        if broken and not asked_before:
            return Said(
                f"Your fix gives the expected result. {complaint(broken)}\nMend them and hand everything in again."
            )
        return Said("Your fix gives the expected result. Done.", done=True)

    def _handed_in(self, file: str, text: object) -> str | None:
        """The fix in the file named, or the text of one under `fix`, as earlier versions had it; None for neither."""
        if not file and isinstance(text, str) and text:
            return text[:LARGEST_FIX]
        for start in (f"{self._workspace}/", "/workspace/", "./"):
            file = file.removeprefix(start)
        content = safe_read(self._workspace, file, LARGEST_FIX)
        return content.decode("utf-8", "replace") if content else None

    def extraction(self, stop: StopReason = "answered") -> Extraction:
        """The lessons of the accepted report, or a typed reason why there are none; `stop` ended the analyst's work."""
        report, trajectory = self._accepted, self._trajectory
        common = {"trajectory_id": trajectory.id, "task_id": trajectory.task_id, "kind": "error"}
        if report is None:
            ended = "" if stop == "answered" else f" (its work did not end with an answer: {stop.replace('_', ' ')})"
            return Extraction(**common, verdict="unverified", reason=f"{self._last}{ended}", raw=self._raw)
        told = {"fault": report.kind, "surface": report.surface, "cause": report.cause}
        if report.kind == "reference":
            dropped = dropped_of([(draft, CONTRADICTED) for draft in report.lessons])
            return Extraction(**common, **told, verdict="reference", dropped=dropped, reason=report.cause)
        kept, broken = self._sorted_out(report)
        lessons = lessons_of(kept, trajectory, "error", "verified", self._cause_steps(report), skill=self._skill)
        return Extraction(
            **common,
            **told,
            verdict="lessons" if lessons else "nothing_learned",
            lessons=lessons,
            dropped=dropped_of(broken),
            reason="" if lessons else "the analyst verified a fix and drew no general lesson",
            fix=self._fix,
        )

    def _sorted_out(self, report: ErrorReport) -> tuple[list[LessonDraft], list[tuple[LessonDraft, str]]]:
        return self._rules.of_cause(report.kind).sort_out(report.lessons, self._cause_steps(report))

    def _cause_steps(self, report: ErrorReport) -> list[int]:
        return [step for step in report.cause_steps if 1 <= step <= len(self._trajectory.steps)]


def named_fix(domain: Domain, task: Task) -> str:
    """A file to write the fix to that is none of the task's own."""
    if domain.fix_command(task) is None:
        return "fix.txt"
    return f"trace/{fix_file(domain)}" if isinstance(domain, OwnLayout) else fix_file(domain)


def lay_out_left(domain: Domain, task: Task, workspace: Path, outputs: Mapping[str, bytes]) -> None:
    """The task's inputs, and over them what an agent left."""
    if isinstance(domain, OwnLayout):
        domain.lay_out_left(task, workspace, outputs)
        return
    domain.lay_out(task, workspace)
    for path, content in outputs.items():
        (workspace / path).parent.mkdir(parents=True, exist_ok=True)
        (workspace / path).write_bytes(content)


SUBMIT = ToolSpec(
    name="submit",
    description="Hand in the cause, the fix and the lessons. The fix is run and must give the expected result.",
    parameters=ErrorReport.model_json_schema(),
)
