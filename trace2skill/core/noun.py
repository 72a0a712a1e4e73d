"""What every noun of the library shares: frozen, strict about unknown fields, and named by its content."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from trace2skill.core.digest import digest_of


class Noun(BaseModel):
    """A frozen value. Two nouns with equal fields are equal and have the same `digest`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, ser_json_bytes="base64", val_json_bytes="base64"
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values, which names itself anew: what was worked out of the old ones is not taken along."""
        made = super().model_copy(update=update, deep=deep)
        for name in made.__dict__.keys() - type(made).model_fields.keys():
            del made.__dict__[name]
        return made

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 of the class name and all fields."""
        return digest_of(type(self).__name__, self.model_dump(mode="json"))
