"""Patches in the form of Codex (`*** Begin Patch`), as the operations they are."""

from collections.abc import Iterator
from typing import Any

BEGIN = "*** Begin Patch"
END = "*** End Patch"


def patched(patch: str) -> Iterator[dict[str, Any]]:
    """Fields of operations, one by one. What is no patch gives none."""
    path, kind, lines = "", "", list[str]()
    for line in [*patch.splitlines(), END]:
        if not line.startswith("*** "):
            lines.append(line)
            continue
        if line.startswith("*** Move to: "):
            yield {"kind": "move", "path": path, "text": line.removeprefix("*** Move to: ").strip()}
            path = line.removeprefix("*** Move to: ").strip()
            continue
        if line == "*** End of File":
            continue
        yield from _of_section(kind, path, lines)
        kind, _, path = line.removeprefix("*** ").partition(" File: ")
        path, lines = path.strip(), []
        if line == END:
            return


def _of_section(kind: str, path: str, lines: list[str]) -> Iterator[dict[str, Any]]:
    if not path:
        return
    if kind == "Add":
        text = "".join(f"{line[1:]}\n" for line in lines if line.startswith("+"))
        yield {"kind": "write", "path": path, "text": text}
    elif kind == "Delete":
        yield {"kind": "remove", "path": path}
    elif kind == "Update":
        yield from _hunks(path, lines)


def _hunks(path: str, lines: list[str]) -> Iterator[dict[str, Any]]:
    """Each hunk as one edit: what stood there, and what stands there now."""
    old, new = list[str](), list[str]()
    for line in [*lines, "@@"]:
        if not line.startswith("@@"):
            sign, text = line[:1], line[1:]
            old += [text] if sign in (" ", "-", "") else []
            new += [text] if sign in (" ", "+", "") else []
            continue
        if old != new:
            came = "\n".join(new)
            gone = "\n".join(old)
            yield (
                {"kind": "edit", "path": path, "old": gone, "text": came}
                if gone
                else {"kind": "unclear", "path": path}  # where it goes stands in words that may be anywhere
            )
        old, new = [], []
