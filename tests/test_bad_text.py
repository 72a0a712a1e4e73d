"""What servers of one's own really send: empty, endless, broken, cut, too long. Each has a typed end."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import BaseModel

from trace2skill.agents.loop import LoopLimits, Said, Tool, converse
from trace2skill.analysts.reading import fitting
from trace2skill.core.budget import Budget
from trace2skill.core.errors import BadAnswer, ContextFull, InfrastructureFault, ModelUnusable
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ToolSpec, ask
from trace2skill.llm.transport import context_tokens, has_schema_mode
from trace2skill.store import Store

FULL = {"error": {"code": 400, "message": "request (9031 tokens) exceeds the available context size (8192 tokens)"}}
VLLM = {"object": "error", "message": "This model's maximum context length is 8192 tokens. Please reduce.", "code": 400}
BASH = ToolSpec(name="bash", description="Run.", parameters={"type": "object", "required": ["command"]})
Answering = Callable[[dict[str, Any]], tuple[int, bytes]]


class Server:
    """An OpenAI-compatible server that answers with whatever bytes it is told."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answering: Answering = lambda _: said("fine")
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.requests.append(asked)
                status, content = server.answering(asked)
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def request(self, **more: Any) -> Request:
        base = f"http://127.0.0.1:{self.http.server_port}/v1"
        settings = {"name": "openai/mine", "api_base": base, "price": (0, 0), "attempts": 1, **more}
        messages = ({"role": "system", "content": "You are tested."}, {"role": "user", "content": "hello"})
        return Request(role="agent", settings=ModelSettings(**settings), messages=messages)


def said(content: Any, finish: str | None = "stop", **more: Any) -> tuple[int, bytes]:
    message = {"role": "assistant", "content": content, **more}
    return whole({"choices": [{"index": 0, "finish_reason": finish, "message": message}]})


def whole(payload: Any, status: int = 200) -> tuple[int, bytes]:
    common = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
    return status, json.dumps({**common, **payload}).encode()


def called(arguments: Any, **more: Any) -> tuple[int, bytes]:
    call = {"id": "a", "type": "function", "function": {"name": "bash", "arguments": arguments}, **more}
    return said(None, "tool_calls", tool_calls=[call])


@pytest.fixture
def server() -> Iterator[Server]:
    served = Server()
    yield served
    served.http.shutdown()


@pytest.fixture
def client(store: Store) -> Client:
    return Client(store, Budget(1.0), "r")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (said(""), ""),
        (said(None), ""),
        (said("fine", None), "fine"),
        (said("fine", "eos_token"), "fine"),
        (said("half \ud83d and nul \0 end"), "half \ufffd and nul \u2400 end"),
        (said("again " * 200_000, "length"), "again " * 200_000),
    ],
    ids=["empty", "none", "no finish", "odd finish", "half a character", "endless"],
)
def test_odd_text_is_an_answer_that_can_be_kept(server: Server, client: Client, answer: Any, text: str) -> None:
    server.answering = lambda _: answer
    assert client.complete(server.request(), step=StepLabel("x")).text == text
    assert client.complete(server.request(), step=StepLabel("x")).text == text  # from the store
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (whole({"choices": []}), InfrastructureFault),
        (called("[" * 100_000), InfrastructureFault),
        ((200, b"<html>busy</html>"), InfrastructureFault),
        ((200, said("XX")[1].replace(b"XX", b"\xff\xfe\x80")), InfrastructureFault),
        ((502, b"<html>bad gateway</html>"), InfrastructureFault),
        (whole({"error": {"message": "the model is loading", "code": 503}}), InfrastructureFault),
        ((400, json.dumps(FULL).encode()), ContextFull),
        ((500, json.dumps(FULL).encode()), ContextFull),
        ((400, json.dumps(VLLM).encode()), ContextFull),
        ((400, json.dumps({"error": {"message": "no such sampler"}}).encode()), ModelUnusable),
    ],
    ids=[
        "no choice",
        "nested without end",
        "no JSON",
        "no UTF-8",
        "502",
        "error as 200",
        "full 400",
        "full 500",
        "full vLLM",
        "refused",
    ],
)
def test_what_is_no_answer_is_a_typed_failure(
    server: Server, client: Client, answer: Any, kind: type[Exception]
) -> None:
    server.answering = lambda _: answer
    with pytest.raises(kind):
        client.complete(server.request(), step=StepLabel("x"))


