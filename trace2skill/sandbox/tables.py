"""Which threads have their open files in common: all of a process have, unless one asked for a table of its own."""

import ctypes
import platform
from collections.abc import Sequence

KCMP = {"x86_64": 312, "aarch64": 272}.get(platform.machine())
"""Number of the system call that compares what two threads have."""
KCMP_FILES = 2
_libc = ctypes.CDLL(None)


def same_table(one: int, other: int) -> bool | None:
    """Have two threads, by their ids, one table of open files? None where the kernel does not say.

    It says so to whoever may see the tables, unless the call is kept from a container, as Docker's own filter does.
    """
    if KCMP is None:
        return None
    told = _libc.syscall(KCMP, one, other, KCMP_FILES, 0, 0)
    return None if told < 0 else bool(told == 0)


def known_table(thread: int, known: Sequence[int]) -> bool | None:
    """Is a thread's table that of one of the others? None where it may be."""
    told = [same_table(thread, one) for one in known]
    return True if True in told else None if None in told else False
