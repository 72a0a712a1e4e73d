"""What tests share: where the real data lie, small settings, one Prefect server for the session, and their order."""

import atexit
import contextlib
import fcntl
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi
import databases
import psutil
import pytest
import warm
from hypothesis import HealthCheck
from hypothesis import settings as properties
from xdist.scheduler import LoadScopeScheduling

from trace2skill.cli.app import _nothing_more_to_say
from trace2skill.cli.prefect_settings import LEAN, QUIET, lean, quiet
from trace2skill.sim.scripted import Script, scripted
from trace2skill.store import Store, open_store

SLOW = [*properties.default.suppress_health_check, HealthCheck.too_slow]
properties.register_profile("ours", properties.default, deadline=None, suppress_health_check=SLOW)
properties.load_profile("ours")  # how busy the machine is says nothing of a property

if TYPE_CHECKING:
    from prefect_project import Project

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench"))  # its worlds and its refresh without a server are those of tests, too
OFFICE = ROOT / "examples" / "office"
OFFICE_SKILL = ROOT / "examples" / "skills" / "office-workbooks"
PATIENCE = 300.0
"""Seconds after which something that should have happened counts as not going to: a busy machine is no failure."""

# Before anything imports Prefect. The processes of one session share a home and, on demand, one server in it.
CONTROLLER = "PYTEST_XDIST_WORKER" not in os.environ
if CONTROLLER:
    os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="t2s-prefect-")
HOME = Path(os.environ["PREFECT_HOME"])
AUTHORITY = HOME / "authority.pem"
"""One certificate in place of 150: each client of Prefect's reads them anew, and the tests' servers have none."""
if CONTROLLER:
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")
    AUTHORITY.write_text(first[first.index("-----BEGIN") :] + end)
os.environ["PREFECT_API_SSL_CERT_FILE"] = str(AUTHORITY)
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    # `nohup` and `&` leave some ignored, and our commands keep that. What has a handler is as usual for who is started.
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)
os.environ["PREFECT_LOGGING_TO_API_ENABLED"] = "false"
lean()
quiet()
atexit.register(_nothing_more_to_say)


# The order: what takes seconds comes first, the longest at the head, or the last worker ends long after the others.
# `RENEW_DURATIONS=1 make test-all` writes the table again, from the tests that ran.

TABLE = ROOT / "tests" / "durations.json"
DURATIONS: dict[str, float] = json.loads(TABLE.read_text())
WORTH_SORTING = 2.0
OPERATED = dict.fromkeys(
    ["operations/test_page.py", "operations/test_nightly.py", "operations/test_together.py"], "operated"
)
"""Files that share the one deployed project, which one worker runs."""
_taken: dict[str, float] = {}


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker more than there are cores: the longest tests wait for servers and workers a third of their time."""
    del config
    return (os.cpu_count() or 1) + 1


class Grouped(LoadScopeScheduling):
    """Hands tests out one by one, and those of a group to one worker.

    The groups of pytest-xdist's own `loadgroup` stand in node ids, which pytest 9.2 does not let it change.
    """

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Grouped:
    return Grouped(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by duration, a group of tests that one worker runs by the sum of it."""
    seconds: Counter[str] = Counter()
    for item in items:
        seconds[unit(item.nodeid)] += DURATIONS.get(plain(item.nodeid), 0.0)
    items.sort(key=lambda item: -seconds[unit(item.nodeid)])


def unit(node: str) -> str:
    """What is given to one worker as a whole: the tests that share something dear, or else a test."""
    file = node.partition("::")[0].removeprefix("tests/")
    return OPERATED.get(file) or (file if shares(file) else node)


@functools.cache
def shares(file: str) -> bool:
    """Have the tests of a file something in common that is made once? Each worker would make it anew, more than once."""
    return 'scope="module"' in (ROOT / "tests" / file).read_text(encoding="utf-8")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        name = plain(report.nodeid)
        _taken[name] = max(_taken.get(name, 0.0), round(report.duration, 1))


def plain(node: str) -> str:
    """A test's name without its parameters."""
    return node.partition("[")[0].removeprefix("tests/")


