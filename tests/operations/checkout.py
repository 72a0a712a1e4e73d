"""A checkout of the tests' own: links to the code, a file of deployments to edit, and programs that start at once."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import warm
from conftest import ROOT

LINKED = ("trace2skill", "flows", "tasks", "examples", "Makefile", "pyproject.toml", "requirements.lock")
PROGRAMS = {
    "prefect": 'prefect "$@"',
    "trace2skill": 'command "$@"',
    "python": '$([ "$*" = "-m prefect.engine" ] && echo engine || echo file "$@")',
}
"""What each asks of the warm process."""
TOP = re.compile(r"^  settings: &settings\n.*?(?=^\S)", re.MULTILINE | re.DOTALL)
NIGHTLY = re.compile(r"^        learning: #.*?(?=^    work_pool)", re.MULTILINE | re.DOTALL)


def make_checkout(folder: Path, warm_place: Path, settings: dict[str, Any]) -> Path:
    """A folder that commands take for a checkout in which `make install` was run; its programs fork the warm process."""
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "deployments", folder / "deployments")  # where the checkout is taken to be
    for name, asked in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\nexec {sys.executable} -IS {warm.HERE} {warm_place} {asked}\n")
        (programs / name).chmod(0o755)
    (programs / "activate").write_text(f'PATH="{programs}:$PATH"\n')
    (folder / ".venv" / ".installed").touch()
    _edit_settings(folder / "deployments" / "prefect.yaml", settings)
    return folder


def _edit_settings(file: Path, settings: dict[str, Any]) -> None:
    """Edit the part that readers of the page are to edit; and each night does what the one before did."""
    text, tops = TOP.subn(f"  settings: &settings {json.dumps(settings)}\n\n", file.read_text())
    text, nights = NIGHTLY.subn("", text)
    assert (tops, nights) == (1, 1), f"{file} is not what is edited here any more"
    file.write_text(text)
