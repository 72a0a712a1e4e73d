"""Loading a directory in DocVQA layout (https://www.docvqa.org/datasets/docvqa, https://rrc.cvc.uab.es/?ch=17).

A JSON file, such as `val_v1.0_withQT.json`, with a list `data` of rows: `questionId`, `question`, `image` (a path from
the file's own directory, such as `documents/xnbl0037_1.png`), `answers` (all that are accepted), and `question_types`
in the newer files. The official test split has no answers, and so cannot be scored here.
"""

import json
from pathlib import Path
from typing import Any

from trace2skill.core.digest import digest_of, digest_of_bytes
from trace2skill.core.errors import BadInput
from trace2skill.domains.document_qa.pages import look_over
from trace2skill.domains.rows import OddRows, skills_of
from trace2skill.types.task import Task, TestCase

NEEDED = ("questionId", "question", "image", "answers")


def load_questions(data: Path, file: str, domain: str) -> list[Task]:
    """Every question of the file, in its order.

    Raises:
        BadInput: a row or an image is missing or malformed; names file and row.
    """
    path = _questions_file(data, file)
    tasks: dict[str, Task] = {}
    digests: dict[Path, str] = {}
    odd = OddRows()
    for number, row in enumerate(_rows(path), start=1):
        task = None
        with odd.tolerated():
            task = _task(path, number, row, domain, digests)
        if task is None:
            continue
        if task.id in tasks:
            raise BadInput(f"{path}: row {number}: the questionId {task.id} was there before")
        tasks[task.id] = task
    odd.settle(len(tasks))
    if not tasks:
        raise BadInput(f"{path} holds no question")
    return list(tasks.values())


def answers_of(task: Task) -> tuple[str, ...]:
    """The accepted answers."""
    return tuple(json.loads(task.detail["answers"]))


def _questions_file(data: Path, file: str) -> Path:
    found = [data / file] if file else sorted(data.glob("*.json"))
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise BadInput(f"{data} holds several files: choose one with --domain-option file=NAME: {names}")
    if not found or not found[0].is_file():
        what = f"file {file}" if file else "JSON file of questions"
        raise BadInput(f"{data} has no {what}: name a directory in DocVQA layout with --data")
    return found[0]


def _rows(path: Path) -> list[Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    rows = content.get("data") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise BadInput(f"{path} is not in DocVQA layout: it has no list 'data'")
    return rows


def _task(path: Path, number: int, row: Any, domain: str, digests: dict[Path, str]) -> Task:
    where = f"{path}: row {number}"
    missing = [name for name in NEEDED if name not in row] if isinstance(row, dict) else list(NEEDED)
    if missing == ["answers"]:
        raise BadInput(f"{where} has no answers, like the official test split: use the train or the val file")
    if missing:
        raise BadInput(f"{where} has no {', '.join(missing)}")
    question, answers, id = row["question"], row["answers"], str(row["questionId"]).strip()
    if not id or not isinstance(question, str) or not question.strip():
        raise BadInput(f"{where} has no questionId or no question")
    texts = isinstance(answers, list) and all(isinstance(answer, str) and answer.strip() for answer in answers)
    if not answers or not texts:
        raise BadInput(f"{where} (question {id}): 'answers' is not a list of texts")
    image = _image(path, row["image"], f"{where} (question {id})", digests)
    types = row.get("question_types")
    return Task(
        id=id,
        domain=domain,
        kind=str(types[0]) if isinstance(types, list) and types else "",
        instruction=question.strip(),
        cases=(TestCase(name="page", input=image),),
        detail={"answers": json.dumps(answers, ensure_ascii=False)},
        skills=skills_of(row, where),
        content=digest_of(question, answers, digests[image]),
    )


def _image(path: Path, named: Any, where: str, digests: dict[Path, str]) -> Path:
    """The image of a row, looked over and digested once, however many questions are asked about it."""
    if not isinstance(named, str) or not named:
        raise BadInput(f"{where} names no image")
    image = (path.parent / named).resolve()
    if not image.is_relative_to(path.parent.resolve()):
        raise BadInput(f"{where}: the image {named} lies outside {path.parent}")
    if image not in digests:
        look_over(image, where)
        digests[image] = digest_of_bytes(image.read_bytes())
    return image
