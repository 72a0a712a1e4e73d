"""Traces out of trace stores: all of them, each once, whatever comes late, changes or breaks off."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import product
import pytest
import trace_store_servers
from ingesting import settings
from trace_store_servers import EXPORTS, FAKES, KEYS, FakeTraceStore, Kept
from trace_stores import killed
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.core import clock
from trace2skill.core.errors import BadInput
from trace2skill.runs import refresh as run
from trace2skill.runs.intake import Intake
from trace2skill.runs.pulls import PulledPage, pulled_before
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.settings_file import read_settings, write_settings
from trace2skill.runs.sources import Sources
from trace2skill.store import open_store
from trace2skill.traces.stores import Listed, rest
from trace2skill.traces.stores.address import parse
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
    with FAKES[request.param](*traces(12)) as server:
        server.page = 4
        yield server


def test_all_traces_are_pulled_once_and_what_is_new_late_or_changed_the_next_night(
    tmp_path: Path, fake: FakeTraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take(tmp_path, fake.address())
    assert ends(first) == ended(*fake.traces.values())
    assert (first.read.problems, first.read.fresh) == (0, 12)
    asked = len(fake.asked)
    again = take(tmp_path, fake.address())
    assert (again.content, again.read.fresh, again.read.unchanged) == (first.content, 0, 12)
    assert len(fake.asked) - asked < asked, "nothing is fetched again"

    monkeypatch.setattr(clock, "now", lambda: TODAY + timedelta(days=1))
    late = Kept("late", TODAY - timedelta(days=1), asked="And what came late?")
    grown, scored = fake.traces["t0011"], fake.traces["t0008"]
    grown.more("And three columns.")
    scored.score(True, TODAY + timedelta(hours=2))
    fake.add(late)
    third = take(tmp_path, fake.address())
    assert ends(third) == ended(*fake.traces.values())
    assert len(third.taken) == len({item.id for item in third.taken}) == 13
    assert third.read.fresh == 3
    kept = open_store(settings(tmp_path, "x").store).several("trajectory", [i.id for i in third.taken], Trajectory)
    (told,) = [item for item in kept.values() if item.task_id == "t0011"]
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
    assert both.read.duplicates == 12
    fake.traces["t0002"].score(True, TODAY - timedelta(hours=1))
    later = take(tmp_path / "d", logs, fake.address())
    assert ends(later) == ended(*fake.traces.values()), "the store knows more than an older export"
    assert len(later.taken) == 12


def test_a_pull_that_is_killed_goes_on_without_loss_or_second_vote(tmp_path: Path, fake: FakeTraceStore) -> None:
    whole = take(tmp_path / "whole", fake.address("since=5d"))

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
        for requests in (2, 11, 20, 1000):
            left[0] = requests
            try:
                last = take(tmp_path / "killed", fake.address("since=5d"))
            except Killed:
                kills += 1
                forget_runtimes()
    assert kills >= 2
    assert (last.content, ends(last)) == (whole.content, ends(whole))


def test_a_dry_run_pulls_and_keeps_nothing_and_labels_name_traces(tmp_path: Path, fake: FakeTraceStore) -> None:
    (tmp_path / "labels.csv").write_text("id,score\nt0002,0\n")
    words = ["ingest", fake.address(), "--dry-run", "--json", "--labels", str(tmp_path / "labels.csv")]
    done = CliRunner().invoke(app, words)
    found = json.loads(done.stdout)
    assert sum(len(file["sessions"]) for file in found["files"]) == 12
    labelled = [item for file in found["files"] for item in file["sessions"] if "t0002" in item["ids"]]
    assert [(item["outcome"], item["source"]) for item in labelled] == [("failed", "labels")]
    assert not (tmp_path / "s.duckdb").exists()
    assert ends(take(tmp_path, fake.address(), labels=tmp_path / "labels.csv"))["t0002"] == "failed"
    (tmp_path / "labels.csv").write_text("id,score\nt0002,1\n")
    again = take(tmp_path, fake.address(), labels=tmp_path / "labels.csv")
    assert (ends(again)["t0002"], again.read.fresh, len(again.taken)) == ("passed", 1, 12)


def test_ingest_pulls_and_pulls_again(tmp_path: Path, prefect_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command itself, on the days as they are."""
    monkeypatch.undo()
    for name, value in KEYS["mlflow"].items():
        monkeypatch.setenv(name, value)
    with FAKES["mlflow"](*traces(6)) as fake:
        command = ["ingest", fake.address("since=2026-03-01", "until=2026-03-20"), "--analyst", "rules", "--json"]
        first, again = (json.loads(product.run(tmp_path, prefect_home, *command).stdout) for _ in range(2))
    assert (first["sources"]["trajectories"], first["sources"]["formats"]) == (6, {"mlflow": 6})
    assert (again["sources"]["fresh"], again["sources"]["unchanged"], again["run_id"]) == (0, 6, first["run_id"])
    assert not any(value in path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()
                   for value in ("mlflow-0123456789",))  # fmt: skip


