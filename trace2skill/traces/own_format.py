"""A format of your own: rows by a documented schema, or by a mapping that says where in a row everything stands.

`--format rows` reads rows as `RowMapping` has them by default: one JSON object a session, as lines, as a list, or one a
file. `--format FILE.yaml` changes any of these places; `--format FILE.py:Class` is a reader of your own, with the three
members of `trace2skill.traces.Reader`. A place is a path: names and numbers of list items with dots between them.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trace2skill.core.digest import digest_of_bytes
from trace2skill.core.errors import BadInput
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.formats import reader_named
from trace2skill.traces.installed import as_reader, installed_version
from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.reader import Reader
from trace2skill.traces.session import UNLABELLED, Call, Session
from trace2skill.traces.values import arguments, content, label, mapping, moment, number, text
from trace2skill.types.trajectory import Outcome, Trajectory

ROWS = "rows"
Who = Literal["system", "user", "agent", "tool", "none"]
USUAL: dict[str, Who] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "customer": "user",
    "agent": "agent",
    "assistant": "agent",
    "ai": "agent",
    "bot": "agent",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
}


class _Places(BaseModel):
    """Where things stand. A name that is no field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CallPlaces(_Places):
    """Within a call."""

    id: str = "id"
    name: str = "name"
    arguments: str = Field(default="arguments", description="An object, or one written as JSON.")


class ResultPlaces(_Places):
    """Within a result: an item of `results`, or a message of the role 'tool'."""

    call: str = Field(default="call", description="Id of the call; without one it answers the first call that waits.")
    text: str = "text"
    error: str = Field(default="error", description="true where the call failed.")
    exit_code: str = "exit_code"


class RowMapping(_Places):
    """Where in a row stands what. The defaults are the schema of `--format rows`."""

    rows: str = Field(default="", description="Of a document: the place of the list of rows; '' for lines or a list.")
    id: str = Field(default="id", description="Of the session.")
    task: str = Field(default="task", description="Id of the task; sessions of one task are compared with each other.")
    trial: str = Field(default="trial", description="A number that tells several tries of a task apart.")
    model: str = "model"
    outcome: str = Field(default="outcome", description="A score from 0 to 1, true or false, or a word.")
    outcomes: dict[str, float] = Field(default_factory=dict, description="Scores of words of your own.")
    messages: str = Field(default="messages", description="The list of messages.")
    role: str = "role"
    roles: dict[str, Who] = Field(default_factory=dict, description="Who words of your own are; 'none' leaves one out.")
    text: str = "text"
    reasoning: str = "reasoning"
    time: str = "time"
    calls: str = Field(default="calls", description="Of a message: the list of its calls, or one call.")
    call: CallPlaces = CallPlaces()
    results: str = Field(default="results", description="Of a message: the list of what its calls answered.")
    result: ResultPlaces = ResultPlaces()


