"""Chat messages of OpenAI's APIs: a conversation a line (`{"messages": [...]}` or a bare list), a message a line, or
one document that is a conversation, a list of messages or a list of conversations."""

from collections.abc import Iterator
from typing import Any

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import is_item, is_message, say, say_all, say_item
from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.session import UNLABELLED, Session
from trace2skill.traces.values import label, mapping, number, rest
from trace2skill.types.trajectory import Trajectory

LISTS = ("messages", "conversation", "conversations")
SCORES = ("reward", "score", "passed", "success", "resolved")


class OpenAIMessages:
    """Reader of chat messages, as JSONL or as one JSON document."""

    name = "openai"
    turn = 130

    def claims(self, source: Source) -> bool:
        """A line, or the document, holds a message with content or a list of messages."""
        return any(map(_is_ours, source.first_values or [source.start]))

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a conversation. Messages that stand by themselves make one trajectory together."""
        loose = Session(self.name, source.name, name=source.stem)
        loose.copied_by_calls = True
        for line, record in _values(source, notes):
            messages = _messages(record)
            if messages:
                yield self._conversation(source, notes, line, mapping(record), messages)
            elif _is_said(record):
                say_item(loose, record) if is_item(record) else say(loose, record)
            else:
                told = ", ".join(sorted(record)[:6]) if isinstance(record, dict) else type(record).__name__
                notes.unknown(source, line, told)
        if len(loose):
            yield loose.finish()

    def _conversation(
        self, source: Source, notes: Notes, line: int, record: dict[str, object], messages: list[object]
    ) -> Trajectory:
        named = label(record.get("id")) or label(record.get("task_id")) or label(record.get("instance_id"))
        session = Session(self.name, source.name, named or line, name=named, model=label(record.get("model")))
        session.copied_by_calls = True
        say_all(session, messages, source, notes, line)
        session.extra = rest(record, {*LISTS, "id", "task_id", "model", "seed", *SCORES})
        score = next((record[key] for key in SCORES if record.get(key) is not None), None)
        outcome = UNLABELLED if score is None else from_score(score, "log")
        task = label(record.get("task_id")) or label(record.get("instance_id")) or f"{source.stem}:{named or line}"
        return session.finish(task_id=task, seed=number(record.get("seed")), outcome=outcome)


def _values(source: Source, notes: Notes) -> Iterator[tuple[int, Any]]:
    """Number and value of each line, or the document: itself, or its items where it is a list of conversations."""
    if source.first_values:
        for line, value in source.values(notes):
            for item in value if _is_list_of_conversations(value) else [value]:
                yield line, item
    elif _is_list_of_conversations(source.start):
        yield from enumerate(source.items("item"), start=1)
    else:
        yield 1, source.document()


def _is_list_of_conversations(value: Any) -> bool:
    return isinstance(value, list) and any(
        isinstance(item, (dict, list)) and bool(_messages(item)) for item in value[:3]
    )


def _is_ours(value: object) -> bool:
    if _is_said(value) or any(map(_is_said, _messages(value)[:3])):
        return True
    return _is_list_of_conversations(value) and isinstance(value, list) and any(map(_is_ours, value[:3]))


def _is_said(value: Any) -> bool:
    """A message in the form of an API: with a role, and content or calls beside it, not inside something else."""
    if is_item(value):
        return True
    return is_message(value) and ("content" in value or "tool_calls" in value or "function_call" in value)


def _messages(record: object) -> list[object]:
    if isinstance(record, list):
        return record if not record or isinstance(record[0], dict) else []
    found = mapping(record)
    return next((found[key] for key in LISTS if isinstance(found.get(key), list)), [])
