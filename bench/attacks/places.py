"""Attempts that are files, names, figures and signs for a terminal or a page."""

import contextlib
import io
import json
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ingesting import ingest, settings
from red_team import chat, clean
from strange_server import GOOD, StrangeServer, said

from attacks.texts import Tried, write
from trace2skill.core.budget import Budget
from trace2skill.core.errors import Trace2SkillError
from trace2skill.core.step_label import StepLabel
from trace2skill.domains import load_domain
from trace2skill.llm import Client, ModelSettings, Request
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.skills.file_names import wrong_name
from trace2skill.skills.skill import read_skill
from trace2skill.store import open_store
from trace2skill.types.task import Task

SKILL = "---\nname: work\ndescription: d\n---\n\n# Work\n"


# A workspace that a command leaves: nothing from outside may come along.
def _outside(root: Path) -> Path:
    path = root.parent / "outside.txt"
    path.write_text("OUTSIDE")
    return path


def _renamed(root: Path) -> None:
    (root / "a").mkdir()
    (root / "a" / "b").symlink_to(root.parent)


LEFT: dict[str, Callable[[Path], None]] = {
    "link to a file outside": lambda root: (root / "x.txt").symlink_to(_outside(root)),
    "link with dots": lambda root: (_outside(root), (root / "y.txt").symlink_to("../outside.txt"))[1],
    "link to a folder outside": lambda root: (_outside(root), (root / "up").symlink_to(".."))[1],
    "link in a folder": lambda root: (_outside(root), _renamed(root))[1],
    "link to the process": lambda root: (root / "env.txt").symlink_to("/proc/self/environ"),
    "link to a device": lambda root: (root / "zero").symlink_to("/dev/zero"),
}


# A skill directory that somebody gives: a typed refusal or a skill, at once.
def _given(root: Path, name: str = "SKILL.md", text: str = SKILL) -> None:
    (root / name).write_text(text)


def _sparse(root: Path) -> None:
    _given(root)
    with (root / "big.bin").open("wb") as file:
        file.truncate(30 * 2**30)


def _crowd(root: Path) -> None:
    _given(root)
    for number in range(6000):
        (root / f"f{number}").touch()


def _bound(root: Path) -> None:
    _given(root)
    socket.socket(socket.AF_UNIX).bind(str(root / "s"))


