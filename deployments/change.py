"""One thing on a Prefect server, as it is and as it should be: what `trace2skill deploy` says and then does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["created", "changed", "unchanged"]


@dataclass(frozen=True)
class ServerChange:
    """What becomes of one thing. Nothing has happened until `carry_out` is called."""

    kind: str
    name: str
    state: State
    detail: str = ""
    carry_out: Callable[[], object] = field(default=lambda: None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """What a script reads."""
        return {"kind": self.kind, "name": self.name, "state": self.state, "detail": self.detail}


def changed(kind: str, name: str, differs: bool, detail: str, carry_out: Callable[[], object]) -> ServerChange:
    """A thing that is there: changed where it differs."""
    return ServerChange(kind, name, "changed", detail, carry_out) if differs else ServerChange(kind, name, "unchanged")
