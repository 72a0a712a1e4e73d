"""The order of settings in a form: what people change stands on top of what they leave as it is."""

from collections.abc import Callable
from typing import Any


def on_top(*names: str) -> Callable[[dict[str, Any]], None]:
    """For `json_schema_extra`: these fields first, then the others in their order.

    Prefect's two UIs sort by `position`, and take a field without one for the last or for the first: each has one.

    Raises:
        KeyError: there is no field of a name, when the schema is made.
    """

    def ordered(schema: dict[str, Any]) -> None:
        fields = schema["properties"]
        order = [*names, *(name for name in fields if name not in names)]
        schema["properties"] = {name: {**fields[name], "position": place} for place, name in enumerate(order)}

    return ordered
