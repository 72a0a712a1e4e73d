"""From spans to conversations: traces repeat the whole history with every model call, a trajectory says it once."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from trace2skill.core.digest import digest_of
from trace2skill.traces.chat import RESULTS, SPEAKERS, is_message, say
from trace2skill.traces.session import Session
from trace2skill.traces.values import content, identity, label, mapping, objects
from trace2skill.types.trajectory import Usage


@dataclass
class Call:
    """One call of a model: messages in chat form, in and out."""

    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    timestamp: str = ""
    model: str = ""
    usage: Usage | None = None
    error: str = ""

    def with_what_is_missing(self, other: "Call") -> "Call":
        """The same call as two instrumentations saw it: this one's words, and of the other what this one lacks."""
        told = self.usage and (self.usage.prompt or self.usage.completion)
        return Call(
            inputs=self.inputs or other.inputs,
            outputs=self.outputs or other.outputs,
            timestamp=self.timestamp or other.timestamp,
            model=self.model or other.model,
            usage=self.usage if told else other.usage,
            error=self.error or other.error,
        )


@dataclass
class SpanTool:
    """One run of a tool."""

    id: str
    name: str
    arguments: dict[str, Any]
    result: Any
    error: str = ""


@dataclass
class SpanConversation:
    """Takes calls and tool runs in the order of time, and tells a session what is new in each."""

    session: Session
    _said: Counter[str] = field(default_factory=Counter)
    _answered: set[str] = field(default_factory=set)
    _open: list[tuple[str, str]] = field(default_factory=list)

    def call(self, call: Call) -> None:
        """Add what a model's call says that was not said before."""
        seen: Counter[str] = Counter()
        for message in call.inputs:
            if not is_message(message):
                continue
            if message["role"] in RESULTS:
                self._result(message)
                continue
            mark = _mark(message)
            seen[mark] += 1
            if seen[mark] > self._said[mark]:
                self._say(message)
        for message in call.outputs:
            if is_message(message):
                self._say(message, timestamp=call.timestamp, model=call.model, usage=call.usage)
                call.usage = None  # counted once where there are several choices
        if call.error:
            self.session.say("system", call.error, timestamp=call.timestamp, extra={"mark": "error"})

    def tool(self, tool: SpanTool) -> None:
        """Add a tool's run to the call it belongs to; one that no message asked for is a call of its own."""
        id = tool.id or next((id for id, name in self._open if name == tool.name), "")
        if id and id in self._answered:
            return
        if not any(known == id for known, _ in self._open):
            call = self.session.call(id, tool.name, tool.arguments)
            self.session.add_calls([call])
            id = call["id"]
            self._open.append((id, tool.name))
        if tool.result is None and not tool.error:
            return  # its content was not recorded here; a message may bring it
        self._close(id)
        self.session.answer(id, tool.error or tool.result, error=bool(tool.error))

    def _result(self, message: dict[str, Any]) -> None:
        id = label(message.get("tool_call_id"))
        if id and id in self._answered:
            return
        if not id:
            mark = _mark(message)
            if self._said[mark]:
                return
            self._said[mark] += 1
            id = self._open[0][0] if self._open else ""
        self._close(id)
        say(self.session, {**message, "tool_call_id": id})

    def _close(self, id: str) -> None:
        self._answered.add(id)
        self._open = [item for item in self._open if item[0] != id]

    def _say(self, message: dict[str, Any], **more: Any) -> None:
        mark = _mark(message)
        self._said[mark] += 1
        if SPEAKERS.get(message["role"]) == "agent":  # the same trace may be exported twice, in part or whole
            within = self.session.name if self.session.copied_by_calls else self.session.id
            more["identity"] = identity(within, mark, self._said[mark])
        for call in objects(message.get("tool_calls")):
            name = label(mapping(call.get("function")).get("name")) or label(call.get("name"))
            if label(call.get("id")):
                self._open.append((label(call["id"]), name))
        say(self.session, message, **more)


def _mark(message: dict[str, Any]) -> str:
    """By what a message is known again: who, what, and the names of the calls. Formats differ in the rest."""
    names = [
        label(mapping(call.get("function")).get("name")) or label(call.get("name"))
        for call in objects(message.get("tool_calls"))
    ]
    speaker = SPEAKERS.get(message["role"], "result")
    return digest_of(speaker, content(message.get("content")).strip(), names)
