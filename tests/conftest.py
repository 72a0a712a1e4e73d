"""What tests share: where the real data lie, small settings, and one Prefect server for the session."""

import atexit
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import databases
import pytest

from trace2skill.cli.app import _nothing_more_to_say

atexit.register(_nothing_more_to_say)
ROOT = Path(__file__).resolve().parents[1]
OFFICE = ROOT / "examples" / "office"
OFFICE_SKILL = ROOT / "examples" / "skills" / "office-workbooks"


def shared(*parts: str) -> Path:
    """A folder of the real data, which lie outside the project; the test skips where they are missing."""
    path = Path(os.environ.get("TRACE2SKILL_SHARED_DATA", ROOT.parent / "shared" / "data")).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the real data are not at {path}")
    return path


@pytest.fixture(scope="session")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One Prefect server for all: starting one for each command would take most of the time."""
    with prefect_server(tmp_path_factory.mktemp("prefect")) as home:
        yield home


@pytest.fixture(scope="module")
def own_prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Prefect server of the module's own, for what it deploys there."""
    with prefect_server(tmp_path_factory.mktemp("prefect")) as home:
        yield home


@contextmanager
def prefect_server(home: Path) -> Iterator[Path]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).parent / "prefect"), "server", "start", "--port", str(port)]
    server = subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (home / "api").write_text(f"http://127.0.0.1:{port}/api")
    deadline = time.monotonic() + 120
    while not answers(f"http://127.0.0.1:{port}/api/health"):
        assert server.poll() is None
        assert time.monotonic() < deadline, "the Prefect server did not start"
        time.sleep(0.2)
    yield home
    server.terminate()
    server.wait(30)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server for the session; skips where none is installed."""
    with databases.server() as base:
        yield base


@pytest.fixture(params=["duckdb", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a new store may be: a file, and a database. What holds of a store holds of both."""
    if request.param == "duckdb":
        return tmp_path / "deep" / "store.duckdb"
    return databases.fresh(request.getfixturevalue("postgres"), f"t{uuid.uuid4().hex}")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def environment(home: Path, calls: Path | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "TRACE2SKILL_"))}
    kept["PREFECT_HOME"] = str(home)
    if (home / "api").exists():
        kept["PREFECT_API_URL"] = (home / "api").read_text()
    if calls:
        kept["TRACE2SKILL_SIM_CALLS"] = str(calls)
    return kept
