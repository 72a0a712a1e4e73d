"""Which names of a program are modules, whatever they are called, and what of a module is there for others to use.

Modules of the standard library, and those of `openpyxl`, are asked themselves what they have: a list by hand would go
out of date. Only such are imported as a program may use, and nothing of the program is run.
"""

import ast
import importlib
from collections import defaultdict
from collections.abc import Collection
from functools import lru_cache
from types import ModuleType

OF_SYS = frozenset({"argv", "exit", "maxsize", "stderr", "stdin", "stdout", "version_info"})


class Imported:
    """The names that a program binds to modules and to what it takes out of them.

    Args:
        tree: the program.
        allowed: top modules that a program may use; of others nothing is known.
    """

    def __init__(self, tree: ast.Module, allowed: Collection[str]) -> None:
        self._allowed = allowed
        self._modules = defaultdict[str, set[str]](set)
        self._taken = defaultdict[str, set[str]](set)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for name in node.names:
                    whole = name.name if name.asname else name.name.partition(".")[0]
                    self._modules[name.asname or whole].add(whole)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for name in node.names:
                    inner = f"{node.module}.{name.name}"
                    (self._modules if self._is_module(inner) else self._taken)[name.asname or name.name].add(inner)

    def modules(self, node: ast.AST) -> frozenset[str]:
        """The modules that an expression may be: by a name, or as a part of another module."""
        if isinstance(node, ast.Name):
            return frozenset(self._modules.get(node.id, ()))
        if isinstance(node, ast.Attribute):
            inner = (f"{module}.{node.attr}" for module in self.modules(node.value))
            return frozenset(name for name in inner if self._is_module(name))
        return frozenset()

    def names(self, node: ast.AST) -> frozenset[str]:
        """What an expression may be that is taken out of a module: `{"pathlib.Path"}`."""
        if isinstance(node, ast.Name):
            return frozenset(self._taken.get(node.id, ()))
        if isinstance(node, ast.Attribute):
            return frozenset(f"{module}.{node.attr}" for module in self.modules(node.value))
        return frozenset()

    def is_public(self, module: str, name: str) -> bool:
        """Is it of what a module is there for? Neither what it keeps for itself nor another module that it uses."""
        if name.startswith("_"):
            return False
        if module == "sys":
            return name in OF_SYS
        there = self._loaded(module)
        if there is None or self._is_module(f"{module}.{name}") or not hasattr(there, name):
            return True  # what this Python does not have is judged by its name alone
        if (stated := getattr(there, "__all__", None)) is not None:
            return name in stated
        value = getattr(there, name)
        if isinstance(value, ModuleType):
            return False
        home = str(getattr(value, "__module__", None) or "builtins").lstrip("_").partition(".")[0]
        return home in self._allowed or home in {"builtins", "collections", "operator"}

    def _is_module(self, name: str) -> bool:
        """Is it a part of the module before its last dot, and not another one which that module uses?"""
        outer, _, last = name.rpartition(".")
        if not outer or last.startswith("_"):
            return False
        value = getattr(self._loaded(outer), last, None)
        if value is None:
            return self._loaded(name) is not None
        return isinstance(value, ModuleType) and (value.__name__ == name or name == "collections.abc")

    def _loaded(self, name: str) -> ModuleType | None:
        parts = name.split(".")
        if parts[0] not in self._allowed or any(part.startswith("_") for part in parts):
            return None
        return _loaded(name)


@lru_cache(maxsize=1_024)
def _loaded(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
