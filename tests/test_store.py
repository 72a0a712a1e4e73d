"""The store keeps what it said it kept: through threads, crashes, full disks and other processes."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from trace2skill.core.errors import BadInput, StoreFromTheFuture, StoreUnavailable
from trace2skill.store import LedgerRow, RunRow, Store, current_store, open_store
from trace2skill.store.costs import steps_answered, steps_of_stage
from trace2skill.store.database import migrate
from trace2skill.store.housekeeping import export_store, prune_store, store_stats
from trace2skill.store.schema import MIGRATIONS
from trace2skill.types.trajectory import Timing

ROW = LedgerRow(
    run_id="r",
    step="s",
    stage="s",
    role="agent",
    model="sim/x",
    params={"seed": 1},
    cost=0.25,
    tokens_in=3,
    outcome="answered",
    call_key="k",
)


def in_another_process(code: str, *arguments: object) -> "subprocess.Popen[str]":
    head = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom pathlib import Path\nfrom trace2skill.store import open_store\n"
    command = [sys.executable, "-c", head + textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_what_is_put_is_got_also_after_reopening(address: Path | str) -> None:
    path = address
    store = open_store(path)
    store.put_result("a", b"\x00\xff")
    store.put_call("c", '{"x": 1}', ROW)
    store.put_observation("o", "said")
    store.put("patch", "p", Timing(seconds=1.5))
    store.start_run(RunRow(id="r", kind="refresh", settings="{}"))
    store.finish_run("r", "completed", "done")
    store.start_run(RunRow(id="r", kind="refresh", settings="{}"))
    assert open_store(path) is store
    assert current_store() is store
    store.close()
    store.close()
    again = open_store(path)
    assert again.get_result("a") == b"\x00\xff"
    assert again.get_result("b") is None
    assert again.get_call("c") == '{"x": 1}'
    assert again.get_observation("o") == "said"
    assert again.get("patch", "p", Timing) == Timing(seconds=1.5)
    assert again.get("skill", "p", Timing) is None
    assert again.ledger("r") == [ROW]
    run = again.run("r")
    assert run is not None
    assert (run.state, run.attempts) == ("running", 2)
    total = again.ledger_total("r")
    assert (total.calls, total.cost, total.tokens_in) == (1, 0.25, 3)
    assert again.ledger_total("another").calls == 0
    again.close()


def test_a_closed_store_says_so(address: Path | str) -> None:
    store = open_store(address)
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.put_result("a", b"")
    with pytest.raises(StoreUnavailable, match="closed"):
        store.get_result("a")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=20), st.booleans()), max_size=20))
@settings(max_examples=10, deadline=None)
def test_it_behaves_like_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[str, bytes, bool]]
) -> None:
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    model: dict[str, bytes] = {}
    store = open_store(path)
    for key, value, reopen in puts:
        store.put_result(key, value)
        model[key] = value
        if reopen:
            store.close()
            store = open_store(path)
        assert {name: store.get_result(name) for name in "abc"} == {name: model.get(name) for name in "abc"}
    store.close()


def test_many_threads_may_put_the_same_keys_at_once(address: Path | str) -> None:
    store = open_store(address)

    def put(number: int) -> None:
        store.put_result(f"key {number % 7}", str(number).encode())
        store.put_call(f"call {number % 5}", str(number), ROW)
        assert store.get_result(f"key {number % 7}") is not None

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(put, range(640)))
    assert store.ledger_total().calls == 640
    assert len(store.query("SELECT key FROM result")) == 7
    store.close()


def test_a_bad_row_fails_only_its_own_caller(address: Path | str) -> None:
    store = open_store(address)
    outcomes: dict[int, str] = {}

    def put(number: int) -> None:
        try:
            store.put_result(None if number == 7 else f"k{number}", b"x")  # type: ignore[arg-type]
            outcomes[number] = "kept"
        except StoreUnavailable:
            outcomes[number] = "refused"

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(put, range(16)))
    assert outcomes == {number: "refused" if number == 7 else "kept" for number in range(16)}
    assert len(store.query("SELECT key FROM result")) == 15
    store.close()


def test_killed_at_any_moment_it_holds_all_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    code = """
    store = open_store(Path(sys.argv[1]))
    import os, threading
    def work(name):
        for number in range(10**6):
            store.put_result(f"{sys.argv[2]}/{name}/{number}", b"x" * 200)
            os.write(1, f"{sys.argv[2]}/{name}/{number}\\n".encode())  # one write: lines of threads do not mix
    for name in "abcd":
        threading.Thread(target=work, args=(name,)).start()
    """
    rng = random.Random(5)
    acknowledged: set[str] = set()
    for attempt in range(10):
        child = in_another_process(code, path, attempt)
        assert child.stdout
        lines = [child.stdout.readline()]
        time.sleep(rng.uniform(0.0, 0.25))
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().splitlines(keepends=True)
        child.wait()
        acknowledged |= {line.strip() for line in lines if line.endswith("\n")}
    store = open_store(path)
    kept = {row[0] for row in store.query("SELECT key FROM result")}
    store.close()
    assert len(acknowledged) > 100
    assert acknowledged <= kept


def test_another_process_waits_with_a_message_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    store = open_store(path)
    code = "print('open', open_store(Path(sys.argv[1]), on_wait=lambda text: print(text, flush=True)).get_result('a'))"
    child = in_another_process(code, path)
    assert child.stdout
    message = child.stdout.readline()
    assert f"held by process {os.getpid()}" in message
    store.put_result("a", b"1")
    store.close()
    out, err = child.communicate(timeout=30)
    assert out == "open b'1'\n", err


def test_another_process_gives_up_at_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    store = open_store(path)
    child = in_another_process("open_store(Path(sys.argv[1]), wait_seconds=0.5)", path)
    _, err = child.communicate(timeout=30)
    store.close()
    assert child.returncode == 1
    assert "still was after 0.5 s" in err


def test_a_store_from_the_future_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    open_store(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO store_version VALUES (999)")
    with pytest.raises(StoreFromTheFuture, match=r"newer trace2skill \(schema 999"):
        open_store(path)


def test_older_stores_are_migrated_whole_or_not_at_all(tmp_path: Path) -> None:
    steps = [["CREATE TABLE one (a INTEGER)"], ["CREATE TABLE two (a INTEGER)", "INSERT INTO two VALUES (1)"]]
    with duckdb.connect(str(tmp_path / "s.duckdb")) as connection:
        migrate(connection, tmp_path, steps[:1])
        with pytest.raises(StoreUnavailable, match="could not be brought"):
            migrate(connection, tmp_path, [*steps, ["CREATE TABLE three (a INTEGER)", "SYNTAX ERROR"]])
        assert {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()} == {
            "one",
            "store_version",
        }
        migrate(connection, tmp_path, steps)
        assert connection.execute("SELECT a FROM two").fetchall() == [(1,)]


def test_files_that_are_no_store_are_refused(tmp_path: Path) -> None:
    (tmp_path / "garbage.duckdb").write_bytes(b"not a database" * 500)
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        open_store(tmp_path / "garbage.duckdb")
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("CREATE TABLE mine (a INTEGER)")
    with pytest.raises(StoreUnavailable, match="not a store of trace2skill"):
        open_store(tmp_path / "other.duckdb")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        open_store(tmp_path / "file" / "s.duckdb")


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    code = """
    import resource
    from trace2skill.core.errors import StoreUnavailable
    store = open_store(Path(sys.argv[1]))
    store.put_result("before", b"x")
    size = 3 * 2**20
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    kept = 0
    try:
        for number in range(400):
            store.put_result(f"k{number}", bytes(range(256)) * 200)
            kept += 1
    except StoreUnavailable as error:
        print("FULL", kept, error, flush=True)
    print("READS", store.get_result("before"), flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    import os
    os._exit(0)
    """
    path = tmp_path / "s.duckdb"
    child = in_another_process(code, path)
    out, err = child.communicate(timeout=60)
    assert "FULL" in out, out + err
    assert "free some space" in out, out
    kept = int(out.split("FULL ")[1].split()[0])
    store = open_store(path)
    keys = {row[0] for row in store.query("SELECT key FROM result")}
    store.close()
    assert {"before", *(f"k{number}" for number in range(kept))} <= keys


def test_a_fork_does_not_share_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path / "s.duckdb")
    monkeypatch.setattr(store, "pid", store.pid + 1)
    with pytest.raises(StoreUnavailable, match="before a fork"):
        store.put_result("a", b"")
    monkeypatch.undo()
    store.close()


@pytest.mark.parametrize("limit", ["1KB", "2MB", "256MB"])
def test_closing_within_little_memory_loses_nothing(
    tmp_path: Path, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most of the file has changed, so that closing writes it anew; where the memory does not do for that, it waits."""
    monkeypatch.setattr("trace2skill.store.duck.AT_CLOSE", limit)
    wanted = {}
    for turn in range(2):
        with closing(open_store(tmp_path / "s.duckdb")) as store:
            for number in range(300):
                wanted[f"k{number}"] = random.Random(number + turn).randbytes(4000)
                store.put_result(f"k{number}", wanted[f"k{number}"])
    with closing(open_store(tmp_path / "s.duckdb")) as store:
        assert {key: store.get_result(key) for key in wanted} == wanted


def test_pruning_leaves_no_result_that_names_what_is_gone(address: Path | str) -> None:
    store = filled(address)
    assert prune_store(store, 30, dry_run=True)["noun"] == 1
    assert store.get("patch", "old", Timing) is not None
    counts = prune_store(store, 30)
    assert counts == {"result": 2, "model_call": 0, "observation": 0, "noun": 1}
    assert store.get("patch", "old", Timing) is None
    assert store.get("skill", "old", Timing) is not None
    assert store.get_result("written soon after") is None
    assert store.get_result("new") == b"x"
    assert prune_store(store, 30) == {"result": 0, "model_call": 0, "observation": 0, "noun": 0}
    store.close()


def filled(path: Path | str) -> Store:
    store = open_store(path)
    for key in ("old", "written soon after", "new"):
        store.put_result(key, b"x")
    store.put("patch", "old", Timing(seconds=1.5))
    store.put("skill", "old", Timing(seconds=1.5))
    store.execute("UPDATE noun SET written = written - INTERVAL '31 day' WHERE id = 'old'")
    store.execute("UPDATE result SET written = written - INTERVAL '31 day' WHERE key = 'old'")
    store.execute("UPDATE result SET written = written - INTERVAL '706 hour' WHERE key = 'written soon after'")
    return store


def test_stats_and_export(tmp_path: Path, address: Path | str) -> None:
    store = open_store(address)
    store.put_call("c", "{}", ROW)
    stats = store_stats(store)
    assert {table.name: table.rows for table in stats.tables}["ledger"] == 1
    assert stats.ledger.cost == 0.25
    written = export_store(store, tmp_path / "out")
    assert all(path.stat().st_size for path in written)
    assert "sim/x" in (tmp_path / "out" / "ledger.csv").read_text()
    assert {"stage", "part", "unit"} <= set((tmp_path / "out" / "ledger.csv").read_text().split("\n")[0].split(","))
    with pytest.raises(BadInput, match="not empty"):
        export_store(store, tmp_path / "out")
    store.close()


def test_no_thread_is_left_behind(address: Path | str) -> None:
    before = threading.active_count()
    open_store(address).close()
    assert threading.active_count() == before


def test_the_ledger_of_an_older_store_says_which_stage_asked(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    before = next(number for number, steps in enumerate(MIGRATIONS) if any("COLUMN stage" in step for step in steps))
    steps = ["rollout: 13-1 seed 41", "draft S0", "apply: repair SKILL.md", "rewrite", "propose: a: b seed 1"]
    with duckdb.connect(str(path)) as connection:
        migrate(connection, path, MIGRATIONS[:before])
        for number, step in enumerate(steps):
            connection.execute(
                "INSERT INTO ledger (run_id, step, role, model, params, cost, tokens_in, tokens_out, tokens_cached, "
                "latency_seconds, attempts, outcome, call_key, written) "
                "VALUES ('r', ?, 'agent', 'sim/x', '{}', 0.5, 7, 2, 0, 0, 1, 'answered', ?, now()::TIMESTAMP)",
                [step, f"k{number}"],
            )
    with closing(open_store(path)) as store:
        assert [row.step for row in store.ledger()] == steps
        assert [row.stage for row in store.ledger()] == ["rollout", "draft", "apply", "rewrite", "propose"]
        store.put_ledger(ROW.model_copy(update={"stage": "rollout", "step": "rollout: x", "part": "p", "unit": "u"}))
        assert (store.ledger()[-1].part, store.ledger()[-1].unit) == ("p", "u")
        assert [(used.tokens_in, used.cost) for used in steps_of_stage(store, "sim/x", "draft")] == [(7.0, 0.5)]


def test_the_cost_of_a_step_is_told_by_part_and_unit_and_old_rows_stand_in(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "s.duckdb")) as store:
        for part, unit, cost in (("", "", 1.0), ("error", "a", 2.0), ("error", "a", 2.0), ("error", "b", 6.0)):
            store.put_ledger(ROW.model_copy(update={"stage": "extract", "part": part, "unit": unit, "cost": cost}))
        assert sorted(used.cost for used in steps_of_stage(store, "sim/x", "extract", "error")) == [4.0, 6.0]
        assert [used.cost for used in steps_of_stage(store, "sim/x", "extract", "success")] == [1.0]
        assert steps_of_stage(store, "sim/x", "merge") == []
        assert steps_answered(store, "sim/x") == {"extract": 3}


def test_a_store_that_another_thread_closes_meanwhile_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed_within(store: Store) -> None:
        with store.together() as tell:
            tell("SELECT 1")
            store.close()

    with pytest.raises(StoreUnavailable, match="closed"):
        closed_within(open_store(tmp_path / "first.duckdb"))
    store = open_store(tmp_path / "second.duckdb")
    cursor = store._cursor  # type: ignore[attr-defined]

    def closed_behind_it() -> duckdb.DuckDBPyConnection:
        found: duckdb.DuckDBPyConnection = cursor()
        store.close()
        return found

    monkeypatch.setattr(store, "_cursor", closed_behind_it)
    with pytest.raises(StoreUnavailable, match="closed"):
        store.run("r")


def test_runs_are_told_by_kind_from_either_end(address: Path | str) -> None:
    with closing(open_store(address)) as store:
        for number, kind in enumerate(("run", "ingest", "run", "ablate")):
            store.start_run(RunRow(id=f"r{number}", kind=kind, settings=f'{{"of": {number}}}'))
        store.finish_run("r2", "completed", "what it came to")
        assert [row.id for row in store.runs()] == ["r0", "r1", "r2", "r3"]
        assert [row.id for row in store.runs("run", "ablate", newest_first=True)] == ["r3", "r2", "r0"]
        assert [(head.id, head.state, head.told) for head in store.run_heads()][2] == ("r2", "completed", True)
        assert not store.run_heads()[0].told
        found = store.run("r2")
        assert found is not None
        assert (found.kind, found.settings, found.summary, found.attempts) == ("run", '{"of": 2}', "what it came to", 1)
        assert store.run("r9") is None
