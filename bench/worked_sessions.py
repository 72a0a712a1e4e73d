"""Sessions of agents that really worked: commands run, files change, and what came of it is written as a log.

Each works in a directory of its own on a small project, in one of three kinds of work; each kind has a tool that fails
at first and a way to get over it. Logs are written as Claude Code, Codex and OpenHands write theirs.
"""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOME = "/home/dev/shop"
FORMATS = ("claude_code", "codex", "openhands")
TOTALS = """\
import csv, json, sys
given = sys.argv[1:]
sep = given.pop(given.index("--sep") + 1) if "--sep" in given else ","
given = [word for word in given if word != "--sep"]
rows = list(csv.reader(open(given[0]), delimiter=sep))
if any(len(row) < 2 for row in rows):
    sys.exit("error: totals: fields are not separated by commas")
found = {}
for name, amount in rows[1:]:
    found[name] = found.get(name, 0) + int(amount)
json.dump(found, open(given[1], "w"), sort_keys=True)
"""
INDEX = """\
import os, sys
if os.path.exists("notes.lock"):
    sys.exit("error: index: the notes are locked")
names = sorted(open("notes.txt").read().split())
open("index.txt", "w").write("".join(f"{number} {name}\\n" for number, name in enumerate(names, 1)))
"""
UNLOCK = "import os\nos.remove('notes.lock')\n"
CHECK_INDEX = """\
import sys
lines = open("index.txt").read().splitlines()
names = sorted(open("notes.txt").read().split())
sys.exit([line.split()[1] for line in lines] != names)
"""
STAMP = """\
import os, sys
if os.environ.get("STAMP_ZONE") != "utc":
    sys.exit("error: stamp: STAMP_ZONE is not set")
version = open("VERSION").read().strip()
open("release.txt", "w").write(f"{sys.argv[1]} {version} utc\\n")
"""
TEST_TOTALS = """\
import csv, json, unittest


class Totals(unittest.TestCase):
    def test_totals(self):
        wanted = {}
        for name, amount in list(csv.reader(open("orders.csv"), delimiter=";"))[1:]:
            wanted[name] = wanted.get(name, 0) + int(amount)
        self.assertEqual(json.load(open("totals.json")), wanted)
"""


@dataclass
class Call:
    """One call of a tool that was really made: a command, a reading, or a writing."""

    kind: str
    given: dict[str, str]
    said: str = ""
    code: int = 0
    beside: dict[str, Any] = field(default_factory=dict)
    """What Claude Code's log holds besides (`toolUseResult`)."""


@dataclass
class Worked:
    """A session: what was asked, what was done, and what the person said in the end."""

    number: int
    kind: str
    request: str
    calls: list[Call] = field(default_factory=list)
    thanks: str = ""
    failed: bool = False
    commit: str = ""
    branch: str = ""
    lost: bool = False
    """Did it begin at a commit that nobody has any more?"""


