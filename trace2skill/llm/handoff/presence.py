"""Which runs use a handoff folder now: each process holds a locked file in it for as long as it lives.

The lock (flock(2)) ends with the process, however that ends, so that nobody waits for a run that is gone.
"""

import fcntl
import os
import secrets
import threading
from pathlib import Path

from trace2skill.llm.handoff.folder import Folder

_held: dict[Path, int] = {}
_guard = threading.Lock()


def join(folder: Folder) -> None:
    """Say that this process asks here, once for the process."""
    place = folder.path.resolve()
    with _guard:
        if place in _held:
            return
        _held[place] = folder.hold("runs", secrets.token_hex(8))


def runs(folder: Folder) -> int:
    """How many processes ask here now. What those that are gone left behind is removed."""
    alive = 0
    for name in folder.names("runs"):
        try:
            handle = os.open(folder.path / "runs" / name, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            folder.remove("runs", name)
        except OSError:
            alive += 1
        finally:
            os.close(handle)
    return alive
