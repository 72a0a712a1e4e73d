"""The folder: files that are whole or not there, made once, read by their owner alone, and no link is followed.

Several runs and several people work on one folder at the same time. Nobody holds a lock: what must happen once is a
file that can be made once (link(2) fails where the name exists).

    handoff.json              says that this is such a folder, and of which version
    waiting/ID.md             a request that nobody has answered yet, whole, to be read
    heads/ID.json             who asks, since when, in which conversation; touched by whoever waits for the answer
    bodies/ID.json            messages, tools, schema
    claims/CONVERSATION.json  who answers this conversation
    handed/ID.json            to whom this request was printed, and what of it was left out
    answers/ID.json           the answer
    said/DIGEST, next/ID      by which answer a history ends, and which request goes on from it
    shown/DIGEST              where a reader was shown a prompt that comes again and again
    pictures/DIGEST.png       pictures of requests
    askers/ID+DIGEST          one who waits for the answer to a request; several, where equal requests are one
    ended/ID                  nothing goes on from the answer to this request
    runs/                     a locked file for each process that asks
"""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record

N = TypeVar("N", bound=Record)
MARK = "handoff.json"
VERSION = 1
PLACES = (
    *("waiting", "heads", "bodies", "claims", "handed", "answers", "said", "next", "shown", "pictures", "askers"),
    *("ended", "runs"),
)
NAME = re.compile(r"[0-9a-f]{8,64}(\.[a-z]{2,4})?")
ATTENDED_SECONDS = 20.0
"""A request that nobody has touched for so long is waited for by no run now."""


NOT_EMPTY = "{path} is not empty and no handoff folder: name a new or an empty directory"


class FolderMark(Record):
    """What `handoff.json` holds."""

    format: str = "trace2skill handoff"
    version: int = VERSION


