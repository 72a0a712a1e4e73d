"""A filter of system calls for bubblewrap: no user namespace of one's own inside.

In one a command would be root over mounts: of file systems in memory that nobody counts. The program is a classic BPF
filter over `struct seccomp_data` (https://docs.kernel.org/userspace-api/seccomp_filter.html), which bubblewrap installs
before the command starts.
"""

import os
import platform
import struct
from functools import cache

NEW_USER = 0x10000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
ALLOW, ERROR = 0x7FFF0000, 0x00050000
EPERM, ENOSYS = 1, 38
MACHINES = {"x86_64": (0xC000003E, 272, 56, 435), "aarch64": (0xC00000B7, 97, 220, 435)}
"""Of each machine: its audit name, and the numbers of unshare, clone and clone3."""
X32 = 0x40000000


@cache
def program(machine: str = platform.machine()) -> bytes:
    """The filter, b'' for a machine whose numbers are not known here.

    unshare and clone with CLONE_NEWUSER are refused, clone3 is said not to exist (its flags lie where no filter
    can look, and libraries then use clone), and so are calls of another architecture.
    """
    if machine not in MACHINES:
        return b""
    audit, unshare, clone, clone3 = MACHINES[machine]
    lines = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 0, 8, audit),  # else: there is no such call
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 6, 0, X32),
        (EQUAL, 5, 0, clone3),
        (EQUAL, 1, 0, unshare),
        (EQUAL, 0, 4, clone),  # else: allowed
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (ANY_BIT, 0, 2, NEW_USER),
        (RETURN, 0, 0, ERROR | EPERM),
        (RETURN, 0, 0, ERROR | ENOSYS),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def opened() -> int | None:
    """A descriptor from which the filter can be read once; None where there is none. Whoever asks closes it."""
    code = program()
    if not code:
        return None
    handle = os.memfd_create("t2s-filter", 0)
    os.write(handle, code)
    os.lseek(handle, 0, os.SEEK_SET)
    return handle
