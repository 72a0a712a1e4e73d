"""Dividing tasks into evolve, validation and test: disjoint by construction, and checked.

Lessons come from *evolve* alone, the decision looks at *validation* alone, *test* stays sealed. Tasks with the same
input bytes are never divided.
"""

from collections.abc import Sequence
from typing import Literal

from trace2skill.core.digest import digest_of, digest_of_files
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.types.task import Task

PAPER_ROWS = 200


class Splits(Record):
    """Task ids per split, in the order of the data set."""

    evolve: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def named(self, name: str) -> tuple[str, ...]:
        """The ids of the split called evolve or validation. 'test' stays sealed.

        Raises:
            BadInput: another name.
        """
        if name not in ("evolve", "validation"):
            raise BadInput(f"the split '{name}' cannot be used here: evolve or validation")
        return self.evolve if name == "evolve" else self.validation


def split_tasks(
    tasks: Sequence[Task],
    scheme: Literal["stratified", "paper"] = "stratified",
    seed: int = 42,
    shares: tuple[float, float] = (0.5, 0.25),
) -> Splits:
    """Divide tasks.

    Args:
        tasks: in the order of their data set, which only 'paper' looks at.
        scheme: 'stratified' divides each kind of task by `shares`, seeded; 'paper' takes rows 0:200 to evolve on and
            the rest as test (arXiv 2603.25158, section 4), with a seeded quarter of the former held out as validation,
            which the paper does not have. The two halves of SpreadsheetBench-Verified differ in their kinds of task.
        seed: another seed is another division.
        shares: of evolve and validation; the rest is test.

    Raises:
        BadInput: fewer than three tasks, or one input in two splits.
    """
    if scheme == "paper":
        evolve = _assign(tasks[:PAPER_ROWS], seed, (0.75, 0.25))
        names = {**evolve, **{task.id: "test" for task in tasks[PAPER_ROWS:]}}
    else:
        names = _assign(tasks, seed, shares)
    splits = Splits(**{name: tuple(t.id for t in tasks if names[t.id] == name) for name in Splits.model_fields})
    if not splits.evolve or not splits.validation:
        raise BadInput(f"{len(tasks)} tasks are too few to divide: use more (--tasks)")
    check_disjoint(splits, tasks)
    return splits


def sample_tasks(tasks: Sequence[Task], count: int, seed: int) -> list[Task]:
    """A seeded sample with each kind in proportion, in the order of the data set; all where there are no more."""
    if count >= len(tasks):
        return list(tasks)
    ranked = sorted(tasks, key=lambda task: digest_of("sample", seed, task.id))
    by_kind: dict[str, list[str]] = {}
    for task in ranked:
        by_kind.setdefault(task.kind, []).append(task.id)
    # A task's place in its kind, as a share of the kind: taking the smallest shares takes each kind in proportion.
    place = {id: (index + 0.5) / len(ids) for ids in by_kind.values() for index, id in enumerate(ids)}
    chosen = {task.id for task in sorted(ranked, key=lambda task: place[task.id])[:count]}
    return [task for task in tasks if task.id in chosen]


def check_disjoint(splits: Splits, tasks: Sequence[Task]) -> None:
    """Make sure that no task and no input stands in two splits.

    Raises:
        BadInput: one does; names it.
    """
    by_id = {task.id: task for task in tasks}
    where: dict[str, tuple[str, str]] = {}
    for split in Splits.model_fields:
        for id in getattr(splits, split):
            for mark in (f"id {id}", _inputs(by_id[id])):
                other = where.setdefault(mark, (split, id))
                if other[0] != split:
                    raise BadInput(
                        f"task '{id}' in {split} is the same as, or has the input of, '{other[1]}' in {other[0]}"
                    )


def _assign(tasks: Sequence[Task], seed: int, shares: tuple[float, float]) -> dict[str, str]:
    """Split name per task id. Tasks with the same input are one unit; units are dealt out per kind."""
    units: dict[str, list[Task]] = {}
    for task in tasks:
        units.setdefault(_inputs(task), []).append(task)
    by_kind: dict[str, list[list[Task]]] = {}
    for unit in units.values():
        by_kind.setdefault(min(task.kind for task in unit), []).append(unit)
    names: dict[str, str] = {}
    carried = [0.0, 0.0]
    for kind in sorted(by_kind):
        ranked = sorted(by_kind[kind], key=lambda unit: digest_of("split", seed, sorted(task.id for task in unit)))
        # What rounding takes from one kind the next one gives back, so that the whole keeps its shares.
        wanted = [len(ranked) * share + rest for share, rest in zip(shares, carried, strict=True)]
        first = min(round(wanted[0]), len(ranked))
        second = min(round(wanted[1]), len(ranked) - first)
        carried = [wanted[0] - first, wanted[1] - second]
        for place, unit in enumerate(ranked):
            name = "evolve" if place < first else "validation" if place < first + second else "test"
            names.update({task.id: name for task in unit})
    return names


def _inputs(task: Task) -> str:
    files = [case.input for case in task.cases if case.input is not None]
    return f"inputs {digest_of_files(files)}" if files else f"task {task.content}"
