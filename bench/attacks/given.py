"""Attempts by what is given: a skill directory, what a front matter says, and the places a skill is exported to."""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attacks.texts import Tried
from trace2skill.core.errors import Trace2SkillError
from trace2skill.skills.skill import Skill, problems, read_skill
from trace2skill.store import open_store
from trace2skill.versions.export import to_directory, to_git, to_zip
from trace2skill.versions.registry import Registry, Version

SKILL = "---\nname: work\ndescription: d\n---\n\n# Work\n"
LONGEST = 4.0
"""Seconds of the processor that a refusal or a reading may take."""


def _given(root: Path, text: str = SKILL) -> Path:
    (root / "SKILL.md").write_text(text)
    return root


def _ladder(root: Path, levels: int = 12, wide: int = 10) -> None:
    """Folders whose links all lead to the next: as many ways as 10 to the 12th, and not one file."""
    for level in range(levels):
        (root / f"d{level}").mkdir()
    for level in range(levels - 1):
        for link in range(wide):
            (root / f"d{level}" / f"l{link}").symlink_to(f"../d{level + 1}")


def _many(root: Path, count: int, make: Callable[[Path], Any]) -> None:
    for number in range(count):
        make(root / f"n{number}")


def _holed(root: Path) -> None:
    _many(root, 3, lambda path: os.close(os.open(path, os.O_CREAT | os.O_WRONLY)))
    for path in root.glob("n*"):
        os.truncate(path, 40 * 2**30)


def _deep(root: Path) -> None:
    here = os.open(root, os.O_RDONLY)
    for _ in range(900):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


LAID: dict[str, Callable[[Path], Any]] = {
    "a ladder of links": lambda root: _ladder(_given(root)),
    "100,000 files": lambda root: _many(_given(root), 100_000, lambda path: os.close(os.open(path, os.O_CREAT | os.O_WRONLY))),
    "12,000 empty folders": lambda root: _many(_given(root), 12_000, os.mkdir),
    "files of holes": lambda root: _holed(_given(root)),
    "900 levels": lambda root: _deep(_given(root)),
    "a pipe behind a link": lambda root: (os.mkfifo(_given(root) / "p"), (root / "a.md").symlink_to("p")),
    "a link to a descriptor": lambda root: (_given(root) / "a.md").symlink_to("/proc/self/fd/0"),
    "a link through the process": lambda root: (_given(root) / "a.md").symlink_to(f"/proc/self/root{root}/SKILL.md"),
    "links in a ring": lambda root: ((_given(root) / "a").symlink_to("b"), (root / "b").symlink_to("a")),
    "names that are no UTF-8": lambda root: os.close(os.open(os.fsencode(_given(root)) + b"/a\xff.md", os.O_CREAT | os.O_WRONLY)),
    "twins by case and form": lambda root: [(_given(root) / name).write_text("x") for name in ("A.md", "a.md", "\u00fc.md", "u\u0308.md")],
    "a SKILL.md of 60 MB of brackets": lambda root: _given(root, SKILL + "[" * 60_000_000),
    "20,000 links in each other": lambda root: _given(root, SKILL + "[a](" * 20_000),
    "200,000 quotes in each other": lambda root: _given(root, SKILL + ">" * 200_000),
    "lists in each other": lambda root: _given(root, SKILL + "".join("  " * level + "- a\n" for level in range(3000))),
    "a thousand references, each to all": lambda root: [_given(root, SKILL + "[a](references/0.md)"), (root / "references").mkdir(), [(root / "references" / f"{n}.md").write_text("".join(f"[{m}]({m}.md)\n" for m in range(300))) for n in range(300)]],
    "a great table": lambda root: _given(root, SKILL + "|a" * 3000 + "|\n" + "|-" * 3000 + "|\n" + "|\n" * 3000),
}  # fmt: skip

