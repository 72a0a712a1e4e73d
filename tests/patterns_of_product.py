"""Every regular expression of the product that may meet what others wrote, and how it is asked."""

import ast
import importlib
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import trace2skill

OWN_TEXT = (
    "trace2skill.sim", "trace2skill.experiment", "trace2skill.domains.skeleton", "trace2skill.runs.report", "trace2skill.cli",
    "trace2skill.store", "trace2skill.domains.spreadsheet.dataset",
)  # fmt: skip
"""What these read is the product's own, or written by the person who runs it."""
AT_ITS_START = {"match", "fullmatch"}
ANYWHERE = {"search", "sub", "subn", "findall", "finditer", "split"}


class Asked(NamedTuple):
    """An expression, where it stands, and whether it is asked of the start of a text alone."""

    pattern: re.Pattern[str]
    place: str
    at_start: bool
    worded: re.Pattern[str] | None = None
    """Another wording of it, whose worst texts it meets, too."""


def asked() -> list[Asked]:
    """Each expression once."""
    found: dict[tuple[str, int], Asked] = {}
    modules = [*_modules()]
    uses = _uses(modules)
    for module in modules:
        for name, value in vars(module).items():
            how = uses[id(value)]
            for pattern in _held(value, 0, set()):
                _add(found, Asked(pattern, f"{module.__name__}:{name}", bool(how) and how <= AT_ITS_START))
        for pattern, use in _written(module):
            _add(found, Asked(pattern, f"{module.__name__}:{pattern.pattern}", use in AT_ITS_START))
    return [*found.values()]


def _add(found: dict[tuple[str, int], Asked], one: Asked) -> None:
    key = one.pattern.pattern, one.pattern.flags
    if isinstance(one.pattern.pattern, str):
        known = found.get(key)
        found[key] = one if known is None or not one.at_start else known


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(trace2skill.__path__, "trace2skill."):
        if not found.name.startswith(OWN_TEXT) and not found.name.endswith(("__main__", "_child", "comparing")):
            yield importlib.import_module(found.name)


def _uses(modules: list[ModuleType]) -> dict[int, set[str]]:
    """How each object with a name is asked."""
    found: dict[int, set[str]] = defaultdict(set)
    for module in modules:
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            if named and node.attr in AT_ITS_START | ANYWHERE and node.value.id in vars(module):
                found[id(vars(module)[node.value.id])].add(node.attr)
    return found


def _held(value: Any, depth: int, seen: set[int]) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    if depth > 4 or id(value) in seen or isinstance(value, (str, bytes, int, float, ModuleType, type)):
        return
    seen.add(id(value))
    if isinstance(value, dict):
        inner = list(value.values())
    elif isinstance(value, (list, tuple, set, frozenset)):
        inner = list(value)
    elif type(value).__module__.startswith("trace2skill"):
        inner = list(getattr(value, "__dict__", {}).values())
    else:
        return
    for item in inner:
        yield from _held(item, depth + 1, seen)


def _written(module: ModuleType) -> Iterator[tuple[re.Pattern[str], str]]:
    """Expressions that stand in a call of `re` itself, as text."""
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        of_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
        if of_re and node.func.attr in AT_ITS_START | ANYWHERE and isinstance(node.args[0], ast.Constant):
            flags = [_flags(item.value) for item in node.keywords if item.arg == "flags"]
            flags += [
                _flags(item)
                for item in node.args[FLAGS_AT.get(node.func.attr, 2) :]
                if isinstance(item, (ast.Attribute, ast.BinOp))
            ]
            yield re.compile(node.args[0].value, sum(flags)), node.func.attr


FLAGS_AT = {"sub": 4, "subn": 4, "split": 3}
"""Where flags stand among the arguments: behind what else a function of `re` takes."""


def _flags(node: ast.expr) -> int:
    if isinstance(node, ast.BinOp):
        return _flags(node.left) | _flags(node.right)
    of_re = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "re"
    return int(getattr(re, node.attr)) if of_re else 0
