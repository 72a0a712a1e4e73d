r"""Reading problems from JSON lines, whatever the data set calls its fields.

| data set | fields | the answer |
|---|---|---|
| GSM8K | `question`, `answer` | behind `####` in `answer` |
| MATH, MATH-500, AIME | `problem` or `question`, and `answer`, else `solution` | `answer`, else the last `\boxed{}` |
| DAPO-Math | `prompt` (text or messages), `reward_model.ground_truth` | `ground_truth` |

Upper and lower case of field names do not matter: the sets differ in it.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.domains.math.forms import Form, last_box, number_after_hashes
from trace2skill.domains.rows import OddRows, skills_of
from trace2skill.types.task import Task

log = logging.getLogger(__name__)
WANTED = "problem (or question) and answer, or prompt and reward_model.ground_truth"
DAPO_WRAPPING = re.compile(
    r"\ASolve the following math problem step by step\. The last line of your response should be of the form Answer: "
    r"\$Answer.*?answer to the problem\.\s*"
    r"|(?<!\s)\s*+Remember to put your answer on its own line after \"Answer:\"\.?\s*\Z",
    re.DOTALL,
)


class MathProblem(Record):
    """One row, understood."""

    problem: str
    gold: str
    form: Form
    id: str = ""
    kind: str = ""


def load_problems(data: Path, file: str, domain: str) -> list[Task]:
    """Every problem of a file, or of the files of a directory that hold problems, in order.

    Args:
        data: a `.jsonl` file, or a directory of them.
        file: the one file of the directory to read; '' reads all that hold problems and says which it leaves out.
        domain: its name, for the tasks.

    Raises:
        BadInput: there is no problem, a row is malformed, or two problems have one id; names file and line.
    """
    tasks: dict[str, tuple[Task, str]] = {}
    odd = OddRows()
    for path in _files(data, file):
        for number, row in _rows(path):
            where, task = f"{path}:{number}", None
            with odd.tolerated():
                task = _of_row(row, where, f"{path.stem}-{number}", path.stem, domain)
            if task is None:
                continue
            known = tasks.setdefault(task.id, (task, where))
            # DAPO-Math was published with every row a hundred times: the same problem again is no other problem.
            if known[0].content != task.content:
                raise BadInput(f"{where}: another problem has the id '{task.id}', at {known[1]}")
    odd.settle(len(tasks))
    if not tasks:
        raise BadInput(f"{data} holds no problem")
    return [task for task, _ in tasks.values()]


def _of_row(row: Mapping[str, Any], where: str, place: str, stem: str, domain: str) -> Task:
    found = read_row(row)
    if found is None:
        raise BadInput(f"{where}: the row has {', '.join(sorted(row)) or 'no fields'}; it needs {WANTED}")
    if not found.problem:
        raise BadInput(f"{where}: the problem is empty")
    if not found.gold or "\n" in found.gold:
        wanted = r"a value in one line, or a text that ends in `#### n` or holds \boxed{...}"
        raise BadInput(f"{where}: its answer is none that can be compared: {wanted}")
    return _task(found, place, stem, domain).model_copy(update={"skills": skills_of(row, where)})


def read_row(row: Mapping[str, Any]) -> MathProblem | None:
    """The problem of a row, None where its fields are those of no known data set."""
    given = {str(name).lower(): value for name, value in row.items()}
    return _dapo(given) or _gsm8k(given) or _plain(given)


def _dapo(row: Mapping[str, Any]) -> MathProblem | None:
    model, prompt = row.get("reward_model"), row.get("prompt")
    if not isinstance(model, dict) or "ground_truth" not in model or not isinstance(prompt, (str, list)):
        return None
    said = [part for part in prompt if isinstance(part, dict) and part.get("role") == "user"]
    text = prompt if isinstance(prompt, str) else str(said[-1].get("content", "")) if said else ""
    extra = row.get("extra_info")
    return MathProblem(
        problem=DAPO_WRAPPING.sub("", text).strip(),
        gold=_text(model["ground_truth"]),
        form="dapo",
        id=_text(extra.get("index")) if isinstance(extra, dict) else "",
    )


def _gsm8k(row: Mapping[str, Any]) -> MathProblem | None:
    question, answer = row.get("question"), row.get("answer")
    if not isinstance(question, str) or not isinstance(answer, str) or "####" not in answer:
        return None
    return MathProblem(
        problem=question.strip(), gold=number_after_hashes(answer), form="gsm8k", id=_text(row.get("id"))
    )


def _plain(row: Mapping[str, Any]) -> MathProblem | None:
    problem, answer, solution = row.get("problem", row.get("question")), row.get("answer"), row.get("solution")
    if not isinstance(problem, str) or (answer is None and solution is None):
        return None
    gold = _text(answer) if answer is not None else last_box(_text(solution))
    return MathProblem(
        problem=problem.strip(),
        gold=last_box(gold) or gold,
        form="boxed",
        id=_text(row.get("unique_id", row.get("id"))),
        kind=_text(row.get("subject", row.get("type"))),
    )


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _task(found: MathProblem, place: str, stem: str, domain: str) -> Task:
    # A bare number is an id within its file only.
    id = f"{stem}-{found.id}" if found.id.isdigit() else found.id
    detail = {"gold": found.gold, "form": found.form}
    return Task(
        id=id or place,
        domain=domain,
        kind=found.kind,
        instruction=found.problem,
        detail=detail,
        content=digest_of("math", found.problem, detail),
    )


def _files(data: Path, file: str) -> list[Path]:
    if data.is_file():
        return [data]
    if file:
        if not (data / file).is_file():
            raise BadInput(f"{data} has no file {file}, named by the option 'file'")
        return [data / file]
    paths = sorted(data.glob("*.jsonl"))
    if not paths:
        raise BadInput(f"{data} has no .jsonl file: name a file or directory of problems, one JSON object a line")
    fields = {path: next((row for _, row in _rows(path)), {}) for path in paths}
    taken = [path for path in paths if read_row(fields[path]) is not None]
    if not taken:
        seen = "; ".join(f"{path.name} has {', '.join(sorted(fields[path])) or 'no row'}" for path in paths)
        raise BadInput(f"no file of {data} holds problems: {seen}; a row needs {WANTED}")
    for path in paths:
        if path not in taken:
            log.warning("%s holds no problems and is left out: its rows have %s", path, ", ".join(sorted(fields[path])))
    return taken


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, row) of a file."""
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, _object(path, number, line)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}:{number}: not JSON: {error.msg}") from error
    if not isinstance(row, dict):
        raise BadInput(f"{path}:{number}: not a JSON object")
    return row
