"""The model client, over the real LiteLLM path with the simulated provider: retries, memory, ledger, money, answers."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from conftest import ROOT
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel, Field
from strange_server import GOOD as TOKENS
from strange_server import StrangeServer, said

from trace2skill.core.budget import Budget
from trace2skill.core.errors import BadAnswer, BadInput, BudgetReached, InfrastructureFault, ModelUnusable
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask, transport
from trace2skill.llm.checks import check_model
from trace2skill.llm.pace import pace_of
from trace2skill.llm.structured import read
from trace2skill.store import Store
from trace2skill.store.costs import totals_by_stage


class Provider:
    """An OpenAI-compatible server on loopback that answers from a list of (status, headers, body)."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], str]] = []
        self.requests: list[dict[str, Any]] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                provider.requests.append(json.loads(body))
                status, headers, text = provider.answers.pop(0) if provider.answers else (200, {}, "fine")
                payload = completion(text) if status == 200 else {"error": {"message": text, "type": "x", "code": None}}
                content = json.dumps(payload).encode()
                self.send_response(status)
                for name, value in {
                    **headers,
                    "content-type": "application/json",
                    "content-length": str(len(content)),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1"


def completion(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "total_tokens": 110,
        "prompt_tokens_details": {"cached_tokens": 60},
    }
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": usage,
    }


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    served = Provider()
    yield served
    served.server.shutdown()


def request(provider: Provider | None = None, text: str = "hello", **settings: Any) -> Request:
    base: dict[str, Any] = (
        {"name": "sim/office"}
        if provider is None
        else {"name": "openai/mine", "api_base": provider.url, "price": (10.0, 20.0)}
    )
    messages = ({"role": "system", "content": "You are tested."}, {"role": "user", "content": text})
    return Request(role="agent", settings=ModelSettings(**{**base, **settings}), messages=messages, seed=5)


def client(store: Store, cap: float | None = None) -> Client:
    return Client(store, Budget(cap), "run")


def test_a_call_is_paid_once_and_written_down_each_time(store: Store, provider: Provider) -> None:
    asked = request(provider, temperature=0.3)
    first = client(store).complete(asked, step=StepLabel("one"))
    second = client(store).complete(asked, step=StepLabel("two"))
    assert first == second
    assert first.text == "fine"
    assert len(provider.requests) == 1
    paid, remembered = store.ledger()
    assert (paid.step, paid.outcome, paid.attempts, paid.role) == ("one", "answered", 1, "agent")
    assert (paid.tokens_in, paid.tokens_out, paid.tokens_cached) == (100, 10, 60)
    assert paid.cost == pytest.approx(100 * 10e-6 + 10 * 20e-6)
    assert (remembered.step, remembered.outcome, remembered.cost) == ("two", "from_memory", 0.0)


def test_the_parameters_recorded_are_the_parameters_sent(store: Store, provider: Provider) -> None:
    client(store).complete(request(provider, temperature=0.3), step=StepLabel("s"))
    (sent,), (row,) = provider.requests, store.ledger()
    for name in ("temperature", "seed", "max_tokens"):
        assert sent[name] == row.params[name]
    assert set(sent) - {"messages", "model"} == set(row.params) - {"api_base"}
    plain = Provider()
    client(store).complete(request(plain), step=StepLabel("s"))
    assert "temperature" not in plain.requests[0]
    plain.server.shutdown()


def test_what_can_change_the_answer_changes_the_key() -> None:
    keys = {
        request().key,
        request(text="other").key,
        request(temperature=0.5).key,
        request(max_tokens=7).key,
        request(name="sim/office?seed=1").key,
        request().model_copy(update={"seed": 6}).key,
        request().model_copy(update={"answer_schema": {"type": "object"}}).key,
    }
    assert len(keys) == 7
    assert request(timeout_seconds=5, attempts=2, price=(1, 1)).key == request().key


@pytest.mark.parametrize(("status", "kind"), [(429, "rate_limited"), (500, "server_error"), (503, "server_error")])
def test_what_can_pass_is_tried_again(store: Store, provider: Provider, status: int, kind: str) -> None:
    provider.answers = [(status, {"retry-after": "0"}, "later"), (status, {}, "later"), (200, {}, "now")]
    assert client(store).complete(request(provider), step=StepLabel("s")).text == "now"
    assert store.ledger()[0].attempts == 3
    provider.answers = [(status, {"retry-after": "0"}, "later")] * 9
    tries = 1 if status == 429 else 2  # 'too many requests' is a matter of patience, of which this call has none
    with pytest.raises(InfrastructureFault, match=f"{kind} after {tries} tries"):
        client(store).complete(request(provider, text="again", attempts=2, patience_seconds=0), step=StepLabel("s"))
    row = store.ledger()[-1]
    assert (row.outcome, row.attempts, row.cost) == (kind, tries, 0.0)


def test_too_many_requests_are_waited_out_whatever_the_number_of_tries(store: Store, provider: Provider) -> None:
    provider.answers = [(429, {"retry-after": "0"}, "later")] * 7 + [(200, {}, "now")]
    assert client(store).complete(request(provider, attempts=2), step=StepLabel("s")).text == "now"
    assert store.ledger()[0].attempts == 8


