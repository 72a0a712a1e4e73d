"""OpenCode: an exported session (`info` and `messages` with `parts`), or its storage, a file a session, message, part.

In the storage a session's file is read with the message and part files that belong to it:
`session/PROJECT/ID.json`, `message/ID/*.json`, `part/MESSAGE/*.json`.
"""

from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.beside import load_within
from trace2skill.traces.session import Session, trajectory_id
from trace2skill.traces.values import (
    arguments,
    content,
    identity,
    label,
    mapping,
    moment,
    money,
    number,
    objects,
    rest,
    text,
)
from trace2skill.types.trajectory import Trajectory, Usage

ASIDE = {"step-start", "step-finish", "snapshot", "patch", "agent", "retry", "subtask"}


class OpenCode:
    """Reader of OpenCode sessions."""

    name = "opencode"
    turn = 120
    fields = frozenset({"info", "projectID", "directory"})

    def claims(self, source: Source) -> bool:
        """An export, or a session's file in the storage."""
        start = mapping(source.start)
        info = mapping(start.get("info"))
        export = "messages" in start and "id" in info and ("projectID" in info or "directory" in info)
        return export or (label(start.get("id")).startswith("ses") and ("projectID" in start or "directory" in start))

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The trajectory of the session, then what a person took back of it."""
        document = mapping(source.document())
        if "messages" in document:
            info = mapping(document.get("info"))
            messages = [(mapping(item.get("info")), item.get("parts")) for item in objects(document["messages"])]
        else:
            info, messages = document, list(_stored(source, label(document.get("id")), notes))
        yield from read_session(info, messages, source, notes)


def read_session(
    info: dict[str, Any], messages: list[tuple[dict[str, Any], Any]], source: Source, notes: Notes
) -> Iterator[Trajectory]:
    """One session out of its description and its messages, each with its parts.

    What `info.revert` takes back (from a message on, or from a part of it on) is a trajectory of its own, with a link.
    """
    name = label(info.get("id")) or source.stem
    standing, taken_back = _parted(messages, mapping(info.get("revert")))
    parent = label(info.get("parentID"))
    whole = trajectory_id(OpenCode.name, name)
    for part, key in ((standing, ()), (taken_back, ("reverted",))):
        session = Session(OpenCode.name, name, *key, name=name, agent="opencode")
        session.agent_version = label(info.get("version"))
        session.extra = rest(info, ("id", "version", "parentID")) | ({"taken_back": True} if key else {})
        for message, parts in part:
            _add(session, message, parts if isinstance(parts, list) else [], source, notes)
        above = whole if key else trajectory_id(OpenCode.name, parent) if parent else ""
        if len(session):
            yield session.finish(parent=above)


Messages = list[tuple[dict[str, Any], Any]]


def _parted(messages: Messages, revert: dict[str, Any]) -> tuple[Messages, Messages]:
    """What stands, and what was taken back."""
    at = next((n for n, (message, _) in enumerate(messages) if message.get("id") == revert.get("messageID")), None)
    if at is None or not revert:
        return messages, []
    message, parts = messages[at]
    from_part = next((n for n, part in enumerate(objects(parts)) if part.get("id") == revert.get("partID")), 0)
    if not revert.get("partID") or not from_part:
        return messages[:at], messages[at:]
    kept, gone = objects(parts)[:from_part], objects(parts)[from_part:]
    return [*messages[:at], (message, kept)], [(message, gone), *messages[at + 1 :]]


def _stored(source: Source, name: str, notes: Notes) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Messages with their parts from the storage around a session's file, in the order of their names."""
    if not name or "/" in name or "\\" in name or ".." in name:
        raise ValueError(f"{name[:40]!r} is no name of a session")
    storage = source.path.resolve().parent.parent.parent
    for path in sorted((storage / "message" / name).glob("*.json")):
        message = mapping(load_within(path, storage, source, notes))
        folder = storage / "part" / path.stem
        yield message, [load_within(part, storage, source, notes) for part in sorted(folder.glob("*.json"))]


def _add(session: Session, message: dict[str, Any], parts: list[Any], source: Source, notes: Notes) -> None:
    if message.get("role") not in ("user", "assistant"):
        notes.problem(source, 0, f"message {label(message.get('id'))} has no role that is known")
        return
    said, thoughts, asked = [], [], []
    extra = rest(message, ("role", "sessionID", "time", "modelID", "tokens", "cost", "system", "error"))
    for part in parts:
        kind = mapping(part).get("type")
        if kind == "text" and (part.get("synthetic") or part.get("ignored")):  # the program's words beside the person's
            extra.setdefault("machine", []).append(text(part.get("text")))
        elif kind == "text":
            said.append(text(part.get("text")))
        elif kind == "reasoning":
            thoughts.append(text(part.get("text")))
        elif kind == "tool":
            asked.append(part)
        elif kind == "compaction":
            extra["mark"] = "compaction"
        elif kind == "file":
            said.append(content([part]))
        elif isinstance(kind, str) and kind in ASIDE:
            extra.setdefault("parts", []).append(rest(part, ("sessionID", "messageID")))
        elif part is not None:
            notes.problem(source, 0, f"unknown part {str(kind)[:40]!r} of message {label(message.get('id'))}")
    calls = [_call(session, part) for part in asked]
    agent = message["role"] == "assistant"
    created = mapping(message.get("time")).get("created")
    machine = not agent and not said and "machine" in extra
    if machine:
        said, extra["mark"] = extra.pop("machine"), extra.get("mark", "notice")
    session.say(
        "agent" if agent else "system" if machine else "user",
        "\n".join(said),
        reasoning="\n".join(thoughts),
        calls=calls,
        timestamp=moment(created),
        model=label(message.get("modelID")),
        usage=_usage(message),
        extra=extra,
        identity=_identity(created, said, thoughts, calls) if agent else "",
    )
    error = mapping(message.get("error"))
    if error:
        mark = "interrupted" if "Abort" in label(error.get("name")) else "error"
        told = label(mapping(error.get("data")).get("message")) or label(error.get("name"))
        session.say("system", told, timestamp=moment(created), extra={"mark": mark})
    for part, call in zip(asked, calls, strict=True):
        state = mapping(part.get("state"))
        if state.get("status") in ("completed", "error"):
            code = mapping(state.get("metadata")).get("exit")
            failed = state["status"] == "error"
            exit_code = code if isinstance(code, int) and not isinstance(code, bool) else None
            session.answer(call["id"], state.get("error" if failed else "output"), error=failed, exit_code=exit_code)


def _identity(created: Any, said: list[str], thoughts: list[str], calls: list[Any]) -> str:
    """A session that was forked has new ids for its messages, and the times and calls of the original."""
    told = " ".join([*said, *thoughts, *(call["id"] for call in calls)])
    return identity("opencode", created, told)


def _call(session: Session, part: dict[str, Any]) -> Any:
    state = mapping(part.get("state"))
    extra = rest(part, ("id", "sessionID", "messageID", "type", "callID", "tool", "state"))
    extra |= rest(state, ("input", "output", "error", "metadata"))
    return session.call(part.get("callID"), part.get("tool"), arguments(state.get("input")), extra)


def _usage(message: dict[str, Any]) -> Usage | None:
    tokens = mapping(message.get("tokens"))
    if not tokens:
        return None
    cache = mapping(tokens.get("cache"))
    return Usage(
        prompt=number(tokens.get("input")) + number(cache.get("read")) + number(cache.get("write")),
        completion=number(tokens.get("output")) + number(tokens.get("reasoning")),
        cached=number(cache.get("read")),
        cost=money(message.get("cost")),
    )
