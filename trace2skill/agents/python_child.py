"""The process in which a user's function works: reads what it is given, calls the function, writes what it returns.

Run as `python -m trace2skill.agents.python_child FUNCTION GIVEN RESULT`. It ends with its parent.
"""

import importlib
import importlib.util
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def load(name: str) -> Callable[..., Any]:
    """The function named 'module:function' or 'path/to/file.py:function'."""
    place, _, function = name.rpartition(":")
    if not place.endswith(".py"):
        return getattr(importlib.import_module(place), function)  # type: ignore[no-any-return]
    spec = importlib.util.spec_from_file_location(Path(place).stem, place)
    if spec is None or spec.loader is None:
        raise ImportError(f"{place} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(Path(place).parent))
    spec.loader.exec_module(module)
    return getattr(module, function)  # type: ignore[no-any-return]


def main() -> None:
    """Call the function with what the file says."""
    name, given_at, result_at = sys.argv[1:]
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    given = json.loads(Path(given_at).read_text(encoding="utf-8"))
    given["workspace"] = Path(given["workspace"])
    given["skill"] = Path(given["skill"]) if given["skill"] else None
    returned = load(name)(**given)
    Path(result_at).write_text(json.dumps(returned, ensure_ascii=True), encoding="ascii")


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
