"""What is said of outputs to those who look for the cause of a failure."""

from collections.abc import Mapping

from trace2skill.core.errors import Trace2SkillError
from trace2skill.domains.base import Domain, Feedback, Grade, graded
from trace2skill.types.task import Task

SHOWN_DIFFERENCES = 12


def feedback_on(domain: Domain, task: Task, outputs: Mapping[str, bytes]) -> str:
    """The domain's own words on outputs, '' where it has none."""
    if not isinstance(domain, Feedback):
        return ""
    try:
        return domain.feedback(task, outputs)
    except Trace2SkillError:
        raise
    except Exception as error:  # noqa: BLE001 - as in `graded`
        return f"the grader broke on it: {type(error).__name__}"


def judged_in_words(domain: Domain, task: Task, outputs: Mapping[str, bytes]) -> str:
    """What the analyst is told of outputs."""
    grade = graded(domain, task, outputs)
    return in_words(grade) if grade.hard == 1.0 else feedback_on(domain, task, outputs) or in_words(grade)


def in_words(grade: Grade) -> str:
    """A grade as the analyst reads it: which places differ, expected and got."""
    lines = []
    for case in grade.cases:
        if case.passed:
            lines.append(f"case {case.case}: right")
            continue
        lines.append(f"case {case.case}: {case.problem or f'{case.difference_count} places differ'}")
        shown = case.differences[:SHOWN_DIFFERENCES]
        lines += [f"  {item.where}: expected {item.expected}, got {item.got}" for item in shown]
    return "\n".join(lines)
