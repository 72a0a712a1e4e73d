"""Figures for people, in artifacts and events: 0.036137 and not 0.036136999999999996."""

from collections.abc import Mapping
from typing import Any


def readable(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same with every fraction at six digits."""
    return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in values.items()}
