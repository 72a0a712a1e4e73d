"""Providers with a form of their own: LiteLLM speaks it, and what this product reads out of it is the same for all."""

import json
from typing import Any

import pytest
from strange_server import StrangeServer, said

from trace2skill.core.budget import Budget
from trace2skill.core.errors import ModelUnusable
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request
from trace2skill.llm.request import Answer, ToolSpec
from trace2skill.store import Store

BASH = ToolSpec(
    name="bash",
    description="Run a command.",
    parameters={"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
)
CLAUDE = "anthropic/claude-sonnet-4-5"
WRITTEN, READ, PLAIN = 30, 50, 20
PROMPT = WRITTEN + READ + PLAIN


def claude(*content: dict[str, Any], stop: str = "end_turn") -> dict[str, Any]:
    usage = {"cache_creation_input_tokens": WRITTEN, "cache_read_input_tokens": READ, "input_tokens": PLAIN}
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": list(content),
        "stop_reason": stop, "stop_sequence": None, "usage": {**usage, "output_tokens": 10},
    }  # fmt: skip


def gemini(*parts: dict[str, Any]) -> dict[str, Any]:
    usage = {"promptTokenCount": PROMPT, "cachedContentTokenCount": READ, "candidatesTokenCount": 10}
    answer = {"content": {"parts": list(parts), "role": "model"}, "finishReason": "STOP", "index": 0}
    return {"candidates": [answer], "usageMetadata": {**usage, "totalTokenCount": 110}}


def ollama(message: dict[str, Any]) -> dict[str, Any]:
    figures = {"prompt_eval_count": PROMPT, "eval_count": 10, "done": True, "done_reason": "stop"}
    answer = {"role": "assistant", "content": "", **message}
    return {"model": "m", "created_at": "2026-01-01T00:00:00Z", "message": answer, **figures}


def ask(store: Store, server: StrangeServer, name: str, price: tuple[float, ...] | None, **more: Any) -> Answer:
    model = ModelSettings(name=name, api_base=server.url, price=price, max_tokens=50)
    messages = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": f"Say it. {server.url}"})
    request = Request(**{"role": "agent", "settings": model, "messages": messages, **more})
    return Client(store, Budget(None), "run").complete(request, step=StepLabel("s"))


@pytest.mark.parametrize(
    ("name", "text", "call"),
    [
        (CLAUDE, claude({"type": "text", "text": "fine"}),
         claude({"type": "tool_use", "id": "t1", "name": "bash", "input": {"command": "ls"}}, stop="tool_use")),
        ("gemini/gemini-2.5-flash", gemini({"text": "fine"}),
         gemini({"functionCall": {"name": "bash", "args": {"command": "ls"}}})),
        ("ollama_chat/llama3.1", ollama({"content": "fine"}),
         ollama({"tool_calls": [{"function": {"name": "bash", "arguments": {"command": "ls"}}}]})),
        ("openrouter/anthropic/claude-sonnet-4.5", said("fine"),
         said(None, tool_calls=[{"id": "t1", "type": "function",
                                 "function": {"name": "bash", "arguments": '{"command": "ls"}'}}])),
    ],
    ids=["Anthropic", "Gemini", "Ollama", "OpenRouter"],
)  # fmt: skip
def test_a_model_is_asked_and_understood_in_its_own_form(store: Store, name: str, text: Any, call: Any) -> None:
    with StrangeServer((200, text, {}), (200, call, {})) as server:
        spoken = ask(store, server, name, (1.0, 1.0))
        called = ask(store, server, name, (1.0, 1.0), tools=(BASH,))
    assert (spoken.text, spoken.usage.prompt, spoken.usage.completion) == ("fine", PROMPT, 10)
    assert [(one.name, one.arguments) for one in called.tool_calls] == [("bash", {"command": "ls"})]
    assert "Be brief." in json.dumps(server.requests[0])


def test_a_claude_caches_the_system_prompt_and_all_said_so_far(store: Store) -> None:
    """Each turn of an agent sends everything before it once more: it is marked, and what was cached has its own price."""
    with StrangeServer((200, claude({"type": "text", "text": "fine"}), {})) as server:
        answer = ask(store, server, CLAUDE, None, tools=(BASH,))
        ask(store, server, CLAUDE, None, role="analyst", seed=1)
    sent, once = server.requests
    assert once["system"][-1]["cache_control"] == {"type": "ephemeral"}
    assert "cache_control" not in json.dumps(once["messages"]), "who asks once has no use for it, and it costs more"
    assert sent["system"][-1]["cache_control"] == {"type": "ephemeral"}
    assert sent["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}
    assert answer.usage.cached == READ
    # of LiteLLM's table, in US dollars a million: 3 in, 15 out, cached 0.30, to be cached 3.75
    assert answer.usage.cost == pytest.approx((PLAIN * 3 + READ * 0.3 + WRITTEN * 3.75 + 10 * 15) / 1e6)


def test_a_package_that_a_provider_needs_is_named_at_once(store: Store) -> None:
    """LiteLLM says 'server error' of its own missing import; no pause mends that."""
    with StrangeServer((200, said(), {})) as server, pytest.raises(ModelUnusable, match="pip install"):
        ask(store, server, "vertex_ai/claude-sonnet-4-5", (1.0, 1.0))
    assert not server.requests


THOUGHT = "U2lnbmVk"


@pytest.mark.parametrize(
    ("name", "first", "second", "kept"),
    [
        (CLAUDE,
         claude({"type": "thinking", "thinking": "Which files?", "signature": THOUGHT},
                {"type": "tool_use", "id": "t1", "name": "bash", "input": {"command": "ls"}}, stop="tool_use"),
         claude({"type": "text", "text": "done"}),
         lambda sent: sent["messages"][1]["content"][0]["signature"]),
        ("gemini/gemini-3-pro-preview",
         gemini({"functionCall": {"name": "bash", "args": {"command": "ls"}}, "thoughtSignature": THOUGHT}),
         gemini({"text": "done"}),
         lambda sent: sent["contents"][1]["parts"][0]["thoughtSignature"]),
    ],
    ids=["Anthropic", "Gemini"],
)  # fmt: skip
def test_a_thought_that_a_provider_signed_goes_back_with_the_call_it_led_to(
    store: Store, name: str, first: Any, second: Any, kept: Any
) -> None:
    """Without it they refuse the next turn of an agent."""
    with StrangeServer((200, first, {}), (200, second, {})) as server:
        model = ModelSettings(name=name, api_base=server.url, price=(1.0, 1.0), max_tokens=50, tools="native")
        client = Client(store, Budget(None), "run")
        said: tuple[dict[str, Any], ...] = ({"role": "user", "content": f"Look. {server.url}"},)
        for output in ("a.txt", ""):
            request = Request(role="agent", settings=model, messages=said, tools=(BASH,))
            answer = client.complete(request, step=StepLabel("s"))
            result = ({"role": "tool", "tool_call_id": call.id, "content": output} for call in answer.tool_calls)
            said = (*said, answer.message, *result)
    assert answer.text == "done"
    assert kept(server.requests[1]) == THOUGHT
