"""The loop of every agent here: ask the model, run the tools it calls, show it what they said.

The conversation is the list of messages, nothing is hidden. What a tool answered is kept under the call that asked for
it, so that a loop which died at turn 40 and runs again pays for nothing before turn 40 and reads the same words, even
where a command prints the time.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import ContextFull
from trace2skill.core.record import Record
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Answer, Client, Request, ToolSpec
from trace2skill.llm.request import readable
from trace2skill.llm.transport import has_native_tools
from trace2skill.store import Store
from trace2skill.types.picture import in_words
from trace2skill.types.trajectory import Observation, Step, StopReason, ToolCall, Usage

LEAST_CUT = 64
"""A cut saves more characters than this; its note has about 36."""
FENCE_OPENS = re.compile(r"^```(?P<tool>[a-z_]+)[ \t]*\n", re.MULTILINE)
FENCE_CLOSES = re.compile(r"^```[ \t]*$", re.MULTILINE)


class LoopLimits(Record):
    """When a loop ends whether or not the agent is done."""

    turns: int = Field(default=30, ge=1, le=100, description="Most answers of the model.")
    tokens: int = Field(default=400_000, ge=1, description="Most tokens, prompts and answers together.")
    cost: float = Field(default=2.0, gt=0, description="Most US dollars of one loop.")
    seconds: float = Field(
        default=1800, gt=0, description="Time in tools and of our own, without the wait for the model."
    )
    observation_chars: int = Field(default=12_000, ge=200, description="Most characters of one observation shown.")


@dataclass(frozen=True)
class Said:
    """What a tool answered. `done` ends the loop."""

    text: str
    exit_code: int | None = None
    done: bool = False


@dataclass(frozen=True)
class Tool:
    """A tool and what it does. The function gets the arguments; its text is what the model sees."""

    spec: ToolSpec
    call: Callable[[Mapping[str, object]], Said]
    bare: str = field(default="", kw_only=True)  # the one argument a fenced block stands for; '' takes JSON


@dataclass(frozen=True)
class Conversation:
    """How a loop went."""

    steps: tuple[Step, ...]
    stop: StopReason
    usage: Usage
    extra: Mapping[str, object] = field(default_factory=dict)
    """What else is to be known, e.g. where the cost of an agent that is not ours is from."""

    @property
    def last_words(self) -> str:
        """The agent's last message, '' where it said nothing or was stopped before it was done."""
        last = self.steps[-1] if self.steps else None
        return last.message if last and last.source == "agent" and self.stop == "answered" else ""


def converse(
    client: Client,
    store: Store,
    opening: Request,
    tools: tuple[Tool, ...],
    limits: LoopLimits,
    *,
    step: StepLabel,
    scope: str,
) -> Conversation:
    """Run the loop until the model answers without a tool call, a tool says `done`, or a limit is reached.

    Args:
        client: the model client.
        store: keeps observations for replay.
        opening: the first request; its messages are a system and a user message.
        tools: what the model may call.
        limits: when to stop.
        step: the step's name, for the ledger.
        scope: digest of all that can change what a tool answers: an observation is replayed only within it.

    A conversation that has outgrown the model's context ends there, and what was done counts.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`; what was paid for is kept.
    """
    native = has_native_tools(opening.settings)
    request = opening.model_copy(update={"tools": tuple(tool.spec for tool in tools) if native else ()})
    steps = _opening_steps(opening)
    usage, started, turns = Usage(), time.monotonic(), 0
    stop: StopReason | None = None
    while stop is None:
        asked = time.monotonic()  # the wait for a model or a person is not the agent's: a call has a limit of its own
        try:
            answer = client.complete(request, step=step)
        except ContextFull:
            if not turns:  # the task alone is too long: nothing was done that could be scored
                raise
            stop = "context_limit"
            break
        started += time.monotonic() - asked
        usage, turns = usage + answer.usage, turns + 1
        calls = answer.tool_calls if native else _fenced_calls(answer, tools)
        said = [(call, _observe(store, tools, answer, index, call, limits, scope)) for index, call in enumerate(calls)]
        steps.append(_step(len(steps) + 1, answer, said))
        request = request.model_copy(update={"messages": (*request.messages, *_reply(answer, said, native))})
        if not calls:
            stop = answer.end
        elif any(item.done for _, item in said):
            stop = "answered"
        else:
            stop = _limit_reached(limits, turns, usage, started)
        if stop:
            client.ended(request, answer)
    return Conversation(steps=tuple(steps), stop=stop, usage=usage)


