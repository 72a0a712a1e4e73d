"""What a trace store, or whoever stands before it, cannot do to a pull; and what its bad days cost: nothing for good."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trace_store_servers
from test_pulls import TODAY, _around, ended, ends, take, traces  # noqa: F401 (its clock and keys)
from trace_store_servers import EXPORTS, FAKES, FakeTraceStore, Kept

from trace2skill.core import clock
from trace2skill.core.errors import BadInput
from trace2skill.runs.canary_logs import ends_in
from trace2skill.runs.intake import Intake
from trace2skill.runs.known_requests import KnownRequests, add_logs
from trace2skill.runs.sources import Sources
from trace2skill.runs.taking import Taking
from trace2skill.store import open_store
from trace2skill.traces import read_paths
from trace2skill.traces.stores import rest
from trace2skill.traces.stores.address import parse
from trace2skill.traces.stores.rest import NotPulled, Rest
from trace2skill.types.trajectory import Trajectory


def texts(tmp_path: Path, found: Intake, trace: str) -> list[str]:
    """What a trace says, of the one trajectory that there is of it."""
    kept = open_store(tmp_path / "s.duckdb").several("trajectory", [item.id for item in found.taken], Trajectory)
    (told,) = [item for item in kept.values() if item.task_id == trace]
    return [step.message for step in told.steps]


def exports(tmp_path: Path, fake: FakeTraceStore) -> Path:
    logs = tmp_path / "logs"
    logs.mkdir(parents=True)
    for item in fake.traces.values():
        (logs / f"{item.id}.json").write_text(json.dumps(EXPORTS[fake.kind](item)))
    return logs


@pytest.fixture
def mlflow() -> Iterator[FakeTraceStore]:
    with FAKES["mlflow"](*traces(6)) as server:
        yield server


@pytest.mark.parametrize("status", [429, 503])
def test_what_a_server_cannot_do_for_a_while_is_no_fault_of_its_traces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with FAKES["langfuse"](*traces(6)) as fake:
        fake.before = lambda path: (status, {}, {"retry-after": "300"}) if "traceId" in path else None
        for night in range(5):
            monkeypatch.setattr(clock, "now", lambda night=night: TODAY + timedelta(days=night))
            with pytest.raises(BadInput, match="asked for again in 300 s"):
                take(tmp_path, fake.address())
        fake.before = lambda path: None
        found = take(tmp_path, fake.address())
        assert (ends(found), found.read.given_up) == (ended(*fake.traces.values()), 0)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_may_not_read_traces_ends_the_pull_and_costs_none(
    tmp_path: Path, mlflow: FakeTraceStore, status: int
) -> None:
    mlflow.before = lambda path: (status, {}, {}) if "trace_id=" in path else None
    for _ in range(4):
        with pytest.raises(BadInput, match="MLFLOW_TRACKING_TOKEN: a key that may read"):
            take(tmp_path, mlflow.address())
    mlflow.before = lambda path: None
    assert ends(take(tmp_path, mlflow.address())) == ended(*mlflow.traces.values())


def test_traces_that_fail_for_ever_keep_nothing_else_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "TRIES", 1)
    with FAKES["mlflow"](*traces(24)) as fake:
        broken = {f"t{n:04}" for n in range(12)}
        fake.before = lambda path: (500, {}, {}) if any(f"trace_id={item}" in path for item in broken) else None
        for _ in range(3):
            found = take(tmp_path, fake.address())
        assert ends(found).keys() == fake.traces.keys() - broken


def test_one_trace_that_is_somewhere_else_costs_itself(tmp_path: Path, mlflow: FakeTraceStore) -> None:
    moved = (307, {}, {"location": "https://evil.example/x"})
    mlflow.before = lambda path: moved if "trace_id=t0003" in path else None
    found = take(tmp_path, mlflow.address())
    assert ends(found).keys() == mlflow.traces.keys() - {"t0003"}
    assert "somewhere else" in found.read.first_problems[0]


@pytest.mark.parametrize("kind", sorted(FAKES))
def test_whichever_of_file_and_store_is_there_has_the_trace(tmp_path: Path, kind: str) -> None:
    """In whatever order they come and go; and where both are there it counts once, as the store has it."""
    with FAKES[kind](*traces(3)) as fake:
        logs, known = exports(tmp_path, fake), ended(*fake.traces.values())
        ids = [item.id for item in take(tmp_path, logs).taken]
        fake.traces["t0001"].more("And three columns.")
        fake.traces["t0002"].score(True, TODAY - timedelta(hours=1))
        newer = ended(*fake.traces.values())
        for _ in range(2):
            both = take(tmp_path, logs, fake.address())
            assert ([item.id for item in both.taken], ends(both)) == (ids, newer)
            assert texts(tmp_path, both, "t0001")[-1] == "And three columns."
        assert ends(take(tmp_path, fake.address())) == newer, "the files were taken away"
        assert ends(take(tmp_path, logs)) == known, "and the store, of which there are the files"
        again = take(tmp_path, logs, fake.address())
        assert ([item.id for item in again.taken], ends(again)) == (ids, newer)
        assert texts(tmp_path, again, "t0001")[-1] == "And three columns."


def test_of_a_log_that_was_saved_twice_either_may_go(tmp_path: Path, mlflow: FakeTraceStore) -> None:
    logs = exports(tmp_path, mlflow)
    (logs / "twice.json").write_bytes((logs / "t0001.json").read_bytes())
    first = take(tmp_path, logs)
    (logs / "t0001.json").unlink()
    assert take(tmp_path, logs).content == first.content


def test_a_trace_that_has_left_the_window_does_not_hide_its_export(
    tmp_path: Path, mlflow: FakeTraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(tmp_path, mlflow.address("since=5d"))
    logs = exports(tmp_path, mlflow)
    monkeypatch.setattr(clock, "now", lambda: TODAY + timedelta(days=10))
    mlflow.add(Kept("new", TODAY + timedelta(days=9), right=True))
    found = take(tmp_path, mlflow.address("since=5d"), logs)
    assert (ends(found), found.read.duplicates) == (ended(*mlflow.traces.values()), 0)


def test_a_trace_that_grows_while_it_is_pulled_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over_midnight = Kept("t1", TODAY.replace(day=1, hour=23, minute=59, second=59), asked="x?")
    with FAKES["langfuse"](over_midnight, Kept("z", TODAY - timedelta(hours=3))) as fake:
        asked: list[str] = []

        def grows(path: str) -> None:
            asked.extend([path] * ("observations" in path and "traceId=t1" in path))
            if len(asked) == 2 and len(over_midnight.answers) == 1:  # between its first day and its second
                over_midnight.more("Its end.")

        fake.before = grows
        take(tmp_path, fake.address())
        monkeypatch.setattr(clock, "now", lambda: TODAY + timedelta(days=1))
        assert texts(tmp_path, take(tmp_path, fake.address()), "t1")[-1] == "Its end."


def test_of_two_windows_the_newer_word_counts(tmp_path: Path) -> None:
    with FAKES["mlflow"](*traces(4, days=6)) as fake:
        long, short = fake.address("since=10d"), fake.address("since=9d")
        take(tmp_path, long)
        fake.traces["t0000"].score(False, TODAY)
        for _ in range(2):
            assert ends(take(tmp_path, long, short))["t0000"] == "failed"


def test_of_two_pulls_at_once_the_one_that_writes_last_may_have_read_first(
    tmp_path: Path, mlflow: FakeTraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trace2skill.runs.intake import take_in

    store = open_store(tmp_path / "s.duckdb")

    def pull() -> Intake:
        return take_in(store, Sources(paths=(mlflow.address(),), analyst="rules", redaction_map=False))

    pull()
    mlflow.traces["t0002"].more("first")
    real, between = Taking.pulled, [0]

    def meanwhile(self: Taking, address: Any, page: Any) -> None:
        if page.listed and not between[0]:
            for number in range(2):
                between[0] += 1
                mlflow.traces["t0002"].more(f"then {number}")
                pull()
        real(self, address, page)

    monkeypatch.setattr(Taking, "pulled", meanwhile)
    pull()
    monkeypatch.undo()
    monkeypatch.setattr(clock, "now", lambda: TODAY)
    for name, value in trace_store_servers.KEYS["mlflow"].items():
        monkeypatch.setenv(name, value)
    found = pull()
    kept = store.several("trajectory", [item.id for item in found.taken], Trajectory).values()
    (told,) = [item for item in kept if item.task_id == "t0002"]
    assert told.steps[-1].message == "then 1"


@pytest.mark.parametrize("kind", sorted(FAKES))
def test_an_answer_that_is_not_of_the_trace_never_replaces_what_was_read(tmp_path: Path, kind: str) -> None:
    with FAKES[kind](*traces(3)) as fake:
        first = take(tmp_path, fake.address())
        for item in fake.traces.values():
            item.more("More.")
            item.right = item.right is None
        answer = fake.answer

        def of_another(path: str, query: Any, body: Any) -> Any:
            fake.traces, whole = {**fake.traces}, fake.traces
            body, query = dict(body or {}), dict(query)
            try:
                for named in ("trace_id", "traceId"):
                    query |= {named: ["t0000"]} if named in query else {}
                    body |= {named: "t0000"} if named in body else {}
                if "root_span_id = " in body.get("query", ""):
                    body["query"] = body["query"].replace("'t0001'", "'t0000'").replace("'t0002'", "'t0000'")
                return answer(path, query, body)
            finally:
                fake.traces = whole

        fake.answer = of_another  # type: ignore[method-assign]
        again = take(tmp_path, fake.address())
        left = {item.task_id: item.content for item in first.taken if item.task_id != "t0000"}
        assert {item.task_id: item.content for item in again.taken if item.task_id != "t0000"} == left
        assert sum("another one came" in line for line in again.read.first_problems) == 2


def test_nothing_at_all_for_an_answer_never_replaces_what_was_read(tmp_path: Path, mlflow: FakeTraceStore) -> None:
    take(tmp_path, mlflow.address())
    mlflow.traces["t0001"].score(True, TODAY)
    mlflow.before = lambda path: (200, {}, {}) if "trace_id=t0001" in path else None
    assert ends(take(tmp_path, mlflow.address()))["t0001"] == "failed"
    mlflow.before = lambda path: None
    assert ends(take(tmp_path, mlflow.address()))["t0001"] == "passed"


def test_the_pages_of_a_trace_together_are_no_larger_than_one_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FAKES["langfuse"](*traces(3)) as fake:
        first = take(tmp_path, fake.address())
        fake.page = 2
        for _ in range(60):
            fake.traces["t0001"].more("x y " * 10)
        monkeypatch.setattr(rest, "MOST_BYTES", 60_000)
        again = take(tmp_path, fake.address())
        assert "trace t0001 is larger than 60000 bytes" in again.read.first_problems[0]
        assert (ends(again), again.read.given_up) == (ends(first), 1)
        later = take(tmp_path, fake.address())
        assert (later.read.problems, later.read.given_up) == (0, 1), "every pull says how many are given up"
        assert "1 traces are given up" in " ".join(later.read.as_lines())


def test_an_answer_that_is_packed_is_not_unpacked(tmp_path: Path, mlflow: FakeTraceStore) -> None:
    packed = gzip.compress(gzip.compress(b'{"traces": []}'))
    mlflow.before = lambda path: (200, packed, {"content-encoding": "gzip, gzip"})
    with pytest.raises(BadInput, match="packed"):
        take(tmp_path, mlflow.address())


def test_a_request_ends_however_slowly_its_headers_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tries together: one that takes all the time is the last."""
    monkeypatch.setattr(rest, "ALL_SECONDS", 0.3)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: ")
                try:
                    while not over.wait(0.05):
                        connection.sendall(b"a")
                except OSError:
                    return

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        address = parse(f"mlflow+http://127.0.0.1:{server.getsockname()[1]}?project=a")
        with pytest.raises(NotPulled, match="did not end within 0 s in all: run the same"):
            Rest(address).get("x", "page 1")  # type: ignore[arg-type]
        over.set()
        thread.join()


