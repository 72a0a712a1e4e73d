"""What the calls of a session did to files, in one form for all formats: read, written, edited, removed, run.

Tools are told by the shape of their arguments more than by their names, for each program has its own. A call that
failed did nothing, but a command that failed may have done something before it did.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.mined.patches import BEGIN, patched
from trace2skill.mined.reads import read_by_command, read_whole
from trace2skill.mined.swe_agent_commands import of_swe_agent
from trace2skill.traces.calls import command_of
from trace2skill.traces.values import mapping
from trace2skill.types.trajectory import Observation, Step, ToolCall, Trajectory

Kind = Literal["read", "write", "edit", "insert", "lines", "remove", "move", "run", "unclear"]
CHANGES: frozenset[Kind] = frozenset({"write", "edit", "insert", "lines", "remove", "move", "unclear"})
PATHS = ("file_path", "filePath", "path", "absolute_path", "target_file", "filename", "file", "notebook_path")
CONTENTS = ("content", "file_text", "contents", "text", "code_content")
EDITED = (("old_string", "new_string"), ("old_str", "new_str"), ("oldString", "newString"), ("search", "replace"))
FOLDERS = ("workdir", "cwd", "working_directory", "directory", "dir_path")
READS = re.compile(r"(?i)\A(?:read|view|open|cat|show)(?:[_-]?(?:file|text_file|many_files))?\Z")
WRITES = re.compile(r"(?i)write|create|save|str_replace|edit|new_file")
REMOVES = re.compile(r"(?i)\A(?:delete|remove)[_-]?file\Z")
AROUND = re.compile(r"<returncode>-?\d+</returncode>\n<output>\n(?P<said>.*?)\n?</output>\s*", re.S)
EDITORS = re.compile(r"(?i)edit|str_replace|notebook|replace|patch|insert")


class Operation(Record):
    """One thing a call did. `path` is as the log has it; `step` is the number of the step in its trajectory."""

    kind: Kind
    step: int
    path: str = ""
    text: str = Field(default="", description="The content; of an edit what came in; of a move where it went.")
    old: str = Field(default="", description="Of an edit, what it took out.")
    every: bool = Field(default=False, description="Of an edit: wherever it stands.")
    line: int = Field(default=0, description="Of an insertion: after which line; of lines: the first.")
    to: int = Field(default=0, description="Of lines in whose place the text stands: the last.")
    over: bool = Field(default=False, description="Of a writing: does the log say that the file was there?")
    whole: bool = Field(default=True, description="Of a reading: is it all of the file?")
    command: str = ""
    folder: str = Field(default="", description="Of a command: where it ran, where the call says so.")
    exit_code: int | None = None
    worked: bool = True
    output: str = ""


def work_of(trajectory: Trajectory) -> list[Operation]:
    """What its calls did, in their order."""
    answered = any(step.observations for step in trajectory.steps)
    found = _in_open_file([item for step in trajectory.steps for item in _of_step(step, answered=answered)])
    if trajectory.agent == "SWE-agent":
        found = _in_open_file([own for item in found for own in _of_swe_agent(item)])
    if trajectory.agent == "codex":  # each command has a shell of its own
        own = {"folder": "."}
        return [item.model_copy(update=own) if item.kind == "run" and not item.folder else item for item in found]
    return found


def _of_swe_agent(item: Operation) -> Iterator[Operation]:
    made = of_swe_agent(item.command, item.output) if item.kind == "run" else None
    if made is None:
        yield item
        return
    for fields in made:
        kept = {"step": item.step, "exit_code": item.exit_code, "worked": item.worked}
        yield Operation.model_validate({**kept, **fields})


def _in_open_file(work: list[Operation]) -> list[Operation]:
    """Edits that name no file are in the one that was opened last (SWE-agent)."""
    opened, found = "", list[Operation]()
    for item in work:
        opened = item.path or opened
        found.append(item if item.path or item.kind == "run" else item.model_copy(update={"path": opened}))
    return found


def _of_step(step: Step, *, answered: bool) -> Iterator[Operation]:
    answers = {item.call_id: item for item in step.observations}
    for call in step.tool_calls:
        answer = answers.get(call.id)
        if (answer is None and answered) or (answer is not None and answer.state == "not_run"):
            continue
        yield from _of_call(step.number, call, answer)


def _of_call(step: int, call: ToolCall, answer: Observation | None) -> Iterator[Operation]:
    given, worked = call.arguments, answer is None or answer.state == "worked"
    patch = _patch_in(call)
    if patch or "apply_patch" in call.name:
        if worked:
            yield from (Operation(step=step, **item) for item in patched(patch))
        return
    command = command_of(call.name, given)
    if call.name == "run" and isinstance(given.get("command"), str):  # OpenHands
        command = given["command"]
    if command:
        yield from _of_command(step, command, given, answer)
        return
    if not worked:
        return
    path = next((given[name] for name in PATHS if isinstance(given.get(name), str) and given[name]), "")
    if path:
        yield from _told_beside(step, path, answer)
        yield from _of_file(step, call, path, answer)
    elif call.name == "edit" and {"search", "replace"} <= given.keys():
        yield _edit(step, "", given)


def _told_beside(step: int, path: str, answer: Observation | None) -> Iterator[Operation]:
    """The whole file, where the log holds it beside what the agent was shown (Claude Code)."""
    extra = answer.extra if answer else {}
    file = mapping(extra.get("file"))
    if isinstance(extra.get("before"), str):
        yield Operation(kind="read", step=step, path=path, text=extra["before"])
    elif (
        isinstance(file.get("content"), str)
        and file.get("startLine") == 1
        and file.get("numLines") == file.get("totalLines")
    ):
        yield Operation(kind="read", step=step, path=path, text=file["content"])


def _of_command(step: int, command: str, given: dict[str, Any], answer: Observation | None) -> Iterator[Operation]:
    said = _bare(answer.content) if answer else ""
    folder = next((given[name] for name in FOLDERS if isinstance(given.get(name), str)), "")
    worked = answer is None or answer.state == "worked"
    if worked and (found := read_by_command(command, said)) is not None:
        path, content = found
        yield Operation(kind="read", step=step, path=posixpath.join(folder, path) if folder else path, text=content)
        return
    yield Operation(
        kind="run",
        step=step,
        command=command,
        folder=folder,
        exit_code=answer.exit_code if answer else None,
        worked=worked,
        output=said,
    )


def _bare(said: str) -> str:
    """What a command printed, without what mini-swe-agent writes around it."""
    around = AROUND.fullmatch(said)
    return around["said"] if around else said


def _of_file(step: int, call: ToolCall, path: str, answer: Observation | None) -> Iterator[Operation]:
    """What a tool that names a file did to it."""
    given, name = call.arguments, call.name
    asked = str(given.get("command", ""))  # editors with commands of their own: view, create, str_replace, insert
    if isinstance(edits := given.get("edits"), list):
        yield from (_edit(step, path, edit) for edit in edits if isinstance(edit, dict))
    elif asked == "view" or (not asked and READS.match(name)):
        if answer is not None and (text := read_whole(answer.content, given)) is not None:
            yield Operation(kind="read", step=step, path=path, text=text)
        else:
            yield Operation(kind="read", step=step, path=path, whole=False)
    elif REMOVES.match(name):
        yield Operation(kind="remove", step=step, path=path)
    elif asked == "insert" or "insert_line" in given:
        line, text = given.get("insert_line"), given.get("new_str", given.get("insert_text"))
        known = isinstance(line, int) and isinstance(text, str)
        yield (
            Operation(kind="insert", step=step, path=path, line=int(line), text=str(text))
            if known and line is not None
            else Operation(kind="unclear", step=step, path=path)
        )
    elif any(isinstance(given.get(old), str) and asked != "create" for old, _ in EDITED):
        yield _edit(step, path, given)
    elif WRITES.search(name) or asked == "create":
        text = next((given[key] for key in CONTENTS if isinstance(given.get(key), str)), None)
        unclear = Operation(kind="unclear", step=step, path=path)
        over = bool(answer and mapping(answer.extra.get("details")).get("type") == "update")
        yield unclear if text is None else Operation(kind="write", step=step, path=path, text=text, over=over)
    elif EDITORS.search(name):
        yield Operation(kind="unclear", step=step, path=path)


def _edit(step: int, path: str, given: dict[str, Any]) -> Operation:
    for old, new in EDITED:
        if isinstance(given.get(old), str) and isinstance(given.get(new, ""), str):
            every = given.get("replace_all", given.get("replaceAll")) is True
            if not given[old]:
                return Operation(kind="write", step=step, path=path, text=given.get(new, ""))
            return Operation(kind="edit", step=step, path=path, old=given[old], text=given.get(new, ""), every=every)
    return Operation(kind="unclear", step=step, path=path)


def _patch_in(call: ToolCall) -> str:
    """A patch in the form of Codex, given as a text of its own, as a field, or to a command of that name."""
    for value in call.arguments.values():
        words = value if isinstance(value, list) else [value]
        for word in words:
            if (
                isinstance(word, str)
                and BEGIN in word
                and ("apply_patch" in (call.name, *words) or "apply_patch" in word)
            ):
                return word[word.index(BEGIN) :]
    return ""
