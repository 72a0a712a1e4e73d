"""Commits as `git fast-import` reads them: no file, no index and no working tree is needed to make one."""

from collections.abc import Mapping
from datetime import UTC, datetime

from trace2skill.skills.skill import Skill, SkillFile

AUTHOR = "trace2skill <trace2skill@localhost>"


def head(ref: str, message: str, when: str, mark: int = 0) -> bytes:
    """The beginning of a commit.

    Args:
        ref: the full name of what it is put on.
        message: in words.
        when: UTC, as the store writes it (2026-11-29T19:00:00Z).
        mark: number by which the same stream can name it; 0 for none.
    """
    seconds = int(datetime.strptime(when, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())
    lines = [f"commit {ref}", *([f"mark :{mark}"] if mark else []), f"committer {AUTHOR} {seconds} +0000"]
    return "\n".join(lines).encode() + b"\n" + data(message.encode())


def change(
    ref: str,
    parent: str,
    inside: str,
    before: Skill | None,
    after: Skill,
    message: str,
    when: str,
    ways: Mapping[str, tuple[str, ...]],
) -> bytes:
    """A commit on top of another, by which a directory holds `after` in place of `before`. Other files stay.

    Args:
        ref: what it is put on.
        parent: the commit below.
        inside: the directory, ending with '/', '' for the root.
        before: what the parent has there; a file that stays as it is, is not touched.
        after: what is to be there.
        message: in words.
        when: see `head`.
        ways: by path of a file in `before` those of itself and, for a link, of all that it leads to. What hangs on a
            file that changes is written out: it has a content of its own in `after`.
    """
    old = {file.path: file for file in before.files} if before else {}
    new = {file.path: file for file in after.files}
    body = b"".join(f"D {quoted(inside + path)}\n".encode() for path in sorted(old.keys() - new.keys()))
    stays = {path for path, file in new.items() if old.get(path) == file}
    body += b"".join(
        written(file, inside) for path, file in new.items() if not stays.issuperset(ways.get(path, (path,)))
    )
    return head(ref, message, when) + f"from {parent}\n".encode() + body + b"\n"


def written(file: SkillFile, inside: str) -> bytes:
    """A file with its content, below a directory."""
    mode = "100755" if file.executable else "100644"
    return f"M {mode} inline {quoted(inside + file.path)}\n".encode() + data(file.content)


def quoted(path: str) -> str:
    """A path as it is read whatever signs it has: in quotes, as a string of C."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def data(content: bytes) -> bytes:
    """Bytes with their length before them."""
    return b"data %d\n" % len(content) + content + b"\n"
