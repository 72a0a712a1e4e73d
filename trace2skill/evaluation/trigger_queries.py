"""Queries that should call for a skill and such that should not, as a file that people edit.

YAML or JSON: a list of `query` with `skill` (its name, or null for none). For a single skill `should_trigger` (true or
false) may stand in its place, the form in which tools for agent skills keep such queries (a list, or a list under
`queries`, `evals` or `evaluations`). The prompts of a skill's `evals/evals.json`, which names it as `skill_name`
(https://agentskills.io/skill-creation/evaluating-skills), are queries that should call for it.
"""

from collections.abc import Collection, Mapping
from operator import not_
from pathlib import Path
from typing import Any

from pydantic import Field

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record

LISTS = ("queries", "evals", "evaluations")
MOST_BYTES = 5_000_000


class TriggerQuery(Record):
    """A request of a user, and the skill that should be taken up for it: '' for none."""

    query: str
    skill: str
    near: str = Field(default="", exclude_if=not_, description="Name of the skill that it is a near miss of, if said.")


def read_queries(path: Path, names: Collection[str]) -> list[TriggerQuery]:
    """The queries of a file, each once.

    Args:
        path: the file.
        names: of the skills that there are.

    Raises:
        BadInput: it cannot be read or holds no queries, or one names no skill that there is; says which.
    """
    found = queries_in(path, whole_of(path), names)
    if not found:
        raise BadInput(f"{path} holds no query: write a list of `query` and `skill`, see docs/triggers.md")
    return found


def queries_in(path: Path, whole: Any, names: Collection[str]) -> list[TriggerQuery]:
    """The queries of what a file holds, each once; none where it holds no list. Raises as `read_queries`."""
    of_file = whole.get("skill_name") if isinstance(whole, Mapping) else None
    found = [_query(path, number, item, names, of_file) for number, item in enumerate(items_of(whole), start=1)]
    by_text: dict[str, TriggerQuery] = {}
    for item in found:
        if by_text.setdefault(item.query, item).skill != item.skill:
            raise BadInput(f"{path}: {item.query[:80]!r} stands there twice, with different skills")
    return list(by_text.values())


def whole_of(path: Path) -> Any:
    """What a YAML or JSON file holds.

    Raises:
        BadInput: it cannot be read.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"{path} is larger than {MOST_BYTES:,} bytes, which no such list is")
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))  # JSON is YAML
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except RecursionError as error:
        raise BadInput(f"{path}: lists within lists, too deep to be read") from error
    except (YAMLError, ValueError) as error:  # such as a day that no month has
        raise BadInput(f"{path}: neither YAML nor JSON: {' '.join(str(error).split())[:400]}") from error


def items_of(whole: Any) -> list[Any]:
    """The list of queries in what a file holds, itself and no copy; an empty one where there is none."""
    if isinstance(whole, Mapping):
        whole = next((whole[name] for name in LISTS if isinstance(whole.get(name), list)), [])
    return whole if isinstance(whole, list) else []


def _query(path: Path, number: int, item: Any, names: Collection[str], of_file: Any) -> TriggerQuery:
    where = f"{path}: query {number}"
    text = item.get("query", item.get("prompt")) if isinstance(item, Mapping) else None
    if not isinstance(text, str) or not text.strip():
        raise BadInput(f"{where} has no text under `query`")
    if "skill" in item:
        skill = item["skill"] or ""
    elif isinstance(item.get("should_trigger"), bool) and len(names) == 1:
        skill = next(iter(names)) if item["should_trigger"] else ""
    elif isinstance(of_file, str) and item.get("should_trigger") is not False:
        skill = of_file
    else:
        raise BadInput(
            f"{where} does not say which `skill` it should call for (null for none); `should_trigger` says it of one "
            f"skill alone, and there {'is 1' if len(names) == 1 else f'are {len(names)}'}"
        )
    if not isinstance(skill, str):
        raise BadInput(f"{where} names {skill!r} as its `skill`: name one, or write null for none")
    if skill and skill not in names:
        raise BadInput(f"{where} names '{skill}', which is no skill here: there is {', '.join(sorted(names))}")
    near = item.get("near")
    return TriggerQuery(query=text.strip(), skill=skill, near=near if isinstance(near, str) else "")
