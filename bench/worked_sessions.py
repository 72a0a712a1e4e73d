"""Sessions of agents that really worked: commands run, files change, and what came of it is kept.

Each works in a directory of its own on a small project, in one of three kinds of work; each kind has a tool that fails
at first and a way to get over it. `worked_logs.py` writes them down.
"""

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
"""Each kind of work comes in each of them."""
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
