"""Loading a directory in SpreadsheetBench layout, with the irregularities of its published sets.

`dataset.json` (a list) or `dataset.jsonl`, and a folder per task with one workbook pair per test case:
`N_ID_init.xlsx` and `N_ID_golden.xlsx` (Verified), `N_ID_input.xlsx` and `N_ID_answer.xlsx` (the 912 tasks),
`initial.xlsx` and `golden.xlsx` (five tasks of Verified).
"""

import json
import re
from pathlib import Path
from typing import Any

from trace2skill.core.digest import digest_of, digest_of_files
from trace2skill.core.errors import BadInput
from trace2skill.domains.rows import OddRows, skills_of
from trace2skill.types.task import Task, TestCase

INPUT = re.compile(r"(?:(?P<case>\d+)_.*_(?:init|input)|initial|init|input) *\.xlsx")
GOLD = re.compile(r"(?:(?P<case>\d+)_.*_(?:golden|answer)|golden|answer) *\.xlsx")
NEEDED = ("id", "instruction", "answer_position")
DETAIL = ("answer_position", "answer_sheet", "data_position", "instruction_type")


def load_dataset(data: Path, domain: str) -> list[Task]:
    """Every task of the directory, in the order of its data set.

    Raises:
        BadInput: a row or file is missing or malformed; names file and row.
    """
    path, rows = _rows(data)
    tasks: list[Task] = []
    seen: dict[str, int] = {}
    odd = OddRows()
    for number, row in enumerate(rows, start=1):
        task = None
        with odd.tolerated():
            task = _task(data, path, number, row, domain)
        if task is None:
            continue
        if task.id in seen:
            raise BadInput(f"{path}: rows {seen[task.id]} and {number} have the same id '{task.id}'")
        seen[task.id] = number
        tasks.append(task)
    odd.settle(len(tasks))
    if not tasks:
        raise BadInput(f"{path} holds no task")
    return tasks


def _rows(data: Path) -> tuple[Path, list[Any]]:
    for name in ("dataset.json", "dataset.jsonl"):
        path = data / name
        if not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
            if name.endswith("l"):
                return path, [
                    _line(path, number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()
                ]
            rows = json.loads(text)
        except json.JSONDecodeError as error:
            raise BadInput(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{path} cannot be read: {error}") from error
        if not isinstance(rows, list):
            raise BadInput(f"{path} is not a JSON list of tasks")
        return path, rows
    raise BadInput(f"{data} has no dataset.json: name a directory in SpreadsheetBench layout with --data")


def _line(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}:{number}: not JSON: {error.msg}") from error


def _task(data: Path, path: Path, number: int, row: Any, domain: str) -> Task:
    if not isinstance(row, dict):
        raise BadInput(f"{path}: row {number} is not an object")
    missing = [name for name in NEEDED if row.get(name) in (None, "")]
    if missing:
        raise BadInput(f"{path}: row {number} lacks {', '.join(missing)}")
    task_id = str(row["id"])
    folder = data / str(row.get("spreadsheet_path") or f"spreadsheet/{task_id}")
    if not folder.resolve().is_relative_to(data.resolve()):
        raise BadInput(f"{path}: row {number} ({task_id}): its spreadsheet_path leads out of {data}")
    cases = _cases(folder, f"{path}: row {number} ({task_id})")
    detail = {name: str(row[name]) for name in DETAIL if row.get(name) not in (None, "")}
    files = [file for case in cases for file in (case.input, case.gold) if file]
    return Task(
        id=task_id,
        domain=domain,
        kind=str(row.get("instruction_type") or ""),
        instruction=str(row["instruction"]),
        cases=cases,
        detail=detail,
        skills=skills_of(row, f"{path}: row {number} ({task_id})"),
        content=digest_of(str(row["instruction"]), detail, digest_of_files(files)),
    )


def _cases(folder: Path, where: str) -> tuple[TestCase, ...]:
    if not folder.is_dir():
        raise BadInput(f"{where}: there is no folder {folder}")
    inputs, golds = _by_case(folder, INPUT), _by_case(folder, GOLD)
    if not inputs or inputs.keys() != golds.keys():
        have = ", ".join(sorted(item.name for item in folder.iterdir())) or "nothing"
        raise BadInput(f"{where}: {folder} needs an input and a gold workbook for each test case and holds {have}")
    ordered = sorted(inputs, key=int)
    return tuple(TestCase(name=name, input=inputs[name], gold=golds[name]) for name in ordered)


def _by_case(folder: Path, pattern: re.Pattern[str]) -> dict[str, Path]:
    found = ((pattern.fullmatch(path.name), path) for path in sorted(folder.iterdir()))
    return {match["case"] or "1": path.resolve() for match, path in found if match}
