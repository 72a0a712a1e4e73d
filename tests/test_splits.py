"""Divisions are disjoint, keep the kinds in proportion, and depend on the set of tasks alone."""

import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import OFFICE, shared
from questions_of_tests import write_math
from run_settings import run_settings

from trace2skill.core.errors import BadInput
from trace2skill.domains.splits import Splits, check_disjoint, places_of, remembered, sample_tasks, split_tasks
from trace2skill.domains.spreadsheet import Spreadsheet
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs import refresh
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.store import Store, open_store
from trace2skill.store.divisions import Divisions
from trace2skill.types.task import Task, TestCase

TASKS = Spreadsheet("never").load(OFFICE)


def test_stratified_is_disjoint_complete_and_in_proportion() -> None:
    splits = split_tasks(TASKS)
    ids = [*splits.evolve, *splits.validation, *splits.test]
    assert sorted(ids) == sorted(task.id for task in TASKS)
    assert (len(splits.evolve), len(splits.validation), len(splits.test)) == (32, 16, 16)
    kinds = {task.id: task.kind for task in TASKS}
    whole = Counter(kinds.values())
    for split, share in (("evolve", 0.5), ("validation", 0.25)):
        counts = Counter(kinds[id] for id in getattr(splits, split))
        assert all(abs(counts[kind] - share * whole[kind]) <= 1 for kind in whole)


def test_the_order_of_the_tasks_does_not_matter_and_the_seed_does() -> None:
    shuffled = random.Random(3).sample(TASKS, len(TASKS))
    one, other = split_tasks(TASKS), split_tasks(shuffled)
    assert set(one.evolve) == set(other.evolve)
    assert set(one.validation) == set(other.validation)
    assert set(split_tasks(TASKS, seed=1).evolve) != set(one.evolve)


