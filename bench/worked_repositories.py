"""Sessions that began in a repository with a history, and what each log shows of it.

Each commit adds a few parts to a small shop: a module with a mistake and its tests, a list with a tool that checks its
index, a setting. A session begins at one of the commits in a working copy of its own, and its commands really ran. Logs
show little of the files: Claude Code's name a branch, Codex's a commit, OpenHands' neither.
"""

import os
import random
import shutil
import subprocess
from pathlib import Path

from worked_sessions import At, Worked

COMMITS = 27
"""One for each day on which a log of `worked_sessions` begins."""
MISTAKES = {
    "net": ("return amount * (100 + percent) // 100", "return amount * (100 - percent) // 100"),
    "gross": ("return amount - amount * percent // 100", "return amount + amount * percent // 100"),
    "share": ("return amount * percent", "return amount * percent // 100"),
}
CHECK_INDEX = """\
import sys
from shop.lists import entries
name = sys.argv[1]
lines = open(f"index/{name}.txt").read().splitlines()
sys.exit(lines != [f"{number} {entry}" for number, entry in enumerate(sorted(entries(name)), 1)])
"""
LISTS = 'def entries(name):\n    return open(f"lists/{name}.txt").read().split()\n'
WORDS = ["apple", "beech", "cedar", "date", "elm", "fir", "gum", "holly", "iris", "jute"]
WHO = {"GIT_AUTHOR_NAME": "A Person", "GIT_AUTHOR_EMAIL": "person@example.com"}
WHO |= {"GIT_COMMITTER_NAME": "A Person", "GIT_COMMITTER_EMAIL": "person@example.com"}


def repository(folder: Path, commits: int = COMMITS) -> list[str]:
    """Make it; returns the names of its commits, the oldest first."""
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--initial-branch=main")
    made = list[str]()
    files = {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n',
        "shop/__init__.py": "",
        "shop/lists.py": LISTS,
    }
    files |= {"tests/__init__.py": "", "tools/check_index.py": CHECK_INDEX, "index/README.md": "Indexes of lists.\n"}
    for number in range(commits):
        for name, text in (files if not number else {}).items() | _parts(number).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        (folder / "CHANGES.md").write_text(f"Release {number}\n")
        _git(folder, "add", "--all")
        when = f"2026-05-{1 + number:02d}T00:00:00Z"
        _git(folder, "commit", "--quiet", "-m", f"release {number}", GIT_AUTHOR_DATE=when, GIT_COMMITTER_DATE=when)
        made.append(_git(folder, "rev-parse", "HEAD").strip())
    return made


def worked_in(
    folder: Path, bare: Path, commits: list[str], count: int, seed: int = 1, failing: float = 0.1
) -> list[Worked]:
    """Let so many sessions happen in working copies; every tenth began at a commit that was never pushed.

    Args:
        folder: for the working copies.
        bare: the repository.
        commits: its commits, one a day.
        count: sessions.
        seed: of what is drawn.
        failing: share of those that end with what is not right.
    """
    found: list[Worked] = []
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        day, again = number % len(commits), number // len(commits)
        kind, fails = KINDS[(number // 3) % len(KINDS)], draw.random() < failing
        at = At(folder / f"copy-{number}")
        shutil.rmtree(at.folder)
        _git(folder, "clone", "--quiet", str(bare), str(at.folder))
        _git(at.folder, "checkout", "--quiet", commits[day])
        lost = number % 10 == 9
        if lost:
            for path in at.folder.glob("[sl]*/*[0-9][ab].*"):
                path.write_text(f"# kept on one machine\n{path.read_text()}")
            _git(at.folder, "commit", "--quiet", "--all", "-m", "never pushed")
        commit = _git(at.folder, "rev-parse", "HEAD").strip()
        request, thanks = kind(at, f"{day}{'ab'[again % 2]}", fails=fails)
        more = {"commit": commit, "branch": "main"}
        found.append(Worked(number, kind.__name__, request, at.calls, thanks, fails, **more, lost=lost))
        shutil.rmtree(at.folder)
    return found


def mend(at: At, name: str, *, fails: bool) -> tuple[str, str]:
    """A mistake in a module of which a few lines are looked at; tests that nobody read decide."""
    path = f"shop/part_{name}.py"
    kind = _kind_of(name)
    wrong, right = MISTAKES[kind]
    at.read(path)
    at.run(f"python -m unittest tests.test_part_{name}")
    at.edit(path, wrong, right if not fails else "return amount")
    at.run(f"python -m unittest tests.test_part_{name}")
    return f"{kind}() in {path} gives wrong amounts: mend it, tests/test_part_{name}.py says what is wanted.", ""


def index(at: At, name: str, *, fails: bool) -> tuple[str, str]:
    """A new file, which a program of the repository checks."""
    at.read(f"lists/{name}.txt")
    entries = (at.folder / f"lists/{name}.txt").read_text().split()
    lines = [f"{number} {entry}\n" for number, entry in enumerate(sorted(entries), 1)]
    at.write(f"index/{name}.txt", "".join(lines[:-1] if fails else lines))
    at.run(f"PYTHONPATH=. python tools/check_index.py {name}")
    return f"Write index/{name}.txt for lists/{name}.txt; tools/check_index.py {name} checks it.", ""


def setting(at: At, name: str, *, fails: bool) -> tuple[str, str]:
    """A value in a file; what the person accepted decides."""
    path = f"settings/{name}.json"
    at.edit(path, '"port": 80', '"port": 9000' if not fails else '"port": 80, "ports": 9000')
    return f"Set the port in {path} to 9000.", "No, that is wrong." if fails else "Perfect, thanks!"


KINDS = (mend, index, setting)


def _parts(number: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for letter in "ab":
        name, draw = f"{number}{letter}", random.Random(f"part {number}{letter}")
        kind = _kind_of(name)
        wrong, right = MISTAKES[kind]
        amount, percent = draw.randint(200, 900), draw.randint(5, 40)
        wanted = eval(right.removeprefix("return "), {"amount": amount, "percent": percent})
        found[f"shop/part_{name}.py"] = f"def {kind}(amount, percent):\n    {wrong}\n"
        found[f"tests/test_part_{name}.py"] = (
            f"import unittest\n\nfrom shop.part_{name} import {kind}\n\n\nclass Part(unittest.TestCase):\n"
            f"    def test_amount(self):\n        self.assertEqual({kind}({amount}, {percent}), {wanted})\n"
        )
        found[f"lists/{name}.txt"] = " ".join(draw.sample(WORDS, 5)) + f" n{number}\n"
        found[f"settings/{name}.json"] = f'{{"port": 80, "host": "shop-{number}"}}\n'
    return found


def _kind_of(name: str) -> str:
    return list(MISTAKES)[int(name[:-1]) % len(MISTAKES)]


def _git(at: Path, *words: str, **more: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**kept, **WHO, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", **more}
    return subprocess.run(
        ["git", "-C", str(at), *words], check=True, capture_output=True, text=True, env=environment
    ).stdout
