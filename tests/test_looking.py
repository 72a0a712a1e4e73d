"""Looking at a store while a run holds it: nobody waits, what is shown is whole, and nothing is changed."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import OFFICE_SKILL, ROOT
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.core.errors import StoreUnavailable
from trace2skill.skills.skill import read_skill
from trace2skill.store import RunRow, close_all, open_store, store_to_read
from trace2skill.store.snapshot import copied

WRITES = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from trace2skill.store import open_store
store = open_store(Path({path!r}))
wanted = "\\n"
for n in range(1_000_000):
    store.put_result(f"a/{{n}}", b"x" * 2_000)
    store.put_result(f"b/{{n}}", b"x" * 2_000)
    if wanted == "fold\\n":
        store._cursor().execute("FORCE CHECKPOINT")
    print(n, flush=True)
    wanted = sys.stdin.readline()
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path


@pytest.fixture
def held(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds a store with one run and writes on, a step for each line it is sent; `fold` folds its log."""
    path = folder / "s.duckdb"
    with closing(open_store(path)) as store:
        store.start_run(RunRow(id="run-1", kind="refresh", settings="{}"))
        skill = read_skill(OFFICE_SKILL).digest
        store.put("support", skill, SupportLedger(skill=skill, parent=""))
    code = textwrap.dedent(WRITES).format(root=str(ROOT), path=str(path))
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout
    assert child.stdout.readline() == "0\n"
    yield child
    child.kill()
    child.communicate()


def test_what_was_written_is_seen_at_once_and_whole(held: "subprocess.Popen[str]", folder: Path) -> None:
    """Out of the log and out of the file, also while the writer goes on and folds the one into the other."""
    assert held.stdin
    assert held.stdout
    for done in range(1, 31):
        held.stdin.write("fold\n" if done % 5 == 0 else "\n")
        held.stdin.flush()
        waits = done % 3 != 0  # else it writes while its file is copied
        if waits:
            assert held.stdout.readline() == f"{done}\n"
        first, second = seen(folder)
        assert set(range(done + waits)) <= second <= first
        if not waits:
            assert held.stdout.readline() == f"{done}\n"
    assert not list((folder / "tmp").iterdir())


def test_a_log_that_is_folded_between_the_two_copies_loses_nothing(
    held: "subprocess.Popen[str]", folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is copied before, and the log, which is empty, after."""
    real, folded = shutil.copyfile, []

    def copyfile(source: Path, to: Path) -> None:
        real(source, to)
        if not folded and held.stdin and held.stdout:
            folded.append(source)
            held.stdin.write("fold\n")
            held.stdin.flush()
            assert held.stdout.readline() == "1\n"

    monkeypatch.setattr(shutil, "copyfile", copyfile)
    assert seen(folder) == ({0, 1}, {0, 1})
    assert folded


def seen(folder: Path) -> tuple[set[int], set[int]]:
    """The steps whose first, and whose second part a reader finds."""
    with closing(store_to_read(folder / "s.duckdb", on_copy=lambda said: None)) as store:
        found = [row[0] for row in store.query("SELECT key FROM result")]
    first, second = ({int(key[2:]) for key in found if key[0] == letter} for letter in "ab")
    return first, second


@pytest.mark.parametrize(
    "command",
    [
        ["show"],
        ["versions"],
        ["why", str(OFFICE_SKILL)],
        ["nights", str(OFFICE_SKILL)],
        ["store", "stats"],
        ["quarantine"],
        ["transfer"],
    ],
    ids=lambda words: words[0],
)
def test_commands_that_only_look_do_not_wait(held: "subprocess.Popen[str]", folder: Path, command: list[str]) -> None:
    found = CliRunner().invoke(app, [*command, "--store", str(folder / "s.duckdb"), "--json"])
    assert found.exit_code == 0, found.stderr
    json.loads(found.stdout)
    assert f"process {held.pid}" in found.stderr
    assert "shown is what it had written at" in found.stderr


def test_a_copy_takes_nothing_and_goes_with_its_store(held: "subprocess.Popen[str]", folder: Path) -> None:
    store = store_to_read(folder / "s.duckdb", on_copy=lambda said: None)
    assert store.path == (folder / "s.duckdb").resolve()
    assert [run.id for run in store.runs()] == ["run-1"]
    with pytest.raises(StoreUnavailable, match="a copy to look at"):
        store.put_result("c", b"1")
    assert oct(os.stat(next((folder / "tmp").iterdir())).st_mode)[-3:] == "700"
    store.close()
    assert not list((folder / "tmp").iterdir())


def test_no_copy_outlives_a_command_that_is_stopped(held: "subprocess.Popen[str]", folder: Path) -> None:
    """A signal ends the process without Python's own end, at which a copy would go by itself."""
    store = store_to_read(folder / "s.duckdb", on_copy=lambda said: None)
    assert list((folder / "tmp").iterdir())
    close_all()
    assert store.closed
    assert not list((folder / "tmp").iterdir())


def test_a_store_that_nobody_holds_is_read_itself(folder: Path) -> None:
    with closing(open_store(folder / "s.duckdb")) as store:
        store.put_result("a", b"1")
    with closing(store_to_read(folder / "s.duckdb")) as store:
        assert store.get_result("a") == b"1"
        assert store is open_store(folder / "s.duckdb")


def test_where_there_is_no_room_there_is_no_copy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(folder / "s.duckdb").close()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 99, 1))
    assert copied(folder / "s.duckdb") is None
    assert not list((folder / "tmp").iterdir())
