"""Settings as a YAML file: `--settings FILE` reads one, and every run writes its own as `settings.yaml`."""

import types
import typing
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from trace2skill.core.errors import BadInput
from trace2skill.runs import flat_settings
from trace2skill.runs.settings import FLAT, RunSettings
from trace2skill.safety.redaction import Redactor

NAME = "settings.yaml"
HEAD = """\
# What this run was told. To repeat it, with nothing paid for again that is in the store:
#   trace2skill {command} --settings {path}
# Options given besides win over the file. Paths are from the directory in which the command is started.
"""


def read_settings(path: Path) -> dict[str, Any]:
    """The settings in a file, nested. They may be some of all; names of the flat form are moved, with a warning.

    Raises:
        BadInput: it cannot be read, is no YAML or no mapping, or has a key that no setting has; names file and key.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"--settings {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except YAMLError as error:
        raise BadInput(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, Mapping):
        raise BadInput(f"{path}: settings are a mapping with the sections {', '.join(RunSettings.model_fields)}")
    nested = flat_settings.nested(found, FLAT)
    if wrong := [_no_such(*found) for found in _unknown(RunSettings, nested, "")]:
        raise BadInput(f"{path}: {'; '.join(wrong)}")
    return nested


def _no_such(place: str, key: str, known: list[str]) -> str:
    """What is said of a key that no setting has."""
    near = get_close_matches(key, known, 1) or get_close_matches(key, FLAT, 1)
    hint = f": did you mean '{FLAT.get(near[0], place + near[0]) if near[0] not in known else place + near[0]}'?"
    return f"there is no setting '{place}{key}'{hint if near else ': there is ' + ', '.join(known)}"


def write_settings(settings: RunSettings, directory: Path, command: str = "run") -> Path:
    """Write the settings of a run into its directory. What a run fills in by itself is left out, and so is a secret
    that somebody typed into an address or a command: a placeholder stands there.
    """
    from ruamel.yaml import YAML

    by_itself = {"part_of", "of_library", "library_read_by"}
    filled_in: dict[str, Any] = {"data": {"sources": {"content"}}, "operation": by_itself}
    dumped = settings.model_dump(mode="json", exclude=filled_in)
    for role in dumped["models"].values():
        role["api_base"] = role["api_base"] and Redactor().text(role["api_base"])
    harness = dumped["learning"]["agent"].get("harness") or {}
    harness |= {name: Redactor().text(value) for name, value in harness.items() if name.endswith("command") and value}
    path = directory / NAME
    directory.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD.format(command=command, path=path))
        yaml = YAML()
        yaml.default_flow_style = False
        yaml.width = 120
        yaml.dump(dumped, file)
    return path


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that a field may hold: of `Sources | None` it is `Sources`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        return [model for part in typing.get_args(annotation) for model in models_in(part)]
    return []


def _unknown(model: type[BaseModel], given: Any, place: str) -> Iterator[tuple[str, str, list[str]]]:
    """(place, key, what there is) of every key that no field has. Where a field may hold several models, all count."""
    if not isinstance(given, Mapping):
        return
    for key, value in given.items():
        if key not in model.model_fields:
            yield place, str(key), list(model.model_fields)
            continue
        inner = models_in(model.model_fields[key].annotation)
        if len(inner) == 1:
            yield from _unknown(inner[0], value, f"{place}{key}.")
