"""SWE-agent's `.traj`: `trajectory` (action, observation, thought, state per step), `history` (messages), `info`.

A verdict is not in the file. `exit_status: submitted` says that the agent handed something in, not that it was right.
"""

import re
from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import is_message, tool_calls
from trace2skill.traces.session import Call, Session
from trace2skill.traces.values import content, label, mapping, money, number, objects, rest, text
from trace2skill.types.trajectory import Outcome, Trajectory, Usage

SHOWN = {"action", "observation", "response", "thought", "state"}
COMMAND = re.compile(r"(?<!`)`{3,}[^`\n]*\n(.*?)```", re.DOTALL)


class SweAgent:
    """Reader of SWE-agent trajectories."""

    name = "swe_agent"
    turn = 110
    fields = frozenset({"trajectory", "history"})

    def claims(self, source: Source) -> bool:
        """An object with `trajectory` or with a `history` of SWE-agent's messages."""
        start = mapping(source.start)
        if any("action" in step and "observation" in step for step in objects(start.get("trajectory"))[:1]):
            return True
        return any("role" in message and "agent" in message for message in objects(start.get("history"))[:1])

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The one trajectory of the file: from its history, which has everything that was said, else its steps."""
        document = mapping(source.document())
        info = mapping(document.get("info"))
        session = Session(self.name, source.name, name=source.path.stem, agent="SWE-agent")
        steps, history = document.get("trajectory"), document.get("history")
        if isinstance(history, list):
            session.extra = {"states": [text(step.get("state")) for step in objects(steps)]} if steps else {}
            _from_history(session, history, source, notes)
            last = (objects(steps) or [{}])[-1]
            if session.waits and last.get("observation") is not None:  # the history ends with the last action
                session.answer("", last["observation"])
        else:
            _from_steps(session, steps if isinstance(steps, list) else [], source, notes)
        session.extra |= rest(document, {"trajectory", "history", "info"}) | {"info": rest(info, {"model_stats"})}
        stats = mapping(info.get("model_stats"))
        usage = Usage(
            prompt=number(stats.get("tokens_sent")),
            completion=number(stats.get("tokens_received")),
            cost=money(stats.get("instance_cost")),
        )
        status = label(info.get("exit_status"))
        reason = f"ended as {status!r}, which is no verdict" if status else "the log has no verdict"
        yield session.finish(outcome=Outcome(kind="unknown", reason=reason, source="none"), usage=usage)


def _from_history(session: Session, history: list[Any], source: Source, notes: Notes) -> None:
    """Messages; one that shows an observation answers the action before it, with or without a call id."""
    waiting: list[Call] = []
    for index, message in enumerate(history, start=1):
        if not is_message(message):
            notes.problem(source, 0, f"history {index} is no message")
            continue
        extra = rest(message, {"role", "content", "tool_calls", "tool_call_ids", "tool_call_id"})
        demo = message.get("is_demo") is True
        if message["role"] == "assistant":
            waiting = [] if demo else _calls(session, message)
            thought = text(message.get("thought"))
            session.say("agent", content(message.get("content")), reasoning=thought, calls=waiting, extra=extra)
        elif message["role"] == "tool" or (waiting and not demo and message["role"] == "user"):
            ids = message.get("tool_call_ids") or [message.get("tool_call_id") or (waiting[0]["id"] if waiting else "")]
            session.answer(ids[0] if isinstance(ids, list) else ids, message.get("content"), extra=extra)
            waiting = waiting[1:]
        else:
            session.say(
                "system" if message["role"] == "system" else "user", content(message.get("content")), extra=extra
            )


def _calls(session: Session, message: dict[str, Any]) -> list[Call]:
    calls = list(tool_calls(session, message))
    action = message.get("action")
    if not calls:
        said = content(message.get("content"))
        fence = -1 if action else said.find("```")  # quick to find, which the expression is not
        block = COMMAND.search(said, fence) if fence >= 0 else None
        command = text(action) if action else block[1] if block else ""
        if command.strip():
            calls = [session.call("", "bash", {"command": command.strip("\n")})]
    return calls


def _from_steps(session: Session, steps: list[Any], source: Source, notes: Notes) -> None:
    for index, step in enumerate(steps, start=1):
        if not isinstance(step, dict):
            notes.problem(source, 0, f"step {index} is no object")
            continue
        action = text(step.get("action")).strip("\n")
        calls = [session.call("", "bash", {"command": action})] if action else []
        extra = {**rest(step, SHOWN), **({"state": step["state"]} if step.get("state") else {})}
        session.say("agent", text(step.get("response")), reasoning=text(step.get("thought")), calls=calls, extra=extra)
        if step.get("observation") is not None:
            session.answer("", step["observation"])
