"""Runs a command in which one function of the product computes for ever: a moment of work, at which it can be stopped.

    python held.py MODULE FUNCTION MARK run --data ...

The file MARK is there once the moment has come. With a `+` before its name the function does its work after all: what
comes after it is the moment.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

from trace2skill.cli.app import main


def hold(module: str, function: str, mark: Path) -> None:
    """Let `module.function` (or `module.Class.function`) never end; it computes and does not wait."""
    goes_on, function = function.startswith("+"), function.removeprefix("+")
    *path, name = function.split(".")
    owner: Any = importlib.import_module(module)
    for part in path:
        owner = getattr(owner, part)
    real = getattr(owner, name)

    def busy(*arguments: Any, **options: Any) -> Any:
        mark.touch()
        if goes_on:
            return real(*arguments, **options)
        number = 1
        while True:
            number = (number * 1_103_515_245 + 12_345) % 2_147_483_648

    setattr(owner, name, busy)


if __name__ == "__main__":
    module, function, mark, *arguments = sys.argv[1:]
    hold(module, function, Path(mark))
    sys.argv = ["trace2skill", *arguments]
    main()