# Front matters: a skill or a typed refusal, whatever YAML makes of them.
FRONT = [
    "a: !!bool maybe", "a: !!int ''", "a: !!int x", "a: !!float x", "a: !!timestamp x", "a: !!timestamp 2001-01-01T00:00:00+99:99", "a: 0001-01-01T00:00:00+23:59", "a: 2001-02-30", "a: !!binary '!'", "a: !!binary é",
    "a: !!set [x]", "a: !!omap {x: y}", "a: !!pairs x", "a: !!map x", "a: !!str {x: y}", "a: !!seq {x: y}", "a: !<tag:x> y", "a: !!python/name:os.system x", "a: 9" + "9" * 20_000, "a: 1e" + "9" * 5000, "a: 0b", "a: 0o9", "a: 0x",
    "? {a: b}\n: c", "? [a, b]\n: c", "? ? ? ? a", "a: &a [*a]", "a: *b", "<<: x", "<<: [x]", "<<: &a {<<: *a}", "a: 1\na: 2", "%YAML 9.9", "%TAG ! x", "a: |99\n x", "a: \"\\UFFFFFFFF\"", "a: \"\\uD800\"", "a: \x07", "- a", "a",
    "- " * 5000 + "a", "? " * 5000 + "a", "a: " * 3000 + "b", "metadata: [1]", "metadata: {1: {2: 3}}", "allowed-tools: {a: b}", "license: [1, 2]", "compatibility: 5", "name: [work]", "name: {a: b}", "name: 2001-01-01", "name: 5", "description: [d]", "description: 5", "description: 2001-01-01", "name: null", "a: .nan", "a: 12:30:45", "a: '" + "x" * 60_000 + "'",
]  # fmt: skip


class Late(BaseException):
    """It took too long. No error that anybody else takes for his own."""


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise where something takes longer than that of the processor."""

    def late(*_: object) -> None:
        raise Late

    old = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)


def _is_ours(act: Callable[[], Any]) -> bool:
    """Does it end, and with nothing but an error of ours?"""
    try:
        with within(LONGEST):
            act()
    except Trace2SkillError as error:
        try:
            str(error).encode()
        except UnicodeEncodeError:
            return False
        return True
    except (Exception, Late):  # noqa: BLE001 - whatever it is, it is not ours
        return False
    return True


def directories() -> Tried:
    """What hangs, raises what is not ours, or takes in what is not the skill's."""
    for name, make in LAID.items():
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory) / "work"
            root.mkdir()
            make(root)
            yield f"laid: {name}", not _is_ours(lambda root=root: problems(read_skill(root)))
            subprocess.run(["rm", "-rf", str(root)], check=True)
    for front in FRONT:
        with tempfile.TemporaryDirectory() as directory:
            yield f"front matter: {front[:40]!r}", raises_what_is_not_ours(front, Path(directory))
    yield from _changing()


def raises_what_is_not_ours(front: str, root: Path) -> bool:
    """Does a front matter with these lines raise anything but an error of ours?"""
    field = front.split(":")[0]
    kept = [line for line in SKILL.splitlines() if field not in ("name", "description") or not line.startswith(field)]
    text = "\n".join(kept).replace("\n---\n", f"\n{front}\n---\n", 1)
    (root / "SKILL.md").write_bytes(text.encode("utf-8", "surrogatepass"))
    return not _is_ours(lambda: problems(read_skill(root)))


def _changing() -> Tried:
    """A file that becomes a link out between the look at it and its reading, thousands of times."""
    with tempfile.TemporaryDirectory() as directory:
        root, secret = Path(directory) / "work", Path(directory) / "secret"
        root.mkdir()
        secret.write_text("OUTSIDE")
        _given(root)
        over = threading.Event()

        def swap() -> None:
            while not over.is_set():
                for make in (lambda path: path.write_text("inside"), lambda path: path.symlink_to(secret)):
                    make(root / "new")
                    os.replace(root / "new", root / "a.md")

        thread = threading.Thread(target=swap)
        thread.start()
        through, end = False, time.process_time() + 3
        while time.process_time() < end and not through:
            with contextlib.suppress(Trace2SkillError):
                through = any(file.content == b"OUTSIDE" for file in read_skill(root).files)
        over.set()
        thread.join()
        yield "changing: a file becomes a link out", through