@pytest.mark.parametrize("fake", ["langfuse", "mlflow"], indirect=True)
def test_a_server_that_is_busy_is_asked_again(tmp_path: Path, fake: FakeTraceStore) -> None:
    seen: set[str] = set()

    def busy(path: str) -> Any:
        before = path in seen
        seen.add(path)
        return None if before else ((429, 503)[len(seen) % 2], {"message": "slow down"}, {"retry-after": "0"})

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


@pytest.mark.parametrize("fake", ["langfuse"], indirect=True)
def test_a_sample_by_outcome_takes_all_that_failed_and_some_of_the_others(tmp_path: Path, fake: FakeTraceStore) -> None:
    address = fake.address("passed=3", "unknown=0")
    first = take(tmp_path, address)
    assert sorted(ends(first).values()) == ["failed"] * 4 + ["passed"] * 3
    assert first.read.unsampled == 5
    assert "5 traces are in no sample" in " ".join(first.read.as_lines())
    fake.add(Kept("one-more", TODAY - timedelta(hours=1), right=True))
    second = take(tmp_path, address)
    assert len(ends(first).keys() - ends(second).keys()) <= 1, "the same ones, but for one at most"
    assert ends(take(tmp_path, fake.address())).keys() == fake.traces.keys(), "what was left out is known nevertheless"


def test_a_window_goes_on_with_the_days_and_an_older_end_holds_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FAKES["langsmith"](*traces(24, days=6)) as fake:
        days = {item.id: str(item.began.date()) for item in fake.traces.values()}
        week = take(tmp_path, fake.address("since=5d"))
        assert ends(week).keys() == {id for id, day in days.items() if day >= "2026-03-05"}
        monkeypatch.setattr(clock, "now", lambda: TODAY + timedelta(days=2))
        later = take(tmp_path, fake.address("since=5d"))
        assert ends(later).keys() == {id for id, day in days.items() if day >= "2026-03-07"}
        fixed = take(tmp_path, fake.address("since=2026-03-05", "until=2026-03-07"))
        assert ends(fixed).keys() == {id for id, day in days.items() if "2026-03-05" <= day < "2026-03-07"}


def test_a_page_that_cannot_be_read_costs_its_traces_is_said_and_read_the_next_time(
    tmp_path: Path, fake: FakeTraceStore
) -> None:
    """One trace, then one page of the list: what is left of it is there, and the next pull has the rest."""
    broken = {"t0005"}

    def down(path: str) -> Any:
        asked = path + json.dumps(fake.bodies[-1])
        return (500, {"message": "down"}, {}) if any(item in asked for item in broken) else None

    fake.before = down
    first = take(tmp_path, fake.address())
    if fake.kind == "langfuse":  # scores are asked for a page of traces at once
        assert fake.traces.keys() - ends(first).keys() >= broken
    else:
        assert fake.traces.keys() - ends(first).keys() == broken
    said = " ".join(first.read.first_problems)
    assert "t0005" in said
    assert "500" in said
    assert "run the same command again" in said
    broken.clear()
    second = take(tmp_path, fake.address())
    assert ends(second) == ended(*fake.traces.values())
    assert second.read.problems == 0


