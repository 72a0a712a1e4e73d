"""OpenAI-style messages as JSONL: a conversation a line (`{"messages": [...]}` or a bare list), or a message a line."""

from collections.abc import Iterator

from trace2skill.traces.base import Notes, Source
from trace2skill.traces.chat import is_message, say, say_all
from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.session import UNLABELLED, Session
from trace2skill.traces.values import label, mapping, number, rest
from trace2skill.types.trajectory import Trajectory

LISTS = ("messages", "conversation", "conversations")
SCORES = ("reward", "score", "passed", "success", "resolved")


class OpenAIMessages:
    """Reader of message JSONL, and of one JSON document with `messages`."""

    name = "openai"
    turn = 130

    def claims(self, source: Source) -> bool:
        """A line, or the document, holds a message or a list of messages."""
        first = source.first_values[0] if source.first_values else source.start
        return is_message(first) or any(map(is_message, _messages(first)[:3]))

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a conversation. Lines that are single messages make one trajectory together."""
        lines = source.records(notes) if source.first_values else iter([(1, mapping(source.document()))])
        loose = Session(self.name, source.name, name=source.stem)
        for line, record in lines:
            messages = _messages(record)
            if messages:
                yield self._conversation(source, notes, line, record, messages)
            elif is_message(record):
                say(loose, record)
            else:
                notes.unknown(source, line, ", ".join(sorted(record)[:6]))
        if len(loose):
            yield loose.finish()

    def _conversation(
        self, source: Source, notes: Notes, line: int, record: dict[str, object], messages: list[object]
    ) -> Trajectory:
        named = label(record.get("id")) or label(record.get("task_id")) or label(record.get("instance_id"))
        session = Session(self.name, source.name, named or line, name=named, model=label(record.get("model")))
        say_all(session, messages, source, notes, line)
        session.extra = rest(record, {*LISTS, "id", "task_id", "model", "seed", *SCORES})
        score = next((record[key] for key in SCORES if record.get(key) is not None), None)
        outcome = UNLABELLED if score is None else from_score(score, "log")
        task = label(record.get("task_id")) or label(record.get("instance_id")) or f"{source.stem}:{named or line}"
        return session.finish(task_id=task, seed=number(record.get("seed")), outcome=outcome)


def _messages(record: object) -> list[object]:
    if isinstance(record, list):
        return record
    found = mapping(record)
    return next((found[key] for key in LISTS if isinstance(found.get(key), list)), [])
