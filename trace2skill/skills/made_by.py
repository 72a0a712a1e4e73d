"""Who made a version, in the `metadata` of its front matter: keys that an export writes, and that name no version.

The specification's `metadata` is a map of text to text (https://agentskills.io/specification). Lines are put in and
taken out as text, so that keys, order and comments of whoever wrote the front matter stay byte for byte.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from trace2skill.core.errors import BadInput
from trace2skill.skills.front_matter import FENCED, parts
from trace2skill.skills.skill import Skill

PREFIX = "trace2skill-"
KEYS = tuple(PREFIX + name for name in ("version", "digest", "run", "verdict", "date"))
VALUE = r"[A-Za-z0-9_.:+-]{1,80}"
"""Numbers, digests, ids and times: no words, for what stands there is taken for nothing that anybody has learned."""
LINE = re.compile(rf"{PREFIX}[a-z]+: \"{VALUE}\"(?:\r\n|\n|\r|\Z)")
ITEM = re.compile(rf"{PREFIX}[a-z]+: \"{VALUE}\"(?:, )?")
OWN = "metadata: # written by trace2skill export"


def with_made_by(skill: Skill, told: Mapping[str, str]) -> Skill:
    """The skill with these keys in its `metadata`; keys of an earlier export go.

    Args:
        skill: whose front matter can be read.
        told: by the name behind `trace2skill-`; what is empty or no `VALUE` is left out.

    Raises:
        BadInput: its front matter has a form in which nothing can be added.
    """
    bare = without_made_by(skill)
    kept = {name: value for name, value in told.items() if re.fullmatch(VALUE, value)}
    items = [f'{PREFIX}{name}: "{value}"' for name, value in kept.items()]
    made = bare.with_files({"SKILL.md": _added(bare.text("SKILL.md") or "", items).encode()}) if items else bare
    if without_made_by(made) == bare and made_by(made) == kept and _says_the_same(bare, made):
        return made
    if there := ", ".join(PREFIX + name for name in made_by(bare)):
        raise BadInput(
            f"the `metadata` of {skill.name} have {there} in a form that no export writes: take those lines out, or "
            "export without --metadata"
        )
    raise BadInput(
        f"the front matter of {skill.name} has a form in which no key of `metadata` can be added: write its "
        "`metadata` as lines of `key: value`, or export without --metadata"
    )


def without_made_by(skill: Skill) -> Skill:
    """The skill as it was before an export wrote its keys; itself, where none did."""
    text = skill.text("SKILL.md") or ""
    bare = _removed(text) if PREFIX in text else text
    return skill if bare == text else skill.with_files({"SKILL.md": bare.encode()})


def made_by(skill: Skill) -> dict[str, str]:
    """What an export has written of it, by the name behind `trace2skill-`; empty for none."""
    text = skill.text("SKILL.md") or ""
    try:
        values = parts(text)[0].get("metadata") if PREFIX in text else None
    except ValueError:
        values = None
    told = values if isinstance(values, dict) else {}
    return {key.removeprefix(PREFIX): str(value) for key, value in told.items() if key in KEYS}


def _says_the_same(bare: Skill, made: Skill) -> bool:
    """Do both say the same beside our keys? A mistake here would change what an agent is told."""
    try:
        before, after = (parts(one.text("SKILL.md") or "") for one in (bare, made))
    except ValueError:
        return False
    kept = {key: value for key, value in (after[0].get("metadata") or {}).items() if key not in KEYS}
    said = {**before[0], "metadata": before[0].get("metadata") or {}}
    return _ends_cut({**after[0], "metadata": kept}) == _ends_cut(said) and before[1] == after[1]


def _ends_cut(values: dict[str, Any]) -> dict[str, Any]:
    """Without the ends of texts: the last block of a front matter has no end of a line, until a key follows."""
    return {key: value.rstrip() if isinstance(value, str) else value for key, value in values.items()}


def _added(text: str, items: list[str]) -> str:
    found = FENCED.match(text)
    if found is None:
        return text
    start, end = found.span("yaml")
    newline = re.match(r"\r\n|\n|\r", text[end:])
    ends = newline[0] if newline else "\n"
    yaml = text[start:end]
    key, value = _metadata(yaml)
    if key is None:
        lines = [OWN, *(f"  {item}" for item in items)]
        return text[:end] + "".join(ends + line for line in lines) + text[end:]
    if value.id == "mapping" and value.flow_style:
        at = start + value.start_mark.index + 1
        more = ", " if value.value else ""
        return text[:at] + ", ".join(items) + more + text[at:]
    if value.id == "mapping":
        column = value.value[0][0].start_mark.column
        at = start + value.value[0][0].start_mark.index - column
        return text[:at] + "".join(f"{' ' * column}{item}{ends}" for item in items) + text[at:]
    if value.id == "scalar" and not value.value and value.start_mark.index == value.end_mark.index:
        at = start + _line_end(yaml, key.end_mark.index)  # all its keys were ours, and went
        return text[:at] + "".join(f"{ends}  {item}" for item in items) + text[at:]
    return text  # no map: nothing can be added, which is seen


def _line_end(yaml: str, at: int) -> int:
    found = re.compile(r"\r\n|\n|\r|\Z").search(yaml, at)
    return found.start() if found else len(yaml)


def _removed(text: str) -> str:
    found = FENCED.match(text)
    if found is None:
        return text
    start, end = found.span("yaml")
    try:
        parts(found[0])  # its size is looked at there
    except ValueError:
        return text
    yaml = text[start : end + 2]  # with the end of its last line
    key, value = _metadata(text[start:end])
    if key is None or value.id != "mapping":
        return text
    gone = [*_ours(yaml, value)]
    own = re.match(re.escape(OWN) + r"(?:\r\n|\n|\r)", yaml[key.start_mark.index :])
    if own and len(gone) == len(value.value):
        gone.insert(0, (key.start_mark.index, key.start_mark.index + own.end()))
    for first, last in reversed(gone):
        yaml = yaml[:first] + yaml[last:]
    return text[:start] + yaml + text[end + 2 :]


def _ours(yaml: str, value: Any) -> Iterator[tuple[int, int]]:
    """Where our keys stand, exactly as they are written here: what looks otherwise is somebody's own."""
    for key, _ in value.value:
        at, before, form = key.start_mark.index, 0, ITEM
        if not value.flow_style:
            before, form = key.start_mark.column, LINE
        if key.value in KEYS and (found := form.match(yaml, at)):
            yield at - before, found.end()


def _metadata(yaml: str) -> tuple[Any, Any]:
    """The nodes of `metadata` and of its value, None for both where there is none, or the YAML is not read here."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        root = YAML(typ="safe", pure=True).compose(yaml)
    except YAMLError:
        return None, None
    pairs = root.value if root is not None and root.id == "mapping" else []
    return next(((key, value) for key, value in pairs if key.value == "metadata"), (None, None))