@pytest.mark.parametrize("fake", ["mlflow"], indirect=True)
def test_traces_that_can_never_be_had_hold_nothing_back(
    tmp_path: Path, fake: FakeTraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are asked for on three days, the rest is read meanwhile, and one of them that changes is asked for again."""
    monkeypatch.setattr(rest, "TRIES", 1)
    broken = {f"t{n:04}" for n in range(3, 7)}

    def down(path: str) -> Any:
        asked = path + json.dumps(fake.bodies[-1])
        fetched = "cursor" not in asked and any(item in asked for item in broken)
        return (200, b"<html>", {}) if fetched and "search" not in path else None

    before = fake.traces["t0010"]
    fake.before = down
    nights = list[Intake]()
    for pull in range(8):  # two a day
        monkeypatch.setattr(clock, "now", lambda days=pull // 2: TODAY + timedelta(days=days))
        nights.append(take(tmp_path, fake.address("overlap=9")))
    assert [night.read.problems for night in nights] == [4, 4, 4, 4, 4, 0, 0, 0]
    assert [night.read.given_up for night in nights] == [0, 0, 0, 0, 4, 4, 4, 4]
    assert "until it changes" in nights[4].read.first_problems[0]
    assert all(ends(night).keys() == fake.traces.keys() - broken for night in nights)
    broken.clear()
    fake.traces["t0004"].more("At last.")
    last = take(tmp_path, fake.address("overlap=9"))
    assert "t0004" in ends(last)
    before.more("What nobody can fetch.")
    broken.add("t0010")
    kept = take(tmp_path, fake.address("overlap=9"))
    assert (kept.read.problems, "t0010" in ends(kept)) == (1, True), "what it was before stays"


HOSTILE = {
    "no JSON": (200, b"<html>sign in</html>", {}),
    "a list": (200, [1, 2], {}),
    "text for lists": (200, {"data": "x", "items": "x", "traces": "x", "trace": [1], "meta": [], "experiment": 7}, {}),
    "somewhere else": (302, {}, {"location": "http://127.0.0.1:9/stolen"}),
    "deep": (200, b"[" * 5000 + b"]" * 5000, {}),
    "half": (200, b'{"data": [{"id": 1', {}),
}


def test_what_a_hostile_server_answers_ends_in_words_or_in_problems(
    tmp_path: Path, fake: FakeTraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "TRIES", 2)
    for place, name in enumerate(HOSTILE):
        left = [6 * ((place + KINDS.index(fake.kind)) % 2)]  # from the first answer on, or in the midst of it

        def answer(_: str, left: list[int] = left, name: str = name) -> Any:
            left[0] -= 1
            return None if left[0] >= 0 else HOSTILE[name]

        fake.before = answer
        try:
            said = " ".join(take(tmp_path / str(place), fake.address()).read.first_problems)
        except BadInput as error:
            said = str(error)
        assert fake.kind in said, name
    assert not any("stolen" in line for line in fake.asked)


def test_pages_that_do_not_end_and_ids_that_cannot_be_are_said(
    tmp_path: Path, fake: FakeTraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = Kept("a' | limit: 1 #../x", TODAY - timedelta(hours=1))
    fake.add(odd)
    first = take(tmp_path / "odd", fake.address())
    assert ends(first).keys() == fake.traces.keys() - {odd.id}
    assert "name no trace that can be" in " ".join(first.read.first_problems)
    del fake.traces[odd.id]
    monkeypatch.setattr(trace_store_servers, "paged", lambda rows, cursor, limit: (rows[:limit], "again"))
    try:
        said = " ".join(take(tmp_path / "endless", fake.address()).read.first_problems)
    except BadInput as error:
        said = str(error)
    assert "pages do not end" in said
    assert len(fake.asked) < 2000


@pytest.mark.parametrize("fake", ["mlflow", "phoenix"], indirect=True)
def test_what_is_too_large_is_left_out_until_it_changes(
    tmp_path: Path, fake: FakeTraceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.traces["t0003"].result = "x y " * 20_000
    monkeypatch.setattr(rest, "MOST_BYTES", 40_000)
    found = take(tmp_path, fake.address())
    assert fake.traces.keys() - ends(found).keys() == {"t0003"}
    assert "larger than 40000 bytes" in " ".join(found.read.first_problems)
    asked = len(fake.asked)
    again = take(tmp_path, fake.address())
    assert (again.read.problems, ends(again)) == (0, ends(found)), "it is asked for again when it changes"
    assert len(fake.asked) - asked < asked


def test_a_key_goes_to_the_server_it_is_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in KINDS:
        more = "" if kind == "langfuse" else "?project=a"
        with pytest.raises(BadInput, match="is not to have the key"):
            take(tmp_path, f"{kind}+https://stores.example{more}")
        with pytest.raises(ValueError, match="credentials out of the address"):
            Sources(paths=(f"{kind}+https://me:secret@stores.example{more}",))
    monkeypatch.delenv("LANGFUSE_SECRET_KEY")
    with pytest.raises(BadInput, match="LANGFUSE_SECRET_KEY is not set"):
        take(tmp_path, "langfuse+https://cloud.langfuse.com")
    monkeypatch.delenv("LANGFUSE_PUBLIC_KEY")
    with pytest.raises(BadInput, match="needs LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"):
        take(tmp_path, "langfuse+https://cloud.langfuse.com")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("langfuse+https://h?api_key=x", "knows no 'api_key'"),
        ("langfuse+https://h?since=yesterday", "since= is a day such as"),
        ("langfuse+https://h?passed=some", "passed= is a whole number or all"),
        ("langfuse+https://h?project=x", "leave project= out"),
        ("langfuse+https://h?since=2026-03-05&until=2026-03-01", "is not after"),
        ("mlflow+https://h", "name the project of mlflow"),
        ("mlflow+ftp://h?project=a", "a trace store is named as"),
        ("mlflow+https://h/../x?project=a", "host or path"),
        ("mlflow+https://h?project=a&project=b", "says project twice"),
    ],
)
def test_an_address_that_cannot_be_is_refused_with_the_reason(address: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Sources(paths=(address,))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_kills_at_random_moments_cost_no_trace_and_double_none(tmp_path: Path, kind: str) -> None:
    found = killed(kind, 200, 3, tmp_path)
    assert (found.lost, found.twice, found.wrong, found.again) == (0, 0, 0, 0), found
    assert found.kills, "no pull was killed"


def test_an_address_stands_wherever_logs_may(tmp_path: Path) -> None:
    """In a file of settings, in what a run writes down, and in the commands that only look."""
    with FAKES["phoenix"](*traces(6)) as fake:
        address = fake.address("passed=1", "filter=latency_ms%20%3E%3D%201")
        done = CliRunner().invoke(app, ["usage", "--logs", fake.address(), "--json"])
        assert json.loads(done.stdout)["sessions"] == 6, done.output
        given = settings(tmp_path, address, tmp_path).as_run()
        written = write_settings(given, tmp_path)
        assert str(parse(address)) in written.read_text()
        again = RunSettings.model_validate(read_settings(written))
        assert again.data.sources is not None
        assert given.data.sources is not None
        assert again.data.sources.paths == given.data.sources.paths == (parse(address), tmp_path)


def test_what_was_pruned_here_is_fetched_again_whenever_it_began(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FAKES["langsmith"](*traces(6)) as fake:
        first = take(tmp_path, fake.address())
        store = open_store(tmp_path / "s.duckdb")
        store.execute("DELETE FROM noun WHERE kind IN ('trajectory', 'source')")
        store.close()
        monkeypatch.setattr(clock, "now", lambda: TODAY + timedelta(days=10))
        again = take(tmp_path, fake.address())
        assert (again.content, again.read.fresh) == (first.content, 6)
        del fake.traces["t0003"]
        assert take(tmp_path, fake.address()).content == first.content, "what is deleted there stays known here"


def test_two_that_pull_at_once_into_one_store_lose_nothing_of_each_other(tmp_path: Path) -> None:
    with FAKES["mlflow"](*traces(12)) as fake:
        address = parse(fake.address())
        store = open_store(tmp_path / "s.duckdb")
        pages = [
            PulledPage(address=address.pulled, number=0, listed=(Listed(trace=id, day="2026-03-09", stand=id),), through="")
            for id in ("t0001", "t0002")
        ]  # fmt: skip
        store.put_all([("pull", page.id, page) for page in pages])
        memory, number = pulled_before(store, address)
        assert (memory.traces, number) == ({"t0001", "t0002"}, 1)
        store.close()
        assert ends(take(tmp_path, address)) == ended(*fake.traces.values()), "what is known and not there is fetched"


def test_each_wait_for_a_store_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with FAKES["langfuse"](*traces(3)) as fake:
        fake.before = lambda path: (500, {}, {})
        with pytest.raises(BadInput, match="answered with 500, 6 times: run the same command again") as raised:
            take(tmp_path, fake.address())
    host = fake.address().partition("//")[2].partition("?")[0]
    assert str(raised.value).count(host) == 1
    told = [line for line in caplog.messages if line.startswith("attempt")]
    assert [line.partition(" in ")[0] for line in told] == [f"attempt {n} of 6" for n in range(2, 7)]
    assert all(host in line and "was answered with 500" in line for line in told)


def test_what_asking_again_does_not_cure_is_asked_of_the_address(tmp_path: Path) -> None:
    with FAKES["mlflow"](*traces(3)) as fake:
        fake.before = lambda path: (200, b"<!doctype html><title>Sign in</title>", {})
        with pytest.raises(BadInput, match="a page of HTML and not with JSON: is the address right"):
            take(tmp_path, fake.address())
        assert len(fake.asked) == 1, "a page for people stays one, however often it is asked for"
    with pytest.raises(BadInput, match="is the address right, and does a server run there") as raised:
        take(tmp_path, fake.address())
    assert "run the same command again" not in str(raised.value)
