"""The transfer matrix: a skill written by one model, used by another, on tasks it was made for and on others.

As in the paper's tables (arXiv 2603.25158, section 4): rows are skills with their author, columns are users and task
sets, cells are mean scores and their difference to a reference measured on the same tasks by the same user.
"""

from collections.abc import Callable, Sequence

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.evaluation.compare import compare, interval
from trace2skill.types.comparison import Interval
from trace2skill.types.evaluation import Evaluation, Measured

NO_SKILL = "no skill"


class TransferCell(Record):
    """One skill used by one model on one task set."""

    author: str = Field(description="Model that wrote the skill; 'people' for one nobody evolved; '-' for no skill.")
    skill: str = Field(description="Name and digest of the version, or 'no skill'.")
    user: str
    data: str = Field(description="Task set: data set and split.")
    score: Interval
    runs: int
    delta: Interval | None = Field(default=None, description="Against the reference; none where nothing is comparable.")


def transfer(
    measured: Sequence[Measured], describe: Callable[[str | None], tuple[str, str]], reference: str | None = None
) -> list[TransferCell]:
    """The matrix of everything measured, sorted by task set, user, author and skill.

    Args:
        measured: evaluations, in the order they were made; of equal ones over the same cells the last counts.
        describe: (author, name) of a skill's digest.
        reference: digest of the skill to compare with; None compares with no skill.
    """
    latest: dict[tuple[str, str, str | None, str], list[Measured]] = {}
    for item in measured:
        used = (item.evaluation.skill, item.evaluation.bank)
        latest.setdefault((_data(item), item.agent, *used), []).append(item)
    whole = {key: _united(items) for key, items in latest.items()}
    cells = []
    for (data, user, skill, bank), evaluation in whole.items():
        author, name = describe(skill)
        name += f" with lessons {bank[:8]}" if bank else ""
        against = whole.get((data, user, reference, ""))
        same = against.by_task().keys() & evaluation.by_task().keys() if against else set()
        cells.append(
            TransferCell(
                author=author,
                skill=name,
                user=user,
                data=data,
                score=interval(list(evaluation.by_task().values()), (0.0, 1.0)),
                runs=len(evaluation.scored),
                delta=compare(against, evaluation).lift
                if against is not None and same and (skill, bank) != (reference, "")
                else None,
            )
        )
    return sorted(cells, key=lambda cell: (cell.data, cell.user, cell.author, cell.skill))


def _united(items: Sequence[Measured]) -> Evaluation:
    cells = {(cell.task_id, cell.seed): cell for item in items for cell in item.evaluation.cells}
    last = items[-1].evaluation
    return Evaluation.of(last.condition, last.skill, cells.values(), last.bank)


def _data(item: Measured) -> str:
    return f"{item.data} {item.split}"
