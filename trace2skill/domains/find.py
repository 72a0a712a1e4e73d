"""Finding a domain: one of ours by name, one of an installed package by entry point, or a class in a file.

A package registers its own under the entry-point group `trace2skill.domains`
(https://packaging.python.org/en/latest/specifications/entry-points/).
"""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from trace2skill.core.digest import digest_of_bytes
from trace2skill.core.errors import BadInput
from trace2skill.domains.base import Domain

GROUP = "trace2skill.domains"
BUILT_IN = {
    "logs": "trace2skill.domains.logs:Logs",
    "math": "trace2skill.domains.math:Math",
    "table_qa": "trace2skill.domains.table_qa:TableQuestions",
    "document_qa": "trace2skill.domains.document_qa:DocumentQA",
    "questions": "trace2skill.domains.questions:Questions",
    "shell": "trace2skill.domains.shell:Shell",
    "spreadsheet": "trace2skill.domains.spreadsheet:Spreadsheet",
}


def domain_names() -> list[str]:
    """Names of the domains that can be had by name: ours, and those that installed packages register."""
    return sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def load_domain(name: str, options: Mapping[str, str] | None = None, *, recalculate: str = "auto") -> Domain:
    """The domain of that name.

    Args:
        name: a name of `domain_names`, or `path/to/module.py:Class`, or `package.module:Class`.
        options: what the domain's own `Options` (a pydantic model) take; the class gets them as keyword arguments. A
            class without `Options` takes none.
        recalculate: handed on to a domain whose options know it.

    Raises:
        BadInput: there is no such domain, or it does not take these options; says what there is.
    """
    cls = domain_class(name)
    missing = [member for member in _members() if not hasattr(cls, member)]
    if missing:
        raise BadInput(f"{name} is no domain: it lacks {', '.join(missing)}; see docs/domains.md")
    domain: Any = _made(name, cls, dict(options or {}), recalculate)
    if _is_file(name):
        # What stands in the file can change any result: the keys of the steps hold it.
        source = Path(name.rpartition(":")[0]).read_bytes()
        domain.version = f"{domain.version} {digest_of_bytes(source)[:12]}"
    found: Domain = domain
    return found


def _made(name: str, cls: type[Any], given: dict[str, str], recalculate: str) -> Any:
    taken = getattr(cls, "Options", None)
    if taken is None:
        if given:
            raise BadInput(f"the domain '{name}' takes no options; leave {', '.join(sorted(given))} out")
        return cls()
    if "recalculate" in taken.model_fields:
        given.setdefault("recalculate", recalculate)
    try:
        options = taken(**given).model_dump()
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise BadInput(f"options of the domain '{name}': {said}; it knows {', '.join(taken.model_fields)}") from error
    # A class whose options choose between domains makes the one that is meant.
    return getattr(cls, "choose", cls)(**options)


def domain_class(name: str) -> type[Any]:
    """The class that a name stands for, whether it is a domain or not.

    Raises:
        BadInput: there is none.
    """
    points = {point.name: point.value for point in entry_points(group=GROUP)}
    where = BUILT_IN.get(name) or points.get(name) or (name if ":" in name else "")
    if not where:
        raise BadInput(
            f"unknown domain '{name}': there is {', '.join(domain_names())}; one of your own is path/to/module.py:Class"
        )
    module_name, _, class_name = where.rpartition(":")
    module = _module_of_file(Path(module_name)) if _is_file(where) else _module(name, module_name)
    cls = getattr(module, class_name, None)
    if not inspect.isclass(cls):
        raise BadInput(f"the domain '{name}': {module_name} has no class {class_name}")
    return cls


def _is_file(name: str) -> bool:
    return name.rpartition(":")[0].endswith(".py")


def _module(name: str, module_name: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ImportError as error:
        raise BadInput(f"the domain '{name}' cannot be imported: {error}") from error


def _module_of_file(path: Path) -> ModuleType:
    """The module of a file, loaded once per process and content."""
    if not path.is_file():
        raise BadInput(f"there is no file {path}, named as a domain")
    name = f"trace2skill_domain_{path.stem}_{digest_of_bytes(str(path.resolve()).encode() + path.read_bytes())[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BadInput(f"{path} cannot be loaded as a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise BadInput(f"{path} does not load: {type(error).__name__}: {error}") from error
    return module


def _members() -> list[str]:
    """What a class must have to be a domain: the methods of the protocol, and the attributes that a class can hold."""
    methods = [name for name in vars(Domain) if not name.startswith("_") and callable(getattr(Domain, name))]
    return ["name", "about", "fix_contract", *methods]
