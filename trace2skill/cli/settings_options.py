"""Options of a command from the fields of `RunSettings`: their types, bounds, defaults, help and panels.

`@with_settings(...)` gives a command the options of the table that it names; the command gets a `Given`, and makes
`RunSettings` of it: what it fixes itself, over what was typed, over the file, over the defaults.
"""

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from trace2skill.agents.recipes import REACT, harness_settings
from trace2skill.cli.settings_table import BY_NAME, HARNESS, HELD_OUT_SEEDS, SEED, SEEDS, TOGETHER, SettingOption
from trace2skill.core.errors import BadInput
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.settings_file import models_in, read_settings

FIRST_SEED = 41
SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        help="YAML file of settings, such as a run's settings.yaml. What is given besides wins over it.",
        show_default=False,
    ),
]
Tree = dict[str, Any]
NOT = "not_"
COUNTS = (SEEDS, HELD_OUT_SEEDS)
BOUNDS = ((Ge, "ge", "at least "), (Gt, "gt", "above "), (Le, "le", "at most "), (Lt, "lt", "below "))


@dataclass(frozen=True)
class Given:
    """What a person gave a command: a file, and options by their names; an option that was not typed is not in it."""

    typed: Mapping[str, Any]
    file: Path | None = None
    counts: tuple[str, ...] = field(default=("learning.seeds",))

    def tree(self, base: Mapping[str, Any] | None = None) -> Tree:
        """Nested settings: what was typed over the file over `base`.

        Raises:
            BadInput: the file, or a value that cannot be.
        """
        made = _copied(base or {})
        if self.file is not None:
            _lay(made, read_settings(self.file))
        for name, value in self.typed.items():
            option = BY_NAME[name]
            if option not in TOGETHER:
                for place in option.places:
                    put(made, place, option.read(value) if option.read else value)
        self._seeds(made)
        self._harness(made)
        return made

    def settings(self, *, base: Mapping[str, Any] | None = None, fixed: Mapping[str, Any] | None = None) -> RunSettings:
        """The settings; `fixed` holds what the command itself decides, by place.

        Raises:
            BadInput: what is missing, or cannot be; names the setting and its option.
        """
        made = self.tree(base)
        for place, value in (fixed or {}).items():
            put(made, place, value)
        return settings_of(made)

    def _seeds(self, made: Tree) -> None:
        first = self.typed.get(SEED.name)
        for option, places in ((SEEDS, self.counts), (HELD_OUT_SEEDS, HELD_OUT_SEEDS.places)):
            if option is HELD_OUT_SEEDS and HELD_OUT_SEEDS.places[0] in self.counts:
                continue
            number = self.typed.get(option.name)
            if number is None and first is None:
                continue
            for place in places:
                before = _get(made, place) or (FIRST_SEED,)
                start = before[0] if first is None else first
                put(made, place, tuple(range(start, start + (len(before) if number is None else number))))

    def _harness(self, made: Tree) -> None:
        name, command, changes = (self.typed.get(n) for n in ("harness", "agent_command", "agent_set"))
        if name is not None or command or changes:
            put(made, HARNESS.places[0], harness_settings(name or REACT, command, changes or ()))


def settings_of(tree: Mapping[str, Any]) -> RunSettings:
    """Settings from their nested form; what pydantic finds wrong becomes one message.

    Raises:
        BadInput: what is missing, or cannot be; names the setting and its option.
    """
    try:
        return RunSettings.model_validate(tree)
    except ValidationError as error:
        raise BadInput(_in_words(error)) from error


def _in_words(error: ValidationError) -> str:
    errors = error.errors()
    missing = [_option_of(item["loc"]) for item in errors if item["type"] == "missing"]
    if missing:
        return f"give {', '.join(dict.fromkeys(missing))}, or a file that says it (--settings)"
    said = "; ".join(f"{_option_of(item['loc'])}: {item['msg']}" for item in errors)
    return f"these settings cannot be: {said}"


def _option_of(loc: tuple[int | str, ...]) -> str:
    """The option that sets a field, and where the field stands in a file: what a person has to mend."""
    wanted = ".".join(str(part) for part in loc)
    wanted = {"data": "data.path", "models": "models.agent.name"}.get(wanted, wanted)
    found = [
        option.flags for option in BY_NAME.values() for place in option.places if f"{wanted}.".startswith(f"{place}.")
    ]
    return f"{found[0]} ({wanted})" if found else wanted


def with_settings(
    *names: str, counts: Iterable[str] = ("learning.seeds",), texts: Mapping[str, str] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options of the table and --settings, in place of its parameter `given`.

    Args:
        names: the options, by their names in the table.
        counts: the fields that --seeds sets.
        texts: other words of help, by option.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = typing.get_type_hints(command, include_extras=True)
        own = [p.replace(annotation=hints[p.name]) for p in inspect.signature(command).parameters.values()]
        own = [parameter for parameter in own if parameter.name != "given"]
        options = [made for name in names for made in parameters_of(BY_NAME[name], (texts or {}).get(name, ""))]
        file = inspect.Parameter("settings", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=SettingsFile)

        @wraps(command)
        def run(**values: Any) -> None:
            typed = {name: _typed(name, values) for name in names}
            typed = {name: value for name, value in typed.items() if value is not None and value != []}
            given = Given(typed, values.pop("settings"), tuple(counts))
            command(given=given, **values)

        shown = [*own, *options, file]
        parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in shown]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        del run.__wrapped__  # typer would read the command's own parameters
        return run

    return decorate


