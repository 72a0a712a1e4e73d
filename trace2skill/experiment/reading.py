"""Reading an experiment file: what is wrong is said with file, line and field."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from trace2skill.core.errors import BadInput
from trace2skill.experiment.definition import Experiment
from trace2skill.experiment.old_names import in_sections

SMALL = "small"
FIELD = re.compile(r"[a-z_]+(\.[a-z0-9_]+)*")


def read_experiment(path: Path, *, small: bool = False) -> Experiment:
    """The experiment in a file, its paths made absolute from the file's own place.

    Args:
        path: a YAML file.
        small: put what the file says under `small` in the place of the rest, key by key; a list is replaced whole.

    Raises:
        BadInput: the file is missing, no YAML, or says what cannot be; names file, line and field.
    """
    whole = _yaml(path)
    given = {key: value for key, value in whole.items() if key != SMALL}
    lesser = whole.get(SMALL)
    if small and not isinstance(lesser, Mapping):
        raise BadInput(f"{path}: there is no section `{SMALL}:` that says what the small size is")
    values = _merged(in_sections(given), in_sections(lesser)) if small else _plain(given)
    try:
        experiment = Experiment.model_validate(values)
    except ValidationError as error:
        raise BadInput(_in_words(path, whole, error, small=small)) from error
    return _from_its_place(experiment, path.resolve().parent)


def _yaml(path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}: name a YAML file, see experiments/") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text") from error
    try:
        whole = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadInput(f"{path}{line}: not YAML: {' '.join(str(error.problem).split())}") from error
    except YAMLError as error:
        raise BadInput(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(whole, Mapping):
        raise BadInput(f"{path}:1: an experiment is a mapping: name, models, learn, sets, conditions")
    return whole


def _plain(value: Any) -> Any:
    """Without the marks of the YAML reader, which know their lines."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _merged(given: Any, lesser: Any) -> Any:
    if not (isinstance(given, Mapping) and isinstance(lesser, Mapping)):
        return _plain(lesser)
    keys = [*given, *(key for key in lesser if key not in given)]
    return {str(key): _merged(given.get(key), lesser[key]) if key in lesser else _plain(given[key]) for key in keys}


def _in_words(path: Path, whole: Any, error: ValidationError, *, small: bool) -> str:
    said: dict[str, None] = {}
    errors = error.errors()
    for item in errors:
        if item["type"] == "too_short" and len(errors) > 1:
            continue  # pydantic counts only the items that are in order
        place = [part for part in item["loc"] if not str(part).startswith("function-")]
        message = item["msg"].removeprefix("Value error, ")
        named, _, rest = message.partition(": ")
        if not place and FIELD.fullmatch(named):  # a rule between fields names its field itself
            place = [int(part) if part.isdigit() else part for part in named.split(".")]
            message = rest
        line, field = _where(whole, place, small=small)
        said[f"{path}:{line}: {field + ': ' if field else ''}{message}"] = None
    return "\n".join(said)


def _where(whole: Any, place: Sequence[Any], *, small: bool) -> tuple[int, str]:
    """Line and field, as near as the file has it. Parts that are no keys of the file are names of types."""
    roots = [(whole[SMALL], f"{SMALL}.")] if small and SMALL in whole else []
    for node, prefix in [*roots, (whole, "")]:
        line, field, last = 1, [], False
        for number, part in enumerate(place):
            if _has(node, part):
                line, node, last = _line(node, part), node[part], number == len(place) - 1
                field.append(str(part))
            elif number == len(place) - 1 and isinstance(part, str) and isinstance(node, Mapping):
                field.append(part)
        if last or not prefix:
            return line, prefix + ".".join(field)
    return 1, ""


def _has(node: Any, part: Any) -> bool:
    if isinstance(node, Mapping):
        return part in node
    return isinstance(node, Sequence) and not isinstance(node, str) and isinstance(part, int) and part < len(node)


def _line(node: Any, part: Any) -> int:
    marks = getattr(node, "lc", None)
    if marks is None or not marks.data or part not in marks.data:
        return 1
    return int(marks.data[part][0]) + 1


def _from_its_place(experiment: Experiment, directory: Path) -> Experiment:
    def placed(path: Path | None) -> Path | None:
        return None if path is None else (directory / path.expanduser()).resolve()

    learn = experiment.learn
    learn = learn.model_copy(update={"data": placed(learn.data), "skill": placed(learn.skill)})
    sets = tuple(item.model_copy(update={"data": placed(item.data)}) for item in experiment.sets)
    return experiment.model_copy(update={"learn": learn, "sets": sets})
