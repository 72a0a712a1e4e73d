"""Adding queries to a file that people edit: what stands there stays as it is, to the byte where the form allows it."""

import io
import json
import os
import re
import tempfile
from collections.abc import Collection, Sequence
from operator import not_
from pathlib import Path
from typing import Any

from pydantic import Field

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.evaluation.trigger_queries import LISTS, TriggerQuery, items_of, queries_in, whole_of

HEAD = """\
# Queries by which descriptions of skills are tried: trace2skill triggers SKILLS --queries THIS_FILE
# Edit it: --write-queries adds to it and changes nothing that stands here. `near`, `style`, `from` are notes.
"""
UNREADABLE = re.compile(r"[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Signs that YAML takes in no string, or not as they stand."""
WIDE = 10_000_000
"""Columns at which a rewritten file breaks lines: never."""


class NewQuery(Record):
    """A query as it is written into a file."""

    query: str
    skill: str = Field(description="Name of the skill that it should call for, '' for none.")
    near: str = Field(default="", exclude_if=not_, description="Name of the skill that it is a near miss of.")
    style: str = Field(default="", exclude_if=not_)
    source: str = Field(description="Where it came from, in words.")

    def as_row(self, *, alone: bool) -> dict[str, Any]:
        """It in a file; of a single skill in the form of other tools."""
        named: dict[str, Any] = {"should_trigger": bool(self.skill)} if alone else {"skill": self.skill or None}
        notes = {"near": self.near, "style": self.style, "from": self.source}
        row = {"query": self.query, **named, **{name: value for name, value in notes.items() if value}}
        return {name: UNREADABLE.sub(" ", value) if isinstance(value, str) else value for name, value in row.items()}


def queries_there(path: Path, names: Collection[str]) -> list[TriggerQuery]:
    """The queries of a file that is to be added to, none where there is no file yet. Writing it has been tried then.

    Raises:
        BadInput: it holds something else than queries, they name no skill that there is, or it cannot be written.
    """
    there = path.exists()
    whole = whole_of(path) if there else None
    if there and path.suffix == ".json":
        _loaded(path, path.read_text(encoding="utf-8"))
    if whole is not None and not _has_place(whole):
        raise BadInput(f"{path} holds no list of queries: name another file, or take out what stands there")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.resolve().parent, prefix=f".{path.name}."):
            pass
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror or error}") from error
    return queries_in(path, whole, names)


def add_queries(path: Path, new: Sequence[NewQuery], *, one_skill: bool) -> None:
    """Write queries behind those of a file, or begin one: at once, or not at all.

    Args:
        path: as `queries_there` has seen it: YAML, or JSON where its name ends so. A new JSON file for a single skill
            has the form of https://agentskills.io/skill-creation/optimizing-descriptions, and where each came from.
        new: the queries.
        one_skill: whether there is only one skill.

    Raises:
        BadInput: it cannot be written.
    """
    path = path.resolve()  # a link stays one
    there = path.exists()
    text = path.read_text(encoding="utf-8") if there else ""
    whole = whole_of(path) if there else None
    if not new:
        return
    if path.suffix == ".json":
        made = _in_json(path, text, new, one_skill)
    else:
        made = _behind(text, whole, new) or _in_yaml(text, new)
    beside = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(made, encoding="utf-8")
        _hold_against(beside, path, len(items_of(whole)), new)
        if there:
            beside.chmod(path.stat().st_mode & 0o777)
        os.replace(beside, path)
    except (OSError, BadInput) as error:
        beside.unlink(missing_ok=True)
        raise BadInput(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from error


def _hold_against(beside: Path, path: Path, before: int, new: Sequence[NewQuery]) -> None:
    """Does what is to take the place of a file hold the queries that it should? Else the file stays as it is.

    Raises:
        BadInput: it does not.
    """
    now = items_of(_loaded(path, beside.read_text(encoding="utf-8")) if path.suffix == ".json" else whole_of(beside))
    wanted = [item.as_row(alone=False)["query"] for item in new]
    if len(now) != before + len(new) or [item["query"] for item in now[before:]] != wanted:
        raise BadInput(f"what was to be written does not say what it should: {len(new)} queries stay unwritten")


def _loaded(path: Path, text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else []
    except ValueError as error:
        raise BadInput(f"{path} ends with .json and holds no JSON: {error}") from error


def _has_place(whole: Any) -> bool:
    return isinstance(whole, list) or (
        isinstance(whole, dict) and any(isinstance(whole.get(name), list) for name in LISTS)
    )


def _behind(text: str, whole: Any, new: Sequence[NewQuery]) -> str:
    """The text as it is with the queries as YAML behind it; '' where that does not say what it should."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    made = text if text.endswith("\n") or not text else text + "\n"
    made = (made or HEAD) + "".join(map(_item, new))
    try:
        now = YAML(typ="safe").load(made)
    except YAMLError:
        return ""
    return made if now == [*(whole or []), *(item.as_row(alone=False) for item in new)] else ""


def _item(new: NewQuery) -> str:
    """A query as an item of a YAML list; a JSON string is one in YAML."""
    row = new.as_row(alone=False)
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in row.items()]
    return "- " + "\n  ".join(lines) + "\n"


def _in_yaml(text: str, new: Sequence[NewQuery]) -> str:
    """A list of another form, with the queries at its end: comments and quotes stay."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.preserve_quotes, yaml.width = True, WIDE
    whole = yaml.load(text) or []
    items_of(whole).extend(item.as_row(alone=False) for item in new)
    out = io.StringIO()
    yaml.dump(whole, out)
    return out.getvalue()


def _in_json(path: Path, text: str, new: Sequence[NewQuery], one_skill: bool) -> str:
    whole = _loaded(path, text)
    there = items_of(whole)
    alone = one_skill and all("skill" not in item for item in there)
    there.extend(item.as_row(alone=alone) for item in new)
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"
