"""The names and versions under which values are kept, and their text.

What is stored outlives the code, so that nothing stored names a module or a class. A class that is hashed or kept says
what its values are called, in which version, and how a value of an older version becomes one of the next:

    class Rolled(Record, form="Rolled", version=2, upgrades=(with_a_bank,)): ...

The form's name is chosen once and never changes, whatever becomes of the class. A class that is only ever a part of
another's value needs no form: its shape belongs to the version of the whole. Two texts are written:

- `encode`: a value of any form, or lists and plain JSON values around it, with form and version; for results of steps.
- `as_text`: one model whose class the reader knows, as its own JSON; for the store's columns. From version 2 on, the
  key `form_version` stands in it.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from trace2skill.core.errors import FormUnreadable

log = logging.getLogger(__name__)
T = TypeVar("T", bound=BaseModel)
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
"""From the JSON value of one version to that of the next. Raises ValueError, KeyError or TypeError where it cannot."""
MARK = "form_version"
_by_name: dict[str, "Form"] = {}
_by_class: dict[type, "Form"] = {}
_warned: set[tuple[str, str]] = set()


@dataclass(frozen=True)
class Form:
    """What values of a class are called in what is stored."""

    name: str
    version: int
    cls: type[BaseModel]
    upgrades: tuple[Upgrade, ...]


def declare(cls: type[BaseModel], name: str, version: int, upgrades: tuple[Upgrade, ...]) -> None:
    """Give a class its form.

    Raises:
        TypeError: another class has the name, or there is not one upgrade for each version before this one.
    """
    known = _by_name.get(name)
    if known and (known.cls.__module__, known.cls.__qualname__) != (cls.__module__, cls.__qualname__):
        raise TypeError(f"the form '{name}' of {cls.__qualname__} is {known.cls.__qualname__}'s: choose another")
    if version < 1 or len(upgrades) != version - 1:
        raise TypeError(f"version {version} of the form '{name}' needs {version - 1} upgrades, one from each before it")
    _by_name[name] = _by_class[cls] = Form(name, version, cls, upgrades)


def form_of(cls: type) -> Form:
    """The form of a class.

    Raises:
        TypeError: it declares none, so that its values can be neither hashed nor kept.
    """
    form = _by_class.get(cls)
    if form is None:
        raise TypeError(f"{cls.__qualname__} is hashed or kept and has no form: class {cls.__name__}(Record, form=...)")
    return form


def known_forms() -> dict[str, Form]:
    """The forms of all classes that are imported, by name."""
    return dict(_by_name)


def encode(value: Any) -> str:
    """The text of a value: a model that has a form, None, a bool, number or text, or lists, tuples and dicts of these.

    Raises:
        TypeError: something in it is none of these.
    """
    return json.dumps(_tagged(value))


def decode(text: str) -> Any:
    """The value of a text that `encode` has written, now or in an older version.

    Raises:
        FormUnreadable: no such form, a newer version, or not a value of its form.
    """
    return _untagged(_parsed(text, "result"))


def as_text(value: BaseModel) -> str:
    """The JSON of a model, for a column whose reader knows the class.

    Raises:
        TypeError: its class has no form.
    """
    version, text = form_of(type(value)).version, value.model_dump_json()
    return text if version == 1 else f'{{"{MARK}":{version}' + ("}" if text == "{}" else "," + text[1:])


def from_text(text: str, cls: type[T]) -> T:
    """The model of a text that `as_text` has written, now or in an older version.

    Raises:
        FormUnreadable: it is not a value of the class's form, or one of a newer version.
    """
    form = form_of(cls)
    if form.version == 1:  # most are, and a trajectory is long
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            pass  # the slow way says why
    return from_value(_parsed(text, form.name), cls)


def as_value(value: BaseModel) -> dict[str, Any]:
    """What `as_text` gives, as a JSON value."""
    found: dict[str, Any] = json.loads(as_text(value))
    return found


def from_value(value: Any, cls: type[T]) -> T:
    """The model of a JSON value that `as_value` has given. Raises as `from_text`."""
    form = form_of(cls)
    if not isinstance(value, dict):
        raise FormUnreadable(form.name, "not a JSON object", type(value).__name__)
    fields = {key: item for key, item in value.items() if key != MARK}
    found: T = _made(form, value.get(MARK, 1), fields)
    return found


def from_text_or_none(text: str, cls: type[T]) -> T | None:
    """The model of a text, or None with a warning where it cannot be read."""
    try:
        return from_text(text, cls)
    except FormUnreadable as error:
        missed(error)
        return None


def missed(error: FormUnreadable) -> None:
    """Warn that something stored is taken for not there: once in a process for each form and reason."""
    if (error.form, error.reason) not in _warned:
        _warned.add((error.form, error.reason))
        log.warning("%s", error)


def _tagged(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, BaseModel):
        form = form_of(type(value))
        return {"form": form.name, "version": form.version, "value": json.loads(value.model_dump_json())}
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_tagged(item) for item in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"map": {key: _tagged(item) for key, item in value.items()}}
    raise TypeError(f"a {type(value).__qualname__} cannot be kept: hand on a model that has a form, or plain values")


def _untagged(tagged: Any) -> Any:
    if isinstance(tagged, list):
        return [_untagged(item) for item in tagged]
    if not isinstance(tagged, dict):
        return tagged
    match tagged:
        case {"form": str(name), "version": version, "value": value, **rest} if not rest:
            form = _by_name.get(name)
            if form is None:
                raise FormUnreadable(name, "no such form", "this version of trace2skill does not know it")
            return _made(form, version, value)
        case {"tuple": list(items), **rest} if not rest:
            return tuple(_untagged(item) for item in items)
        case {"map": dict(items), **rest} if not rest:
            return {key: _untagged(item) for key, item in items.items()}
    raise FormUnreadable("result", "not in the format of results", f"keys {', '.join(sorted(tagged))[:80]}")


def _made(form: Form, version: Any, value: Any) -> Any:
    if type(version) is not int or version < 1:
        raise FormUnreadable(form.name, "no version", repr(version)[:40])
    if version > form.version:
        raise FormUnreadable(form.name, "newer version", f"it is version {version}, and {form.version} is known here")
    try:
        for upgrade in form.upgrades[version - 1 :]:
            value = upgrade(value)
        return form.cls.model_validate_json(json.dumps(value))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        detail = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise FormUnreadable(form.name, "not a value of its form", detail) from error
    except (ValueError, KeyError, TypeError, AttributeError, PydanticSerializationError) as error:
        raise FormUnreadable(form.name, f"no upgrade from version {version}", str(error)[:200]) from error


def _parsed(text: str, form: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormUnreadable(form, "not JSON", str(error)[:200]) from error
