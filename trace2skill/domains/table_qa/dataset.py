r"""Loading WikiTableQuestions in its official layout: questions as tab-separated lines, a csv file per table.

In the questions `\n`, `\p` and `\\` stand for a line break, a bar and a backslash, and several answers are joined with
a bar. In the tables every field is quoted, and `\"` and `\\` stand for a quote and a backslash.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from trace2skill.core.digest import digest_of, digest_of_files
from trace2skill.core.errors import BadInput
from trace2skill.domains.rows import OddRows
from trace2skill.types.task import Task, TestCase

NEEDED = ("id", "utterance", "context", "targetValue", "targetCanon")
USUAL = "questions.tsv"
TAGGED = "tagged/data"
ESCAPE = re.compile(r"\\([np\\])")
MEANT = {"n": "\n", "p": "|", "\\": "\\"}

Rows = tuple[tuple[str, ...], ...]


def load_questions(data: Path, questions: str, domain: str) -> list[Task]:
    """Every question of a file, in its order.

    Args:
        data: a directory with `csv/` and files of questions.
        questions: the file of questions, from there; '' takes `questions.tsv`, or the only one in `tagged/data/`.
        domain: its name, for the tasks.

    Raises:
        BadInput: a row or table is missing or malformed; names file and line.
    """
    path = _questions_file(data, questions)
    tasks: dict[str, Task] = {}
    digests: dict[Path, str] = {}
    lines = _read(path).split("\n")
    columns = lines[0].rstrip("\r").split("\t")
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise BadInput(
            f"{path}:1: there is no column {', '.join(missing)}; canonical values stand in {TAGGED}/*.tagged of the "
            "official release: name one with --domain-option questions=FILE"
        )
    odd = OddRows()
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        task = None
        with odd.tolerated():
            fields = line.rstrip("\r").split("\t")
            if len(fields) != len(columns):
                raise BadInput(f"{path}:{number}: {len(fields)} fields instead of {len(columns)}")
            task = _task(data, dict(zip(columns, fields, strict=True)), f"{path}:{number}", domain, digests)
        if task is None:
            continue
        if task.id in tasks:
            raise BadInput(f"{path}:{number}: the id '{task.id}' stands there twice")
        tasks[task.id] = task
    odd.settle(len(tasks))
    if not tasks:
        raise BadInput(f"{path} holds no question")
    return list(tasks.values())


def unescaped(text: str) -> str:
    """A field of a tab-separated file, as it was."""
    return ESCAPE.sub(lambda found: MEANT[found[1]], text)


def values_in(text: str) -> list[str]:
    """The values of a field that holds several."""
    return [unescaped(item.strip()) for item in text.split("|")]


@lru_cache(maxsize=512)
def read_table(path: Path) -> Rows:
    """The rows of a table, header first, all of the same length.

    Raises:
        BadInput: it cannot be read, or has no header.
    """
    reader = csv.reader(io.StringIO(_read(path), newline=""), doublequote=False, escapechar="\\", strict=True)
    try:
        rows = [row for row in reader if row]
    except csv.Error as error:
        raise BadInput(f"{path}:{reader.line_num}: not a table of this data set: {error}") from error
    if not rows:
        raise BadInput(f"{path} has no header")
    width = max(map(len, rows))
    return tuple((*row, *[""] * (width - len(row))) for row in rows)


def write_table(path: Path, rows: Iterable[Iterable[str]]) -> None:
    """Write a table as `read_table` reads it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)


def _questions_file(data: Path, questions: str) -> Path:
    if not data.is_dir():
        raise BadInput(f"there is no directory {data}: name one in the layout of WikiTableQuestions with --data")
    if questions:
        if not (data / questions).is_file():
            raise BadInput(f"{data} has no file {questions}, named by the option 'questions'")
        return data / questions
    if (data / USUAL).is_file():
        return data / USUAL
    found = sorted((data / TAGGED).glob("*.tagged"))
    if len(found) == 1:
        return found[0]
    if not found:
        raise BadInput(f"{data} has neither {USUAL} nor {TAGGED}/*.tagged: is it in the layout of WikiTableQuestions?")
    names = ", ".join(path.relative_to(data).as_posix() for path in found)
    raise BadInput(f"{data} has several files of questions: choose with --domain-option questions=FILE, of {names}")


def _task(data: Path, row: Mapping[str, str], where: str, domain: str, digests: dict[Path, str]) -> Task:
    empty = [name for name in NEEDED if not row[name].strip()]
    if empty:
        raise BadInput(f"{where}: {', '.join(empty)} is empty")
    table = (data / row["context"]).resolve()
    if not table.is_relative_to(data.resolve()):
        raise BadInput(f"{where}: its context leads out of {data}")
    if not table.is_file():
        raise BadInput(f"{where}: there is no table {data / row['context']}")
    detail = {"gold": row["targetValue"], "canon": row["targetCanon"]}
    if detail["gold"].count("|") != detail["canon"].count("|"):
        raise BadInput(f"{where}: targetValue and targetCanon hold different numbers of values")
    if table not in digests:
        read_table(table)
        digests[table] = digest_of_files([table])
    question = unescaped(row["utterance"]).strip()
    return Task(
        id=row["id"],
        domain=domain,
        instruction=question,
        cases=(TestCase(name="1", input=table),),
        detail=detail,
        content=digest_of("table question", question, detail, digests[table]),
    )


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
