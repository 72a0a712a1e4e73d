"""Queries that should call for a skill and such that should not, as a file that people edit.

YAML or JSON: a list of `query` with `skill` (its name, or null for none). For a single skill `should_trigger` (true or
false) may stand in its place, the form in which tools for agent skills keep such queries (a list, or a list under
`queries`, `evals` or `evaluations`).
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record

LISTS = ("queries", "evals", "evaluations")
MOST_BYTES = 5_000_000


class TriggerQuery(Record):
    """A request of a user, and the skill that should be taken up for it: '' for none."""

    query: str
    skill: str


def read_queries(path: Path, names: Collection[str]) -> list[TriggerQuery]:
    """The queries of a file, each once.

    Args:
        path: the file.
        names: of the skills that there are.

    Raises:
        BadInput: it cannot be read or holds no queries, or one names no skill that there is; says which.
    """
    found = [_query(path, number, item, names) for number, item in enumerate(_items(path), start=1)]
    if not found:
        raise BadInput(f"{path} holds no query: write a list of `query` and `skill`, see docs/triggers.md")
    by_text: dict[str, TriggerQuery] = {}
    for item in found:
        if by_text.setdefault(item.query, item).skill != item.skill:
            raise BadInput(f"{path}: {item.query[:80]!r} stands there twice, with different skills")
    return list(by_text.values())


def _items(path: Path) -> list[Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path} is larger than {MOST_BYTES:,} bytes: no list of queries is")
        whole = YAML(typ="safe").load(path.read_text(encoding="utf-8"))  # JSON is YAML
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--queries {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except YAMLError as error:
        raise BadInput(f"{path}: neither YAML nor JSON: {' '.join(str(error).split())}") from error
    if isinstance(whole, Mapping):
        whole = next((whole[name] for name in LISTS if isinstance(whole.get(name), list)), [])
    return whole if isinstance(whole, list) else []


def _query(path: Path, number: int, item: Any, names: Collection[str]) -> TriggerQuery:
    where = f"{path}: query {number}"
    text = item.get("query", item.get("prompt")) if isinstance(item, Mapping) else None
    if not isinstance(text, str) or not text.strip():
        raise BadInput(f"{where} has no text under `query`")
    if "skill" in item:
        skill = item["skill"] or ""
    elif isinstance(item.get("should_trigger"), bool) and len(names) == 1:
        skill = next(iter(names)) if item["should_trigger"] else ""
    else:
        raise BadInput(f"{where} does not say which `skill` it should call for (null for none)")
    if skill and skill not in names:
        raise BadInput(f"{where} names '{skill}', which is no skill here: there is {', '.join(sorted(names))}")
    return TriggerQuery(query=text.strip(), skill=skill)
