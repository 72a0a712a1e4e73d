"""Cline's and Roo Code's `api_conversation_history.json`: one list of messages in Anthropic's form.

Most versions write calls into the agent's text as XML, and give results back in the person's place, after a line
`[execute_command for 'ls'] Result:`. Calls and results are taken out of both, and what the program adds (details of the
surroundings, reminders) is not the person's. https://github.com/cline/cline, src/core/prompts/responses.ts
"""

import re
from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import usage_of
from trace2skill.traces.machine import is_machine, without_machine
from trace2skill.traces.session import Session
from trace2skill.traces.tags import elements, without
from trace2skill.traces.values import arguments, content, identity, label, mapping, moment, objects, text
from trace2skill.types.trajectory import Trajectory

TOOLS = (
    "execute_command", "read_file", "write_to_file", "replace_in_file", "apply_diff", "insert_content",
    "search_and_replace", "search_files", "list_files", "list_code_definition_names", "codebase_search",
    "browser_action", "use_mcp_tool",
    "access_mcp_resource", "load_mcp_documentation", "ask_followup_question", "attempt_completion", "plan_mode_respond",
    "plan_mode_response", "switch_mode", "new_task", "fetch_instructions", "update_todo_list", "web_fetch", "new_rule",
    "condense", "report_bug", "edit_file", "apply_patch",
)  # fmt: skip
CALL = re.compile(rf"<({'|'.join(TOOLS)})>(.*?)(?:</\1>|\Z)", re.S)
PARAMETER = re.compile(r"<(\w+)>")
THINKING = re.compile(r"<(thinking)>")
RESULT = re.compile(r"\A\[(\w+)(?: for .*?)?\] Result:\s*", re.S)
SURROUNDINGS = re.compile(r"<environment_details>.*?(?:</environment_details>\s*|\Z)", re.S)
SAID = re.compile(r"<(task|feedback|user_message|answer)>")
DENIED = re.compile(r"The user denied this operation\b")
FAILED, ERROR = "The tool execution failed with the following error:", re.compile(r"<(error)>")
OUTPUT = re.compile(r"\ACommand executed\.(?:\s*Output:)?\s*")


class Cline:
    """Reader of Cline's and Roo Code's histories."""

    name = "cline"
    turn = 115
    fields = frozenset({"role"})

    def claims(self, source: Source) -> bool:
        """A list of messages with Cline's marks in what stands in the person's place."""
        listed = next((value for value in source.first_values[:1] or [source.start] if isinstance(value, list)), [])
        told = [_texts(message) for message in objects(listed)[:8] if message.get("role") == "user"]
        return any(
            RESULT.match(part) or part.lstrip().startswith(("<task>", "<environment_details>"))
            for parts in told
            for part in parts
        )

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The one trajectory of the file."""
        name = source.stem if source.stem != "api_conversation_history" else source.path.parent.name
        session = Session(self.name, name, name=name, agent="cline")
        for place, message in enumerate(source.items("item"), start=1):
            role = mapping(message).get("role")
            if role == "assistant":
                _add_agent(session, message, name, place)
            elif role == "user":
                _add_user(session, message)
            else:
                notes.problem(source, 0, f"message {place} has no role that is known")
        if len(session):
            yield session.finish()


def _texts(message: dict[str, Any]) -> list[str]:
    said = message.get("content")
    return [said] if isinstance(said, str) else [text(part.get("text")) for part in objects(said)]


def _add_agent(session: Session, message: dict[str, Any], name: str, place: int) -> None:
    parts = objects(message.get("content"))
    said = message["content"] if isinstance(message.get("content"), str) else content(
        [part for part in parts if part.get("type") not in ("tool_use", "thinking", "redacted_thinking", "reasoning")]
    )  # fmt: skip
    thoughts = [
        text(part.get("thinking") or part.get("text"))
        for part in parts
        if part.get("type") in ("thinking", "reasoning")
    ]
    thoughts += [part.inside for part in elements(said, THINKING)]
    calls = [
        session.call(part.get("id"), part.get("name"), arguments(part.get("input")))
        for part in parts
        if part.get("type") == "tool_use"
    ]
    for number, found in enumerate(CALL.finditer(said) if not calls else (), start=1):
        given = {part.name: part.inside.strip() for part in elements(found[2], PARAMETER)}
        calls.append(session.call(f"message-{place}-{number}", found[1], given))
    when = moment(message.get("ts"))
    session.say(
        "agent",
        without(CALL.sub("", said) if calls else said, THINKING).strip(),
        reasoning="\n".join(thoughts),
        calls=calls,
        timestamp=when,
        usage=usage_of(mapping(message.get("metrics")).get("tokens")),
        identity=identity("cline", name, when, said or " "),
    )


def _add_user(session: Session, message: dict[str, Any]) -> None:
    """Results of calls, then what the person said."""
    when = moment(message.get("ts"))
    given = message.get("content")
    open_result: list[str] | None = None
    spoken: list[str] = []
    for part in objects(given) if isinstance(given, list) else [{"type": "text", "text": text(given)}]:
        if part.get("type") == "tool_result":
            _answer(
                session,
                label(part.get("tool_use_id")),
                content(part.get("content")),
                part.get("is_error") is True,
                spoken,
            )
            continue
        told = SURROUNDINGS.sub("", content([part])).strip()
        if found := RESULT.match(told):
            if open_result is not None:
                _answer(session, "", "\n".join(open_result), False, spoken)
            open_result = [told[found.end() :]]
        elif open_result is not None and told:
            open_result.append(told)
        elif told:
            spoken.append(told)
    if open_result is not None:
        _answer(session, "", "\n".join(open_result).strip(), False, spoken)
    for said in spoken:
        own = "\n".join(part.inside.strip() for part in elements(said, SAID)) or said
        machine = is_machine(said) and own == said
        mark = {"mark": "notice"} if machine else {}
        session.say(
            "system" if machine else "user",
            own if machine else without_machine(own).strip(),
            timestamp=when,
            extra=mark,
        )


def _answer(session: Session, id: str, shown: str, error: bool, spoken: list[str]) -> None:
    """A result. What the person said in place of it, or with it, is the person's."""
    if not session.waits and not id:
        spoken.append(shown)
        return
    stopped = "user" if DENIED.match(shown) else ""
    failed = shown.startswith(FAILED)
    why = next((part.inside.strip() for part in elements(shown, ERROR)), "") if failed else ""
    told = (why or shown) if failed else OUTPUT.sub("", shown)
    session.answer(id, told, error=error or failed, not_run=stopped)
    spoken.extend(
        f"<{part.name}>{part.inside.strip()}</{part.name}>" for part in elements(shown, SAID) if part.name != "answer"
    )