def test_this_machine_is_asked_without_a_proxy(
    tmp_path: Path, mlflow: FakeTraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert len(take(tmp_path, mlflow.address()).taken) == 6
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", "http://stores.example")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(BadInput, match="phoenix"):
        take(tmp_path, "phoenix+http://stores.example?project=a")


@pytest.mark.parametrize(
    "address",
    [
        "langfuze+https://me:sk-lf-secret@h",
        "https://me:sk-lf-secret@h",
        "langfuse+cloud.langfuse.com?api_key=sk-lf-secret",
        "langfuse+https://h?sk-lf-secret",
        "langfuse+https://h?sk-lf-secret==",
        "langfuse+https://h?skLfsecret",
    ],
)
def test_what_is_meant_as_an_address_is_never_repeated(address: str) -> None:
    with pytest.raises(ValueError, match="trace store") as refused:
        parse(address)
    assert "secret" not in str(refused.value)
    with pytest.raises(ValueError, match="trace store"):
        parse(Path(address))
    assert parse("notes+more.jsonl") == Path("notes+more.jsonl")


def test_a_canary_is_not_judged_by_a_pull_that_lacks_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "TRIES", 1)
    with FAKES["mlflow"](*traces(6)) as fake:
        fake.before = lambda path: (503, {}, {}) if "trace_id=t0001" in path else None
        found = ends_in(Sources(paths=(fake.address(),)))
    assert (len(found.sessions), found.problems, found.not_pulled) == (5, 1, 1)
    assert "t0001" in found.first_problem


