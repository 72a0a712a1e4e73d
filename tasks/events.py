"""Prefect events, for automations: what became of a skill."""

from typing import Any

from prefect.events import emit_event

from tasks.figures import readable

PREFIX = "trace2skill"


def tell(what: str, skill: str, payload: dict[str, Any]) -> None:
    """Emit `trace2skill.WHAT` about the resource `trace2skill.skill.NAME`."""
    emit_event(
        event=f"{PREFIX}.{what}",
        resource={"prefect.resource.id": f"{PREFIX}.skill.{skill}", "prefect.resource.name": skill},
        payload=readable({n: value for n, value in payload.items() if isinstance(value, (str, int, float, bool))}),
    )
