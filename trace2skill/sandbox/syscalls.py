"""A filter of system calls for bubblewrap: what the namespaces do not separate, and memory that nothing counts.

In a user namespace of its own a command would be root over mounts. Memory of System V, of memfd and of io_uring belongs
to no process and no file that could be looked at. Keyrings and some families of sockets (the machine's vsock) have no
namespace at all. The program is a classic BPF filter over `struct seccomp_data`
(https://docs.kernel.org/userspace-api/seccomp_filter.html), which bubblewrap installs before the command starts.
"""

import os
import platform
import struct
from functools import cache

NEW_USER = 0x10000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE = 0, 4
ALLOW, ERROR = 0x7FFF0000, 0x00050000
EPERM, ENOSYS, EAFNOSUPPORT, ENOSPC = 1, 38, 97, 28
X32 = 0x40000000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
UNSHARE, CLONE, SOCKET, SHMGET, SEMGET = "unshare", "clone", "socket", "shmget", "semget"
CALLED = {
    "x86_64": {UNSHARE: 272, CLONE: 56, SOCKET: 41, SHMGET: 29, SEMGET: 64},
    "aarch64": {UNSHARE: 97, CLONE: 220, SOCKET: 198, SHMGET: 194, SEMGET: 190},
}
MISSING = {"x86_64": (435, 319, 447, 68, 425, 426, 427), "aarch64": (435, 279, 447, 186, 425, 426, 427)}
"""clone3 (its flags lie where no filter can look, and libraries then use clone), memfd_create, memfd_secret, msgget and
the three of io_uring: said not to exist, as on an older kernel, so that programs do without."""
REFUSED = {"x86_64": (248, 249, 250, 321, 298, 323), "aarch64": (217, 218, 219, 280, 241, 282)}
"""add_key, request_key, keyctl, bpf, perf_event_open, userfaultfd."""
FAMILIES = (1, 2, 10, 16)
"""Sockets of Unix, IPv4, IPv6 and netlink: those that a network namespace separates and programs use."""
LARGEST_SHARED, MOST_SEMAPHORES = 64 * 1024, 64
"""Of one segment in bytes, and of one set: a database wants a few bytes; there may be some thousand of each."""

Line = tuple[int, int, int, int]


@cache
def program(machine: str = platform.machine()) -> bytes:
    """The filter, b'' for a machine whose numbers are not known here. Calls of another architecture do not exist."""
    if machine not in AUDIT:
        return b""
    called = CALLED[machine]
    lines: list[Line] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, AUDIT[machine]),
        _error(ENOSYS),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32),
        _error(ENOSYS),
    ]
    for number in MISSING[machine]:
        lines += [(EQUAL, 0, 1, number), _error(ENOSYS)]
    for number in REFUSED[machine]:
        lines += [(EQUAL, 0, 1, number), _error(EPERM)]
    new_user: list[Line] = [(LOAD, 0, 0, _low(0)), (ANY_BIT, 0, 1, NEW_USER), _error(EPERM)]
    lines += _when(called[UNSHARE], new_user) + _when(called[CLONE], new_user)
    allowed: list[Line] = [(EQUAL, len(FAMILIES) - at, 0, family) for at, family in enumerate(FAMILIES)]
    lines += _when(called[SOCKET], [(LOAD, 0, 0, _low(0)), *allowed, _error(EAFNOSUPPORT)])
    lines += _when(called[SHMGET], _at_most(LARGEST_SHARED, _low(1), _low(1) + 4))
    lines += _when(called[SEMGET], _at_most(MOST_SEMAPHORES, _low(1)))
    return b"".join(struct.pack("HBBI", *line) for line in [*lines, (RETURN, 0, 0, ALLOW)])


def _low(argument: int) -> int:
    """Where the low half of an argument lies."""
    return 16 + 8 * argument


def _error(number: int) -> Line:
    return (RETURN, 0, 0, ERROR | number)


def _when(number: int, body: list[Line]) -> list[Line]:
    """What is done with one call: what the body does not return on is allowed."""
    return [(EQUAL, 0, len(body) + 1, number), *body, (RETURN, 0, 0, ALLOW)]


def _at_most(most: int, low: int, high: int | None = None) -> list[Line]:
    """Refuse a call whose argument is larger; `high` is where its upper half lies, if it counts."""
    upper: list[Line] = [(LOAD, 0, 0, high), (EQUAL, 0, 2, 0)] if high is not None else []
    return [*upper, (LOAD, 0, 0, low), (AT_LEAST, 0, 1, most + 1), _error(ENOSPC)]


def opened() -> int | None:
    """A descriptor from which the filter can be read once; None where there is none. Whoever asks closes it."""
    code = program()
    if not code:
        return None
    handle = os.memfd_create("t2s-filter", 0)
    os.write(handle, code)
    os.lseek(handle, 0, os.SEEK_SET)
    return handle