def test_an_id_that_would_be_two_is_no_id(tmp_path: Path) -> None:
    with FAKES["langfuse"](Kept("a,b", TODAY - timedelta(hours=2)), Kept("c", TODAY - timedelta(hours=1))) as fake:
        found = take(tmp_path, fake.address())
        assert ends(found).keys() == {"c"}
        assert "name no trace that can be" in found.read.first_problems[0]


def test_old_days_that_fail_do_not_keep_the_newest_away(tmp_path: Path) -> None:
    """Nor does a watermark that a clock has set which was ahead."""
    with FAKES["phoenix"](*traces(8, days=8)) as fake:
        bad = ("2026-03-04", "2026-03-05", "2026-03-06")
        busy = (503, {}, {"retry-after": "300"})
        fake.before = lambda path: busy if any(f"start_time={day}" in path for day in bad) else None
        newest = {item.id for item in fake.traces.values() if str(item.began.date()) >= "2026-03-07"}
        assert newest <= ends(take(tmp_path, fake.address())).keys()


def test_a_clock_that_was_ahead_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FAKES["mlflow"](*traces(4)) as fake:
        address = fake.address("since=2026-03-01")
        monkeypatch.setattr(clock, "now", lambda: TODAY + timedelta(days=400))
        take(tmp_path, address)
        monkeypatch.setattr(clock, "now", lambda: TODAY + timedelta(days=1))
        fake.add(Kept("new", TODAY))
        assert ends(take(tmp_path, address)).keys() == fake.traces.keys()


