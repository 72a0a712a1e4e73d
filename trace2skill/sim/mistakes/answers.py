"""The planted mistakes of answers, by kind of task: what each does to a right answer, and what prevents it."""

from trace2skill.sim.cause import Cause, Habit
from trace2skill.sim.mistakes.anything import ANYTHING, HABITS
from trace2skill.sim.mistakes.documents import DOCUMENTS
from trace2skill.sim.mistakes.mistake import Mistake
from trace2skill.sim.mistakes.numbers import NUMBERS
from trace2skill.sim.mistakes.tables import TABLES

OF_KIND: dict[str, tuple[Mistake, ...]] = {"document_qa": DOCUMENTS, "math": NUMBERS, "table_qa": TABLES}
"""Mistakes of one kind of task; a kind that is not here shows those of `ANYTHING`."""

ANSWER_CAUSES: tuple[Cause, ...] = tuple(
    mistake.cause for mistakes in (ANYTHING, *OF_KIND.values()) for mistake in mistakes
)
ANSWER_HABITS: tuple[Habit, ...] = HABITS


def mistakes_of(kind: str) -> tuple[Mistake, ...]:
    """The mistakes that can be made on a kind of task, in the order in which they are made."""
    return OF_KIND.get(kind, ANYTHING)


def names_of(kind: str) -> tuple[str, ...]:
    """Their names."""
    return tuple(mistake.cause.name for mistake in mistakes_of(kind))
