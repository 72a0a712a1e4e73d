"""What is said of outputs to those who look for the cause of a failure: where they differ, of what kind, never gold.

Whoever looks for a cause may also ask whether a guess is right. Each answer is a yes or a no, and there are few of them
over a whole analysis, so that nothing can be read off by asking: a value among k that are possible takes k - 1
questions, and of one place only one is answered.
"""

from collections.abc import Callable, Mapping

from trace2skill.agents.loop import Said
from trace2skill.core.errors import Trace2SkillError
from trace2skill.domains.base import Compared, Domain, Feedback, Grade, graded
from trace2skill.llm import ToolSpec
from trace2skill.types.task import Task

Outputs = Mapping[str, bytes]
SHOWN_DIFFERENCES = 12
COMPARISONS = 5
"""Questions that are answered by yes or no over a whole analysis, of one place each or of all that was left."""
REFUSALS_EXPLAINED = 3
"""After so many fixes that were not right, a further one is told how much differs and no longer where."""


def feedback_on(domain: Domain, task: Task, outputs: Outputs) -> str:
    """The domain's own words on outputs, '' where it has none."""
    if not isinstance(domain, Feedback):
        return ""
    try:
        return domain.feedback(task, outputs)
    except Trace2SkillError:
        raise
    except Exception as error:  # noqa: BLE001 - as in `graded`
        return f"the grader broke on it: {type(error).__name__}"


def judged_in_words(domain: Domain, task: Task, outputs: Outputs) -> str:
    """What the analyst is told of outputs."""
    grade = graded(domain, task, outputs)
    return in_words(grade) if grade.hard == 1.0 else feedback_on(domain, task, outputs) or in_words(grade)


def in_words(grade: Grade, *, refused: int = 0) -> str:
    """A grade as the analyst reads it: which places differ, of what kind, and what stands there.

    Args:
        grade: of what was left, or of what a fix has made.
        refused: how many fixes of this analysis were not right, this one included.
    """
    lines = []
    for case in grade.cases:
        if case.passed:
            lines.append(f"case {case.case}: right")
            continue
        lines.append(f"case {case.case}: {case.problem or f'{case.difference_count} places differ'}")
        shown = case.differences[:SHOWN_DIFFERENCES] if refused <= REFUSALS_EXPLAINED else ()
        lines += [f"  {item.in_words}" for item in shown]
        if shown and case.difference_count > len(shown):
            lines.append(f"  and {case.difference_count - len(shown):,} more, not listed")
    if refused > REFUSALS_EXPLAINED:
        lines.append(f"Where they differ is said of the first {REFUSALS_EXPLAINED} fixes.")
    return "\n".join(lines)


class Evaluating:
    """The tool `evaluate`: explains what the agent left, and answers a few questions about anything else."""

    spec = ToolSpec(
        name="evaluate",
        description=(
            "Say where what the agent left differs from the expected result, of what kind each difference is, and what "
            "stands there. With `place` and `value`: is that value right at that place? With files changed since: are "
            f"they right as they are? Each of these two is a question, and {COMPARISONS} are answered in all, of one "
            "place one; to be told again of what the agent left costs none. "
            "What is wrong may show in layers: mend all that was named before you ask again. A fix that is handed in "
            "and is not right is explained, too, and costs no question."
        ),
        parameters={
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "A place of the answer, e.g. Summary!B3."},
                "value": {"type": "string", "description": "What you think belongs there."},
            },
        },
    )

    def __init__(self, domain: Domain, task: Task, left: Outputs, now: Callable[[], Outputs]) -> None:
        self._domain, self._task, self._left, self._now = domain, task, left, now
        self._before = dict(now())  # of a workspace in which the analyst has done nothing yet
        self._asked: set[str] = set()
        self._questions = 0

    def __call__(self, arguments: Mapping[str, object]) -> Said:
        """What is said of the agent's outputs, or the answer to a question."""
        place, value = (str(arguments.get(name) or "").strip() for name in ("place", "value"))
        if place or value:
            return Said(self._compared(place, value))
        outputs = self._now()
        if outputs == self._before:
            return Said(judged_in_words(self._domain, self._task, self._left))
        if self._questions >= COMPARISONS:
            return Said(f"{COMPARISONS} questions were answered; there are no more. Hand your fix in.")
        self._questions += 1
        right = graded(self._domain, self._task, outputs).hard == 1.0
        said = "" if right else feedback_on(self._domain, self._task, outputs)
        answer = "yes, it is all right" if right else "no, it is not right yet"
        return Said("\n".join(filter(None, [f"As the files are now: {answer}. {self._left_over()}", said])))

    def _compared(self, place: str, value: str) -> str:
        domain = self._domain
        if not isinstance(domain, Compared):
            return "Nothing can be compared by its place here. Hand your fix in."
        if not place or not value:
            return "Give both: `place`, e.g. Summary!B3, and `value`. Nothing was counted."
        if self._questions >= COMPARISONS:
            return f"{COMPARISONS} questions were answered; there are no more. Work it out from the input."
        known = domain.place(self._task, place)
        if known is None:
            return f"{place} is no place of the answer. Nothing was counted."
        if known in self._asked:
            return f"One question about {place} was answered, and only one is. Work it out from the input."
        self._questions += 1
        self._asked.add(known)
        right = domain.is_right(self._task, known, value)
        return f"{place}: {'yes' if right else 'no'}. {self._left_over()}"

    def _left_over(self) -> str:
        left = COMPARISONS - self._questions
        return "One question is left." if left == 1 else f"{left or 'No'} questions are left."
