"""Traces out of trace stores: all of them, each once, whatever comes late, changes or breaks off."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ingesting import ingest, settings
from trace_store_servers import EXPORTS, FAKES, KEYS, FakeTraceStore, Kept
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.core import clock
from trace2skill.core.errors import BadInput
from trace2skill.runs import refresh as run
from trace2skill.runs.intake import Intake
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.sources import Sources
from trace2skill.store import open_store
from trace2skill.traces.stores import rest
from trace2skill.types.trajectory import Trajectory

TODAY = datetime(2026, 3, 10, 12, tzinfo=UTC)
KINDS = sorted(FAKES)


@pytest.fixture(autouse=True)
def _around(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clock, "now", lambda: TODAY)
    monkeypatch.setattr(rest, "FIRST_WAIT", 0.0)
    for keys in KEYS.values():
        for name, value in keys.items():
            monkeypatch.setenv(name, value)
    yield
    forget_runtimes()


def traces(count: int, days: int = 4) -> list[Kept]:
    """Over some days before today; of each three one passed, one failed, and of one nobody says."""
    step = timedelta(days=days) / count
    return [
        Kept(f"t{n:04}", TODAY - timedelta(days=days) + step * n, right=(True, False, None)[n % 3], asked=f"How many in {n}?")
        for n in range(count)
    ]  # fmt: skip


def take(tmp_path: Path, *paths: Any, **more: Any) -> Intake:
    _, found = run.take_in_logs(settings(tmp_path, *paths, **more).as_run())
    forget_runtimes()
    return found


def ends(intake: Intake) -> dict[str, str]:
    return {item.task_id: item.outcome for item in intake.taken}


def ended(*kept: Kept) -> dict[str, str]:
    return {item.id: {True: "passed", False: "failed", None: "unknown"}[item.right] for item in kept}


@pytest.fixture(params=KINDS)
def fake(request: pytest.FixtureRequest) -> Iterator[FakeTraceStore]:
    with FAKES[request.param](*traces(24)) as server:
        server.page = 7
        yield server


def test_all_traces_are_pulled_once_and_what_is_new_late_or_changed_the_next_night(
    tmp_path: Path, fake: FakeTraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take(tmp_path, fake.address())
    assert ends(first) == ended(*fake.traces.values())
    assert (first.read.problems, first.read.fresh) == (0, 24)
    asked = len(fake.asked)
    again = take(tmp_path, fake.address())
    assert (again.content, again.read.fresh, again.read.unchanged) == (first.content, 0, 24)
    assert len(fake.asked) - asked < asked, "nothing is fetched again"

    monkeypatch.setattr(clock, "now", lambda: TODAY + timedelta(days=1))
    late = Kept("late", TODAY - timedelta(days=1), asked="And what came late?")
    grown, scored = fake.traces["t0023"], fake.traces["t0020"]
    grown.more("And three columns.")
    scored.score(True, TODAY + timedelta(hours=2))
    fake.add(late)
    third = take(tmp_path, fake.address())
    assert ends(third) == ended(*fake.traces.values())
    assert len(third.taken) == len({item.id for item in third.taken}) == 25
    assert third.read.fresh == 3
    kept = open_store(settings(tmp_path, "x").store).several("trajectory", [i.id for i in third.taken], Trajectory)
    (told,) = [item for item in kept.values() if item.task_id == "t0023"]
    assert [step.message for step in told.steps][-1] == "And three columns."


def test_a_pulled_trace_and_its_export_are_one(tmp_path: Path, fake: FakeTraceStore) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for item in fake.traces.values():
        (logs / f"{item.id}.json").write_text(json.dumps(EXPORTS[fake.kind](item)))
    of_files, of_store = take(tmp_path / "a", logs), take(tmp_path / "b", fake.address())
    assert [(item.id, item.outcome) for item in of_files.taken] == [(item.id, item.outcome) for item in of_store.taken]
    both = take(tmp_path / "c", logs, fake.address())
    assert [item.id for item in both.taken] == [item.id for item in of_files.taken]
    assert both.read.duplicates == 24


def test_a_pull_that_is_killed_goes_on_without_loss_or_second_vote(tmp_path: Path, fake: FakeTraceStore) -> None:
    whole = take(tmp_path / "whole", fake.address())

    class Killed(BaseException):
        pass

    from trace2skill.traces.stores import rest as module

    once, left = module.Rest._once, [0]

    def dying(self: Any, *words: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return once(self, *words, **more)

    kills = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.Rest, "_once", dying)
        for requests in (1, 4, 9, 14, 19, 1000):
            left[0] = requests
            try:
                last = take(tmp_path / "killed", fake.address())
            except Killed:
                kills += 1
                forget_runtimes()
    assert kills >= 3
    assert (last.content, ends(last)) == (whole.content, ends(whole))


def test_a_dry_run_pulls_and_keeps_nothing_and_labels_name_traces(tmp_path: Path, fake: FakeTraceStore) -> None:
    (tmp_path / "labels.csv").write_text("id,score\nt0002,0\n")
    words = ["ingest", fake.address(), "--dry-run", "--json", "--labels", str(tmp_path / "labels.csv")]
    done = CliRunner().invoke(app, words)
    found = json.loads(done.stdout)
    assert sum(len(file["sessions"]) for file in found["files"]) == 24
    labelled = [item for file in found["files"] for item in file["sessions"] if "t0002" in item["ids"]]
    assert [(item["outcome"], item["source"]) for item in labelled] == [("failed", "labels")]
    assert not (tmp_path / "s.duckdb").exists()
    assert ends(take(tmp_path, fake.address(), labels=tmp_path / "labels.csv"))["t0002"] == "failed"
    (tmp_path / "labels.csv").write_text("id,score\nt0002,1\n")
    again = take(tmp_path, fake.address(), labels=tmp_path / "labels.csv")
    assert (ends(again)["t0002"], again.read.fresh, len(again.taken)) == ("passed", 1, 24)


def test_what_is_learned_of_a_store_names_its_traces(tmp_path: Path) -> None:
    """Through the public door: the run ends, and its summary says what was pulled."""
    with FAKES["mlflow"](*traces(6)) as fake:
        summary = ingest(settings(tmp_path, fake.address()))
    assert summary.sources is not None
    assert (summary.sources.trajectories, summary.sources.formats) == (6, {"mlflow": 6})


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_is_asked_again(tmp_path: Path, fake: FakeTraceStore, status: int) -> None:
    seen: set[str] = set()

    def busy(path: str) -> Any:
        before = path in seen
        seen.add(path)
        return None if before else (status, {"message": "slow down"}, {"retry-after": "0"})

    fake.before = busy
    found = take(tmp_path, fake.address())
    assert (ends(found), found.read.problems) == (ended(*fake.traces.values()), 0)


def test_no_key_is_said_by_anyone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: FakeTraceStore) -> None:
    name, _ = list(KEYS[fake.kind].items())[-1]
    monkeypatch.setenv(name, "wrong-key-0123456789")
    with pytest.raises(BadInput) as refused:
        take(tmp_path, fake.address())
    assert "401" in str(refused.value)
    assert name in str(refused.value)
    assert "wrong-key" not in str(refused.value)
    assert "Basic " not in str(refused.value).replace("Basic [", "")
    assert Sources(paths=(fake.address(),)).model_dump_json().count("0123456789") == 0