class MappedRows:
    """Reader of rows by a mapping. It is used where it is named, and claims nothing by itself."""

    def __init__(self, where: RowMapping, name: str = ROWS) -> None:
        self.where, self.name = where, name

    def claims(self, source: Source) -> bool:
        """Never: a mapping fits what its writer says."""
        del source
        return False

    def read(self, source: Source, notes: Notes) -> Iterator[Trajectory]:
        """One trajectory a row; a row without messages is a problem that says which place holds none."""
        for place, row in enumerate(self._rows(source, notes), start=1):
            messages = at(row, self.where.messages)
            if not isinstance(row, dict) or not isinstance(messages, list):
                fields = ", ".join(map(str, list(row)[:8])) if isinstance(row, dict) else type(row).__name__
                notes.problem(source, 0, f"row {place} has no list of messages at '{self.where.messages}' ({fields})")
                continue
            yield self._session(source, notes, place, row, messages)

    def _rows(self, source: Source, notes: Notes) -> Iterator[Any]:
        if self.where.rows:
            yield from source.items(f"{self.where.rows}.item")
        elif source.is_jsonl:
            for _, value in source.values(notes):
                yield from value if isinstance(value, list) else [value]
        else:
            document = source.document()
            yield from document if isinstance(document, list) else [document]

    def _session(
        self, source: Source, notes: Notes, place: int, row: dict[str, Any], messages: list[Any]
    ) -> Trajectory:
        where = self.where
        name = label(at(row, where.id)) or f"{source.stem}:{place}"
        session = Session(ROWS, source.name, name, name=name, model=label(at(row, where.model)))
        for count, message in enumerate(messages, start=1):
            if not isinstance(message, dict) or not self._message(session, message):
                notes.problem(source, 0, f"row {place}, message {count}: nobody's role at '{where.role}'")
        task = label(at(row, where.task)) or name
        return session.finish(task_id=task, seed=number(at(row, where.trial)), outcome=self._outcome(row))

    def _message(self, session: Session, message: dict[str, Any]) -> bool:
        where = self.where
        word = label(at(message, where.role))
        who = where.roles.get(word, USUAL.get(word.lower()))
        if who is None:
            return False
        if who == "tool":
            self._answer(session, message)
            return True
        if who != "none":
            calls = [self._call(session, item) for item in _items(at(message, where.calls))]
            session.say(
                who,
                content(at(message, where.text)),
                reasoning=content(at(message, where.reasoning)),
                timestamp=moment(at(message, where.time), 1),
                calls=calls,
            )
            for item in _items(at(message, where.results)):
                self._answer(session, item)
        return True

    def _call(self, session: Session, item: Any) -> Call:
        where = self.where.call
        return session.call(at(item, where.id), at(item, where.name), arguments(at(item, where.arguments)))

    def _answer(self, session: Session, item: Any) -> None:
        where = self.where.result
        code = at(item, where.exit_code)
        session.answer(
            at(item, where.call),
            text(at(item, where.text)),
            error=at(item, where.error) is True,
            exit_code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        )

    def _outcome(self, row: dict[str, Any]) -> Outcome:
        said = at(row, self.where.outcome)
        if said is None:
            return UNLABELLED
        score = self.where.outcomes.get(str(said), said)
        return from_score(score, "log", f"the row's outcome {str(said)[:60]!r}")


def reader_for(name: str) -> Reader:
    """The reader that `--format` names: one of ours, `rows`, a mapping in a YAML file, or a class in a file.

    Raises:
        BadInput: there is none of that name, or the file is no mapping or no reader; says what is wrong.
    """
    path, _, member = name.rpartition(":")
    if path.endswith(".py"):
        return _plugged_in(Path(path), member)
    if name.endswith((".yaml", ".yml")):
        return MappedRows(read_mapping(Path(name)), Path(name).stem)
    return MappedRows(RowMapping()) if name == ROWS else reader_named(name)


def identity_of(name: str | None) -> str | None:
    """What a reading depends on: a format's name, with the bytes of a file or the version of a package that is one."""
    path = Path(name.rpartition(":")[0] if name and ".py:" in name else name or "")
    if name and path.suffix in (".yaml", ".yml", ".py") and path.is_file():
        return f"{name} {digest_of_bytes(path.read_bytes())[:16]}"
    version = installed_version(name) if name else ""
    return f"{name} {version}" if version else name


def read_mapping(path: Path) -> RowMapping:
    """A mapping from a YAML file.

    Raises:
        BadInput: it cannot be read, or says something that no mapping has.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        given = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        return RowMapping.model_validate(mapping(given))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not YAML: {' '.join(str(error).split())[:200]}") from error
    except ValidationError as error:
        first = error.errors()[0]
        known = ", ".join(RowMapping.model_fields)
        place = ".".join(map(str, first["loc"]))
        raise BadInput(f"{path}: {place}: {first['msg']}; a mapping may say {known}") from error


def at(value: Any, place: str) -> Any:
    """What stands at a place such as `said.0.text`; None where nothing does, the value itself for an empty place."""
    for part in place.split(".") if place else ():
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _items(value: Any) -> list[dict[str, Any]]:
    given = [value] if isinstance(value, dict) else value
    return [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []


def _plugged_in(path: Path, member: str) -> Reader:
    spec = importlib.util.spec_from_file_location(f"reader_{path.stem}", path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise BadInput(f"no reader at {path}: name a file and its class, as in readers.py:Mine")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a file of somebody's own raises
        raise BadInput(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    cls: Any = getattr(module, member, None)
    return as_reader(cls, f"{path}:{member}")
