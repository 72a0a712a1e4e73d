"""OpenHands' events: a list of them (a saved trajectory), its benchmark's `output.jsonl` with a `history` a line, or
its storage with a file for each event, `sessions/ID/events/NUMBER.json`.

A stored session is read with its last event: that file is new whenever the session has gone on.
An action of the agent is a call, the observation whose `cause` it is the answer. Actions of one response of the model
are one step. https://github.com/All-Hands-AI/OpenHands, openhands/events/serialization, openhands/events/event_store.py
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trace2skill.core.foreign_json import LONGEST_LINE, parse
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.beside import is_stored_event, load_within
from trace2skill.traces.chat import usage_of
from trace2skill.traces.machine import is_machine
from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.session import UNLABELLED, Session
from trace2skill.traces.values import content, identity, label, mapping, moment, objects, rest, text
from trace2skill.types.trajectory import Trajectory

SILENT = {"change_agent_state", "null", "recall", "agent_state_changed", "start", "noop"}
SAYS = {"message", "system", "finish", "think", "reject"}
NOT_ARGUMENTS = {"thought", "blocking", "confirmation_state", "is_confirmed", "hidden", "wait_for_response"}


class OpenHands:
    """Reader of OpenHands' events."""

    name = "openhands"
    turn = 112

    def claims(self, source: Source) -> bool:
        """Events with a source and an action or observation, in a list or in a `history`."""
        for value in source.first_values[:3] or [source.start]:
            listed = value if isinstance(value, list) else mapping(value).get("history")
            if any(map(_is_event, objects(listed)[:6])):
                return True
        return is_stored_event(source.path) and (_is_event(mapping(source.start)) or _is_event(_before(source.path)))

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a list of events."""
        if is_stored_event(source.path) and "history" not in mapping(source.start):
            yield from self._stored(source, notes)
            return
        if source.first_values:
            values: Iterator[tuple[int, Any]] = source.values(notes)
        else:
            values = iter([(0, source.document())])
        for line, value in values:
            record = mapping(value)
            events = value if isinstance(value, list) else record.get("history")
            named = label(record.get("instance_id"))
            session = Session(self.name, source.name, named or line, name=named or source.stem, agent="openhands")
            session.extra = rest(record, {"history", "instance", "instance_id", "test_result", "git_patch"})
            for place, event in enumerate(events if isinstance(events, list) else [], start=1):
                if isinstance(event, dict) and ("action" in event or "observation" in event):
                    _add(session, event)
                else:
                    notes.problem(source, line, f"event {place} is neither action nor observation")
            resolved = mapping(mapping(record.get("test_result")).get("report")).get("resolved")
            outcome = from_score(resolved, "log") if isinstance(resolved, bool) else UNLABELLED
            if len(session):
                yield session.finish(outcome=outcome)

    def _stored(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The session of a folder, up to this event."""
        last = source.path.resolve()
        paths = [last]
        while (number := int(paths[-1].stem)) and (before := last.with_name(f"{number - 1}.json")).exists():
            paths.append(before)
        name = last.parent.parent.name
        session = Session(self.name, name, name=name, agent="openhands")
        for path in reversed(paths):
            event = load_within(path, last.parent, source, notes)
            if isinstance(event, dict) and ("action" in event or "observation" in event):
                _add(session, event)
            elif event is not None:
                notes.problem(source, 0, f"{path.name} is neither action nor observation")
        if len(session):
            yield session.finish()


def _before(path: Path) -> dict[str, Any]:
    """The event before one that a crash may have left broken."""
    try:
        before = path.with_name(f"{int(path.stem) - 1}.json")
        return mapping(parse(before.read_bytes())) if before.stat().st_size <= LONGEST_LINE else {}
    except (OSError, ValueError):
        return {}


def _is_event(event: dict[str, Any]) -> bool:
    told = event.get("action", event.get("observation"))
    return isinstance(told, str) and event.get("source") in ("agent", "user", "environment") and "id" in event


def _add(session: Session, event: dict[str, Any]) -> None:
    kind = label(event.get("action", event.get("observation")))
    if kind in SILENT:
        return
    when, given = moment(event.get("timestamp")), mapping(event.get("args"))
    if "observation" in event:
        _answer(session, event, kind)
    elif event.get("source") == "agent" and kind not in ("system", "message"):
        _act(session, event, kind, given, when)
    else:
        said = content(given.get("content", event.get("message")))
        machine = event.get("source") == "user" and is_machine(said)
        if event.get("source") == "agent" and kind == "message":
            session.respond(_response(event), said, timestamp=when, identity=_named(event, when))
        else:
            by_person = event.get("source") == "user" and not machine
            session.say(
                "user" if by_person else "system", said, timestamp=when, extra={"mark": "notice"} if machine else {}
            )


def _act(session: Session, event: dict[str, Any], kind: str, given: dict[str, Any], when: str) -> None:
    told = mapping(event.get("tool_call_metadata"))
    response = mapping(told.get("model_response"))
    thought = text(given.get("thought"))
    if kind in SAYS:
        said = text(given.get("final_thought")) or thought or content(event.get("message"))
        session.respond(_response(event), said, timestamp=when, identity=_named(event, when))
        return
    id = label(told.get("tool_call_id")) or f"event-{label(event.get('id'))}"
    call = session.call(id, label(told.get("function_name")) or kind, rest(given, NOT_ARGUMENTS))
    session.respond(
        _response(event),
        thought,
        calls=[call],
        timestamp=when,
        model=label(response.get("model")),
        usage=usage_of(response.get("usage")),
        identity=_named(event, when),
    )


def _answer(session: Session, event: dict[str, Any], kind: str) -> None:
    extras = mapping(event.get("extras"))
    told = mapping(event.get("tool_call_metadata"))
    id = label(told.get("tool_call_id")) or f"event-{label(event.get('cause'))}"
    if not session.has_asked(id) and not session.waits:
        return  # what the program answers to a person's words or its own actions
    code = mapping(extras.get("metadata")).get("exit_code", extras.get("exit_code"))
    known = code if isinstance(code, int) and not isinstance(code, bool) and code >= 0 else None
    session.answer(
        id if session.has_asked(id) else "",
        content(event.get("content")),
        exit_code=known,
        error=kind == "error",
        not_run="user" if kind == "user_rejected" else "",
    )


def _response(event: dict[str, Any]) -> str:
    made = mapping(mapping(event.get("tool_call_metadata")).get("model_response"))
    return label(made.get("id")) or f"event {label(event.get('id'))}"


def _named(event: dict[str, Any], when: str) -> str:
    return identity("openhands", when, label(event.get("id")))
