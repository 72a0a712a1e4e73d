"""mini-swe-agent's `.traj.json`: chat messages, with the verdict in a report file beside it.

Version 2 with a model of OpenAI's Responses API has its items in place of messages. `exit_status: Submitted` is not
success: only `resolved` of the report is a verdict.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trace2skill.core.foreign_json import parse
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import is_item, is_message, say, say_item, tool_calls, usage_of
from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.session import Session
from trace2skill.traces.values import content, label, mapping, moment, money, rest, text
from trace2skill.types.trajectory import Outcome, Trajectory, Usage

COMMAND = re.compile(r"```(?:bash|sh|mswea_bash_command)(?:[^\S\n]*+\n)++(.*?)\n?```", re.DOTALL)
LARGEST_REPORT = 4 * 1024 * 1024


class MiniSweAgent:
    """Reader of mini-swe-agent trajectories."""

    name = "mini_swe_agent"
    turn = 100
    fields = frozenset({"info", "trajectory_format"})

    def claims(self, source: Source) -> bool:
        """An object that names its format, or whose configuration is mini-swe-agent's."""
        start = mapping(source.start)
        info = mapping(start.get("info"))
        named = text(start.get("trajectory_format")).startswith("mini-swe-agent") or "mini_version" in info
        return named or "minisweagent" in text(mapping(info.get("config")).get("agent_type"))

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The one trajectory of the file."""
        document = mapping(source.document())
        info = mapping(document.get("info"))
        model = label(mapping(mapping(mapping(info.get("config")).get("model"))).get("model_name"))
        instance = label(document.get("instance_id")) or source.stem
        session = Session(self.name, source.name, instance, name=instance, agent="mini-swe-agent", model=model)
        session.agent_version = label(info.get("mini_version"))
        messages = document.get("messages")
        for index, message in enumerate(messages if isinstance(messages, list) else [], start=1):
            if is_message(message):
                _say(session, message)
            elif is_item(message):
                _say_item(session, message)
            elif mapping(message).get("role") == "exit":
                session.say("system", content(message.get("content")), extra={"mark": "exit"})
            else:
                notes.problem(source, 0, f"message {index} is no chat message")
        session.extra = {**rest(document, {"messages", "info", "instance_id"}), "info": rest(info, {"model_stats"})}
        cost = money(mapping(info.get("model_stats")).get("instance_cost"))
        total = session.used()
        yield session.finish(
            outcome=_verdict(source.path, instance, info), usage=total.model_copy(update={"cost": cost or total.cost})
        )


def _say(session: Session, message: dict[str, Any]) -> None:
    """One message. Version 2 has tool calls; version 1 has fenced commands, which the next user message answers."""
    extra = mapping(message.get("extra"))
    if message["role"] == "assistant":
        response = mapping(extra.get("response"))
        block = None if message.get("tool_calls") else COMMAND.search(content(message.get("content")))
        session.say(
            "agent",
            content(message.get("content")),
            reasoning=content(message.get("reasoning_content")),
            calls=[session.call("", "bash", {"command": block[1]})] if block else list(tool_calls(session, message)),
            timestamp=moment(extra.get("timestamp"), 1),
            model=label(response.get("model")),
            usage=usage_of(response.get("usage"), money(extra.get("cost"))),
            extra=rest(extra, {"response", "actions", "cost", "timestamp"}),
        )
    elif message["role"] == "tool" or (message["role"] == "user" and session.waits):
        code = extra.get("returncode")
        session.answer(
            message.get("tool_call_id"),
            message.get("content"),
            exit_code=code if isinstance(code, int) else None,
            extra=rest(extra, {"returncode", "raw_output"}),
        )
    else:
        say(session, message)


def _say_item(session: Session, item: dict[str, Any]) -> None:
    extra = mapping(item.get("extra"))
    code = extra.get("returncode")
    if item.get("type") == "function_call_output":
        more = rest(extra, {"returncode", "raw_output", "timestamp"})
        known = code if isinstance(code, int) else None
        session.answer(item.get("call_id"), item.get("output"), exit_code=known, extra=more)
        return
    usage = usage_of(item.get("usage"), money(extra.get("cost"))) or Usage(cost=money(extra.get("cost")))
    more = rest(extra, {"response", "actions", "cost", "timestamp"})
    say_item(session, item, timestamp=moment(extra.get("timestamp"), 1), usage=usage, extra=more)


def _verdict(path: Path, instance: str, info: dict[str, Any]) -> Outcome:
    """The report beside the file: `NAME.report.json`, or `report.json` in the same folder."""
    for report in (path.with_name(path.name.split(".traj")[0] + ".report.json"), path.with_name("report.json")):
        try:
            if not report.is_file() or report.is_symlink() or report.stat().st_size > LARGEST_REPORT:
                continue
            verdict = mapping(mapping(parse(report.read_bytes())).get(instance))
        except (OSError, ValueError):
            continue
        if isinstance(verdict.get("resolved"), bool):
            said = "resolved" if verdict["resolved"] else "not resolved"
            return from_score(verdict["resolved"], "report", f"{report.name}: {said}")
    status = label(info.get("exit_status")) or "no status"
    return Outcome(kind="unknown", reason=f"ended as {status!r}, which is no verdict", source="none")
