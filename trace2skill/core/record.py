"""What every record of the library shares: frozen, strict about unknown fields, and named by its content."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from trace2skill.core.digest import digest_of
from trace2skill.core.forms import Upgrade, declare, form_of


class Record(BaseModel):
    """A frozen value. Two records with equal fields are equal and have the same `digest`.

    A class whose values are hashed or kept declares a form, e.g. `class Rolled(Record, form="Rolled", version=1)`: see
    `trace2skill.core.forms`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, ser_json_bytes="base64", val_json_bytes="base64"
    )

    def __init_subclass__(
        cls, *, form: str = "", version: int = 1, upgrades: tuple[Upgrade, ...] = (), **settings: Any
    ) -> None:
        super().__init_subclass__(**settings)
        if form:
            declare(cls, form, version, upgrades)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values, which names itself anew: what was worked out of the old ones is not taken along."""
        made = super().model_copy(update=update, deep=deep)
        for name in made.__dict__.keys() - type(made).model_fields.keys():
            del made.__dict__[name]
        return made

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 of the form's name and all fields.

        Raises:
            TypeError: the class declares no form.
        """
        return digest_of(form_of(type(self)).name, self)
