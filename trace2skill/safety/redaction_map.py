"""The way back from a placeholder to what stood there: a file on this machine, beside the store and never in it.

Nothing of the product reads it but the command `reveal`; no export, report or prompt takes it along. It is readable by
its owner alone.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

NAME = "redactions.jsonl"
FOLDER = "private"


class RedactionMap:
    """Adds what was replaced in trajectories, a line each. Opened when there is something to write."""

    def __init__(self, beside: Path) -> None:
        self.path = beside / FOLDER / NAME
        self._lines: list[str] = []

    def add(self, trajectory_id: str, replaced: Mapping[str, str]) -> None:
        """Note what the placeholders of a trajectory stand for."""
        if replaced:
            self._lines.append(json.dumps({"trajectory": trajectory_id, "replaced": dict(replaced)}))
        if len(self._lines) >= 1000:
            self.close()

    def close(self) -> None:
        """Write what waits."""
        if not self._lines:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chmod(self.path.parent, 0o700)
        (self.path.parent / ".gitignore").write_text("*\n", encoding="ascii")
        known = self._known()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in self._lines if line not in known)
        self._lines = []

    def revealed(self, trajectory_id: str) -> dict[str, str]:
        """What the placeholders of a trajectory stand for; empty where nothing is known."""
        found: dict[str, str] = {}
        for line in self._known():
            row = json.loads(line)
            if row["trajectory"] == trajectory_id:
                found |= row["replaced"]
        return found

    def _known(self) -> set[str]:
        return set(self.path.read_text(encoding="utf-8").splitlines()) if self.path.is_file() else set()