def _git(repository: Path, *arguments: str) -> str:
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = subprocess.run(["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True, env={**os.environ, **who})  # fmt: skip
    return done.stdout


def _hooked(repository: Path, mark: Path) -> None:
    for hook in ("reference-transaction", "post-commit", "pre-commit", "update", "post-update", "post-index-change"):
        (repository / ".git" / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (repository / ".git" / "hooks" / hook).chmod(0o755)


def _program(mark: Path) -> Path:
    path = mark.with_name("program")
    path.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
    path.chmod(0o755)
    return path


def _signed(repository: Path, mark: Path) -> None:
    """A signed commit of an export, and a program that is to check it."""
    name, mail = "trace2skill", "trace2skill@localhost"
    commit = f"tree {_git(repository, 'write-tree').strip()}\nauthor {name} <{mail}> 1 +0000\ncommitter {name} <{mail}> 1 +0000\ngpgsig -----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----\n\nm\n"
    made = subprocess.run(["git", "-C", str(repository), "hash-object", "-t", "commit", "-w", "--stdin"], input=commit.encode(), capture_output=True, check=True)  # fmt: skip
    _git(repository, "update-ref", "refs/heads/skills", made.stdout.decode().strip())
    _git(repository, "config", "log.showSignature", "true")
    _git(repository, "config", "gpg.program", str(_program(mark)))


def _promised(repository: Path, mark: Path) -> None:
    """A commit whose parent is missing and promised by a remote that is a program."""
    name, mail = "trace2skill", "trace2skill@localhost"
    commit = f"tree {_git(repository, 'write-tree').strip()}\nparent {'1' * 40}\nauthor {name} <{mail}> 1 +0000\ncommitter {name} <{mail}> 1 +0000\n\nm\n"
    made = subprocess.run(["git", "-C", str(repository), "hash-object", "-t", "commit", "-w", "--stdin"], input=commit.encode(), capture_output=True, check=True)  # fmt: skip
    for key, value in {"core.repositoryformatversion": "1", "extensions.partialClone": "origin", "remote.origin.promisor": "true", "remote.origin.url": f"ext::{_program(mark)}", "protocol.ext.allow": "always"}.items():  # fmt: skip
        _git(repository, "config", key, value)
    (repository / ".git" / "refs" / "heads" / "skills").write_text(made.stdout.decode())


REPOSITORIES: dict[str, Callable[[Path, Path], Any]] = {
    "hooks": _hooked,
    "hooks elsewhere": lambda repository, mark: (_hooked(repository, mark), (repository / ".git" / "hooks").rename(repository / "h"), _git(repository, "config", "core.hooksPath", str(repository / "h"))),
    "a watcher of files": lambda repository, mark: _git(repository, "config", "core.fsmonitor", str(_program(mark))),
    "a pager": lambda repository, mark: [_git(repository, "config", key, str(_program(mark))) for key in ("core.pager", "pager.log", "core.editor", "core.sshCommand", "core.askPass")],
    "a program that checks signatures": _signed,
    "objects that a program promises": _promised,
}  # fmt: skip


def exports() -> Tried:
    """What is lost, written elsewhere, or run by an export."""
    with tempfile.TemporaryDirectory() as directory:
        store = open_store(Path(directory) / "s.duckdb")
        registry = Registry(store)
        (Path(directory) / "work").mkdir()
        skill = read_skill(_given(Path(directory) / "work"))
        registry.record(skill, Version(name="work", skill=skill.digest, state="by_hand"))
        for number, (name, make) in enumerate(REPOSITORIES.items()):
            repository, mark = Path(directory) / f"r{number}", Path(directory) / f"mark{number}"
            repository.mkdir()
            _git(repository, "init", "-q", "-b", "main")
            make(repository, mark)
            mark.unlink(missing_ok=True)  # our own calls may have left it
            ours = _is_ours(lambda repository=repository: to_git(registry, "work", repository, "skills"))
            yield f"git: {name}", mark.exists() or not ours
        yield from _elsewhere(Path(directory), registry)
        yield from _places(Path(directory), skill)
        store.close()


def _elsewhere(root: Path, registry: Registry) -> Tried:
    mine, other = root / "mine", root / "other"
    for repository in (mine, other):
        repository.mkdir()
        _git(repository, "init", "-q", "-b", "main")
    os.environ["GIT_DIR"] = str(other / ".git")
    _is_ours(lambda: to_git(registry, "work", mine, "skills"))
    del os.environ["GIT_DIR"]
    yield "git: the environment names another repository", bool(_git(other, "branch", "--list", "skills"))
    _git(mine, "branch", "-D", "skills") if _git(mine, "branch", "--list", "skills") else ""
    _git(mine, "symbolic-ref", "refs/heads/skills", "refs/heads/main")
    _is_ours(lambda: to_git(registry, "work", mine, "skills"))
    yield "git: a branch that stands for another", bool(_git(mine, "branch", "--list", "main"))


def _places(root: Path, skill: Skill) -> Tried:
    def fresh(name: str) -> Path:
        path = root / name
        path.mkdir()
        return path

    at = fresh("notes")
    (at / "work").mkdir()
    (at / "work" / "thesis.txt").write_text("mine")
    _is_ours(lambda: to_directory(skill, at))
    yield "directory: somebody's folder of that name", not (at / "work" / "thesis.txt").exists()
    at, precious = fresh("linked"), fresh("precious")
    (precious / "thesis.txt").write_text("mine")
    (at / "work").symlink_to(precious)
    _is_ours(lambda: to_directory(skill, at))
    yield "directory: a link to a folder elsewhere", not (precious / "thesis.txt").exists()
    at = fresh("checkout")
    to_directory(skill, at)
    _git(at / "work", "init", "-q")
    _is_ours(lambda: to_directory(skill, at))
    yield "directory: a repository of its own", not (at / "work" / ".git").exists()
    at = fresh("file")
    (at / "work").write_text("mine")
    ours = _is_ours(lambda: to_directory(skill, at))
    yield "directory: a file of that name", not ours or (at / "work").is_dir()
    for number, name in enumerate(("../up", "a/b", "", ".", "CON", "Work", "-rf", "/tmp/abs")):
        made = Skill.model_validate({"files": [{"path": "SKILL.md", "content": f"---\nname: '{name}'\ndescription: d\n---\n# W\n".encode()}]})  # fmt: skip
        at = fresh(f"named{number}")
        before = sorted(root.iterdir())
        yield f"directory: the name {name!r}", not _is_ours(lambda made=made, at=at: to_directory(made, at)) or bool(list(at.iterdir())) or sorted(root.iterdir()) != before  # fmt: skip
    at = fresh("zips")
    (at / "rc").write_text("mine")
    (at / "x.skill").symlink_to(at / "rc")
    _is_ours(lambda: to_zip(skill, at / "x.skill"))
    yield "zip: a link to a file elsewhere", (at / "rc").read_bytes() != b"mine"
    (at / "notes.txt").write_text("mine")
    _is_ours(lambda: to_zip(skill, at / "notes.txt"))
    yield "zip: somebody's file", (at / "notes.txt").read_bytes() != b"mine"
    os.mkfifo(at / "pipe")
    done = threading.Thread(target=lambda: _quiet(skill, at / "pipe"), daemon=True)
    done.start()
    done.join(1)
    yield "zip: a pipe", done.is_alive()
    if done.is_alive():
        os.close(os.open(at / "pipe", os.O_RDONLY | os.O_NONBLOCK))
    (at / "d").mkdir()
    yield "zip: a folder", not _is_ours(lambda: to_zip(skill, at / "d"))


def _quiet(skill: Skill, path: Path) -> None:
    with contextlib.suppress(Exception):
        to_zip(skill, path)