def _opening_steps(opening: Request) -> list[Step]:
    """The opening as steps: its words, and how many pictures went with them."""
    shown = in_words(len(opening.pictures))
    steps = [
        Step(number=number, source="system" if message["role"] == "system" else "user", message=message["content"])
        for number, message in enumerate(opening.messages, start=1)
    ]
    return [
        step.model_copy(update={"message": f"{step.message}\n{shown}"}) if shown and step.source == "user" else step
        for step in steps
    ]


def _limit_reached(limits: LoopLimits, turns: int, usage: Usage, started: float) -> StopReason | None:
    if turns >= limits.turns:
        return "turn_limit"
    if usage.prompt + usage.completion >= limits.tokens:
        return "token_limit"
    if usage.cost >= limits.cost:
        return "cost_limit"
    return "time_limit" if time.monotonic() - started >= limits.seconds else None


def _fenced_calls(answer: Answer, tools: tuple[Tool, ...]) -> tuple[ToolCall, ...]:
    """The first fenced block that bears a tool's name, as a call."""
    known = {tool.spec.name: tool for tool in tools}
    for name, body in _fences(answer.text):
        tool = known.get(name)
        if tool is None:
            continue
        if tool.bare:
            return (ToolCall(id="call_0", name=name, arguments={tool.bare: body.rstrip("\n")}),)
        try:
            arguments = readable(json.loads(body or "{}"))
        except (ValueError, RecursionError):
            arguments = None
        if isinstance(arguments, dict):
            return (ToolCall(id="call_0", name=name, arguments=arguments),)
        return (ToolCall(id="malformed", name=name),)
    return ()


def _fences(text: str) -> Iterator[tuple[str, str]]:
    """Name and body of each fenced block; the text is read once, however many are not closed."""
    place = 0
    while opened := FENCE_OPENS.search(text, place):
        closed = FENCE_CLOSES.search(text, opened.end())
        if closed is None:
            return
        yield opened["tool"], text[opened.end() : closed.start()]
        place = closed.end()


def _observe(
    store: Store, tools: tuple[Tool, ...], answer: Answer, index: int, call: ToolCall, limits: LoopLimits, scope: str
) -> Said:
    """Run the call, for its effect on the workspace, and answer with what it said the first time."""
    said = _run(tools, answer, call)
    key = "observation/" + digest_of("observation 1", scope, answer.key, index)
    kept = store.get_observation(key)
    if kept is not None:
        return Said(**{**json.loads(kept), "done": said.done})
    said = Said(cut(said.text, limits.observation_chars), said.exit_code, said.done)
    store.put_observation(key, json.dumps({"text": said.text, "exit_code": said.exit_code}))
    return said


def _run(tools: tuple[Tool, ...], answer: Answer, call: ToolCall) -> Said:
    if call.id in answer.malformed_calls or call.id == "malformed":
        if answer.finish == "length":
            return Said(f"The call of {call.name} is cut off: your answer was too long. Nothing was run.")
        return Said(f"The arguments of {call.name} are not a JSON object. Nothing was run.")
    tool = next((tool for tool in tools if tool.spec.name == call.name), None)
    if tool is None:
        return Said(f"There is no tool {call.name!r}. Tools: {', '.join(tool.spec.name for tool in tools)}.")
    missing = [name for name in tool.spec.parameters.get("required", ()) if name not in call.arguments]
    if missing:
        return Said(f"{call.name} needs {', '.join(missing)}. Nothing was run.")
    texts = [name for name, said in tool.spec.parameters.get("properties", {}).items() if said.get("type") == "string"]
    wrong = [name for name in texts if name in call.arguments and not isinstance(call.arguments[name], str)]
    if wrong:
        return Said(f"{call.name}: {', '.join(wrong)} must be text. Nothing was run.")
    return tool.call(call.arguments)


def cut(text: str, limit: int) -> str:
    """Head and tail of a text longer than `limit` characters, with a note of how much was cut between them.

    A cut that saves less than its note takes is none.
    """
    if len(text) - limit <= LEAST_CUT:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters cut ...]\n{text[len(text) - half :]}"


def _step(number: int, answer: Answer, said: list[tuple[ToolCall, Said]]) -> Step:
    return Step(
        number=number,
        source="agent",
        message=answer.text,
        reasoning=answer.reasoning,
        tool_calls=tuple(call for call, _ in said),
        observations=tuple(
            Observation(call_id=call.id, content=item.text, exit_code=item.exit_code) for call, item in said
        ),
    )


def _reply(answer: Answer, said: list[tuple[ToolCall, Said]], native: bool) -> list[dict[str, object]]:
    messages: list[dict[str, object]] = [dict(answer.message)]
    for call, item in said:
        text = item.text if item.exit_code is None else f"exit code {item.exit_code}\n{item.text}"
        if native:
            messages.append({"role": "tool", "tool_call_id": call.id, "content": text})
        else:
            messages.append({"role": "user", "content": f"Observation:\n{text}"})
    return messages