def test_tasks_with_one_input_stay_together(tmp_path: Path) -> None:
    tasks = []
    for number in range(30):
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(str(number // 3).encode())
        tasks.append(
            Task(
                id=str(number),
                domain="d",
                instruction="i",
                cases=(TestCase(name="1", input=path),),
                content=str(number),
            )
        )
    splits = split_tasks(tasks)
    for split in (splits.evolve, splits.validation, splits.test):
        assert all(sum(int(id) // 3 == group for id in split) in (0, 3) for group in range(10))
    broken = Splits(evolve=("0",), validation=("1",), test=())
    with pytest.raises(BadInput, match="'1' in validation .* '0' in evolve"):
        check_disjoint(broken, tasks)
    with pytest.raises(BadInput, match="'0' in test"):
        check_disjoint(Splits(evolve=("0",), validation=(), test=("0",)), tasks)


class Night:
    """A run that opens on these tasks, over one store: as it does, it reads and keeps the division."""

    def __init__(self, store: Store, data: Path) -> None:
        self.store, self.data = store, data

    def __call__(self, tasks: list[Task], data: Path | None = None) -> dict[str, str]:
        divisions, data = Divisions(self.store), data or self.data
        splits = split_tasks(tasks, places=remembered(tasks, data, divisions.places("plan")))
        assert divisions.keep("plan", places_of(splits, tasks, data))
        return {id: name for name in Splits.model_fields for id in getattr(splits, name)}


@pytest.fixture
def night(address: Path | str, tmp_path: Path) -> Iterator[Night]:
    """Over either kind of store."""
    opened = open_store(address)
    yield Night(opened, tmp_path / "data")
    opened.close()


def numbered(*numbers: int, kind: str = "", said: str = "") -> list[Task]:
    return [
        Task(id=f"t{n}", domain="d", instruction="i", kind=kind or f"kind {n % 3}", content=f"content {n}{said}")
        for n in numbers
    ]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_tasks_come_and_go_none_that_has_a_place_moves(night: Night, seed: int) -> None:
    choice, where = random.Random(seed), {}
    present: set[int] = set(range(64))
    for new in range(64, 124, 6):
        now = night(choice.sample(numbered(*sorted(present)), len(present)))
        assert {id: where[id] for id in now if id in where} == {id: now[id] for id in now if id in where}
        where |= now
        present = {*choice.sample(sorted(present), len(present) - 2), *range(new, new + 6)}
    counts = Counter(where.values())
    assert abs(counts["evolve"] / len(where) - 0.5) < 0.05, "new ones fill up the shares"
    assert abs(counts["validation"] / len(where) - 0.25) < 0.05


def test_a_sealed_task_stays_sealed_in_a_sample_under_another_name_and_after_an_edit(night: Night) -> None:
    tasks = numbered(*range(64))
    where = night(tasks)
    sample = night(sample_tasks(tasks, 20, 1))
    assert sample == {id: where[id] for id in sample}
    moved = [task.model_copy(update={"id": f"new {task.id}"}) for task in tasks]
    assert night(moved, night.data.parent / "moved") == {f"new {id}": split for id, split in where.items()}
    assert night(numbered(*range(64), said=", said better")) == where
    # An inserted row that shifts every id: what a task holds says who it is.
    shifted = [task.model_copy(update={"id": f"t{n + 1}"}) for n, task in enumerate(numbered(*range(64)))]
    after = night([*numbered(100), *shifted][:65])
    assert {f"t{n}": after[f"t{n + 1}"] for n in range(64)} == where


def test_the_first_of_two_processes_decides(store: Store, tmp_path: Path) -> None:
    tasks = numbered(*range(8))
    one, other = (split_tasks(tasks, seed=seed) for seed in (1, 2))
    divisions = Divisions(store)
    assert divisions.keep("plan", places_of(one, tasks, tmp_path))
    before = divisions.places("plan")
    assert not divisions.keep("plan", places_of(other, tasks, tmp_path))
    assert divisions.places("plan") == before
    assert divisions.keep("another plan", places_of(other, tasks, tmp_path))


def test_runs_keep_their_division_when_tasks_are_added(tmp_path: Path) -> None:
    """Through a run's own door: what was sealed before the tasks were added is sealed after, and nobody learns of it."""

    def opened(count: int) -> Splits:
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        write_math(tmp_path / "data", count)
        rt = runtime(
            run_settings(
                domain="math",
                data=tmp_path / "data",
                roles=Roles.all_played_by(ModelSettings(name="sim/office")),
                store=tmp_path / "s.duckdb",
                output=tmp_path / "runs",
                sandbox="process",
            )
        )
        try:
            refresh.start(rt)
            return rt.splits
        finally:
            forget_runtimes()

    before, after = opened(24), opened(31)
    for name in Splits.model_fields:
        assert set(getattr(before, name)) <= set(getattr(after, name)), name
    assert opened(24) == before


def test_samples_keep_kinds_and_order() -> None:
    chosen = sample_tasks(TASKS, 16, 1)
    assert [task.id for task in chosen] == sorted(task.id for task in chosen)
    assert abs(Counter(task.kind for task in chosen)["Sheet-Level Manipulation"] - 6) <= 1
    assert sample_tasks(TASKS, 999, 1) == TASKS
    assert sample_tasks(TASKS, 16, 1) == chosen
    assert sample_tasks(TASKS, 16, 2) != chosen


def test_too_few_tasks_are_refused_and_test_stays_sealed() -> None:
    with pytest.raises(BadInput, match="too few"):
        split_tasks(TASKS[:1])
    with pytest.raises(BadInput, match="cannot be used here"):
        split_tasks(TASKS).named("test")


def test_the_papers_division_by_name() -> None:
    tasks = Spreadsheet("never").load(shared("spreadsheetbench_verified"))
    splits = split_tasks(tasks, "paper")
    ids = [task.id for task in tasks]
    assert list(splits.test) == ids[200:]
    assert {*splits.evolve, *splits.validation} == set(ids[:200])
    assert len(splits.validation) == 50


def test_tasks_that_are_too_few_say_how_many_it_takes() -> None:
    few = [Task(id=f"t{n}", domain="d", instruction="i", content=f"content {n}") for n in range(3)]
    assert split_tasks(few).validation
    for count in (1, 2):
        with pytest.raises(
            BadInput, match=rf"^{count} tasks?: too few .* takes 3 with different inputs at least, .* add"
        ):
            split_tasks(few[:count])
    with pytest.raises(BadInput, match="2 tasks of 1 different input: too few"):
        split_tasks([task.model_copy(update={"group": "one"}) for task in few[:2]])
