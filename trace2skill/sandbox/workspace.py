"""Reading files that a command left behind: nothing in a workspace is trusted."""

import os
import stat
from pathlib import Path

BLOCK = 1 << 20


def safe_read(workspace: Path, relative: str, max_bytes: int) -> bytes | None:
    """The content of a regular file inside the workspace.

    None where there is none, where any part of the path is a symbolic link or leads outside, where it is a device, a
    pipe or a directory, and where it is larger than `max_bytes`. Never blocks.
    """
    parts = Path(relative).parts
    if not parts or Path(relative).is_absolute() or ".." in parts:
        return None
    try:
        folder = os.open(workspace, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        for part in parts[:-1]:
            deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = deeper
        handle = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except (OSError, ValueError):  # a name too long, no access, a NUL
        return None
    finally:
        os.close(folder)
    state = os.fstat(handle)
    if not stat.S_ISREG(state.st_mode) or state.st_size > max_bytes:
        os.close(handle)
        return None
    with os.fdopen(handle, "rb") as file:
        content = file.read(max_bytes + 1)
    return content if len(content) <= max_bytes else None