def test_a_sample_that_takes_nothing_is_no_mistake_and_two_samples_of_one_project_are(
    tmp_path: Path, mlflow: FakeTraceStore
) -> None:
    found = take(tmp_path, mlflow.address("passed=0", "failed=0", "unknown=0"))
    assert (found.taken, found.read.unsampled) == ((), 6)
    asked = len(mlflow.asked)
    with pytest.raises(BadInput, match="the same sample"):
        take(tmp_path, mlflow.address("passed=1"), mlflow.address("since=3d"))
    assert len(mlflow.asked) == asked, "it is said before anything is asked"
    assert len(take(tmp_path, mlflow.address("passed=1"), mlflow.address("since=3d", "passed=1")).taken) == 5


def test_what_a_writer_of_queries_could_not_read_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "TRIES", 1)
    with FAKES["mlflow"](*traces(3)) as fake:
        fake.before = lambda path: (503, {}, {}) if "trace_id=t0001" in path else None
        found = KnownRequests()
        add_logs(found, Sources(paths=(fake.address(),)), [])
    assert len(found.not_read) == 1
    assert "t0001" in found.not_read[0]


def test_long_chains_of_spans_are_walked_once(tmp_path: Path) -> None:
    def span(number: int) -> dict[str, Any]:
        kind = "score" if number == 1 else "llm" if number == 5999 else "task"
        ids = {"id": f"i{number}", "span_id": f"s{number}", "root_span_id": "s0", "_xact_id": "1"}
        above = [f"s{number - 1}"] if number else None
        told = {"span_attributes": {"name": "right", "type": kind}, "input": "q", "output": "a"}
        scores = {"scores": {"right": 1.0}} if not number else {}
        return {**ids, "span_parents": above, "created": "2026-03-09T00:00:00Z", **told, **scores}

    (tmp_path / "long.json").write_text(json.dumps({"data": [span(number) for number in range(6000)]}))
    found: list[Trajectory] = []
    read_paths([tmp_path / "long.json"], lambda trajectory, file: found.append(trajectory))
    assert [(item.outcome.kind, item.outcome.source) for item in found] == [("passed", "judge")]
