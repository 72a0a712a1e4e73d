"""`evals/evals.json` of a skill (https://agentskills.io/skill-creation/evaluating-skills), read as tasks and written.

An item has a prompt, files that lie in the skill, what is expected in words, and assertions. It becomes a task where a
shell can decide over each of its assertions: a command ends well, a file is there, holds a text, or is as a file of the
skill is. Words that no shell can decide over need somebody who judges: such an item is left out, and it is said why.
"""

import json
import logging
import re
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trace2skill.core.errors import BadInput
from trace2skill.domains.shell.workspace import RESERVED, stays_inside

log = logging.getLogger(__name__)
EVALS = Path("evals") / "evals.json"
FILES = "evals/files/"
MOST_ASSERTED = 2000
"""Characters of a command that is an assertion."""
COMMAND = re.compile(
    rf"(?:the command |running )?`(?P<command>[^`\n]{{1,{MOST_ASSERTED}}})` "
    r"(?:ends well|exits (?:with )?(?:code |status )?0|passes|succeeds)\.?",
    re.I,
)
EXISTS = re.compile(
    r"(?:the file |a file )?`(?P<path>[^`\n]{1,300})` (?:exists|is there|was created|is created)\.?", re.I
)
HOLDS = re.compile(
    r"(?:the file )?`(?P<path>[^`\n]{1,300})` (?:contains|holds|includes) "
    r"(?:the text )?[`\"'](?P<text>[^`\n]{1,2000})[`\"']\.?",
    re.I,
)
SAME = re.compile(
    r"(?:the file )?`(?P<path>[^`\n]{1,300})` (?:equals|is the same as|is as|matches) "
    r"(?:the file )?`(?P<other>[^`\n]{1,300})`\.?",
    re.I,
)
LARGEST, LONGEST = 2**20, 1000
"""Bytes of a file, and characters of its path."""


class EvalItem(BaseModel):
    """One item. What else it has is not looked at."""

    model_config = ConfigDict(extra="ignore")
    id: int | str
    prompt: str = Field(min_length=1)
    expected_output: str = ""
    files: list[str] = Field(default_factory=list, description="Paths in the skill.")
    assertions: list[str] = Field(default_factory=list)
    expectations: list[str] = Field(default_factory=list, description="The same under another name.")


class EvalFile(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="ignore")
    skill_name: str = ""
    evals: list[Any]


def evals_in(data: Path) -> Path | None:
    """The file of items that a path names: itself, or that of a skill's directory; None where it names none."""
    if data.name == EVALS.name and data.is_file():
        return data
    return data / EVALS if data.is_dir() and (data / EVALS).is_file() and not any(data.glob("*.jsonl")) else None