@pytest.mark.parametrize(
    ("arguments", "ran"),
    [
        ('{"command": "echo \\ud83d"}', ["echo \ufffd"]),
        ('{"command": "echo \\u0000"}', ["echo \u2400"]),
        ("{not json", []),
        ("[1, 2]", []),
        ("", []),
    ],
    ids=["half a character", "nul", "no JSON", "no object", "empty"],
)
def test_odd_calls_of_tools_run_only_what_can_be_run(
    server: Server, store: Store, client: Client, arguments: str, ran: list[str]
) -> None:
    server.answering = lambda asked: said("done") if len(asked["messages"]) > 2 else called(arguments)
    seen: list[str] = []

    def run(given: Any) -> Said:
        seen.append(given["command"])
        return Said("ok", 0)

    opening = server.request(tools="native")
    done = converse(client, store, opening, (Tool(BASH, run),), LoopLimits(turns=3), step=StepLabel("x"), scope="s")
    assert (done.stop, seen) == ("answered", ran)


def test_an_agent_that_outgrows_its_context_ends_and_is_scored(server: Server, store: Store, client: Client) -> None:
    full = (400, json.dumps(FULL).encode())
    server.answering = lambda asked: full if len(asked["messages"]) > 3 else called('{"command": "ls"}')
    tool = Tool(BASH, lambda _: Said("many files", 0))
    opening = server.request(tools="native")
    done = converse(client, store, opening, (tool,), LoopLimits(), step=StepLabel("x"), scope="s")
    assert done.stop == "context_limit"
    assert [step.source for step in done.steps] == ["system", "user", "agent"]
    server.answering = lambda _: full
    with pytest.raises(ContextFull):  # the task alone does not fit: nothing to score
        converse(
            client,
            store,
            server.request(tools="native", top_p=0.5),
            (tool,),
            LoopLimits(),
            step=StepLabel("x"),
            scope="t",
        )


@pytest.mark.parametrize(("model", "tool", "stop"), [(0.3, 0.0, "answered"), (0.0, 0.3, "time_limit")])
def test_the_clock_of_a_loop_counts_tools_and_not_the_wait_for_the_model(
    server: Server, store: Store, client: Client, model: float, tool: float, stop: str
) -> None:
    def answers(asked: Any) -> Any:
        time.sleep(model)
        return said("done") if len(asked["messages"]) > 2 else called('{"command": "ls"}')

    def works(_: Any) -> Said:
        time.sleep(tool)
        return Said("ok", 0)

    server.answering = answers
    opening, limits = server.request(tools="native"), LoopLimits(seconds=0.2)
    done = converse(client, store, opening, (Tool(BASH, works),), limits, step=StepLabel("x"), scope="s")
    assert done.stop == stop


class Wanted(BaseModel):
    lessons: list[str]


def test_no_room_to_ask_again_leaves_the_answer_bad(server: Server, client: Client) -> None:
    full = (400, json.dumps(FULL).encode())
    server.answering = lambda asked: full if len(asked["messages"]) > 2 else said("no JSON here")
    with pytest.raises(BadAnswer, match="no room to ask again"):
        ask(client, server.request(), Wanted, step=StepLabel("x"))


def test_a_schema_is_sent_where_the_settings_say_that_the_server_enforces_one(server: Server, client: Client) -> None:
    server.answering = lambda _: said('{"lessons": ["one"]}')
    assert not has_schema_mode(server.request().settings)  # LiteLLM knows nothing of a server of one's own
    assert ask(client, server.request(answers="schema"), Wanted, step=StepLabel("x")).lessons == ["one"]
    assert server.requests[0]["response_format"]["json_schema"]["schema"]["required"] == ["lessons"]


def test_a_stated_context_counts_and_older_keys_stay() -> None:
    plain = ModelSettings(name="openai/mine", api_base="http://x")
    assert context_tokens(plain.model_copy(update={"context": 8192})) == 8192
    assert set(plain.identity) == {
        "name", "temperature", "top_p", "max_tokens", "reasoning_effort", "api_base", "tools",
    }  # fmt: skip


def test_what_does_not_fit_is_tried_with_half() -> None:
    tried = []

    def attempt(room: int) -> str:
        tried.append(room)
        if room > 3000:
            raise ContextFull("too long")
        return "done"

    assert fitting(10_000, attempt) == "done"
    assert tried == [10_000, 5_000, 2_500]
    with pytest.raises(ContextFull):
        fitting(900, lambda _: attempt(10_000))
