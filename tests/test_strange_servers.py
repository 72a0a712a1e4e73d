"""Servers that say odd things: figures of usage that cannot be, refusals in words of their own, waits in odd forms."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from strange_server import ABSENT, GOOD, StrangeServer, said

from trace2skill.agents.loop import LoopLimits, converse
from trace2skill.agents.react import bash_tool
from trace2skill.cli.option_values import price
from trace2skill.core import stopping
from trace2skill.core.budget import Budget
from trace2skill.core.errors import (
    BadInput,
    BudgetReached,
    ContextFull,
    InfrastructureFault,
    Interrupted,
    ModelUnusable,
)
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request
from trace2skill.llm.checks import check_model
from trace2skill.llm.failures import _retry_after
from trace2skill.safety.own_secrets import without_own
from trace2skill.sandbox import Limits
from trace2skill.store import Store


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


def ask(store: Store, server: StrangeServer, text: str = "hello", client: Client | None = None, **settings: Any) -> Any:
    given = {"name": "openai/mine", "api_base": server.url, "price": (1000.0, 1000.0), "max_tokens": 50, **settings}
    request = Request(
        role="agent", settings=ModelSettings(**given), messages=({"role": "user", "content": f"{text} {server.url}"},)
    )
    return (client or Client(store, Budget(None), "run")).complete(request, step=StepLabel("s"))


DIGITS = "9" * 400
IMPOSSIBLE = {
    "missing": ABSENT, "null": None, "empty": {}, "nulls": {"prompt_tokens": None, "completion_tokens": None},
    "zero": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, "negative": {**GOOD, "prompt_tokens": -10**6},
    "negative answer": {**GOOD, "completion_tokens": -5}, "half a token": {**GOOD, "completion_tokens": 10.5},
    "no answer": {**GOOD, "completion_tokens": 0}, "huge": {**GOOD, "prompt_tokens": 10**20}, "a list": [1, 2], "a text": "many",
    "NaN": "@NaN", "infinite": "@Infinity", "400 digits": f"@{DIGITS}", "5000 digits": "@" + "9" * 5000,
}  # fmt: skip


def body(usage: Any) -> Any:
    if not (isinstance(usage, str) and usage.startswith("@")):
        return said(usage=usage)
    return json.dumps(said(usage={**GOOD, "prompt_tokens": "@"})).replace('"@"', usage[1:])


@pytest.mark.parametrize("usage", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_figures_that_cannot_be_cost_what_the_call_may_have_cost(
    store: Store, usage: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trace2skill.llm.usage._warned", set())
    with StrangeServer((200, body(usage), {})) as server:
        try:
            answer = ask(store, server)
        except InfrastructureFault:  # nobody can read it, and it was paid for all the same
            answer = None
    assert answer is None or (answer.usage_note.startswith("at most") and 0 < answer.usage.prompt < 100)
    (row,) = store.ledger()
    assert 0.2 < row.cost < 0.6, "the prompt's bytes and all tokens an answer may have"
    assert str(row.params["cost_from"]).startswith("at most")
    assert len(server.requests) == 1
    assert caplog.text.count("openai/mine") == 1


def test_a_server_without_figures_meets_the_cap(store: Store) -> None:
    client, reached = Client(store, Budget(2.0), "run"), 0
    with StrangeServer((200, said(usage=ABSENT), {})) as server:
        for number in range(20):
            try:
                ask(store, server, f"question {number}", client=client)
            except BudgetReached:
                reached += 1
    assert reached >= 10
    assert 1 < store.ledger_total().cost <= 2.0


@pytest.mark.parametrize(
    ("usage", "price", "cost"),
    [
        (GOOD, (1000.0, 1000.0), 0.11),
        ({**GOOD, "prompt_tokens": "100", "completion_tokens": 10.0}, (1000.0, 1000.0), 0.11),
        ({**GOOD, "prompt_tokens_details": {"cached_tokens": 90}}, (1000.0, 1000.0), 0.11),
        ({**GOOD, "prompt_tokens_details": {"cached_tokens": 90}}, (1000.0, 1000.0, 100.0), 0.029),
        ({**GOOD, "prompt_tokens_details": {"cached_tokens": 9000}}, (1000.0, 1000.0, 0.0), 0.11),
        ({**GOOD, "prompt_tokens_details": {"cached_tokens": -9000}}, (1000.0, 1000.0, 0.0), 0.11),
        (ABSENT, (0.0, 0.0), 0.0),
    ],
)
def test_figures_that_can_be_are_priced(store: Store, usage: Any, price: tuple[float, ...], cost: float) -> None:
    with StrangeServer((200, said(usage=usage), {})) as server:
        assert ask(store, server, price=price).usage.cost == pytest.approx(cost)


@pytest.mark.parametrize("text", ["-1,2", "1,-2", "1", "1,2,3,4", "nan,1", "1,inf", "a,b", "1,2,-3"])
def test_a_price_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--price"):
        price(text)
    parts = text.split(",")
    if len(parts) in (2, 3) and "a" not in parts:
        with pytest.raises(ValueError, match="price"):
            ModelSettings(name="openai/mine", price=tuple(map(float, parts)))


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


CONTEXT = {
    "LM Studio": (400, {"error": "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens"}),
    "SGLang": (400, {"object": "error", "message": "Input length (5000 tokens) exceeds the maximum allowed length (4095 tokens).", "code": 400}),
    "TGI": (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens", "error_type": "validation"}),
    "llama.cpp": (400, error("the request exceeds the available context size (4096 tokens)", type="exceed_context_size_error", code=400)),
    "vLLM": (400, error("This model's maximum context length is 4096 tokens. However, you requested 9000 tokens", code=400)),
    "Anthropic": (400, error("prompt is too long: 210000 tokens > 200000 maximum")),
    "Gemini": (400, error("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).")),
    "Qwen": (400, error("Range of input length should be [1, 30720]")),
    "413": (413, error("Request too large for model `mine`: Limit 6000, Requested 9000", code="rate_limit_exceeded")),
    "413 of a proxy": (413, "<html><h1>413 Request Entity Too Large</h1></html>"),
    "429 that is too large": (429, error("Request too large for mine on tokens per min (TPM): Limit 30000, Requested 41000. The input or output tokens must be reduced", code="rate_limit_exceeded")),
}  # fmt: skip
QUOTA = {
    "monthly credits": (429, error("You have exceeded your monthly included credits. Subscribe to a plan to continue.", type="billing")),
    "no credits": (402, error("Insufficient credits. Add more to continue.", code=402)),
    "OpenAI": (429, error("You exceeded your current quota", code="insufficient_quota")),
    "Gemini, a day": (429, error("You exceeded your current quota. Quota exceeded for metric: free_tier_requests, limit: 50 per day", status="RESOURCE_EXHAUSTED")),
    "Anthropic": (400, error("Your credit balance is too low to access the Anthropic API.", type="invalid_request_error")),
    "DeepSeek": (402, error("Insufficient Balance")),
    "a spending limit": (429, error("This organization has reached its spending limit", code="billing_hard_limit_reached")),
}  # fmt: skip


@pytest.mark.parametrize("reply", [*CONTEXT.values(), *QUOTA.values()], ids=[*CONTEXT, *QUOTA])
def test_what_cannot_pass_ends_at_once_in_whatever_words(store: Store, reply: tuple[int, Any]) -> None:
    with StrangeServer((*reply, {})) as server, pytest.raises(ModelUnusable) as ended:
        ask(store, server)
    full = reply in CONTEXT.values()
    assert isinstance(ended.value, ContextFull) == full
    assert store.ledger()[0].outcome == ("context_length" if full else "quota")
    assert len(server.requests) == 1
    if reply == CONTEXT["LM Studio"]:
        assert "keep the first 5000 tokens" in str(ended.value), "the server's own words are told"


PASSES = {
    "Gemini, a minute": (429, error("You exceeded your current quota. GenerateRequestsPerMinutePerProjectPerModel limit: 10"), {}),
    "OpenAI": (429, error("Rate limit reached for m on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 0.1s."), {}),
    "a day that rolls": (429, error("Rate limit reached on tokens per day (TPD): Limit 100000, Used 99990, Requested 20. Please try again in 0.2s"), {}),
    "without a zone": (429, error("slow"), {"retry-after": (datetime.now(UTC)).strftime("%a, %d %b %Y %H:%M:%S -0000")}),
    "asctime": (429, error("slow"), {"retry-after": datetime.now(UTC).strftime("%a %b %d %H:%M:%S %Y")}),
    "too far": (503, error("slow"), {"retry-after": "Fri, 31 Dec 9999 23:59:59 -9999"}),
}  # fmt: skip


@pytest.mark.parametrize("reply", PASSES.values(), ids=PASSES)
def test_what_can_pass_is_waited_out(
    store: Store, reply: tuple[int, Any, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trace2skill.llm.failures.LONGEST_WAIT_SECONDS", 0.2)
    monkeypatch.setattr("trace2skill.llm.pace.LONGEST_PAUSE", 0.2)
    with StrangeServer(reply, (200, said(), {})) as server:
        assert ask(store, server).text == "fine"
    assert store.ledger()[0].attempts == 2


def test_a_quota_of_a_day_is_believed_in_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "Quota exceeded for quota metric requests per day. Please retry in 0.1s."
    with StrangeServer((429, error(words), {})) as server, pytest.raises(ModelUnusable, match="quota left"):
        ask(store, server)
    assert len(server.requests) == 3


class Answered(Exception):
    def __init__(self, **headers: str) -> None:
        self.litellm_response_headers = headers


@pytest.mark.parametrize(
    ("value", "words", "seconds"),
    [
        ("3", "", 3.0), ("nan", "", None), ("inf", "", None), ("soon", "", None), ("-5", "", 0.0),
        ("2026-11-28T14:00:00Z", "", 0.0), ("Fri, 31 Dec 9999 23:59:59 -9999", "", None),
        ("", "Please try again in 14m24.5s", 864.5), ("", "Please retry in 1h2m3s.", 3723.0), ("", '"retryDelay": "32s"', 32.0),
        ("", "try again later", None),
    ],
)  # fmt: skip
def test_waits_are_read_in_every_form(value: str, words: str, seconds: float | None) -> None:
    found = _retry_after(Answered(**({"retry-after": value} if value else {})), words)
    assert found == seconds or (value.startswith("Fri") and found is not None and found > 10**9)


def test_a_date_without_a_zone_is_one_of_utc() -> None:
    later = datetime.now(UTC) + timedelta(seconds=4000)
    for form in ("%a, %d %b %Y %H:%M:%S -0000", "%a %b %d %H:%M:%S %Y", "%Y-%m-%dT%H:%M:%S"):
        found = _retry_after(Answered(**{"retry-after": later.strftime(form)}))
        assert found is not None
        assert 3900 < found <= 4000


WAITS = {
    "too many requests": (429, error("slow"), {"retry-after": "60"}),
    "busy": (503, error("busy"), {"retry-after": "60"}),
}


@pytest.mark.parametrize("reply", WAITS.values(), ids=WAITS)
def test_a_wait_ends_when_the_run_is_to_end(store: Store, reply: tuple[int, Any, dict[str, str]]) -> None:
    ended: list[BaseException] = []

    def work() -> None:
        try:
            ask(store, server)
        except BaseException as error:
            ended.append(error)

    with StrangeServer(reply) as server:
        threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        while len(server.requests) < 1:
            time.sleep(0.01)
        time.sleep(0.2)
        stopping.ask_to_stop()
        started = time.monotonic()
        try:
            for thread in threads:
                thread.join(5)
        finally:
            stopping.go_on()
    assert time.monotonic() - started < 3
    assert [type(error) for error in ended] == [Interrupted] * 3


@pytest.mark.parametrize("command", [None, ["bash", "-lc", "touch x"], {"a": 1}, 7, True])
def test_a_command_that_is_no_text_runs_nothing(store: Store, tmp_path: Path, command: Any) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "bash", "arguments": json.dumps({"command": command})}}

    class NoSandbox:
        name = "none"

        def run(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("something was run")

    with StrangeServer((200, said(None, tool_calls=[call]), {}), (200, said("Done."), {})) as server:
        settings = ModelSettings(name="openai/mine", api_base=server.url, price=(0, 0), tools="native")
        opening = Request(
            role="agent", settings=settings, messages=({"role": "user", "content": f"{command} {server.url}"},)
        )
        tool = bash_tool(NoSandbox(), tmp_path, {}, Limits())
        client = Client(store, Budget(None), "r")
        found = converse(client, store, opening, (tool,), LoopLimits(), step=StepLabel("s"), scope=server.url)
    assert found.steps[-2].observations[0].content == "bash: command must be text. Nothing was run."


def test_a_secret_in_an_address_is_a_name_in_all_that_is_written(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "hunter2-hunter2"
    with pytest.raises(BadInput, match=r"\$\{PASSWORD\}") as refused:
        check_model(ModelSettings(name="openai/mine", api_base=f"http://bob:{secret}@localhost/v1", price=(0, 0)))
    assert secret not in str(refused.value)
    settings = ModelSettings(name="openai/mine", api_base="http://bob:${LLM_PASSWORD}@localhost/v1", price=(0, 0))
    with pytest.raises(BadInput, match="LLM_PASSWORD, which is not set"):
        check_model(settings)
    with StrangeServer((200, said(), {})) as server:
        monkeypatch.setenv("LLM_PASSWORD", secret)
        base = server.url.replace("http://", "http://bob:${LLM_PASSWORD}@")
        assert ask(store, server, api_base=base).text == "fine"
    assert secret not in str(store.query("SELECT * FROM ledger"))
    assert "LLM_PASSWORD" in str(store.ledger()[0].params)


@pytest.mark.parametrize(
    ("words", "clean"),
    [
        ("refused Bearer zebra-lamp", "refused Bearer [$OPENAI_API_KEY]"),
        ("no such key: zebra-lamp/of+brass", "no such key: [$SECOND_TOKEN]"),
        ("GET /v1?key=zebra-lamp%2Fof%2Bbrass", "GET /v1?key=[$SECOND_TOKEN]"),
        ("407 of http://me:ton%21-of-coal@proxy:9", "407 of http://me:[$HTTPS_PROXY]@proxy:9"),
        ("407 for me with ton!-of-coal", "407 for me with [$HTTPS_PROXY]"),
        ("a lamp, a zebra and /tmp", "a lamp, a zebra and /tmp"),
    ],
    ids=["a key", "one that begins like another", "as an address has it", "of a proxy", "as a proxy says it", "none"],
)
def test_a_secret_of_the_environment_is_a_name_in_whatever_form_it_comes_back(words: str, clean: str) -> None:
    environment = {
        "OPENAI_API_KEY": "zebra-lamp",
        "SECOND_TOKEN": "zebra-lamp/of+brass",
        "HTTPS_PROXY": "http://me:ton%21-of-coal@proxy:9",
        "SSL_KEY": "/tmp",
        "MY_KEY": "a",
    }
    assert without_own(words, environment) == clean


RUNS: dict[str, Any] = {"name": "bash", "arguments": '{"command": "ls"}'}


@pytest.mark.parametrize(
    ("call", "id"),
    [
        ({"id": 7, "function": RUNS}, "7"),
        ({"id": ["a"], "function": RUNS}, "a"),
        ({"id": {"a": 1}, "function": RUNS}, "{'a': 1}"),
    ],
    ids=["a number", "a list", "an object"],
)
def test_a_call_keeps_a_name_whatever_a_server_calls_it(store: Store, call: dict[str, Any], id: str) -> None:
    with StrangeServer((200, said(None, tool_calls=[{"type": "function", **call}]), {})) as server:
        answer = ask(store, server)
    assert [(made.id, made.arguments) for made in answer.tool_calls] == [(id, {"command": "ls"})]
