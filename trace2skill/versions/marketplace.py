"""Skills as plug-ins of a marketplace: a folder that coding agents install from.

The folder is laid out so that several programs find the skills in it:

- Claude Code's marketplaces: `.claude-plugin/marketplace.json` lists plug-ins at `plugins/NAME`, each with its
  `.claude-plugin/plugin.json` (https://code.claude.com/docs/en/plugins/marketplace-reference);
- Agent Plugins 1.0 (https://agent-plugins.org/specification): `plugin.json` beside it;
- `gh skill install`, which looks for `plugins/*/skills/*/SKILL.md`.

Beside each skill stands its provenance, by which `trace2skill verify` tells whether it is what was exported.
"""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trace2skill.core.errors import BadInput, SkillInvalid
from trace2skill.core.swap import alone_in
from trace2skill.skills.skill import Skill, faults, read_skill
from trace2skill.versions.export import check_place, to_directory

LIST = Path(".claude-plugin") / "marketplace.json"
SCHEMA = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"
OTHERS = frozenset(
    {"claude-code-marketplace", "claude-code-plugins", "claude-plugins-official", "anthropic-marketplace"}
    | {"anthropic-plugins", "agent-skills", "life-sciences"}
)
"""Names of marketplaces that Claude Code keeps for others."""
MINOR = re.compile(r"(\d{1,6})\.(\d{1,6})\.\d{1,6}")
LARGEST = 4 * 1024 * 1024


def to_marketplace(
    skills: Sequence[tuple[Skill, int, str]], folder: Path, *, owner: str = "", provenance_name: str
) -> list[Path]:
    """Write skills as plug-ins of a marketplace; returns where. Whatever else its list holds stays as it is.

    Args:
        skills: each with its number among the versions of its name (0 where none is known), and its provenance.
        folder: the marketplace; a new one is named after the folder.
        owner: who keeps a new one. Of one that is there, what it says stays.
        provenance_name: ending of the file of a provenance.

    Raises:
        SkillInvalid: a skill has faults.
        BadInput: the list is none, a plug-in of that name is another's, or the place cannot be written to.
    """
    for skill, _, _ in skills:
        if found := faults(skill):
            raise SkillInvalid(f"the skill '{skill.name[:80]}'", found)
    _check_links(folder)
    _listed(folder, owner)  # whether it is one is seen before anything is written
    made = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone_in(folder):  # others may export into it at the same time
            listed = _listed(folder, owner)
            for skill, _, _ in skills:
                _check_entry(listed, folder, skill)
            for skill, number, provenance in skills:
                place = folder / "plugins" / skill.name
                entry = next((item for item in listed["plugins"] if item.get("name") == skill.name), None)
                version = _version(entry, skill, number, place)
                made.append(to_directory(skill, place / "skills"))
                _write(place / f"{skill.name}{provenance_name}", provenance)
                manifest = _manifest(skill, version)
                _merge(place / "plugin.json", {"$schema": SCHEMA, **manifest})
                _merge(place / ".claude-plugin" / "plugin.json", manifest)
                _enter(listed, {**manifest, "source": _source(skill)})
            _write(folder / LIST, _json(listed))
    except OSError as error:
        raise BadInput(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    except UnicodeEncodeError as error:
        raise BadInput("a description holds half a character, which no file can: mend it") from error
    return made


def _listed(folder: Path, owner: str) -> dict[str, Any]:
    """What the marketplace says so far; a new one."""
    path = folder / LIST
    if path.is_file():
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError(f"more than {LARGEST} bytes")
            found = json.loads(path.read_bytes())
            plugins = found["plugins"]
            if not isinstance(plugins, list) or not all(isinstance(entry, dict) for entry in plugins):
                raise ValueError("its plugins are no list of objects")
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadInput(f"{path} is no list of plug-ins ({error}): name another folder, or mend it") from error
        return dict(found)
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    if not name or name in OTHERS:
        raise BadInput(
            f"a marketplace has the name of its folder, and '{name or folder.name}' can be none: use another"
        )
    if not owner.strip():
        raise BadInput(f"{folder} is a new marketplace: say who keeps it, by --owner NAME")
    return {"name": name, "owner": {"name": owner.strip()}, "plugins": []}


def _check_entry(listed: dict[str, Any], folder: Path, skill: Skill) -> None:
    """A plug-in of that name is one that was exported before, or there is none."""
    entry = next((item for item in listed["plugins"] if item.get("name") == skill.name), None)
    if entry is not None and entry.get("source") != _source(skill):
        raise BadInput(f"{folder / LIST} has another plug-in '{skill.name}', from elsewhere: take it out there first")
    place = folder / "plugins" / skill.name
    _check_links(place)
    if entry is None and place.is_dir() and any(place.iterdir()) and not (place / "skills" / skill.name).is_dir():
        raise BadInput(f"{place} is there and no plug-in of the skill '{skill.name}': name another folder")
    check_place(place / "skills" / skill.name, skill.name)


def _source(skill: Skill) -> str:
    return f"./plugins/{skill.name}"


def _check_links(place: Path) -> None:
    """Nothing is written through a link: a marketplace may be somebody's clone."""
    for part in (place, *(place / name for name in ("plugins", "skills", ".claude-plugin"))):
        if part.is_symlink():
            raise BadInput(f"{part} is a link, and what it leads to would be written over: name another folder")


def _version(entry: dict[str, Any] | None, skill: Skill, number: int, place: Path) -> str:
    """The version that agents compare: higher than the one there wherever the skill is another, the same where not."""
    before = MINOR.fullmatch(str(entry.get("version"))) if entry else None
    if before is None:
        return f"1.{number}.0"
    there = read_skill(place / "skills" / skill.name) if (place / "skills" / skill.name).is_dir() else None
    if there is not None and there.digest == skill.digest:
        return before[0]
    return f"{before[1]}.{max(number, int(before[2]) + 1)}.0"


def _manifest(skill: Skill, version: str) -> dict[str, Any]:
    told = {"name": skill.name, "version": version, "description": skill.description}
    return {**told, "license": skill.license} if skill.license else told


def _merge(path: Path, manifest: dict[str, Any]) -> None:
    """Write a manifest; what somebody has added to the one that is there stays."""
    try:
        there = json.loads(path.read_bytes()) if path.is_file() and path.stat().st_size <= LARGEST else {}
    except (ValueError, RecursionError):
        there = {}
    kept = {key: value for key, value in there.items() if key != "license"} if isinstance(there, dict) else {}
    _write(path, _json({**kept, **manifest}))


def _enter(listed: dict[str, Any], entry: dict[str, Any]) -> None:
    """Put an entry in the place of the one of its name, whose other fields stay; a new one last."""
    for place, item in enumerate(listed["plugins"]):
        if item.get("name") == entry["name"]:
            kept = {key: value for key, value in item.items() if key != "license"}
            listed["plugins"][place] = {**kept, **entry}
            return
    listed["plugins"].append(entry)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    """Write a file in one step: who is killed halfway leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with beside.open("x", encoding="utf-8") as file:
        file.write(text)
    os.replace(beside, path)