def test_a_failed_call_is_not_remembered(store: Store, provider: Provider) -> None:
    provider.answers = [(500, {}, "down")]
    with pytest.raises(InfrastructureFault):
        client(store).complete(request(provider, attempts=1), step=StepLabel("s"))
    assert client(store).complete(request(provider, attempts=1), step=StepLabel("s")).text == "fine"


@pytest.mark.parametrize("where", ["seconds", "date"])
def test_retry_after_is_honoured(store: Store, provider: Provider, where: str) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=41), usegmt=True)
    provider.answers = [(429, {"retry-after": "40" if where == "seconds" else later}, "later")]
    asked = request(provider, text=where, patience_seconds=0)
    with pytest.raises(InfrastructureFault):
        client(store).complete(asked, step=StepLabel("s"))
    assert 38 <= pace_of(asked.settings).pause_seconds() <= 41, "nobody asks this model until then"


@pytest.mark.parametrize(
    ("status", "text", "outcome", "said"),
    [
        (401, "Incorrect API key", "authentication", "check the API key"),
        (404, "model not found", "not_found", "check the model's name"),
        (400, "This model's maximum context length is 10 tokens", "context_length", "longer context"),
        (429, "You exceeded your current quota: insufficient_quota", "quota", "no credit"),
    ],
)
def test_what_cannot_pass_ends_at_once_with_the_remedy(
    store: Store, provider: Provider, status: int, text: str, outcome: str, said: str
) -> None:
    provider.answers = [(status, {}, text)] * 5
    with pytest.raises(ModelUnusable, match=said):
        client(store).complete(request(provider), step=StepLabel("s"))
    assert len(provider.requests) == 1
    assert store.ledger()[0].outcome == outcome


def test_a_server_that_is_not_there_is_a_fault_of_the_infrastructure(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    gone = request(name="openai/mine", api_base="http://127.0.0.1:9/v1", price=(0, 0), attempts=1)
    with pytest.raises(InfrastructureFault):
        client(store).complete(gone, step=StepLabel("s"))


def test_a_call_is_a_span_that_says_what_it_cost_and_not_what_was_said(store: Store, provider: Provider) -> None:
    spans = InMemorySpanExporter()
    provider_of_spans = TracerProvider()
    provider_of_spans.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider_of_spans)
    provider.answers = [(401, {}, "wrong key")]
    asked = request(provider, text="a secret question", temperature=0.3)
    with pytest.raises(ModelUnusable):
        client(store).complete(asked, step=StepLabel("rollout", "t seed 1"))
    for _ in range(2):
        client(store).complete(asked, step=StepLabel("rollout", "t seed 1"))
    failed, paid, remembered = spans.get_finished_spans()
    assert (failed.attributes or {})["error.type"] == "ModelUnusable"
    told = dict(paid.attributes or {})
    assert paid.name == "chat openai/mine"
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.provider.name"] == "openai"
    assert (told["gen_ai.usage.input_tokens"], told["gen_ai.usage.output_tokens"]) == (100, 10)
    assert told["gen_ai.request.temperature"] == 0.3
    assert (told["trace2skill.run"], told["trace2skill.step"]) == ("run", "rollout: t seed 1")
    assert told["trace2skill.cost_usd"] == pytest.approx(100 * 10e-6 + 10 * 20e-6)
    assert (remembered.attributes or {})["trace2skill.from_memory"] is True
    assert not any("secret" in span.to_json() or "fine" in span.to_json() for span in spans.get_finished_spans())


def test_two_threads_that_ask_the_same_share_one_call(store: Store, provider: Provider) -> None:
    shared = client(store)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shared.complete(request(provider), step=StepLabel("s")), range(8)))
    assert len(provider.requests) == 1
    assert len({answer.key for answer in answers}) == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (ModelSettings(name="nosuch/model"), "unknown model 'nosuch/model'"),
        (ModelSettings(name="anthropic/claude-sonnet-4-5"), "needs ANTHROPIC_API_KEY"),
        (ModelSettings(name="openai/mine", api_base="http://127.0.0.1:9"), "no price is known"),
        (ModelSettings(name="sim/office?nosuch=1"), "its settings are"),
        (ModelSettings(name="sim/office?noise=7"), "noise: Input should be less than or equal to 1"),
        (ModelSettings(name="sim/offce"), "there are sim/office"),
    ],
)
def test_a_model_that_cannot_work_is_refused_up_front(
    settings: ModelSettings, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BadInput, match=said):
        check_model(settings)


