"""Where the settings of a harness come from: a shipped recipe, a YAML file, a command, a function."""

from collections.abc import Sequence
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from trace2skill.agents.harness import CommandSettings, OutsideSettings, PythonSettings
from trace2skill.core.errors import BadInput

REACT = "react"
RECIPES = ("claude", "codex", "gemini", "opencode")
_ADAPTER: TypeAdapter[CommandSettings | PythonSettings] = TypeAdapter(OutsideSettings)


def harness_settings(
    name: str, command: str | None = None, changes: Sequence[str] = ()
) -> CommandSettings | PythonSettings | None:
    """The settings of the harness of that name; None for the built-in agent.

    Args:
        name: 'react', 'command', a recipe, a YAML file, or module:function.
        command: the command, in place of the one that the recipe or file has.
        changes: 'setting=value' with the value in YAML, on top of it all.

    Raises:
        BadInput: what is wrong, and what there is.
    """
    if name == REACT:
        if command or changes:
            raise BadInput("--agent-command and --agent-set are for another agent: give --harness command, too")
        return None
    values = _values(name)
    if command:
        values["command"] = command
    for change in changes:
        setting, equals, value = change.partition("=")
        if not equals:
            raise BadInput(f"--agent-set {change}: write SETTING=VALUE, for example network=true")
        values[setting.strip()] = _yaml(value, f"--agent-set {setting}")
    try:
        return _ADAPTER.validate_python(values)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in error.errors())
        raise BadInput(f"harness {name} cannot be: {said}") from error


def recipe(name: str) -> str:
    """The text of a shipped recipe."""
    return (files(__package__) / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")


def _values(name: str) -> dict[str, Any]:
    if name == "command":
        return {"kind": "command"}
    if name in RECIPES:
        return _mapping(recipe(name), name)
    if name.endswith((".yaml", ".yml")):
        try:
            return _mapping(Path(name).read_text(encoding="utf-8"), name)
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"--harness {name} cannot be read: {error}") from error
    if ":" in name:
        return {"kind": "python", "function": name}
    raise BadInput(
        f"no harness '{name}': react, command (with --agent-command), {', '.join(RECIPES)}, a YAML file, or a function "
        "as module:function or path/to/file.py:function"
    )


def _mapping(text: str, name: str) -> dict[str, Any]:
    found = _yaml(text, name)
    if not isinstance(found, dict):
        raise BadInput(f"{name} holds no settings: see docs/harnesses.md")
    return {"kind": "command", **found}


def _yaml(text: str, name: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(StringIO(text))
    except YAMLError as error:
        raise BadInput(f"{name} is no YAML: {' '.join(str(error).split())[:200]}") from error
