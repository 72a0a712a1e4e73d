"""Loading shell tasks: a directory per task, or a JSONL file with a task a line."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.core.digest import digest_of, digest_of_bytes
from trace2skill.core.errors import BadInput
from trace2skill.domains.rows import OddRows, beside, only_jsonl, rows_as, text_in, validated
from trace2skill.domains.shell.evals import evals_in, rows_of_evals
from trace2skill.domains.shell.trees import TreeReference
from trace2skill.domains.shell.workspace import RESERVED, stays_inside
from trace2skill.types.task import Task, TestCase

TASKS = "tasks.jsonl"
PROMPTS = ("prompt.md", "instruction.md", "task.md", "prompt.txt", "instruction.txt", "task.txt")
CHECKS = ("check.sh", "check.py")


class Row(BaseModel):
    """A line of a JSONL file."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    check: str = Field(min_length=1, description="A shell command, or the path of a script beside the JSONL file.")
    files: dict[str, str | dict[str, str]] = Field(
        default_factory=dict,
        description='Path in the workspace -> its text, or {"path": a file beside}.',
    )
    kind: str = ""
    solution: str = Field(default="", description="A shell script that does the task.")
    skills: list[str] = Field(default_factory=list, description="Names of the skills it exercises; any, unless given.")
    group: str = Field(default="", description="Tasks of one group are never in two splits.")
    sessions: tuple[str, ...] = Field(default=(), description="Ids of the logs that the task was made of.")
    tree: TreeReference | None = Field(default=None, description="The tree of a repository that it begins in.")


def load_dataset(data: Path, domain: str) -> list[Task]:
    """Every task: of the directories in their order by name, or of the lines of the file in theirs.

    A skill's directory with `evals/evals.json`, or that file, is read as the tasks that it has.

    Raises:
        BadInput: a row or file is missing or malformed; names file and row.
    """
    if (evals := evals_in(data)) is not None:
        return [_of_row(evals, where, json.dumps(row), domain) for where, row in rows_of_evals(evals)]
    path = data if data.is_file() else only_jsonl(data, TASKS)
    if path is None:
        return _of_directories(data, domain)
    return rows_as(path, lambda where, line: _of_row(path, where, line, domain))


def _of_directories(data: Path, domain: str) -> list[Task]:
    root = data / "tasks" if (data / "tasks").is_dir() else data
    folders = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    found, odd = [], OddRows()
    for path in folders:
        if _first(path, PROMPTS):
            with odd.tolerated():
                found.append(_of_directory(path, domain))
    odd.settle(len(found))
    if not found:
        raise BadInput(
            f"{data} holds no shell task: it needs a JSONL file, or a directory per task with prompt.md, files/ and "
            "check.sh or check.py; see docs/shell.md"
        )
    return found


def _of_directory(folder: Path, domain: str) -> Task:
    prompt, inside = _first(folder, PROMPTS), folder / "check"
    check = _first(folder, CHECKS) or _first(inside, CHECKS)
    if prompt is None or check is None:
        raise BadInput(f"{folder} has no check: write check.sh or check.py (exit code 0 means passed)")
    files = {
        path.relative_to(folder / "files").as_posix(): path
        for path in sorted((folder / "files").rglob("*"))
        if path.is_file()
    }
    solution = folder / "solution.sh"
    kind, skills = folder / "kind", folder / "skills"
    return _task(
        folder.name,
        domain,
        text_in(prompt),
        kind=text_in(kind).strip() if kind.is_file() else "",
        files=files,
        inline={},
        check_name=check.name,
        check=text_in(check),
        check_folder=inside if inside.is_dir() else None,
        solution=text_in(solution) if solution.is_file() else "",
        where=str(folder),
    ).model_copy(update={"skills": tuple(text_in(skills).split()) if skills.is_file() else ()})


def _of_row(path: Path, where: str, line: str, domain: str) -> Task:
    row = validated(where, line, Row)
    inline = {name: value for name, value in row.files.items() if isinstance(value, str)}
    inline |= {name: value["text"] for name, value in row.files.items() if isinstance(value, dict) and "text" in value}
    files = {
        name: beside(path, value["path"], where)
        for name, value in row.files.items()
        if isinstance(value, dict) and "path" in value
    }
    if missing := sorted(row.files.keys() - inline.keys() - files.keys()):
        raise BadInput(f'{where}: files: {missing[0]} is neither a text nor {{"path": ...}}')
    script = path.parent / row.check if "\n" not in row.check and len(row.check) < 255 else None
    is_script = script is not None and stays_inside(row.check) and script.is_file()
    task = _task(
        row.id,
        domain,
        row.prompt,
        kind=row.kind,
        files=files,
        inline=inline,
        check_name=script.name if script is not None and is_script else "check.sh",
        check=text_in(script) if script is not None and is_script else row.check,
        check_folder=None,
        solution=row.solution,
        where=where,
        tree=row.tree,
        pack=beside(path, row.tree.pack, where) if row.tree else None,
    )
    made = {"skills": tuple(row.skills), "group": row.group, "sessions": row.sessions}
    return task.model_copy(update=made)


def _task(
    id: str,
    domain: str,
    prompt: str,
    *,
    kind: str,
    files: Mapping[str, Path],
    inline: Mapping[str, str],
    check_name: str,
    check: str,
    check_folder: Path | None,
    solution: str,
    where: str,
    tree: TreeReference | None = None,
    pack: Path | None = None,
) -> Task:
    for name in (*files, *inline):
        if not stays_inside(name) or Path(name).parts[0] in RESERVED:
            raise BadInput(f"{where}: the file {name} leads out of the workspace or has a name of our own: rename it")
    detail: dict[str, Any] = {
        "check": check,
        "check_name": check_name,
        "inline": json.dumps(dict(sorted(inline.items()))),
    }
    detail |= {"solution": solution} if solution else {}
    detail |= {"tree": tree.model_dump_json(exclude={"pack", "name"})} if tree else {}
    beside = sorted(path for path in check_folder.rglob("*") if path.is_file()) if check_folder else []
    contents = [(path.relative_to(check_folder).as_posix(), path.read_bytes()) for path in beside if check_folder]
    bytes_of = {name: (digest_of_bytes(path.read_bytes()), os.access(path, os.X_OK)) for name, path in files.items()}
    return Task(
        id=id,
        domain=domain,
        kind=kind,
        instruction=prompt,
        cases=tuple(TestCase(name=name, input=path.resolve()) for name, path in sorted(files.items())),
        detail=detail
        | ({"check_folder": str(check_folder.resolve())} if check_folder else {})
        | ({"pack": str(pack.resolve()), "repository": tree.name} if pack and tree else {}),
        content=digest_of(prompt, kind, detail, bytes_of, contents, *([tree.name] if tree and tree.name else [])),
    )


def _first(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)
