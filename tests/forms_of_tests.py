"""The settings of a run over the planted world of forms, whose causes interact (bench/nights_world.py)."""

from pathlib import Path
from typing import Any

from conftest import ROOT
from nights_world import write_world
from run_settings import run_settings

from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.settings import RunSettings

WORLD = f"{ROOT / 'bench' / 'nights_world.py'}:Forms"


def forms(folder: Path, tasks: int, **more: Any) -> RunSettings:
    """A run over so many forms, which are written to the folder unless they are there, by a scripted model."""
    if not (folder / "data").exists():
        write_world(folder, tasks)
    values = {
        "data": folder / "data",
        "domain": WORLD,
        "skill": folder / "forms",
        "roles": Roles.all_played_by(ModelSettings(name="sim/scripted")),
        "analysts": "+error",
        "error_analyst": "one_call",
        "sandbox": "process",
        "store": folder / "s.duckdb",
        "output": folder / "runs",
    }
    return run_settings(**{**values, **more})
