"""Dividing tasks into evolve, validation and test: disjoint by construction, and checked.

Lessons come from *evolve* alone, the decision looks at *validation* alone, *test* stays sealed. Tasks with the same
input bytes are never divided, and neither are tasks that name the same group. A task that has a place keeps it,
whatever tasks come or go: new ones only fill up the shares.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from trace2skill.core.digest import digest_of, digest_of_files
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.store.divisions import PlaceRow
from trace2skill.types.task import Task

PAPER_ROWS = 200
HELD_OUT = ("evolve", "validation", "test")
"""From what may be learned from to what is sealed."""
LEAST_UNITS, LEAST_OF_KINDS = 3, 4
"""Fewer tasks with inputs of their own leave a part empty: where all are of one kind, and where they are not."""
NOWHERE: Mapping[str, str] = {}


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
    places: Mapping[str, str] = NOWHERE,
) -> Splits:
    """Divide tasks.

    Args:
        tasks: in the order of their data set, which only 'paper' looks at.
        scheme: 'stratified' divides each kind of task by `shares`, seeded; 'paper' takes rows 0:200 to evolve on and
            the rest as test (arXiv 2603.25158, section 4), with a seeded quarter of the former held out as validation,
            which the paper does not have. The two halves of SpreadsheetBench-Verified differ in their kinds of task.
        seed: another seed is another division.
        shares: of evolve and validation; the rest is test.
        places: splits of tasks that have one, by id; these stay, and only the others are dealt out.

    Raises:
        BadInput: fewer than three tasks, or one input in two splits.
    """
    if scheme == "paper":
        evolve = _assign(tasks[:PAPER_ROWS], seed, (0.75, 0.25), places)
        names = {**evolve, **{task.id: places.get(task.id, "test") for task in tasks[PAPER_ROWS:]}}
    else:
        names = _assign(tasks, seed, shares, places)
    splits = Splits(**{name: tuple(t.id for t in tasks if names[t.id] == name) for name in Splits.model_fields})
    if not splits.evolve or not splits.validation:
        raise BadInput(_too_few(tasks))
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


def remembered(tasks: Sequence[Task], data: Path, rows: Sequence[PlaceRow]) -> dict[str, str]:
    """The splits in which tasks stand already, by id.

    A task is known by what it holds, under whatever id and in whatever folder; one that was edited by its id, where
    nothing else holds what stood there. Tasks of the same input have one split, the most held out that any of them had.
    """
    marks = {task.id: _inputs(task) for task in tasks}
    present = set(marks.values())
    of_mark = _strictest((row.mark, row.split) for row in rows)
    of_name = _strictest((row.name, row.split) for row in rows if row.mark not in present)
    edited = _strictest((mark, of_name[name]) for id, mark in marks.items() if (name := _name(data, id)) in of_name)
    found = {**edited, **of_mark}
    return {id: found[mark] for id, mark in marks.items() if mark in found}


def places_of(splits: Splits, tasks: Sequence[Task], data: Path) -> list[PlaceRow]:
    """What `remembered` needs to know of a division later."""
    where = {id: split for split in Splits.model_fields for id in getattr(splits, split)}
    return [PlaceRow(_inputs(task), _name(data, task.id), where[task.id]) for task in tasks]


def _strictest(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, split in pairs:
        found[key] = max(found.get(key, split), split, key=HELD_OUT.index)
    return found


def _name(data: Path, id: str) -> str:
    return f"{data.resolve()} {id}"


def _assign(tasks: Sequence[Task], seed: int, shares: tuple[float, float], places: Mapping[str, str]) -> dict[str, str]:
    """Split name per task id. Tasks with the same input are one unit; units without a place are dealt out per kind."""
    units: dict[str, list[Task]] = {}
    for task in tasks:
        units.setdefault(_inputs(task), []).append(task)
    by_kind: dict[str, list[list[Task]]] = {}
    for unit in units.values():
        by_kind.setdefault(min(task.kind for task in unit), []).append(unit)
    names: dict[str, str] = {}
    carried = [0.0, 0.0]
    for kind in sorted(by_kind):
        placed = {unit[0].id: places[unit[0].id] for unit in by_kind[kind] if unit[0].id in places}
        new = [unit for unit in by_kind[kind] if unit[0].id not in placed]
        ranked = sorted(new, key=lambda unit: digest_of("split", seed, sorted(task.id for task in unit)))
        known = [list(placed.values()).count(name) for name in ("evolve", "validation")]
        # What rounding takes from one kind the next one gives back, so that the whole keeps its shares.
        wanted = [len(by_kind[kind]) * share + rest for share, rest in zip(shares, carried, strict=True)]
        first = min(max(0, round(wanted[0]) - known[0]), len(ranked))
        second = min(max(0, round(wanted[1]) - known[1]), len(ranked) - first)
        carried = [wanted[0] - known[0] - first, wanted[1] - known[1] - second]
        dealt = ["evolve"] * first + ["validation"] * second + ["test"] * (len(ranked) - first - second)
        for unit, name in zip(ranked, dealt, strict=True):
            names.update({task.id: name for task in unit})
        for unit in by_kind[kind]:
            if unit[0].id in placed:
                names.update({task.id: placed[unit[0].id] for task in unit})
    return names


def _too_few(tasks: Sequence[Task]) -> str:
    """What is said of tasks of which one part would be empty."""
    units = len({_inputs(task) for task in tasks})
    said = f"{len(tasks)} task{'s' * (len(tasks) != 1)}"
    said += f" of {units} different input{'s' * (units != 1)}" if units != len(tasks) else ""
    return (
        f"{said}: too few to divide into tasks to learn from and tasks to hold out, which takes {LEAST_UNITS} with "
        f"different inputs at least, and {LEAST_OF_KINDS} where they are of several kinds: add tasks to the data, or "
        "take more of them where --tasks gave a number"
    )


def _inputs(task: Task) -> str:
    if task.group:
        return f"group {task.group}"
    files = [case.input for case in task.cases if case.input is not None]
    return f"inputs {digest_of_files(files)}" if files else f"task {task.content}"
