"""Calls in batches: the same answers at half the price, sent once however it goes, over the real LiteLLM path."""

import contextlib
import json
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import batch_kills
import databases
import pytest
from batch_server import BatchServer, Body, completion, simulated
from conftest import PATIENCE
from in_process import refresh
from product import forked, run
from questions_of_tests import write_math, write_skill_for_sums
from ruamel.yaml import YAML

from trace2skill.core import budget as budgets
from trace2skill.core import clock
from trace2skill.core.budget import Budget
from trace2skill.core.errors import BadInput, BudgetReached, Unanswered
from trace2skill.core.money import dollars
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, pace
from trace2skill.llm.batch import awaiting, sending
from trace2skill.llm.batch.awaiting import Batched
from trace2skill.llm.batch.provider import provider_of as batch_provider
from trace2skill.runs.batching import check_batches
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.store import LedgerRow, Store, open_store
from trace2skill.store.postgres import connect

SCHEMA = {"title": "Said", "type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
BATCHED, SINGLE = 100 * 0.5e-6 + 10 * 2e-6, 100 * 1e-6 + 10 * 4e-6
"""What an answer costs, in US dollars: 100 tokens in, 10 out."""


class Died(BaseException):
    """The end of a process."""


def dies(*_: object, **__: object) -> None:
    raise Died


@contextlib.contextmanager
def dying_at(where: object, name: str, how: Callable[..., None] = dies) -> Iterator[None]:
    """Within the block a process dies when it comes there."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(where, name, how)
        yield


def echo(body: Body) -> Body:
    return completion({"role": "assistant", "content": f"said {body['messages'][-1]['content']}"}, body["model"])


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a provider needs minutes for, this one needs no time for."""
    monkeypatch.setattr(sending, "SETTLE_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(awaiting, "FIRST_PAUSE", 0.01)


@pytest.fixture
def provider() -> Iterator[BatchServer]:
    with BatchServer(echo) as started:
        yield started


def client_of(store: Store, cap: float | None = 10.0, run: str = "run-1") -> Client:
    return Client(store, Budget(cap, reservations=store.reservations(), run_id=run), run)


def requests(provider: BatchServer, *words: str, **more: Any) -> list[Request]:
    model = ModelSettings.model_validate(provider.model("m", max_tokens=100, attempts=1, **more))
    return [Request(role="analyst", settings=model, messages=({"role": "user", "content": word},)) for word in words]


def ahead(client: Client, asked: list[Request], *, singly: bool = True) -> Batched:
    waiting = {request.key: (request, StepLabel("extract", f"item {n}")) for n, request in enumerate(asked)}
    return client.ahead(waiting, 24, lambda *_: None, singly=singly)


def words_of(client: Client, asked: list[Request]) -> list[str]:
    return [client.complete(request, step=StepLabel("extract")).text for request in asked]


def rows(store: Store, outcome: str = "answered") -> list[LedgerRow]:
    return [row for row in store.ledger() if row.outcome == outcome]


def test_a_call_in_a_batch_is_the_single_call_and_its_answer(
    store: Store, tmp_path: Path, provider: BatchServer
) -> None:
    (plain,) = requests(provider, "hé")
    asked = [plain, plain.model_copy(update={"answer_schema": SCHEMA, "seed": 41})]
    asked[1] = asked[1].model_copy(update={"settings": plain.settings.model_copy(update={"temperature": 0.5})})
    client = client_of(store)
    assert ahead(client, asked).answered == 2
    lines = [json.loads(line) for file in provider.uploaded for line in file.splitlines()]
    assert provider.single == []
    other = open_store(tmp_path / "other.duckdb")
    alone = client_of(other)
    for request in asked:
        one = alone.complete(request, step=StepLabel("x"))
        many = client.complete(request, step=StepLabel("x"))
        assert one.usage.cost == pytest.approx(2 * many.usage.cost)
        assert one == many.model_copy(update={"usage": one.usage})
    other.close()
    assert sorted(map(str, (line["body"] for line in lines))) == sorted(map(str, provider.single))
    assert not rows(store, "from_memory"), "who comes for an answer that its own run had made ahead does not ask again"


def test_a_batch_is_booked_at_its_own_price_and_the_ledger_names_it(store: Store, provider: BatchServer) -> None:
    client, asked = client_of(store), requests(provider, "a", "b", "c")
    assert ahead(client, asked) == Batched(answered=3)
    assert words_of(client, asked) == ["said a", "said b", "said c"]
    assert [(row.params["batch"], row.cost, row.step) for row in rows(store)] == [
        ("batch_1", pytest.approx(BATCHED), f"extract: item {n}") for n in range(3)
    ]
    assert dollars(store.spent_of("run run-1")) == pytest.approx(3 * BATCHED)
    assert all(content == b"" for content in provider.files.values()), "what was read is removed"
    assert ahead(client_of(store), requests(provider, "d")).answered == 1
    assert set(provider.calls.values()) == {1}


def test_a_provider_whose_answer_is_lost_is_asked_for_the_batch_and_not_for_another(
    store: Store, provider: BatchServer
) -> None:
    provider.lost = {"answers"}
    assert ahead(client_of(store), requests(provider, "a", "b")).answered == 2
    assert list(provider.names.values()) == [1]


@pytest.mark.parametrize("moment", ["intended", "uploaded", "made", "sent", "seen", "read"])
def test_whoever_comes_after_a_death_goes_on_with_the_batch(store: Store, provider: BatchServer, moment: str) -> None:
    where = {
        "intended": (sending.BatchApi, "upload"),
        "uploaded": (sending.BatchApi, "create"),
        "made": (sending.Sender, "_known"),
        "sent": (sending.BatchApi, "look"),
        "seen": (sending.BatchApi, "read"),
        "read": (sending.BatchApi, "remove"),
    }[moment]
    asked = requests(provider, "a", "b", "c")
    with dying_at(*where), pytest.raises(Died):
        ahead(client_of(store), asked)
    client = client_of(store)
    known = [request for request in asked if client.known(request) is None]
    assert ahead(client, known).answered == (0 if moment == "read" else 3)
    assert words_of(client, asked) == ["said a", "said b", "said c"]
    assert set(provider.calls.values()) == {1}, "each call was sent once"
    assert set(provider.names.values()) == {1}
    assert provider.single == []
    assert len(rows(store)) == 3


def test_a_later_run_takes_up_what_it_shares_with_an_earlier_ones_batch(store: Store, provider: BatchServer) -> None:
    first, second = requests(provider, "a", "b"), requests(provider, "b", "c")
    left_at_the_provider(client_of(store, run="run-1"), first)
    assert ahead(client_of(store, run="run-2"), second).answered == 2
    assert set(provider.calls.values()) == {1}
    assert sorted((row.run_id, row.step) for row in rows(store)) == [
        ("run-1", "extract: item 0"),
        ("run-1", "extract: item 1"),
        ("run-2", "extract: item 1"),
    ], "who sent it pays for it"


def left_at_the_provider(client: Client, asked: list[Request]) -> None:
    """A process sends these, and dies before it looks what came of them."""
    with dying_at(awaiting._Wait, "ended"), pytest.raises(Died):
        ahead(client, asked)


def test_what_is_in_a_batch_is_not_asked_singly_by_who_sends_none(store: Store, provider: BatchServer) -> None:
    first, second = requests(provider, "a", "b"), requests(provider, "b", "c")
    left_at_the_provider(client_of(store), first)
    client = client_of(store, run="run-2")
    waiting = {request.key: (request, StepLabel("extract")) for request in second}
    left = client.ahead(waiting, 24, lambda *_: None, singly=True, new=False)
    assert left == Batched(answered=1, why={second[1].key: "no batch took it"})
    assert len(provider.batches) == 1
    assert words_of(client, second) == ["said b", "said c"]
    assert len(provider.single) == 1
    assert sorted((row.run_id, row.cost) for row in rows(store))[:2] == [("run-1", pytest.approx(BATCHED))] * 2


@pytest.mark.parametrize("looks", [1, 3], ids=["they have ended", "they go on"])
def test_a_run_goes_on_without_batches_and_pays_for_none_twice(
    tmp_path: Path, provider: BatchServer, looks: int
) -> None:
    provider.looks = looks
    provider.speak = lambda body: echo(body) if "nobody asks" in str(body) else simulated(body)
    settings = RunSettings.model_validate({
        "data": {
            "path": str(write_math(tmp_path / "data", 12)),
            "domain": "math",
            "skill": str(write_skill_for_sums(tmp_path / "sums")),
        },
        "models": {"agent": {"name": "sim/office"}, "analyst": provider.model(), "merger": provider.model()},
        "learning": {"sandbox": "process", "error_analyst": "one_call"},
        "gate": {"evaluate": False},
        "operation": {"batch": True, "store": str(tmp_path / "s.duckdb"), "output": str(tmp_path / "runs")},
    })  # fmt: skip
    with dying_at(awaiting._Wait, "ended"), pytest.raises(Died):
        refresh(settings)
    sent = dict(provider.calls)
    run_id = runtime(settings).run_id
    left_at_the_provider(client_of(runtime(settings).store, run=run_id), requests(provider, "nobody asks that again"))
    forget_runtimes()

    done = refresh(settings.changed(batch=False))
    store = done.rt.store
    assert done.rt.run_id == run_id
    assert set(provider.calls.values()) == {1}
    assert len(provider.batches) == 2, "no new one is sent"
    in_batches = {row.call_key.removeprefix("call/") for row in rows(store) if "batch" in row.params}
    assert in_batches == set(provider.calls), "both are booked, also that of which no stage asks"
    assert sent.keys() < in_batches
    assert set(Counter(row.call_key for row in rows(store)).values()) == {1}
    assert len(provider.single) == len(rows(store)) - len(in_batches) - sum(row.role == "agent" for row in rows(store))
    assert not {row.call_key for row in rows(store, "from_memory")} & {f"call/{id}" for id in provider.calls}
    assert not sending.open_batches(store)
    forget_runtimes()


def test_two_runs_side_by_side_send_a_call_once(store: Store, provider: BatchServer) -> None:
    provider.looks, asked = 3, requests(provider, "a", "b")
    found: list[Batched] = []
    threads = [
        threading.Thread(target=lambda run=run: found.append(ahead(client_of(store, run=run), asked)))
        for run in ("run-1", "run-2")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [Batched(answered=2)] * 2
    assert set(provider.calls.values()) == {1}
    assert len(rows(store)) == 2


@pytest.mark.parametrize("status", [503, 429])
def test_a_provider_that_is_down_for_a_while_costs_nothing(
    store: Store, provider: BatchServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    provider.looks, provider.refusal, seen = 4, status, []
    monkeypatch.setattr(pace, "FIRST_PAUSE", 0.01)

    def shown(*_: object) -> None:
        seen.append(1)
        provider.refuses = 3 if len(seen) == 1 else provider.refuses

    client, asked = client_of(store), requests(provider, "a")
    waiting = {asked[0].key: (asked[0], StepLabel("extract"))}
    assert client.ahead(waiting, 24, shown, singly=True).answered == 1
    assert provider.refuses == 0
    assert list(provider.names.values()) == [1]


def test_what_the_cap_does_not_let_go_at_once_follows(store: Store, provider: BatchServer) -> None:
    asked = requests(provider, *"abcdefgh")
    bound = sending.BatchedCall.of(asked[0], StepLabel("x")).bound
    client = client_of(store, cap=3.5 * bound)
    assert ahead(client, asked).answered == 8
    sizes = [sum(1 for _ in file.splitlines()) for file in provider.uploaded]
    assert sizes[0] == 3
    assert sum(sizes) == 8
    assert dollars(store.spent_of("run run-1")) <= 3.5 * bound
    poor = client_of(store, cap=0.5 * bound, run="run-2")
    more = requests(provider, "i")
    assert ahead(poor, more) == Batched(why={more[0].key: "no batch took it"}), "where none fits none is sent"
    assert len(provider.uploaded) == len(sizes)


def error_line(line: Body, status: int = 400, **error: str) -> Body:
    said = {"message": "no", **error}
    return {"custom_id": line["custom_id"], "response": {"status_code": status, "body": {"error": said}}, "error": None}


def test_what_a_batch_leaves_unanswered_is_asked_singly_or_fails(store: Store, provider: BatchServer) -> None:
    asked = requests(provider, "a", "b", "c")
    provider.errors = lambda lines: [error_line(line) for line in lines if "b" in str(line["body"]["messages"])]
    client = client_of(store)
    left = ahead(client, asked)
    assert (left.answered, left.why) == (2, {asked[1].key: "no"})
    assert words_of(client, asked) == ["said a", "said b", "said c"]
    assert len(provider.single) == 1
    assert [row.cost for row in rows(store)][-1] == pytest.approx(SINGLE)
    assert [row.cost for row in rows(store, "bad_request")] == [0]

    provider.errors = lambda lines: [error_line(line) for line in lines]
    strict, others = client_of(store, run="run-2"), requests(provider, "d")
    ahead(strict, others, singly=False)
    with pytest.raises(Unanswered, match=r"unanswered \(no\).*--batch-rest fail"):
        strict.complete(others[0], step=StepLabel("extract"))
    assert len(provider.single) == 1


@pytest.mark.parametrize(("ends", "outcome"), [("expired", "timeout"), ("failed", "bad_request")])
def test_a_batch_that_does_not_come_to_its_end_costs_what_it_has(
    store: Store, provider: BatchServer, ends: str, outcome: str
) -> None:
    provider.ends, provider.twist = ends, lambda lines: lines[:1]
    left = ahead(client_of(store), requests(provider, "a", "b"))
    assert left.answered == 1
    assert ends in str(left.why)
    assert [row.cost for row in rows(store, outcome)] == [0]


def test_a_batch_that_is_late_is_asked_to_end_and_what_it_has_is_taken(store: Store, provider: BatchServer) -> None:
    provider.looks = 1_000_000

    def late(lines: list[Body]) -> list[Body]:
        return lines[:2]

    provider.twist, provider.age = late, 3601.0
    client, asked = client_of(store), requests(provider, "a", "b", "c")
    waiting = {request.key: (request, StepLabel("extract", str(n))) for n, request in enumerate(asked)}
    left = client.ahead(waiting, 1.0, lambda *_: None, singly=True)
    assert left.answered == 2
    assert list(left.why.values()) == ["the batch was cancelled"]


def test_a_batch_that_does_not_hear_is_asked_to_end_until_it_does(store: Store, provider: BatchServer) -> None:
    provider.looks, provider.age, provider.deaf = 1_000_000, 3601.0, 3
    client, (asked,) = client_of(store), requests(provider, "a")
    waiting = {asked.key: (asked, StepLabel("extract"))}
    assert client.ahead(waiting, 1.0, lambda *_: None, singly=True).answered == 1
    assert provider.deaf == 0


@pytest.mark.parametrize("age", [None, -1e9], ids=["it is not said when it was made", "it is said to be made later"])
def test_hours_of_a_batch_count_from_its_intent_where_nobody_knows_better(
    store: Store, provider: BatchServer, monkeypatch: pytest.MonkeyPatch, age: float | None
) -> None:
    asked = requests(provider, "a")
    left_at_the_provider(client_of(store), asked)
    provider.looks, provider.age = 1_000_000, age
    next(iter(provider.batches.values()))["created_at"] = 0 if age is None else int(time.time() - age)
    later = datetime.now(UTC) + timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert ahead(client_of(store), asked).answered == 1
    assert {batch["status"] for batch in provider.batches.values()} == {"cancelled"}


def without(line: Body, *path: str) -> Body:
    inner = line
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return line


ODD: dict[str, tuple[Callable[[list[Body]], list[Body]], int, float]] = {
    "no custom_id": (lambda lines: [without(lines[0], "custom_id"), lines[1]], 1, 1),
    "a number for custom_id": (lambda lines: [{**lines[0], "custom_id": 5}, lines[1]], 1, 1),
    "doubled": (lambda lines: [*lines, lines[0]], 2, 0),
    "doubled and different": (lambda lines: [*lines, {**lines[0], "response": {"status_code": 500}}], 2, 0),
    "unknown": (lambda lines: [*lines, {**lines[0], "custom_id": "f" * 64}], 2, 0),
    "missing": (lambda lines: lines[1:], 1, 1),
    "no usage": (lambda lines: [without(lines[0], "response", "body", "usage"), lines[1]], 2, 1),
    "no choices": (lambda lines: [without(lines[0], "response", "body", "choices"), lines[1]], 1, 1),
    "a list for a line": (lambda lines: [[1, 2], *lines], 2, 0),  # type: ignore[list-item]
    "in another order": (lambda lines: lines[::-1], 2, 0),
    "a status as text": (lambda lines: [{**lines[0], "response": {**lines[0]["response"], "status_code": "200"}}, lines[1]], 2, 0),
    "no body": (lambda lines: [without(lines[0], "response", "body"), lines[1]], 1, 1),
    "text for a body": (lambda lines: [{**lines[0], "response": {"status_code": 200, "body": "busy"}}, lines[1]], 1, 1),
    "no content": (lambda lines: [{**lines[0], "response": {"status_code": 204}}, lines[1]], 1, 1),
    "created": (lambda lines: [{**lines[0], "response": {**lines[0]["response"], "status_code": 201}}, lines[1]], 2, 0),
    "no status": (lambda lines: [without(lines[0], "response", "status_code"), lines[1]], 2, 0),
    "no JSON": (lambda lines: ["{", lines[1]], 1, 1),  # type: ignore[list-item]
    "no response but an error": (lambda lines: [{**lines[0], "response": None, "error": {"message": "no"}}, lines[1]], 1, 0),
    "no response": (lambda lines: [{**lines[0], "response": None}, lines[1]], 1, 1),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_odd_lines_cost_themselves_and_what_is_not_known_costs_the_most_it_may(
    store: Store, provider: BatchServer, odd: str
) -> None:
    provider.twist, answered, bounded = ODD[odd]
    asked = requests(provider, "a", "b")
    bound = sending.BatchedCall.of(asked[0], StepLabel("x")).bound
    client = client_of(store)
    assert ahead(client, asked).answered == answered
    normal = answered - (odd == "no usage")
    assert dollars(store.spent_of("run run-1")) == pytest.approx(normal * BATCHED + bounded * bound)
    notes = [row.params["cost_from"] for row in store.ledger() if "cost_from" in row.params]
    assert len(notes) == bounded
    assert all(note.startswith("at most: ") for note in notes)
    assert words_of(client, asked) == ["said a", "said b"]


CUT_SHORT: dict[str, tuple[str, Callable[[list[Body]], list[Body]], Body | None, int, int]] = {
    "it did no more": ("cancelled", lambda lines: lines[:1], {}, 1, 0),
    "a line cannot be read": ("cancelled", lambda lines: [lines[0], "{"], {}, 1, 1),  # type: ignore[list-item]
    "a line names no call": ("expired", lambda lines: [lines[0], without(lines[1], "custom_id")], {}, 1, 1),
    "a line names another": ("expired", lambda lines: [lines[0], {**lines[1], "custom_id": "f" * 64}], {}, 1, 1),
    "fewer lines than it did": ("expired", lambda lines: lines[:1], {"completed": 2, "failed": 1}, 1, 2),
    "more done than it has": ("failed", lambda lines: lines[:1], {"completed": 900}, 1, 3),
    "no file of what it did": ("failed", lambda lines: [], {"completed": 2}, 0, 2),
    "it counts nothing": ("cancelled", lambda lines: lines[:1], None, 1, 3),
    "it counts none": ("cancelled", lambda lines: lines[:1], {"total": 0, "completed": 0}, 1, 3),
    "it was refused": ("failed", lambda lines: [], {"total": 0, "completed": 0}, 0, 0),
}


@pytest.mark.parametrize("case", CUT_SHORT)
def test_a_batch_that_is_cut_short_costs_what_it_may_have_answered(
    store: Store, provider: BatchServer, case: str
) -> None:
    provider.ends, provider.twist, provider.counts, answered, bounded = CUT_SHORT[case]
    asked = requests(provider, "a", "b", "c", "one that is longer")
    dearest = sorted((sending.BatchedCall.of(item, StepLabel("x")).bound for item in asked[answered:]), reverse=True)
    assert ahead(client_of(store), asked).answered == answered
    assert dollars(store.spent_of("run run-1")) == pytest.approx(answered * BATCHED + sum(dearest[:bounded]))
    assert sum("cost_from" in row.params for row in store.ledger()) == bounded


def test_a_file_of_answers_that_is_gone_may_have_cost_all(store: Store, provider: BatchServer) -> None:
    provider.lost, asked = {"output"}, requests(provider, "a", "b")
    bound = sending.BatchedCall.of(asked[0], StepLabel("x")).bound
    left = ahead(client_of(store), asked)
    assert set(left.why.values()) == {"its answer went with the file of the batch"}
    assert dollars(store.spent_of("run run-1")) == pytest.approx(2 * bound)


def test_a_provider_that_takes_no_batch_is_asked_singly(
    store: Store, provider: BatchServer, caplog: pytest.LogCaptureFixture
) -> None:
    (asked,) = requests(provider, "a")
    away = asked.settings.model_copy(update={"api_base": provider.url.replace("/v1", "/other")})
    left = ahead(client_of(store), [asked.model_copy(update={"settings": away})])
    assert list(left.why.values()) == ["no batch took it"]
    assert "no batch of 1 calls of openai/m was made" in caplog.text


def test_a_batch_goes_where_single_calls_go(
    store: Store, provider: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LITELLM_PROXY_API_BASE", provider.url)
    monkeypatch.setenv("LITELLM_PROXY_API_KEY", "k")
    (asked,) = requests(provider, "a")
    there = asked.settings.model_copy(update={"name": "litellm_proxy/m", "api_base": None})
    asked = asked.model_copy(update={"settings": there})
    assert ahead(client_of(store), [asked]).answered == 1
    monkeypatch.delenv("LITELLM_PROXY_API_BASE")
    assert batch_provider(asked.settings) is None


def test_money_of_a_batch_is_held_beyond_its_process(address: Path | str) -> None:
    store = open_store(address)
    budget = Budget(1.0, reservations=store.reservations(), run_id="run-1")
    assert budget.hold("t", [0.4, 0.4, 0.4]) == 2
    assert budget.hold("u", [0.4]) == 0
    store.close()
    store = open_store(address)  # another process, which takes the batch up
    budget = Budget(1.0, reservations=store.reservations(), run_id="run-1")
    budget.hold_anyway("t", 0.8, "run-1")
    assert budget.hold("u", [0.4]) == 0
    budget.settle("t", 0.1)
    budget.settle("t", 0.1)
    assert budget.hold("u", [0.4, 0.4, 0.4]) == 2
    store.close()


def test_what_a_batch_that_is_out_may_cost_counts_for_whoever_comes_next(
    address: Path | str, provider: BatchServer
) -> None:
    store = open_store(address)
    asked = requests(provider, "a", "b")
    bound = sum(sending.BatchedCall.of(request, StepLabel("x")).bound for request in asked)
    left_at_the_provider(client_of(store), asked)
    store.close()
    store = open_store(address)
    (more,) = requests(provider, "c")
    monthly = bound + 1.5 * sending.BatchedCall.of(more, StepLabel("x")).bound  # a single call costs twice as much
    budget = Budget(None, monthly=monthly, reservations=store.reservations(), run_id="run-2")
    other = Client(store, budget, "run-2")
    with pytest.raises(BudgetReached, match=r"\$0\.0000 of the month's cap .* held for .*`trace2skill retry run-1`"):
        other.complete(more, step=StepLabel("extract"))
    assert provider.single == []
    assert ahead(client_of(store), asked).answered == 2
    assert words_of(other, [more]) == ["said c"], "what it did cost is less"
    store.close()


def test_who_waits_for_money_keeps_no_other_from_taking_up_a_batch(
    address: Path | str, provider: BatchServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(budgets, "SILENT_SECONDS", 0.0)
    store = open_store(address)
    first, second = requests(provider, "a"), requests(provider, "b")
    bound = sending.BatchedCall.of(first[0], StepLabel("x")).bound
    left_at_the_provider(client_of(store), first)
    budget = Budget(None, monthly=2.5 * bound, reservations=store.reservations(), run_id="run-2")
    found: list[Batched] = []
    with budget.reserve(bound):
        waits = threading.Thread(target=lambda: found.append(ahead(Client(store, budget, "run-2"), second)))
        waits.start()
        wait_for(lambda: "waits for others" in caplog.text)
        assert ahead(client_of(store), first).answered == 1
    waits.join(PATIENCE)
    assert found == [Batched(answered=1)]
    assert caplog.text.count("waits for others") == 1
    store.close()


def test_a_batch_that_nobody_waits_for_is_not_waited_for(
    address: Path | str, provider: BatchServer, caplog: pytest.LogCaptureFixture
) -> None:
    store = open_store(address)
    first, second = requests(provider, "a"), requests(provider, "b")
    bound = sending.BatchedCall.of(first[0], StepLabel("x")).bound
    left_at_the_provider(client_of(store), first)
    other = Client(store, Budget(9.0, monthly=1.5 * bound, reservations=store.reservations(), run_id="run-2"), "run-2")
    assert ahead(other, second) == Batched(why={second[0].key: "no batch took it"})
    assert "let their runs end first (`trace2skill retry run-1` goes on with one that has stopped), or" in caplog.text
    assert len(provider.batches) == 1
    store.close()


def test_a_death_between_the_books_and_the_record_books_a_batch_once(
    address: Path | str, provider: BatchServer
) -> None:
    store, asked = open_store(address), requests(provider, "a", "b", "c")
    put = dies_when_settled(type(store)._put)
    with dying_at(type(store), "_put", put), pytest.raises(Died):
        ahead(client_of(store), asked)
    assert ahead(client_of(store), asked).answered == 3
    budget = Budget(1.0, reservations=store.reservations(), run_id="run-1")
    left = 1.0 - 3 * BATCHED
    assert budget.hold("one", [left - 1e-8]) == 1
    assert budget.hold("more", [2e-8]) == 0
    store.close()


def dies_when_settled(put: Callable[..., None]) -> Callable[..., None]:
    def until_then(store: Store, written: list[Any]) -> None:
        if "'settled'" in str(written).replace('"', "'"):
            raise Died
        put(store, written)

    return until_then


def test_what_another_process_of_the_run_waits_for_is_waited_for(
    postgres: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(budgets, "SILENT_SECONDS", 0.0)
    address = databases.fresh(postgres, f"t{uuid.uuid4().hex}")
    store, elsewhere = open_store(address), connect(address, 5.0)

    def budget(of: Store, run: str) -> Budget:
        return Budget(None, monthly=1.0, reservations=of.reservations(), run_id=run)

    sends = budget(elsewhere, "run-1")
    sends.attend("t", "its flow")
    assert sends.hold("t", [0.8]) == 1
    with pytest.raises(BudgetReached, match="retry run-1"):
        budget(store, "run-2").room(0.3)
    waits = threading.Thread(target=lambda: budget(store, "run-1").room(0.3))
    waits.start()
    wait_for(lambda: "waits for others" in caplog.text)
    sends.settle("t", 0.1)
    waits.join(PATIENCE)
    assert budget(store, "run-2").hold("u", [0.9]) == 1
    sends.leave("t", "its flow")
    store.close()
    elsewhere.close()


def test_a_batch_that_counts_as_spent_is_taken_up_after_all(postgres: str) -> None:
    store = open_store(databases.fresh(postgres, f"t{uuid.uuid4().hex}"))
    budget = Budget(1.0, reservations=store.reservations(), run_id="run-1")
    assert budget.hold("t", [0.8]) == 1
    store.execute("UPDATE holder SET until = now()::TIMESTAMP - INTERVAL '1 second' WHERE id = 't'")
    with pytest.raises(BudgetReached, match=r"\$0\.8000"), budget.reserve(0.3):
        pass
    assert store.query("SELECT count(*) FROM holder WHERE id = 't'") == [(0,)]
    budget.hold_anyway("t", 0.8, "run-1")
    budget.settle("t", 0.1)
    assert budget.hold("u", [0.9]) == 1, "what it did cost takes the place of the most it may have cost"
    store.close()


def project(folder: Path, provider: BatchServer) -> Path:
    """A refresh on sums in a directory of its own, whose analyst and merger are the provider's."""
    folder.mkdir()
    data, skill = write_math(folder / "data", 12), write_skill_for_sums(folder / "sums")
    settings = {
        "data": {"path": str(data), "domain": "math", "skill": str(skill)},
        "models": {"agent": {"name": "sim/office"}, "analyst": provider.model(), "merger": provider.model()},
        "learning": {"sandbox": "process", "error_analyst": "one_call", "seeds": [41, 42]},
    }
    with (folder / "settings.yaml").open("w") as file:
        YAML().dump(settings, file)
    return folder


def kept(folder: Path) -> tuple[dict[str, Any], dict[str, float], dict[str, bytes]]:
    """Answers by key but for what they cost, what each stage of one call cost, and the files of the candidate."""
    store = open_store(folder / ".trace2skill" / "store.duckdb")
    answers = {key: json.loads(value) for key, value in store.query("SELECT key, value FROM model_call")}
    for answer in answers.values():
        answer["usage"].pop("cost", None)
    stages = "('extract', 'contrast', 'propose', 'assign', 'write')"
    spent = store.query(f"SELECT stage, sum(cost) FROM ledger WHERE stage IN {stages} GROUP BY stage")
    store.close()
    (summary,) = folder.glob(".trace2skill/runs/*/summary.json")
    candidate = folder / json.loads(summary.read_text())["candidate_directory"]
    files = {str(path.relative_to(candidate)): path.read_bytes() for path in candidate.rglob("*") if path.is_file()}
    return answers, dict(spent), files


@pytest.mark.slow
def test_a_run_with_batches_is_the_run_without_and_its_one_call_stages_cost_half(
    tmp_path: Path, warm_home: Path, provider: BatchServer
) -> None:
    provider.speak = simulated
    singly, batched = project(tmp_path / "singly", provider), project(tmp_path / "batched", provider)
    run(singly, warm_home, "run", "--settings", "settings.yaml")
    asked = len(provider.single)

    provider.looks, said = 1_000_000, tmp_path / "said"
    child = forked(batched, warm_home, "run", "--settings", "settings.yaml", "--batch", said=said)
    wait_for(lambda: bool(provider.batches))
    child.send_signal(signal.SIGINT)
    assert child.wait() == 130
    words = " ".join(said.read_text().split())
    assert "batches go on at the provider: `trace2skill retry run-" in words
    assert "nothing is sent twice" in words

    provider.looks = 1
    (directory,) = batched.glob(".trace2skill/runs/*")
    run(batched, warm_home, "retry", directory.name)
    (answers, price, candidate), (same, half, files) = kept(singly), kept(batched)
    assert answers == same
    assert candidate == files
    assert set(price) == set(half) == {"extract", "contrast", "propose", "assign", "write"}
    assert sum(half.values()) <= 0.55 * sum(price.values())
    assert set(provider.calls.values()) == {1}
    assert len(provider.single) - asked == asked - sum(provider.calls.values())


@pytest.mark.slow
@pytest.mark.parametrize("mixed", [False, True], ids=["in batches", "with and without"])
def test_however_often_a_run_is_killed_no_call_is_sent_twice(tmp_path: Path, mixed: bool) -> None:
    assert batch_kills.benchmark(tmp_path, kills=8, seed=3, mixed=mixed)


def wait_for(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_models_whose_provider_has_no_batches_are_refused_before_anything_is_spent(
    tmp_path: Path, provider: BatchServer, caplog: pytest.LogCaptureFixture
) -> None:
    data = {"path": str(write_math(tmp_path / "data", 12)), "domain": "math"}
    claude = {"name": "anthropic/claude-sonnet-4-5"}

    def checked(analyst: Body, merger: Body) -> None:
        models = {"agent": {"name": "sim/office"}, "analyst": analyst, "merger": merger}
        check_batches(RunSettings.model_validate({"data": data, "models": models, "operation": {"batch": True}}))

    with pytest.raises(BadInput, match=r"analyst anthropic/.*, merger sim/office can go in batches.*azure, .*openai"):
        checked(claude, {"name": "sim/office"})
    checked(provider.model(), claude)
    assert "calls of merger anthropic/claude-sonnet-4-5 go singly" in caplog.text


def test_an_estimate_says_both_prices_and_the_wait(tmp_path: Path, prefect_home: Path, provider: BatchServer) -> None:
    folder = project(tmp_path / "sums", provider)

    command = ("estimate", "--settings", "settings.yaml")
    plain = json.loads(run(folder, prefect_home, *command, "--json").stdout)
    said = " ".join(run(folder, prefect_home, *command, "--batch").stdout.split())
    pairs = {(stage["stage"], stage["part"]): stage["both"] for stage in plain["stages"] if "both" in stage}
    assert {stage for stage, _ in pairs} == {"extract", "contrast", "propose", "assign", "write"}
    assert all(many == pytest.approx(singly / 2) for singly, many in pairs.values())
    singly, many = (sum(pair[n] for pair in pairs.values()) for n in (0, 1))
    words = "in batches (counted above); then up to 4 waits of at most 24 h each, one after the other"
    assert f"${singly:.4f} singly, ${many:.4f} {words}" in said
    assert f"about ${sum(stage['cost'] for stage in plain['stages']) - singly + many:.4f}, up to" in said
