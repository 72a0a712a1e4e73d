"""The protocol of a domain: a kind of task, how it is laid out, described and graded.

A domain sees gold; nothing else in the product does. Graders are deterministic and need no network.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from pydantic import Field

from trace2skill.core.errors import Trace2SkillError
from trace2skill.core.record import Record
from trace2skill.safety.change import Variation
from trace2skill.sandbox.limits import Sandbox
from trace2skill.types.picture import Picture
from trace2skill.types.task import Task

log = logging.getLogger(__name__)
ANSWER = "answer.txt"
"""The output that holds the answer, in domains whose outcome is an answer rather than a file."""


class Difference(Record):
    """One place where an output is not gold."""

    where: str = Field(description="E.g. 'Summary!B3'.")
    expected: str = Field(description="Never told to a model.")
    got: str = Field(description="What stands there.")
    kind: str = Field(default="value", description="What kind of difference it is, e.g. 'missing'. No value in it.")
    formula: str = Field(default="", description="The formula that stands there, if one does.")

    @property
    def in_words(self) -> str:
        """Where, of what kind, and what stands there. Never what is expected."""
        stands = f"{self.formula} which gives {self.got}" if self.formula else self.got
        if self.kind == "formula without a stored result":
            stands = f"{self.formula}; whether it would be right if it were calculated is not known here"
        return f"{self.where}: {self.kind}; there stands {stands}"


class CaseGrade(Record):
    """The grade of one test case. `problem` says why it could not be compared at all, if so."""

    case: str
    passed: bool
    problem: str = ""
    differences: tuple[Difference, ...] = Field(default=(), description="At most 50, in reading order.")
    difference_count: int = 0
    score: float | None = Field(
        default=None, ge=0, le=1, description="Soft score of the case, where the rule has one besides passed or not."
    )

    @property
    def soft(self) -> float:
        """The soft score: the rule's own, else 1 for passed and 0 for not."""
        return float(self.passed) if self.score is None else self.score


class Grade(Record):
    """The grade of one set of outputs: hard = every case passed, soft = mean soft score of the cases."""

    cases: tuple[CaseGrade, ...]

    @property
    def hard(self) -> float:
        """1.0 when there is a case and every case passed, else 0.0."""
        return float(bool(self.cases) and all(case.passed for case in self.cases))

    @property
    def soft(self) -> float:
        """Mean soft score of the cases, which is the share passed where the rule knows nothing finer; 0.0 without."""
        return sum(case.soft for case in self.cases) / len(self.cases) if self.cases else 0.0

    @property
    def reason(self) -> str:
        """In words: what is wrong with the first case that did not pass, or ''. Holds nothing of what is expected."""
        for case in self.cases:
            if case.passed:
                continue
            if case.problem or not case.differences:
                return case.problem or "it is not right"
            kinds = Counter(item.kind for item in case.differences).most_common()
            named = ", ".join(f"{count} {kind}" for kind, count in kinds)
            looked = "" if len(case.differences) == case.difference_count else f"of the first {len(case.differences)}: "
            first = f"{case.difference_count} cells differ ({looked}{named})"
            return f"{first}, first {case.differences[0].in_words}"
        return ""


class Audit(Record, form="Audit", version=1):
    """Whether a task can teach anything. `usable` tasks can; the others are reported and left out of evolution."""

    task_id: str
    verdict: Literal["usable", "passes_untouched", "never_passes"]
    reason: str = ""


class Domain(Protocol):
    """A kind of task. `name` and `version` are part of every key that depends on how it describes or grades."""

    name: str
    version: str
    about: str
    """What work in this domain is, in a paragraph: all that a skill drafted from nothing may know."""

    fix_contract: str
    """How a fix program is called, in words for the error analyst."""

    def load(self, data: Path) -> list[Task]:
        """Every task of a data set, in its order.

        Raises:
            BadInput: a row or file is missing or malformed; names file and row.
        """

    def lay_out(self, task: Task, workspace: Path) -> None:
        """Write the task's inputs into an empty workspace. Never gold."""

    def describe(self, task: Task) -> str:
        """The task as the agent reads it."""

    def collect(self, task: Task, workspace: Path) -> dict[str, bytes]:
        """The output files an agent left in the workspace, by relative path. Missing ones are absent."""

    def grade(self, task: Task, outputs: Mapping[str, bytes]) -> Grade:
        """Score outputs against gold by the benchmark's official rule."""

    def audit(self, task: Task) -> Audit:
        """Does the untouched input already pass, and can gold itself pass?"""

    def gold_only(self, task: Task) -> frozenset[str]:
        """Values of the answer that neither the task's text nor its input holds, as `safety.leaks.canonical` has them.

        Whoever writes one down has seen the answer. For leak checks, and nothing else.
        """

    def lay_out_emptied(self, task: Task, workspace: Path) -> None:
        """The workspace of `lay_out`, with nothing in its inputs that an answer could be computed from."""

    def carried(self, task: Task, outputs: Mapping[str, bytes]) -> list[str]:
        """Where outputs made from emptied inputs are right all the same: the program carries the answer.

        What the task's own words give does not count.
        """

    def fix_command(self, task: Task) -> str | None:
        """The shell command that runs `fix.py` in a laid-out workspace and so writes every output.

        None where the outcome of a task is an answer rather than a file: then the fix is the answer itself, graded as
        the output `ANSWER`.
        """


