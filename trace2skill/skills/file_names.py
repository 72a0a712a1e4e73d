"""Names of files that a skill may have: on every disk, in every zip, and beside each other."""

import re
import unicodedata
from collections.abc import Iterable

LONGEST_NAME, LONGEST_PATH = 255, 1024
DEVICES = {
    *("con", "prn", "aux", "nul", "conin$", "conout$", "clock$"),
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)),
}
"""As compatibility forms are read: `COM¹` is `com1` there, too."""
FORBIDDEN = set('<>:"|?*%')
SHORT_GIT = re.compile(r"git~\d+", re.IGNORECASE)
"""The short name of `.git` on Windows."""
FIRST = ("-", "~")
"""A name that begins so is an option of a command, or somebody's home."""


def path_clashes(paths: Iterable[str]) -> list[str]:
    """What keeps paths from lying on one disk: a file where another needs a directory, and names that are too long."""
    all_of = list(paths)
    there = set(all_of)
    found = []
    for path in all_of:
        above = path.rpartition("/")[0]
        while above:
            if above in there:
                found.append(f"{path} needs a directory where the file {above} is")
                break
            above = above.rpartition("/")[0]
        if too_long(path):
            found.append(f"{path[:60]}... is longer than a name of a file can be")
    return found


def too_long(path: str) -> bool:
    """Is a path, or one name of it, too long for a disk?"""
    encoded = [len(name.encode("utf-8", "surrogatepass")) for name in path.split("/")]
    return max(encoded) > LONGEST_NAME or sum(encoded) + len(encoded) > LONGEST_PATH


def unportable(path: str) -> str:
    """Why a name that a patch chose would not do on every system, '' where it would."""
    for name in path.split("/"):
        if unicodedata.normalize("NFKC", name).split(".")[0].lower().rstrip(" ") in DEVICES:
            return f"'{name}' is the name of a device on Windows"
        if name != name.strip() or name.endswith("."):
            return f"'{name}' begins or ends with a blank or a dot"
        if name.startswith(FIRST):
            return f"'{name}' begins with a sign that commands take for more than a name"
        if name.startswith(".") or SHORT_GIT.fullmatch(name):
            return f"'{name}' is hidden, or is read as instructions for a tool"
        if FORBIDDEN & set(name) or any(_odd(sign) for sign in name):
            return "the name holds a sign that no name should have"
    return "the name is too long" if too_long(path) else ""


def _odd(sign: str) -> bool:
    return sign != " " and unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs")


def wrong_name(path: str, others: Iterable[str]) -> str:
    """Why a name that a patch chose does not do on every disk beside the names that are there, '' where it does."""
    there = [other for other in others if other != path]
    twin = _twin_of(path, there)
    clash = f"some disks take {path} and {twin} for the same" if twin else ""
    return unportable(path) or clash or next((said for said in path_clashes([*there, path]) if path in said), "")


def _twin_of(path: str, others: Iterable[str]) -> str:
    """Another path that some disks take for the same (case, NFC and NFD), '' where there is none."""
    mine = _folded(path)
    return next((other for other in others if other != path and _folded(other) == mine), "")


def _folded(path: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
