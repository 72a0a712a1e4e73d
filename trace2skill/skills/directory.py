"""What lies in a skill's directory, read with limits: it may come from anywhere, and anything may lie in it.

A link that stays inside is read as what it leads to. What cannot be a file of a skill (a pipe, a link that leads out, a
name that no zip and no JSON can carry) is refused by its name, and nothing that is not a plain file is ever opened.
"""

import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from trace2skill.core.errors import BadInput

IGNORED = {".git", "__pycache__", ".DS_Store"}
MOST_BYTES, MOST_FILES, MOST_LEVELS = 64 * 2**20, 5000, 20
MOST_ENTRIES = 2 * MOST_FILES
"""Files and folders by all ways: links inside may lead to each folder on many, without one file."""


class FoundFile(NamedTuple):
    """A file by its path inside the skill."""

    path: str
    content: bytes
    executable: bool


def found_in(directory: Path) -> list[FoundFile]:
    """Every file below a directory, sorted by path.

    Raises:
        BadInput: something there cannot be a file of a skill, or all of it is too much; names it.
    """
    places, root = [], directory.resolve()
    for place in _walk(directory, root, "", (), itertools.count(1)):
        places.append(place)
        if len(places) > MOST_FILES:
            raise BadInput(f"{_named(directory)} holds more than {MOST_FILES} files: that is no skill")
    size = sum(state.st_size for _, _, state in places)
    if size > MOST_BYTES:
        largest, _, state = max(places, key=lambda place: place[2].st_size)
        raise BadInput(
            f"{directory} holds {size / 2**20:.0f} MB, more than the {MOST_BYTES // 2**20} MB of a skill; the largest "
            f"file is {largest} with {state.st_size / 2**20:.0f} MB: leave out what an agent does not read"
        )
    found = [
        FoundFile(path, _content(place, state, root), bool(state.st_mode & 0o100)) for path, place, state in places
    ]
    return sorted(found, key=lambda file: file.path)


def _walk(
    directory: Path, root: Path, inside: str, above: tuple[Path, ...], seen: Iterator[int]
) -> Iterator[tuple[str, Path, os.stat_result]]:
    """Path inside the skill, place and state of every file. `above` are the directories on the way, links resolved."""
    here = directory.resolve()
    if here in above or len(above) > MOST_LEVELS:
        raise BadInput(f"{_named(directory)} leads back into itself: put the files themselves there")
    try:
        with os.scandir(directory) as found:
            entries = sorted(itertools.islice(found, MOST_ENTRIES + 1), key=lambda entry: entry.name)
    except OSError as error:
        raise BadInput(f"{_named(directory)} cannot be read: {error.strerror}") from error
    for entry in entries:
        if entry.name in IGNORED:
            continue
        if next(seen) > MOST_ENTRIES:
            raise BadInput(f"{_named(root)} holds more than {MOST_ENTRIES} files and folders: that is no skill")
        place = Path(entry.path)
        if problem := bad_name(entry.name):
            raise BadInput(f"{_named(place)}: {problem}; rename it")
        try:
            state = place.stat()
            leads_to = place.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise BadInput(
                f"{place} cannot be read: {getattr(error, 'strerror', None) or 'a link to itself'}"
            ) from error
        if not leads_to.is_relative_to(root):
            raise BadInput(f"{place} is a link that leads out of the skill: put the file itself there")
        if stat.S_ISDIR(state.st_mode):
            yield from _walk(place, root, f"{inside}{entry.name}/", (*above, here), seen)
        elif stat.S_ISREG(state.st_mode):
            yield f"{inside}{entry.name}", place, state
        else:
            raise BadInput(f"{place} is no plain file but a pipe, a socket or a device: take it out of the skill")


def bad_name(name: str) -> str:
    """Why a name cannot be that of a file of a skill, '' where it can."""
    if "\\" in name:
        return "a backslash in a name is a directory elsewhere"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in name):
        return "the name holds a control character"
    return ""


def _content(place: Path, seen: os.stat_result, root: Path) -> bytes:
    """The content of a plain file: of the one that was looked at, below `root`, and no more of it than was there."""
    try:
        handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            state = os.fstat(handle)
            if (state.st_dev, state.st_ino) != (seen.st_dev, seen.st_ino) or not _is_below(root, handle):
                raise BadInput(f"{place} was replaced while it was read: try again when nobody writes to it")
            content = file.read(seen.st_size + 1)
    except OSError as error:
        raise BadInput(f"{place} cannot be read: {error.strerror}") from error
    if len(content) > seen.st_size:
        raise BadInput(f"{place} grows while it is read")
    return content


def _is_below(root: Path, handle: int) -> bool:
    """Is the file that is open below a directory? A link may have led elsewhere between any two looks at its name.

    The kernel says where it is; true where it does not say.
    """
    try:
        return Path(os.readlink(f"/proc/self/fd/{handle}")).is_relative_to(root)
    except OSError:
        return True


def _named(place: Path) -> str:
    """A path that can be printed, whatever bytes it has."""
    text = str(place).encode("utf-8", "backslashreplace").decode()
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
