"""Cursor's agent transcripts, `agent-transcripts/ID/ID.jsonl`: a role and a message of Anthropic's form a line.

They have no times, no ids of messages and often no results. Lines that end a turn say how it ended.
"""

from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import say
from trace2skill.traces.machine import is_machine, without_machine
from trace2skill.traces.session import Session
from trace2skill.traces.values import content, label, mapping, objects, text
from trace2skill.types.trajectory import Trajectory

QUERY = ("<user_query>", "</user_query>")
ENDS = {"turn_ended", "session_ended", "turn_started"}


class Cursor:
    """Reader of Cursor's transcripts."""

    name = "cursor"
    turn = 125
    fields = frozenset({"message"})

    def claims(self, source: Source) -> bool:
        """Lines with a role beside a message that holds the content."""
        firsts = source.first_objects if source.first_values else []
        return any(_is_ours(record) and "uuid" not in record for record in firsts)

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """The one trajectory of the file."""
        session = Session(self.name, source.stem, name=source.stem, agent="cursor")
        for line, record in source.records(notes):
            if _is_ours(record):
                _add(session, record)
            elif record.get("type") in ENDS:
                error = text(record.get("error"))
                if error:
                    session.say("system", error, extra={"mark": "error"})
            else:
                notes.unknown(source, line, record.get("type") or ", ".join(sorted(record)[:6]))
        if len(session):
            yield session.finish()


def _is_ours(record: dict[str, Any]) -> bool:
    said = mapping(record.get("message")).get("content")
    return label(record.get("role")) in ("user", "assistant", "system", "tool") and isinstance(said, (str, list))


def _add(session: Session, record: dict[str, Any]) -> None:
    said = record["message"]["content"]
    if record["role"] != "user" or any(part.get("type") == "tool_result" for part in objects(said)):
        role = "user" if record["role"] == "tool" else record["role"]
        say(session, {"role": role, "content": said})
        return
    spoken = content(said)
    asked = spoken.partition(QUERY[0])[2].rpartition(QUERY[1])[0].strip() if QUERY[0] in spoken else ""
    machine = not asked and is_machine(spoken)
    own = asked or (spoken if machine else without_machine(spoken).strip())
    extra = {"mark": "notice"} if machine else {"machine": spoken} if own != spoken.strip() and not asked else {}
    session.say("system" if machine else "user", own, extra=extra)