@runtime_checkable
class Sandboxed(Protocol):
    """A domain that runs programs of its own, such as a check script, to grade. It is told of the run's sandbox."""

    def use_sandbox(self, sandbox: Callable[[], Sandbox]) -> None:
        """Called once, before anything is graded. The sandbox is chosen when it is first asked for."""


@runtime_checkable
class Pictured(Protocol):
    """A domain whose tasks are shown in pictures, too. Only models that see them may work on it."""

    def pictures(self, task: Task) -> tuple[Picture, ...]:
        """What whoever reads the task's description is shown with it. `version` holds what can change them."""


def pictures_of(domain: Domain, task: Task) -> tuple[Picture, ...]:
    """The pictures of a task; none where the domain has none."""
    return domain.pictures(task) if isinstance(domain, Pictured) else ()


@runtime_checkable
class Feedback(Protocol):
    """A domain that says in its own words what is wrong with outputs, where places that differ do not say it.

    The error analyst reads it: with the task, from `evaluate`, and when its fix does not pass. Never put gold into it.
    """

    def feedback(self, task: Task, outputs: Mapping[str, bytes]) -> str:
        """What a failed attempt is told of its outputs."""


@runtime_checkable
class FewAnswers(Protocol):
    """A domain with tasks of which few answers are possible, so that the right one is soon found by trying."""

    def answers_taken(self, task: Task) -> int:
        """So many answers of an analyst are looked at, from 1 on."""


@runtime_checkable
class Compared(Protocol):
    """A domain whose answer has places, of which the error analyst may ask a few whether a value is right there."""

    def place(self, task: Task, name: str) -> str | None:
        """The one name of a place that the answer has, however it was written; None for any other."""

    def is_right(self, task: Task, place: str, value: str) -> bool:
        """Is a value, written as text, what belongs at that place?"""


@runtime_checkable
class OwnLayout(Protocol):
    """A domain whose workspace is not `input/` and `output/`."""

    layout: str
    """Where an analyst finds what the agent was given and what it left, as lines of a Markdown list."""

    def lay_out_left(self, task: Task, workspace: Path, outputs: Mapping[str, bytes]) -> None:
        """Write into an empty workspace what an agent left, so that `collect` finds the same outputs in it."""


@runtime_checkable
class SaysLeftOut(Protocol):
    """A domain that can say what `collect` did not take of what an agent left, and why."""

    def left_out(self, task: Task, workspace: Path) -> list[str]:
        """Paths, and lines in words for what has no name that can be written down."""


@runtime_checkable
class FixFile(Protocol):
    """A domain whose fix is no Python program: `fix_file` is the name under which it is laid out."""

    fix_file: str


@runtime_checkable
class Scripted(Protocol):
    """A domain whose tasks a script of a skill can do: it is called in the same way for each of them."""

    script_contract: str
    """How a script is called, in words for whoever writes one."""
    script_arguments: str
    """What stands behind its name in every call, before its options, e.g. 'INPUT OUTPUT'; '' for nothing."""
    script_writes: tuple[str, ...]
    """Beginnings of the paths that it may change or add; none where the grader judges the whole workspace."""

    def script_command(self, task: Task, script: str, options: str) -> str:
        """The shell command that runs a script in a laid-out workspace and so writes every output.

        `options` are words for a shell, quoted where that is needed; they are the same for all outputs.
        """


@runtime_checkable
class Changing(Protocol):
    """A domain that can put other values into a task's inputs, so that a fix can be tried on them."""

    def changed(self, task: Task, change: Variation, folder: Path) -> Task | None:
        """The task with changed inputs, whose files are written into the empty `folder`; None where none can be."""

    def values(self, task: Task, outputs: Mapping[str, bytes]) -> dict[str, object]:
        """What stands at each place of a result, read as `grade` reads it. A program as the result has none."""


@runtime_checkable
class Rechecking(Protocol):
    """A domain that can tell a right result of changed inputs from a wrong one: its check reads the inputs."""

    def right_for(self, task: Task, outputs: Mapping[str, bytes], before: Mapping[str, bytes]) -> bool:
        """Are outputs right for a changed task, and those of the task before the change wrong for it?"""


def graded(domain: Domain, task: Task, outputs: Mapping[str, bytes]) -> Grade:
    """The grade of outputs; where the grader breaks on them they are wrong, with the reason.

    What an agent left is a stranger's data, and a grader may meet in it what nobody thought of. That is one wrong
    answer and no failed run: a rerun would meet the same. A domain that breaks on everything does so in its audit.

    Raises:
        Trace2SkillError: the domain's own words for what is wrong with its task or its sandbox.
    """
    try:
        return domain.grade(task, outputs)
    except Trace2SkillError:
        raise
    except Exception as error:  # noqa: BLE001 - anything may come of what an agent left
        log.warning(
            "%s: the grader of %s broke on an answer: %s: %s", task.id, domain.name, type(error).__name__, error
        )
        problem = f"the grader broke on it: {type(error).__name__}: {str(error)[:200]}"
        return Grade(cases=(CaseGrade(case="grader", passed=False, problem=problem),))


def fix_file(domain: Domain) -> str:
    """The file that a fix is written to before `Domain.fix_command` runs it."""
    return domain.fix_file if isinstance(domain, FixFile) else "fix.py"
