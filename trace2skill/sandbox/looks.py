"""Looking at what a command takes while it runs: disk, files, and memory in all the places where it can be.

Not all of it is where it is looked for first. A file that was deleted takes its room until nobody has it open or
mapped, shared memory belongs to no process, and what waits in a socket or as an empty file in `/tmp` is memory of the
kernel.
"""

import contextlib
import os
import stat
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psutil

from trace2skill.sandbox.limits import Limits
from trace2skill.sandbox.tables import known_table
from trace2skill.sandbox.tree import size_of

Stopped = Literal["", "time", "output", "disk", "files", "memory"]
IN_A_SOCKET = 416 * 1024
"""Bytes that may wait in one: twice Linux's usual `wmem_max`."""
MOST_OPEN, MOST_LOOKED_AT = 8_192, 131_072
"""Open things of all processes, each counted once, and entries of their tables that are looked at: half a second."""


@dataclass
class Held:
    """What processes hold beyond their own memory."""

    seen: set[tuple[int, int]] = field(default_factory=set)
    by_device: dict[int, int] = field(default_factory=dict)
    """Bytes of files that have no name any more, by the device they are on."""
    sockets: int = 0
    entries: int = 0

    @property
    def too_many(self) -> bool:
        """Is more open than may be?"""
        return len(self.seen) > MOST_OPEN or self.entries > MOST_LOOKED_AT

    def add(self, state: os.stat_result) -> None:
        """Count something open or mapped, once."""
        if (state.st_dev, state.st_ino) in self.seen:
            return
        self.seen.add((state.st_dev, state.st_ino))
        self.sockets += stat.S_ISSOCK(state.st_mode)
        if stat.S_ISREG(state.st_mode) and state.st_nlink == 0:
            self.by_device[state.st_dev] = self.by_device.get(state.st_dev, 0) + state.st_blocks * 512


def look(
    process: "subprocess.Popen[bytes]", places: Sequence[Path], memory_places: Sequence[str], limits: Limits
) -> Stopped:
    """Which limit a command that runs has broken, '' for none.

    Args:
        process: its first process.
        places: what it may write to, on disk.
        memory_places: paths inside the sandbox of file systems in memory, whose files count apart.
        limits: what it may use.
    """
    try:
        first = psutil.Process(process.pid)
        family = [first, *first.children(recursive=True)]
    except psutil.Error:
        return too_much(places, limits)
    held = Held()
    for one in family:
        _add_open(held, one.pid)
        _add_mapped(held, one.pid)
    disks = set(_devices(places))
    on_disk = sum(size for device, size in held.by_device.items() if device in disks)
    if held.too_many:
        return "memory"
    if broken := too_much(places, limits, beside=on_disk) or _crowded(family[-1].pid, memory_places, limits):
        return broken
    shared = sum(held.by_device.values()) - on_disk + held.sockets * IN_A_SOCKET
    if _resident(family) + shared <= limits.memory_of_all:
        return ""
    return "memory" if sum(map(_own, family)) + shared > limits.memory_of_all else ""


def too_much(places: Sequence[Path], limits: Limits, *, beside: int = 0, force: bool = False) -> Stopped:
    """Which limit of the workspace is broken by all places together and so many bytes besides, '' for none."""
    found = [size_of(place, limits.files, force=force) for place in places]
    if sum(size for size, _ in found) + beside > limits.workspace_mb * 2**20:
        return "disk"
    return "files" if any(more for _, more in found) else ""


def _devices(places: Sequence[Path]) -> Iterator[int]:
    """Where the places are that are still there: a command may remove what it may write to."""
    for place in places:
        with contextlib.suppress(OSError):
            yield os.stat(place).st_dev


def _resident(family: Sequence[psutil.Process]) -> int:
    """Bytes in memory that are no file's, at most: what a fork has in common with its parent counts twice."""
    total = 0
    for one in family:
        with contextlib.suppress(psutil.Error):
            memory = one.memory_info()
            total += memory.rss - memory.shared
    return total


def _own(one: psutil.Process) -> int:
    """Bytes in memory that are no file's, where a page that n processes have in common is an n-th of one."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{one.pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss_Anon:"):
                return int(line.split()[1]) * 1024
    return _resident([one])


def _add_open(held: Held, pid: int) -> None:
    """What a process has open. Its threads have one table, which is looked at once; one may have a table of its own.

    Where nobody says which it is, the thread's table is looked at, for memory may hide there, and is not held against
    the process, for it is most likely the one of the others.
    """
    tables: list[int] = []
    for thread in map(int, _entries(f"/proc/{pid}/task")):
        known = known_table(thread, tables)
        if known:
            continue
        tables.append(thread)
        for handle in _entries(f"/proc/{pid}/task/{thread}/fd"):
            held.entries += known is False
            if held.too_many:
                return
            with contextlib.suppress(OSError):
                held.add(os.stat(f"/proc/{pid}/task/{thread}/fd/{handle}"))


def _entries(folder: str) -> Iterator[str]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name


def _add_mapped(held: Held, pid: int) -> None:
    """What a process has mapped of files without a name: its size, or, for who may not ask, the size of the mapping."""
    with contextlib.suppress(OSError):
        mapped = Path(f"/proc/{pid}/maps").read_bytes()
        for line in mapped.splitlines() if b"(deleted)" in mapped else ():
            if not line.endswith(b"(deleted)"):
                continue
            where, _, _, device, inode, *_ = line.split()
            try:
                held.add(os.stat(f"/proc/{pid}/map_files/{where.decode()}"))
            except OSError:
                start, _, end = where.partition(b"-")
                _add_mapping(held, device, int(inode), int(end, 16) - int(start, 16))


def _add_mapping(held: Held, device: bytes, inode: int, size: int) -> None:
    major, _, minor = device.partition(b":")
    number = os.makedev(int(major, 16), int(minor, 16))
    if (number, inode) not in held.seen:
        held.seen.add((number, inode))
        held.by_device[number] = held.by_device.get(number, 0) + size


def _crowded(pid: int, memory_places: Sequence[str], limits: Limits) -> Stopped:
    """'files' where a file system in memory holds more of them than a workspace may: each takes a kilobyte."""
    for place in memory_places:
        with contextlib.suppress(OSError):
            inside = f"/proc/{pid}/root{place}"
            if os.stat(inside).st_dev == os.stat(place).st_dev:
                continue  # it is not inside yet
            room = os.statvfs(inside)
            if room.f_files - room.f_ffree > limits.files:
                return "files"
    return ""