def pytest_sessionfinish() -> None:
    """End the session's server, whichever worker has started it; renew the table of durations where that is asked."""
    if not CONTROLLER:
        return
    if os.environ.get("RENEW_DURATIONS"):
        known = {name: seconds for name, seconds in {**DURATIONS, **_taken}.items() if seconds >= WORTH_SORTING}
        TABLE.write_text(json.dumps(known, indent=0, sort_keys=True) + "\n")
    for started in ("forking", "server"):
        if (HOME / started).exists():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(int((HOME / started).read_text()))
                process.terminate()
                process.wait(30)
    shutil.rmtree(HOME, ignore_errors=True)


def shared(*parts: str) -> Path:
    """A folder of the real data, which lie outside the project; the test skips where they are missing."""
    path = Path(os.environ.get("TRACE2SKILL_SHARED_DATA", ROOT.parent / "shared" / "data")).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the real data are not at {path}")
    return path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new store of the test's own."""
    opened = open_store(tmp_path / "store.duckdb")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def prefect_home() -> Path:
    """The home of the one Prefect server of the session, which the first that needs it starts.

    It answers requests and does nothing of its own accord: no scheduler, no late runs, no events.
    """
    with (HOME / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (HOME / "api").exists():
            server = start_server(HOME, "--no-services", "--no-ui")
            (HOME / "server").write_text(str(server.pid))
    return HOME


@pytest.fixture(scope="session")
def warm_home(prefect_home: Path) -> Path:
    """The same home, with the one process of the session that commands are forked from."""
    with (prefect_home / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (prefect_home / "warm").exists():
            forking = warm.start(prefect_home / "warm", environment(prefect_home), ROOT)
            (prefect_home / "forking").write_text(str(forking.pid))
    return prefect_home


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Project"]:
    """A Prefect server that records what happens, and our deployments.

    The tests that use it are one group, which one worker runs: see `OPERATED`.
    """
    from checkout import make_checkout
    from page import begun
    from prefect_project import SETTINGS, Project, task_set

    home = tmp_path_factory.mktemp("prefect")
    checkout = make_checkout(home / "trace2skill", home / "warm", SETTINGS)
    task_set(checkout, 12)
    forking = warm.start(home / "warm", environment(home), checkout)
    known = environment(home) | QUIET | LEAN | dict.fromkeys(UNASKED, "false") | {"PREFECT_UI_ENABLED": "false"}
    try:
        with begun(checkout, known, home / "page.log") as api:
            (home / "api").write_text(api)
            found = Project(home, checkout)
            found.fork_runs()
            yield found
            found.client.close()
    finally:
        forking.terminate()
        forking.wait(60)


@pytest.fixture
def project(deployed: "Project") -> "Project":
    """The deployed project, with no call counted yet and nothing broken."""
    deployed.calls.unlink(missing_ok=True)
    deployed.outage.unlink(missing_ok=True)
    return deployed


UNASKED = [f"PREFECT_SERVER_SERVICES_{name}_ENABLED" for name in ("SCHEDULER", "LATE_RUNS", "FOREMAN", "TRIGGERS")]
"""What a server does besides, which costs and which no test asks about: schedules, automations, the health of workers."""


def start_server(home: Path, *options: str, env: dict[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """A Prefect server that answers; its address is written to `home/api`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).parent / "prefect"), "server", "start", "--port", str(port), *options]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    known = environment(home) | QUIET | LEAN | (env or {})  # nobody reads what it says
    server = subprocess.Popen(command, env=known, **quiet)  # type: ignore[call-overload]
    deadline = time.monotonic() + PATIENCE
    while not answers(f"http://127.0.0.1:{port}/api/health"):
        assert server.poll() is None
        assert time.monotonic() < deadline, "the Prefect server did not start"
        time.sleep(0.2)
    (home / "api").write_text(f"http://127.0.0.1:{port}/api")
    return server


Plays = Callable[[Script], None]


@pytest.fixture
def plays() -> Iterator[Plays]:
    """Lets a function speak for the model `sim/scripted` until the test ends, or until it gives another one."""
    with contextlib.ExitStack() as stack:

        def play(speak: Script) -> None:
            stack.close()
            stack.enter_context(scripted(speak))

        yield play


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
    kept["PREFECT_API_SSL_CERT_FILE"] = str(AUTHORITY)
    if (home / "api").exists():
        kept["PREFECT_API_URL"] = (home / "api").read_text()
    if calls:
        kept["TRACE2SKILL_SIM_CALLS"] = str(calls)
    return kept