class Folder:
    """A handoff folder. Safe to use from many threads and processes.

    Raises:
        BadInput: it is no such folder, and not an empty one that could become one; or a newer version wrote it.
    """

    def __init__(self, path: Path, *, make: bool = False) -> None:
        self.path = path
        if not make and not (path / MARK).is_file():
            raise BadInput(f"{path} is no handoff folder: a run with --model handoff/{path} makes it when it begins")
        try:
            if make:
                self._make()
            self._check()
        except OSError as error:
            raise BadInput(f"the handoff folder {path} cannot be used: {error.strerror or error}") from error

    def _make(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = self.path / MARK
        if mark.is_file():
            return
        free_for_one(self.path)
        self.path.chmod(0o700)
        with contextlib.closing(_Directory(self.path, top=True)) as top:
            top.make(MARK, FolderMark().model_dump_json().encode())

    def _check(self) -> None:
        with contextlib.closing(_Directory(self.path, top=True)) as top:
            raw = top.read(MARK)
        try:
            mark = FolderMark.model_validate_json(raw or b"")
        except ValidationError as error:
            raise BadInput(f"{self.path} is no handoff folder: its {MARK} says something else") from error
        if mark.version > VERSION:
            raise BadInput(f"the handoff folder {self.path} was made by a newer version: use that one")
        for place in PLACES:
            with contextlib.suppress(FileExistsError):
                (self.path / place).mkdir(mode=0o700)
            with self._open(place):
                pass

    def put(self, place: str, name: str, content: Record | bytes) -> bool:
        """Write a file that is not there yet; False where it is, which is then left as it was."""
        raw = content if isinstance(content, bytes) else content.model_dump_json(indent=1).encode("utf-8")
        with self._open(place) as directory:
            return directory.make(_checked(name), raw)

    def hold(self, place: str, name: str) -> int:
        """An empty file that is locked before it has its name, so that nobody ever finds it unlocked; its handle."""
        with self._open(place) as directory:
            return directory.hold(_checked(name))

    def read(self, place: str, name: str) -> bytes | None:
        """The content of a file; None where it is not there.

        Raises:
            BadInput: it is a link, or no file.
        """
        with self._open(place) as directory:
            return directory.read(_checked(name))

    def get(self, place: str, name: str, cls: type[N]) -> N | None:
        """The record in a file; None where it is not there.

        Raises:
            BadInput: it holds something else; the message names it.
        """
        raw = self.read(place, name)
        if raw is None:
            return None
        try:
            return cls.model_validate_json(raw)
        except ValidationError as error:
            raise BadInput(
                f"{self.path / place / name} is not what `trace2skill handoff` writes: remove it, and what it held is "
                "asked for again"
            ) from error

    def names(self, place: str) -> set[str]:
        """The names in a place, without their endings."""
        with self._open(place) as directory:
            return {name.partition(".")[0] for name in os.listdir(directory.handle) if NAME.fullmatch(name)}

    def has(self, place: str, name: str) -> bool:
        """Is there such a file?"""
        with self._open(place) as directory:
            try:
                os.stat(_checked(name), dir_fd=directory.handle, follow_symlinks=False)
            except FileNotFoundError:
                return False
            return True

    def remove(self, place: str, name: str) -> bool:
        """Remove a file; False where it was not there."""
        with self._open(place) as directory:
            try:
                os.unlink(_checked(name), dir_fd=directory.handle)
            except FileNotFoundError:
                return False
            return True

    def attend(self, request: str, at: float | None = None) -> None:
        """Say that the answer of a request is waited for now, or at `at`, in seconds since 1970."""
        times = None if at is None else (at, at)
        with self._open("heads") as directory, contextlib.suppress(FileNotFoundError):
            os.utime(f"{_checked(request)}.json", times, dir_fd=directory.handle, follow_symlinks=False)

    def attended(self, request: str) -> bool:
        """Does a run wait for the answer?"""
        with self._open("heads") as directory:
            try:
                status = os.stat(f"{_checked(request)}.json", dir_fd=directory.handle, follow_symlinks=False)
            except FileNotFoundError:
                return False
            return time.time() - status.st_mtime < ATTENDED_SECONDS

    @contextlib.contextmanager
    def _open(self, place: str) -> Iterator["_Directory"]:
        try:
            directory = _Directory(self.path / place)
        except OSError as error:
            link = error.errno in (errno.ELOOP, errno.ENOTDIR)
            why = "is a link or a file, and is not followed" if link else str(error.strerror)
            raise BadInput(f"{self.path / place} {why}") from error
        try:
            yield directory
        finally:
            directory.close()


def free_for_one(path: Path) -> bool:
    """Can a handoff folder be made here: is nothing there, or an empty directory?

    Raises:
        BadInput: something else is there.
    """
    mark = path / MARK
    if mark.is_file():
        return False
    if path.exists() and not path.is_dir():
        raise BadInput(NOT_EMPTY.format(path=path))
    strange = [name for name in os.listdir(path) if not name.startswith(".new-")] if path.is_dir() else []
    if strange and not mark.is_file():  # else a run has made it just now
        raise BadInput(NOT_EMPTY.format(path=path))
    return not strange


class _Directory:
    """An open directory. What is done in it stays in it, whatever happens to the names above."""

    def __init__(self, path: Path, *, top: bool = False) -> None:  # the folder itself may be named by a link
        self.path = path
        self.handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | (0 if top else os.O_NOFOLLOW))

    def close(self) -> None:
        os.close(self.handle)

    def read(self, name: str) -> bytes | None:
        try:
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self.handle)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BadInput(f"{self.path / name} is not read: {error.strerror}; links are not followed") from error
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise BadInput(f"{self.path / name} is no plain file")
            return file.read()

    def make(self, name: str, content: bytes) -> bool:
        beside = f".new-{secrets.token_hex(8)}"
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=self.handle)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
            os.link(beside, name, src_dir_fd=self.handle, dst_dir_fd=self.handle, follow_symlinks=False)
        except FileExistsError:
            return False
        finally:
            os.unlink(beside, dir_fd=self.handle)
        return True

    def hold(self, name: str) -> int:
        beside = f".new-{secrets.token_hex(8)}"
        handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=self.handle)
        try:
            with contextlib.suppress(OSError):  # a file system without locks: it then counts for nothing
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.link(beside, name, src_dir_fd=self.handle, dst_dir_fd=self.handle, follow_symlinks=False)
        except OSError:
            os.close(handle)
            raise
        finally:
            os.unlink(beside, dir_fd=self.handle)
        return handle


def _checked(name: str) -> str:
    """The name, if it is one that we give: digests and ids, so that no text of a request is ever a path."""
    if not NAME.fullmatch(name):
        raise BadInput(f"{name!r} is no id of a request")
    return name
