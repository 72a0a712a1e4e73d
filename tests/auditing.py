"""Logs to audit by, and the command `audit` in this process."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from audits import KINDS, lay_out_skills, session
from typer.testing import CliRunner

from trace2skill.cli.app import app

CITIES = ("Oslo", "Bergen", "Turku", "Malmo", "Lund", "Vasa")


def rows_of(cities: Iterable[str] = CITIES) -> list[dict[str, Any]]:
    """A session that passed of each kind of work for each city."""
    return [
        session(f"{kind}-{city}", request.format(city), command, reward=1)
        for kind, (request, command, _) in KINDS.items()
        for city in cities
    ]


def lay_out(rows: Iterable[dict[str, Any]], name: str = "logs.jsonl") -> Path:
    """Write sessions into a file of the working directory."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


@pytest.fixture
def laid_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skills and four sessions in a working directory of the test's own."""
    monkeypatch.chdir(tmp_path)
    lay_out_skills()
    lay_out(rows_of(("Oslo", "Bergen")))


def audit(skill: str, *more: str, model: str = "sim/office", logs: str = "logs.jsonl") -> Any:
    """What the command comes to over logs of the working directory."""
    return CliRunner().invoke(app, ["audit", skill, logs, "--model", model, "--store", "s.duckdb", *more])


def told(skill: str, *more: str, model: str = "sim/office", logs: str = "logs.jsonl") -> dict[str, Any]:
    """The same as `--json` says it."""
    done = audit(skill, "--json", *more, model=model, logs=logs)
    assert done.exit_code == 0, (done.output, done.exception)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