class At:
    """A project in a directory, in which calls are made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.calls: list[Call] = []

    def give(self, **files: str) -> None:
        for name, text in files.items():
            target = self.folder / name.replace("__", "/").replace("_py", ".py").replace("_csv", ".csv")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)

    def write_there(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def read(self, *paths: str) -> None:
        for path in paths:
            self.calls.append(Call("read", {"path": path}, (self.folder / path).read_text()))

    def write(self, path: str, text: str) -> None:
        self.write_there(path, text)
        self.calls.append(Call("write", {"path": path, "text": text}, "File created successfully"))

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert old in text
        self.write_there(path, text.replace(old, new, 1))
        self.calls.append(Call("edit", {"path": path, "old": old, "new": new}, "The file has been updated."))

    def run(self, command: str) -> int:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "PYTHONDONTWRITEBYTECODE": "1",
                "HOME": "/tmp",
            },
        )
        said = done.stdout.replace(str(self.folder), HOME)
        self.calls.append(Call("run", {"command": command}, said, done.returncode))
        return done.returncode


def totals(at: At, draw: random.Random, *, fails: bool = False, **_: bool) -> tuple[str, str]:
    """A tool that wants to be told the separator; tests decide."""
    rows = "".join(f"{draw.choice(['ada', 'bo', 'cy'])};{draw.randint(1, 900)}\n" for _ in range(draw.randint(4, 9)))
    at.write_there("tools/totals.py", TOTALS)
    at.write_there("orders.csv", f"name;amount\n{rows}")
    at.write_there("tests/test_totals.py", TEST_TOTALS)
    at.read("tools/totals.py", "orders.csv", "tests/test_totals.py")
    at.run("python tools/totals.py orders.csv totals.json")
    if fails:
        at.write("totals.json", '{"ada": 1}\n')
    else:
        at.run("python tools/totals.py --sep ';' orders.csv totals.json")
    at.run("python -m unittest tests/test_totals.py")
    return "Sum up orders.csv by name into totals.json with tools/totals.py, so that the tests pass.", ""


def index(at: At, draw: random.Random, *, fails: bool = False, **_: bool) -> tuple[str, str]:
    """A lock that is to be taken away first; a command decides."""
    names = draw.sample(["apple", "beech", "cedar", "date", "elm", "fir", "gum", "holly", "iris"], 5)
    at.write_there("tools/index.py", INDEX)
    at.write_there("tools/unlock.py", UNLOCK)
    at.write_there("tools/check_index.py", CHECK_INDEX)
    at.write_there("notes.txt", " ".join(names) + "\n")
    at.write_there("notes.lock", f"held by {draw.randint(100, 999)}\n")
    at.read("tools/index.py", "tools/unlock.py", "tools/check_index.py", "notes.txt", "notes.lock")
    at.run("python tools/index.py")
    if fails:
        at.write("index.txt", f"1 {names[0]}\n")
    else:
        at.run("python tools/unlock.py")
        at.run("python tools/index.py")
    at.run("python tools/check_index.py")
    return "Make the index of notes.txt anew with tools/index.py.", ""


def stamp(at: At, draw: random.Random, *, fails: bool = False, **_: bool) -> tuple[str, str]:
    """A variable that has to be set; what the person accepted decides."""
    name, version = draw.choice(["lynx", "otter", "heron"]), f"{draw.randint(1, 9)}.{draw.randint(0, 40)}"
    at.write_there("tools/stamp.py", STAMP)
    at.write_there("VERSION", version + "\n")
    at.read("tools/stamp.py", "VERSION")
    at.run(f"python tools/stamp.py {name}")
    if fails:
        at.write("release.txt", f"{name} 0.0\n")
    else:
        at.run(f"STAMP_ZONE=utc python tools/stamp.py {name}")
    return (
        f"Stamp the release {name} with tools/stamp.py; the stamp belongs into release.txt.",
        "No, that is wrong." if fails else "Perfect, thanks!",
    )


KINDS: dict[str, Callable[..., tuple[str, str]]] = {"totals": totals, "index": index, "stamp": stamp}


def worked(folder: Path, count: int, seed: int = 1, failing: float = 0.1, unread: float = 0.1) -> list[Worked]:
    """Let so many sessions happen. Some fail for good, and of some nobody read what the tool is."""
    found: list[Worked] = []
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        kind = list(KINDS)[number // len(FORMATS) % len(KINDS)]
        fails, blind = draw.random() < failing, draw.random() < unread
        at = At(folder / f"project-{number}")
        request, thanks = KINDS[kind](at, draw, fails=fails)
        calls = [call for call in at.calls if not (blind and call.kind == "read")]
        found.append(Worked(number, kind, request, calls, thanks, fails))
        shutil.rmtree(at.folder)
    return found


def write_logs(sessions: list[Worked], folder: Path) -> Path:
    """Write each session in the format whose turn it is; returns the folder."""
    for session in sessions:
        name = FORMATS[session.number % len(FORMATS)]
        WRITERS[name](session, folder / name)
    return folder


def claude_code(session: Worked, folder: Path) -> None:
    """As Claude Code writes `~/.claude/projects/...`."""
    name = f"{session.number:08d}-0000-4000-8000-000000000000"
    lines: list[dict[str, Any]] = []

    def add(kind: str, content: Any, **more: Any) -> None:
        before = lines[-1]["uuid"] if lines else None
        at = f"2026-05-{1 + session.number % 27:02d}T10:{len(lines) // 60:02d}:{len(lines) % 60:02d}.000Z"
        message = {"role": kind, "content": content, **more}
        record = {"type": kind, "uuid": f"u{session.number}-{len(lines)}", "parentUuid": before, "sessionId": name}
        branch = {"gitBranch": session.branch} if session.branch else {}
        lines.append({**record, "timestamp": at, "cwd": HOME, "version": "2.0.1", **branch, "message": message})

    add("user", session.request)
    for place, call in enumerate(session.calls):
        tool, given = _for_claude(call)
        use = {"type": "tool_use", "id": f"toolu_{session.number}_{place}", "name": tool, "input": given}
        add("assistant", [use], id=f"msg_{session.number}_{place}", model="some-model")
        said = _numbered(call.said) if call.kind == "read" else call.said
        said = f"Exit code {call.code}\n{said}" if call.code else said
        result = {"type": "tool_result", "tool_use_id": use["id"], "content": said, "is_error": bool(call.code)}
        add("user", [result])
        if call.beside:
            lines[-1]["toolUseResult"] = call.beside
    add("assistant", [{"type": "text", "text": "Done."}], id=f"msg_{session.number}_end", model="some-model")
    if session.thanks:
        add("user", session.thanks)
    _lines(folder / f"{name}.jsonl", lines)


def codex(session: Worked, folder: Path) -> None:
    """As Codex writes `~/.codex/sessions/...`."""
    name = f"019d0000-0000-7000-8000-{session.number:012d}"
    lines: list[dict[str, Any]] = []

    def add(kind: str, **payload: Any) -> None:
        at = f"2026-05-{1 + session.number % 27:02d}T11:{len(lines) // 60:02d}:{len(lines) % 60:02d}.000Z"
        lines.append({"timestamp": at, "type": kind, "payload": payload})

    git = {"git": {"commit_hash": session.commit, "branch": session.branch}} if session.commit else {}
    more = {"cli_version": "0.60.0", "originator": "cli", **git}
    add("session_meta", id=name, timestamp="2026-05-01T11:00:00.000Z", cwd=HOME, **more)
    add("response_item", type="message", role="user", content=[{"type": "input_text", "text": session.request}])
    for place, call in enumerate(session.calls):
        id = f"call_{session.number}_{place}"
        if call.kind in ("write", "edit"):
            add("response_item", type="custom_tool_call", call_id=id, name="apply_patch", input=_as_patch(call))
            kind, output = "custom_tool_call_output", {"output": "Success.", "metadata": {"exit_code": 0}}
        else:
            command = f"cat {call.given['path']}" if call.kind == "read" else call.given["command"]
            arguments = json.dumps({"command": ["bash", "-lc", command]})
            add("response_item", type="function_call", call_id=id, name="shell", arguments=arguments)
            kind, output = "function_call_output", {"output": call.said, "metadata": {"exit_code": call.code}}
        add("response_item", type=kind, call_id=id, output=json.dumps(output))
    add("response_item", type="message", role="assistant", content=[{"type": "output_text", "text": "Done."}])
    if session.thanks:
        add("response_item", type="message", role="user", content=[{"type": "input_text", "text": session.thanks}])
    _lines(folder / f"rollout-2026-05-01T11-00-00-{name}.jsonl", lines)


def openhands(session: Worked, folder: Path) -> None:
    """As OpenHands saves a trajectory: a list of events."""
    events: list[dict[str, Any]] = []

    def add(source: str, **more: Any) -> int:
        day, minute = 1 + session.number % 27, len(events)
        at = f"2026-05-{day:02d}T12:{minute // 60:02d}:{minute % 60:02d}.{session.number:06d}"
        events.append({"id": len(events), "timestamp": at, "source": source, **more})
        return len(events) - 1

    add("user", action="message", args={"content": session.request})
    for call in session.calls:
        kind, given = call.kind, dict(call.given)
        if kind == "edit":
            given = {"path": given["path"], "command": "str_replace", "old_str": given["old"], "new_str": given["new"]}
        elif kind == "write":
            given = {"path": given["path"], "content": given["text"]}
        cause = add("agent", action=kind, args=given)
        if kind == "run":
            add(
                "agent",
                observation="run",
                cause=cause,
                content=call.said,
                extras={"metadata": {"exit_code": call.code}},
            )
        else:
            add("agent", observation=kind, cause=cause, content=call.said, extras={"path": given["path"]})
    add("agent", action="finish", args={"final_thought": "Done."})
    if session.thanks:
        add("user", action="message", args={"content": session.thanks})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"trajectory-{session.number}.json").write_text(json.dumps(events))


WRITERS: dict[str, Callable[[Worked, Path], None]] = {
    "claude_code": claude_code,
    "codex": codex,
    "openhands": openhands,
}


def _for_claude(call: Call) -> tuple[str, dict[str, str]]:
    if call.kind == "run":
        return "Bash", {"command": call.given["command"]}
    path = {"file_path": f"{HOME}/{call.given['path']}"}
    if call.kind == "read":
        return "Read", path
    if call.kind == "write":
        return "Write", {**path, "content": call.given["text"]}
    return "Edit", {**path, "old_string": call.given["old"], "new_string": call.given["new"]}


def _as_patch(call: Call) -> str:
    if call.kind == "write":
        body = "".join(f"+{line}\n" for line in call.given["text"].splitlines())
        return f"*** Begin Patch\n*** Add File: {call.given['path']}\n{body}*** End Patch"
    gone = "".join(f"-{line}\n" for line in call.given["old"].splitlines())
    came = "".join(f"+{line}\n" for line in call.given["new"].splitlines())
    return f"*** Begin Patch\n*** Update File: {call.given['path']}\n@@\n{gone}{came}*** End Patch"


def _numbered(text: str) -> str:
    return "\n".join(f"{number:6d}→{line}" for number, line in enumerate(text.splitlines(), start=1))


def _lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
