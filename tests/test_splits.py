"""Divisions are disjoint, keep the kinds in proportion, and depend on the set of tasks alone."""

import random
from collections import Counter
from pathlib import Path

import pytest
from conftest import OFFICE, shared

from trace2skill.core.errors import BadInput
from trace2skill.domains.splits import Splits, check_disjoint, sample_tasks, split_tasks
from trace2skill.domains.spreadsheet import Spreadsheet
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