def parameters_of(option: SettingOption, text: str = "") -> list[inspect.Parameter]:
    """The option as parameters of a command, as typer reads them. Without a value one is None: not typed.

    A yes or no has its opposite, too, which help does not show: it is for what a file of settings says.
    """
    info, default = field_at(option.places[0]), default_at(option.places[0])
    kind = option.typed or _kind_of(info.annotation)
    told = f"{text or option.text or info.description} {_told(option, info, kind, default)}".strip()
    if kind is not bool:
        return [_parameter(option.name, kind, option.flags, told, option.panel, metavar=_metavar(kind))]
    flags = {True: option.flags, False: f"--no-{option.flags[2:]}"}
    shown = not default
    told = told if shown else f"Do not: {told[0].lower()}{told[1:]}"
    return [
        _parameter(option.name, bool, flags[True], told, option.panel, hidden=not shown),
        _parameter(NOT + option.name, bool, flags[False], told, option.panel, hidden=shown),
    ]


def _parameter(name: str, kind: Any, flag: str, told: str, panel: str, **more: Any) -> inspect.Parameter:
    made = typer.Option(flag, help=told, show_default=False, rich_help_panel=panel, **more)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, made]
    )


def _told(option: SettingOption, info: FieldInfo, kind: Any, default: Any) -> str:
    """Choices, bounds and default in words: help at 80 columns has no room for columns of their own."""
    words = [", ".join(typing.get_args(kind))] if typing.get_origin(kind) is Literal else []
    if not option.typed:
        words += [
            f"{sign}{getattr(item, name):g}"
            for item in info.metadata
            for type_, name, sign in BOUNDS
            if isinstance(item, type_)
        ]
    shown = str(FIRST_SEED) if option is SEED else "1" if option in COUNTS else _shown(option, default)
    words += [f"default {shown}"] if shown else []
    return f"({'; '.join(words)})" if words else ""


def _shown(option: SettingOption, value: Any) -> str:
    unsaid = value is None or value in ("", (), {}) or isinstance(value, bool) or option.name == "max_turns"
    if unsaid or option in TOGETHER:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _metavar(kind: Any) -> str:
    inner = typing.get_args(kind)[0] if typing.get_origin(kind) is list else kind
    return "WORD" if typing.get_origin(inner) is Literal else {int: "N", float: "X", Path: "PATH"}.get(inner, "TEXT")


def _typed(name: str, values: Tree) -> Any:
    """What was typed for an option, taken out of a command's values; the opposite of a yes is a no."""
    value, opposite = values.pop(name), values.pop(NOT + name, None)
    return False if opposite else value


def field_at(place: str) -> FieldInfo:
    """The field at a path from `RunSettings`.

    Raises:
        KeyError: there is none.
    """
    model: type[BaseModel] = RunSettings
    *way, last = place.split(".")
    for name in way:
        (model,) = models_in(model.model_fields[name].annotation)
    return model.model_fields[last]


def default_at(place: str) -> Any:
    """The default of the field at a path; None where it has none. That of a section counts before the model's own."""
    value: Any = None
    model: type[BaseModel] = RunSettings
    for name in place.split("."):
        info = model.model_fields[name]
        value = (
            getattr(value, name)
            if isinstance(value, BaseModel)
            else None
            if info.is_required()
            else info.get_default(call_default_factory=True)
        )
        model = next(iter(models_in(info.annotation)), model)
    return value


def _kind_of(annotation: Any) -> Any:
    """The type that is typed: of `X | None` it is X, of a tuple a list, of a union of addresses a text."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _kind_of(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return _kind_of(next(part for part in typing.get_args(annotation) if part is not type(None)))
    if origin is tuple:
        return list[typing.get_args(annotation)[0]]  # type: ignore[misc]
    return annotation if origin is Literal or isinstance(annotation, type) else str


def _copied(tree: Mapping[str, Any]) -> Tree:
    return {key: _copied(value) if isinstance(value, Mapping) else value for key, value in tree.items()}


def _lay(under: Tree, over: Mapping[str, Any]) -> None:
    """Put a tree over another. Maps of a person's own keys (options of a domain) are replaced whole."""
    for key, value in over.items():
        below = under.get(key)
        if (
            isinstance(value, Mapping)
            and isinstance(below, dict)
            and key not in ("domain_options", "max_failed_shares")
        ):
            _lay(below, value)
        else:
            under[key] = _copied(value) if isinstance(value, Mapping) else value


def put(tree: Tree, place: str, value: Any) -> None:
    """Set the value at a path, such as 'learning.merge.fan_in'."""
    *way, last = place.split(".")
    for name in way:
        inner = tree.get(name)
        tree[name] = inner if isinstance(inner, dict) else {}
        tree = tree[name]
    tree[last] = value


def _get(tree: Mapping[str, Any], place: str) -> Any:
    found: Any = tree
    for name in place.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