GIVEN: dict[str, Callable[[Path], Any]] = {
    "SKILL.md is a pipe": lambda root: os.mkfifo(root / "SKILL.md"),
    "SKILL.md is a link to a device": lambda root: (root / "SKILL.md").symlink_to("/dev/zero"),
    "SKILL.md is a link out": lambda root: (root / "SKILL.md").symlink_to("/etc/passwd"),
    "anchors in anchors": lambda root: _given(root, text="---\nname: work\ndescription: d\na: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(12)) + "---\n# W\n"),
    "deep front matter": lambda root: _given(root, text="---\nname: work\ndescription: " + "[" * 60_000 + "\n---\n# W\n"),
    "an object of Python": lambda root: _given(root, text="---\nname: work\ndescription: !!python/object/apply:os.system ['touch /tmp/owned-by-bench']\n---\n# W\n"),
    "a merge of itself": lambda root: _given(root, text="---\nname: work\ndescription: d\nx: &x {<<: *x}\n---\n# W\n"),
    "a number without end": lambda root: _given(root, text="---\nname: work\ndescription: d\nn: 0x" + "f" * 90_000 + "\n---\n# W\n"),
    "a date that is none": lambda root: _given(root, text="---\nname: work\ndescription: 2026-99-99\n---\n# W\n"),
    "30 GB of holes": _sparse,
    "6,000 files": _crowd,
    "a socket": _bound,
    "a folder in itself": lambda root: (_given(root), (root / "references").symlink_to("."))[1],
    "a name that turns": lambda root: (_given(root), (root / "a\x1b[2J.md").write_text("x"))[1],
}  # fmt: skip

# Names that a patch would give to a file: each must be refused.
NAMES = [
    "references/COM¹.md", "references/a\u200b.md", "references/aux.tar.md", "references/lpt³.md", "references/conin$.md", "references/CLOCK$.md", "references/a.md::$DATA", "references/Guide.md",
    "references/ｇuide.md", "references/guide.md/x.md", "references/ a.md", "references/a\u00a0.md", "references/-rf.md", "references/~root.md", "references/a\u2028b.md", "references/%2e%2e.md", "references/nul .md", "scripts/.git/config", "references/.GIT/hooks/post-checkout", "scripts/GIT~1/config", "scripts/.envrc", "references/" + "é" * 130 + ".md",
]  # fmt: skip


def resources() -> Tried:
    """What comes along, hangs, or raises what is not ours."""
    task = Task(id="t", domain="shell", instruction="Do it.", content="t", detail={"inline": "{}"})
    for name, make in LEFT.items():
        with scratch_directory("t2s-attack-") as directory:
            workspace = Path(directory) / "work"
            (workspace / "output").mkdir(parents=True)
            (workspace / "output" / "right.txt").write_bytes(b"right")
            make(workspace / "output")
            (Path(directory) / "outside.txt").write_text("OUTSIDE")
            (workspace / "outside.txt").unlink(missing_ok=True)
            found = load_domain("shell").collect(task, workspace)
            yield f"workspace: {name}", any(b"OUTSIDE" in content or b"PATH=" in content for content in found.values())
    for name, make in GIVEN.items():
        with tempfile.TemporaryDirectory() as directory:
            yield f"skill: {name}", _raises(make, Path(directory))
    for name in NAMES:
        yield f"name: {name[:40]!r}", not wrong_name(name, ["SKILL.md", "references/guide.md"])


def _raises(make: Callable[[Path], Any], root: Path) -> bool:
    make(root)
    try:
        skill = read_skill(root)
        from trace2skill.skills.skill import faults

        faults(skill)
    except Trace2SkillError:
        pass
    except BaseException:  # noqa: BLE001 - whatever it is, it is not ours
        return True
    return Path("/tmp/owned-by-bench").exists()


FIGURES: dict[str, Any] = {
    "full-width digits": {**GOOD, "prompt_tokens": "１００"}, "an exponent": {**GOOD, "prompt_tokens": "1e1"}, "yes": {**GOOD, "prompt_tokens": True}, "hexadecimal": {**GOOD, "completion_tokens": "0x1"},
    "an object": {**GOOD, "prompt_tokens": {"n": 5}}, "a list": {**GOOD, "completion_tokens": [5]}, "less than nothing, as text": {**GOOD, "prompt_tokens": "-5"}, "minus zero": {**GOOD, "prompt_tokens": -0.0},
    "cached less than none": {**GOOD, "prompt_tokens_details": {"cached_tokens": -90}}, "cached more than all": {**GOOD, "prompt_tokens_details": {"cached_tokens": 10**9}}, "details that are a text": {**GOOD, "prompt_tokens_details": "none"},
    "details that are a list": {**GOOD, "completion_tokens_details": [1]}, "reasoning less than none": {**GOOD, "completion_tokens_details": {"reasoning_tokens": -500}}, "a bill of its own": {**GOOD, "cost": -5.0}, "cache reads": {**GOOD, "cache_read_input_tokens": 10**9, "cache_creation_input_tokens": -10**6},
    "twice the same name": '@{"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens": 0}', "nested twice": {"usage": GOOD}, "other names": {"input_tokens": 0, "output_tokens": 0}, "total alone": {"total_tokens": 0}, "one token for all": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}  # fmt: skip
PROMPT, ANSWER, DOLLARS = "Count the words of this line, please. " * 40, "There are many words in it. " * 20, 1000.0
LEAST = 0.3
"""Dollars: what a third of the tokens that the prompt and the answer certainly have would cost, and no more than that."""


def usage_figures() -> Tried:
    """What costs less than it can have cost, or raises what is not ours."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {"OPENAI_API_KEY": "sk-bench"}):
        for number, (name, figures) in enumerate(FIGURES.items()):
            body: Any = said(ANSWER, usage="@" if isinstance(figures, str) else figures)
            if isinstance(figures, str):
                body = json.dumps(body).replace('"@"', figures[1:])
            store = open_store(Path(folder) / f"{number}.duckdb")
            with StrangeServer((200, body, {})) as server:
                own = ModelSettings(name="openai/mine", api_base=server.url, price=(DOLLARS, DOLLARS), max_tokens=200)
                request = Request(role="agent", settings=own, messages=({"role": "user", "content": PROMPT},))
                try:
                    Client(store, Budget(None), "run").complete(request, step=StepLabel("s"))
                    raised = False
                except Trace2SkillError:
                    raised = False
                except Exception:  # noqa: BLE001 - whatever it is, it is not ours
                    raised = True
            rows = store.ledger()
            store.close()
            floor = 0.1 if figures is not FIGURES["one token for all"] else LEAST
            yield name, raised or len(rows) != 1 or not floor <= rows[0].cost < 3


SIGNS = {
    "C1 introducer": "\x9b2J", "OSC 8 link": "\x1b]8;;zed\x07link\x1b]8;;\x07", "clipboard": "\x1b]52;c;eA==\x07", "title": "\x1b]0;t\x1b\\", "device string": "\x1bPq#0\x1b\\", "C1 device string": "\x90x\x9c", "back and over": "safe\x08\x08\x08\x08evil",
    "line rewritten": "safe\revil", "next line": "a\x85b", "line separator": "a\u2028b", "isolate": "a\u2067b\u2069", "right to left mark": "a\u200fb", "tags": "a\U000e0041b", "form feed": "a\x0cb", "shift out": "a\x0eb", "delete": "a\x7fb",
    "script": "<script>zq()</script>", "image": "<img src=x onerror=zq()>", "svg": "<svg/onload=zq()>", "quote and handler": '" autofocus onfocus="zq()', "single quote": "' onmouseover='zq()", "end of pre": "</pre><iframe src=//zed>", "end of style": "</style><script>zq()</script>",
    "end of textarea": "</textarea><form action=//zed>", "entity": "&lt;script&gt;zq()", "template": "{{ 7*7191 }}{% raw %}", "comment": "--><script>zq()</script><!--", "markup": "[/b][link=zed]x[/link]", "markup open": "[bold red", "fence": "```\n# Heading zq\n```", "setext": "zq\n===", "table": "a | b\n--|--",
    "link": "[x](javascript:zq())", "yaml": "x\n---\nname: zq", "svg end": "</text></svg><script>zq()</script>",
}  # fmt: skip
"""In the names of files, tools, arguments and tasks, in what is said and in what fails."""
RAW = {
    chr(code)
    for code in (
        *range(9),
        11,
        12,
        *range(14, 32),
        *range(127, 160),
        0x2028,
        0x2029,
        0x2067,
        0x2069,
        0x200F,
        0xE0041,
        13,
    )
}


class _Page(HTMLParser):
    """What of a page is not ours."""

    def __init__(self) -> None:
        super().__init__()
        super().__init__()
        self.odd: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "img", "iframe", "form", "object", "embed", "textarea"):
            self.odd.append(tag)
        self.odd += [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]


def signs_on_terminal_and_page() -> Tried:
    """Each in logs of its own, through an ingestion; then every command and page that shows it."""
    for name, sign in SIGNS.items():
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            try:
                shown = _shown(root, sign)
            except Exception as error:  # noqa: BLE001 - what raises got through
                yield f"{name} ({type(error).__name__})", True
                continue
            page = _Page()
            pages = shown.pop("report.html")
            page.feed(pages)
            skill = shown["SKILL.md"]
            raw = {sign for text in shown.values() for sign in text if sign in RAW}
            own = [line.strip() for line in skill.splitlines()]
            made = any(line in ("# Heading zq", "===", "name: zq") for line in own) or "](javascript:" in skill
            forged = _lines_of_its_own(sign, [text for what, text in shown.items() if what != "SKILL.md"])
            yield name, bool(page.odd or raw or made or forged or "50337" in pages)


def _lines_of_its_own(sign: str, printed: list[str]) -> bool:
    """Does a part behind a line's end begin a line of what is printed?"""
    later = [part.strip() for part in sign.split("\n")[1:]]
    lines = {line.strip() for text in printed for line in text.split("\n")}
    return any(line == part or (part.isalpha() and line.startswith(part)) for line in lines for part in later)


def _shown(root: Path, sign: str) -> dict[str, str]:
    logs = root / "logs"
    logs.mkdir()
    file_name = sign.replace("/", "_").encode()[:200].decode("utf-8", "ignore")
    for twin in range(3):
        turns = [
            (f"pay {sign}", {"by": f"{twin}", sign: sign}, f"Error: {sign} no amount"),
            (f"pay {sign}", {"by": f"{twin}", sign: "two"}, "ok"),
            ("pay", {"amount": 3}, "Error: the amount does not add up"),
            ("pay", {"amount": 4, "by": sign}, sign),
        ]
        write(logs / f"{file_name}{twin}.json", chat(f"{sign}{twin}", turns, f"Task {twin} {sign}: pay."))
    for number, session in enumerate(clean()):
        write(logs / f"clean{number}.json", session)
    given = settings(root, logs)
    summary = ingest(given)
    store = open_store(given.store)
    runs = [row.id for row in store.run_heads()]
    names = [item.trajectory_id for item in summary.analyses[:2]]
    store.close()
    forget_runtimes()
    directory = summary.candidate_directory
    assert directory is not None, "what is clean is learned all the same"
    shown = {
        "SKILL.md": "".join(path.read_text() for path in directory.rglob("*.md")),
        "report.html": "".join(path.read_text() for path in sorted(root.rglob("*.html"))),
    }

    asked = [
        ["show"],
        ["why", str(directory)],
        ["quarantine"],
        ["nights", str(directory)],
        ["book", str(directory)],
        ["versions"],
    ]
    for run in runs:
        asked += [["show", run], ["lessons", run], *[["patch", run, name] for name in names]]
    for arguments in asked:
        shown[" ".join(arguments)] = _command(root, *arguments, "--store", str(given.store))
    return shown


def _command(root: Path, *arguments: str) -> str:
    """What a command prints, on both ways."""
    from trace2skill.cli.app import main
    from trace2skill.store.database import close_all

    out = io.StringIO()
    with (
        contextlib.chdir(root),
        patch.dict(os.environ, {"COLUMNS": "1000"}),
        patch.object(sys, "argv", ["trace2skill", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
        contextlib.suppress(SystemExit),
    ):
        try:
            main()
        finally:
            forget_runtimes()
            close_all()
    return out.getvalue()