def rows_of_evals(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """The items that can be graded, as rows of a data set, each with where it stands.

    Raises:
        BadInput: the file is none of this layout, or nothing in it can be graded; says of each item why.
    """
    try:
        told = EvalFile.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadInput(f'{path}: it is not {{"skill_name": ..., "evals": [...]}}: {str(error)[:300]}') from error
    skill = path.parent.parent if path.parent.name == "evals" else path.parent
    found, whys, ids = list[tuple[str, dict[str, Any]]](), list[str](), set[str]()
    for number, given in enumerate(told.evals, 1):
        where = f"{path}: item {number}"
        try:
            item = EvalItem.model_validate(given)
            if not str(item.id):
                raise ValueError("its id is empty")
            if str(item.id) in ids:
                raise ValueError(f"an item before it has the id {str(item.id)!r}, too")
            found.append((where, _row(item, skill)))
            ids.add(str(item.id))
        except ValidationError as error:
            whys.append(f"item {number}: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}")
        except (ValueError, OSError) as error:
            whys.append(f"item {number}: {error}")
    for why in whys:
        log.warning("%s: %s: it is left out", path, why)
    if not found:
        raise BadInput(f"{path}: nothing in it can be graded by a shell: {'; '.join(whys[:10]) or 'it has no items'}")
    return found


def _row(item: EvalItem, skill: Path) -> dict[str, Any]:
    asserted = [*item.assertions, *item.expectations]
    if not asserted:
        raise ValueError("it has no assertions, and what is expected in words needs somebody who judges")
    lines = [_line(words.strip(), skill) for words in asserted]
    if words := next((words for words, line in zip(asserted, lines, strict=True) if not line), ""):
        raise ValueError(f"no command decides over {words[:100]!r}: it needs somebody who judges")
    files = dict[str, str]()
    for name in item.files:
        place = _in_workspace(name, str(item.id))
        if any(
            place == other or f"{place}/".startswith(f"{other}/") or other.startswith(f"{place}/") for other in files
        ):
            raise ValueError(f"{name} has the place of another of its files in the workspace ({place})")
        if not stays_inside(place) or place.partition("/")[0] in RESERVED:
            raise ValueError(f"{name} leads out of the workspace or has a name of our own: rename it")
        files[place] = _text_of(skill, name)
    return {"id": str(item.id), "prompt": item.prompt, "files": files, "check": "\n".join([*lines, ""])}


def _line(words: str, skill: Path) -> str:
    """The lines of a check that decide over an assertion, '' where none does."""
    failed = f"|| {{ echo {shlex.quote('not so: ' + words[:300])}; exit 1; }}"
    if found := COMMAND.fullmatch(words):
        return f"( {found['command']}\n) > /dev/null 2>&1 {failed}"
    if found := EXISTS.fullmatch(words):
        return f"[ -e {shlex.quote(found['path'])} ] {failed}"
    if found := HOLDS.fullmatch(words):
        return f"grep -qF -- {shlex.quote(found['text'])} {shlex.quote(found['path'])} 2> /dev/null {failed}"
    if found := SAME.fullmatch(words):
        wanted = shlex.quote(_text_of(skill, found["other"]))
        return f'[ "$(cat {shlex.quote(found["path"])} 2> /dev/null; echo .)" = {wanted}. ] {failed}'
    return ""


def _in_workspace(name: str, id: str) -> str:
    """Where a file of the skill lies in the workspace: below `evals/files/`, or below the item's own folder there."""
    path = name.removeprefix("./")
    return path.removeprefix(FILES).removeprefix(f"{id}/") if path.startswith(FILES) else path.rpartition("/")[2]


def _text_of(skill: Path, name: str) -> str:
    if len(name) > LONGEST or "\0" in name:
        raise ValueError(f"no file can be called {name[:60]!r}")
    for base in (skill, skill / "evals"):
        path = (base / name).resolve()
        if path.is_relative_to(skill.resolve()) and path.is_file() and path.stat().st_size <= LARGEST:
            try:
                return path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                raise ValueError(f"{name} is no text") from None
    raise ValueError(f"there is no file {name} in the skill, or it is larger than a megabyte")


class TaskInWords(NamedTuple):
    """A task as it is written: its row, what its check looks at in words, and files that are to be as they are here."""

    row: Mapping[str, Any]
    what: str
    expected: Mapping[str, str]


def write_evals(folder: Path, name: str, tasks: Iterable[TaskInWords]) -> None:
    """Write tasks in this layout below a folder: `evals/evals.json`, and their files in `evals/files/ID/`.

    Args:
        folder: where `evals/` is made.
        name: of the skill.
        tasks: what is written.
    """
    items = list[dict[str, Any]]()
    for number, (row, what, wanted) in enumerate(tasks, 1):
        paths = _written(folder, f"{FILES}{number}", row["files"])
        as_is = _written(folder, f"evals/expected/{number}", wanted)
        asserted = [f"`{path}` is as `{other}`" for path, other in zip(sorted(wanted), as_is, strict=True)]
        tree = row.get("tree")
        began = f" It begins in the repository {tree['name']} at {tree['commit'][:12]}." if tree else ""
        item = {"id": number, "prompt": row["prompt"], "expected_output": f"What was asked for is done: {what}.{began}"}
        items.append({**item, "files": paths, "assertions": asserted or [what]})
    (folder / EVALS).parent.mkdir(parents=True, exist_ok=True)
    told = {"skill_name": name, "evals": items}
    (folder / EVALS).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _written(folder: Path, below: str, files: Mapping[str, str]) -> list[str]:
    for path, text in files.items():
        (folder / below / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / below / path).write_text(text, encoding="utf-8")
    return [f"{below}/{path}" for path in sorted(files)]