def test_the_cap_is_never_passed(store: Store, provider: Provider) -> None:
    # One call costs at most (about 400 bytes) * 1e-5 + 50 * 2e-5 = 0.005 by its bound, and 0.0012 in truth.
    capped = Client(store, Budget(0.02), "run")

    def one(number: int) -> bool:
        try:
            capped.complete(request(provider, text=f"question {number}", max_tokens=50), step=StepLabel("s"))
        except BudgetReached:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        answered = sum(pool.map(one, range(60)))
    spent = store.ledger_total().cost
    assert spent <= 0.02
    assert answered >= 8
    assert answered == store.ledger_total().calls == len(provider.requests)
    with pytest.raises(BudgetReached, match="higher --max-cost"):
        capped.complete(request(provider, text="one more", max_tokens=5000), step=StepLabel("s"))


def test_simulated_faults_come_over_the_same_path(store: Store) -> None:
    limited = request(name="sim/office?rate_limited=1", patience_seconds=0)
    with pytest.raises(InfrastructureFault, match="rate_limited after 1 tries"):
        client(store).complete(limited, step=StepLabel("s"))
    half = [request(name="sim/office?server_error=0.5", text=str(number), attempts=20) for number in range(6)]
    assert all(client(store).complete(item, step=StepLabel("s")).text for item in half)
    assert sum(row.attempts for row in store.ledger() if row.outcome == "answered") > 6


class Wanted(BaseModel):
    name: str
    numbers: list[int] = Field(max_length=3)


GOOD = '{"name": "x", "numbers": [1, 2]}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Sure, here it is:\n\n```json\n{GOOD}\n```\nAnything else?",
        "```json\n{'name': 'x', 'numbers': [1, 2,],}\n```",
        '{"name": "x", "numbers": [1, 2,],}',
        f'```json\n{{"name": "wrong", "numbers": [9]}}\n```\nI correct myself:\n```json\n{GOOD}\n```',
    ],
)
def test_answers_are_read_leniently(text: str) -> None:
    value, problem = read(text, Wanted)
    assert value == Wanted(name="x", numbers=[1, 2]), problem


@pytest.mark.parametrize(
    "text", ["", "no", "[1, 2]", '{"name": 3}', '{"name": "x", "numbers": [1, 2, 3, 4]}', "{" * 5000]
)
def test_and_judged_strictly(text: str) -> None:
    value, problem = read(text, Wanted)
    assert value is None
    assert problem


def test_a_bad_answer_is_asked_again_with_the_reason_at_most_twice(store: Store, provider: Provider) -> None:
    provider.answers = [(200, {}, "prose"), (200, {}, '{"name": 1}'), (200, {}, GOOD)]
    assert ask(client(store), request(provider), Wanted, step=StepLabel("s")).numbers == [1, 2]
    assert "numbers: Field required" in provider.requests[2]["messages"][-1]["content"]
    assert "matches this JSON schema" in provider.requests[0]["messages"][-1]["content"].replace(
        "must match", "matches"
    )
    provider.answers = [(200, {}, f"prose {n}") for n in range(9)]
    with pytest.raises(BadAnswer) as caught:
        ask(client(store), request(provider, text="again"), Wanted, step=StepLabel("s"))
    assert caught.value.raw == "prose 2"
    assert len(provider.requests) == 6


@pytest.mark.parametrize("name", ["sim/office", "sim/office?blind=1", "sim/embedding", "sim/scripted"])
def test_what_a_run_from_the_store_asks_of_a_simulated_model_is_what_litellm_says(name: str) -> None:
    settings = ModelSettings(name=name)
    lite = transport.litellm_for(settings)
    price = lite.cost_per_token(model=name, prompt_tokens=1, completion_tokens=1)
    assert transport.prices(settings) == tuple(map(float, price))
    assert transport.context_tokens(settings) == lite.get_model_info(name)["max_input_tokens"]
    assert transport.has_native_tools(settings) == bool(lite.supports_function_calling(name))
    assert transport.has_schema_mode(settings) == bool(lite.supports_response_schema(name))


def test_a_run_from_the_store_does_not_import_litellm_for_it() -> None:
    code = """
import sys
from trace2skill.llm import transport
from trace2skill.llm.settings import ModelSettings
settings = ModelSettings(name="sim/office")
transport.prices(settings), transport.context_tokens(settings)
transport.has_native_tools(settings), transport.has_schema_mode(settings)
print("litellm" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_came_from_the_providers_cache_is_told_by_stage_and_unknown_where_nobody_says(store: Store) -> None:
    told = {**TOKENS, "prompt_tokens_details": {"cached_tokens": 60}}
    replies = [
        said(usage=told),
        said(usage={**told, "prompt_tokens_details": {"cached_tokens": 0}}),
        said(usage=TOKENS),
    ]
    with StrangeServer(*((200, reply, {}) for reply in replies)) as server:
        settings = ModelSettings(name="openai/m", api_base=server.url, price=(1, 1))
        for number, stage in enumerate(("known", "known", "unknown")):
            messages = ({"role": "user", "content": f"{number}"},)
            request = Request(role="agent", settings=settings, messages=messages)
            Client(store, Budget(1.0), "run").complete(request, step=StepLabel(stage))
    assert [row.tokens_cached for row in store.ledger()] == [60, 0, None]
    assert {row.stage: row.cached and float(row.cached) for row in totals_by_stage(store, "run")} == {
        "known": 0.3,
        "unknown": None,
    }
