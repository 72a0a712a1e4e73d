"""How a simulated model behaves, written into its name: `sim/office?noise=0.2&malformed=0.1`.

The settings stand in the name so that they are part of every content key, as with a real model's name.
"""

import hashlib
from urllib.parse import parse_qsl

from pydantic import Field, ValidationError

from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record

NAMES = ("office", "labelled", "scripted", "embedding")


class Profile(Record, form="Profile", version=1):
    """What is simulated. Shares are probabilities per request, drawn by a hash, so that runs repeat exactly."""

    name: str = "office"
    seed: int = Field(default=0, description="Another seed is another model: other slips, other wordings.")
    noise: float = Field(default=0.1, ge=0, le=1, description="Share of idiosyncratic slips and lessons.")
    misread: float = Field(
        default=0.15, ge=0, le=1, description="Share of failures whose cause is read wrongly at first."
    )
    opposed: float = Field(
        default=0.0, ge=0, le=1, description="Share of successes that teach one side of a contradiction."
    )
    harmful: float = Field(
        default=0.0, ge=0, le=1, description="Share of successes that teach guidance which makes the agent fail."
    )
    serves: float = Field(
        default=0.0, ge=0, le=1, description="Share of failures of which a lesson serves the check and not the user."
    )
    repeats: float = Field(
        default=0.0, ge=0, le=1, description="Share of failures of which a line of the skill is handed in as news."
    )
    hasty: float = Field(
        default=0.0, ge=0, le=1, description="Share of tasks whose agent writes a program and does not run it."
    )
    gullible: float = Field(
        default=0.0, ge=0, le=1, description="Share of logs of which the analyst writes down what they tell it to."
    )
    corpus: str = Field(default="", description="Directory of the labelled corpus whose texts it knows (`labelled`).")
    mistakes: float = Field(
        default=0.0, ge=0, le=1, description="Share of wrong judgements when it groups, compares and words rules."
    )
    misjudges: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of assertions of which it says the opposite of what an answer shows.",
    )
    latency: float = Field(default=0.0, ge=0, description="Median seconds of one answer.")
    jitter: float = Field(default=0.0, ge=0, description="Sigma of the lognormal latency.")
    malformed: float = Field(default=0.0, ge=0, le=1, description="Share of structured answers that are broken.")
    refusals: float = Field(default=0.0, ge=0, le=1, description="Share of requests that are refused in prose.")
    rate_limited: float = Field(default=0.0, ge=0, le=1, description="Share of tries answered with 429.")
    server_error: float = Field(default=0.0, ge=0, le=1, description="Share of tries answered with 503.")
    timeouts: float = Field(default=0.0, ge=0, le=1, description="Share of tries that time out.")
    storm_seconds: float = Field(
        default=0.0, ge=0, description="For so long from the first request on, half of all tries are answered with 429."
    )
    hangs: float = Field(default=0.0, ge=0, le=1, description="Share of tries that hang until their time-out.")
    blind: bool = Field(default=False, description="It sees no pictures, and refuses requests with any.")
    script: str = Field(default="", description="Whose script a `sim/scripted` follows.")
    retry_after: float | None = Field(default=None, ge=0, description="Retry-After of a 429, in seconds.")


def profile_of(name: str) -> Profile:
    """The profile in a model name, with or without 'sim/' before it.

    Raises:
        BadInput: an unknown setting or a value out of range.
    """
    base, _, query = name.removeprefix("sim/").partition("?")
    if base not in NAMES:
        raise BadInput(f"no simulated model '{base}': there are {', '.join(f'sim/{known}' for known in NAMES)}")
    try:
        return Profile(name=base, **dict(parse_qsl(query, keep_blank_values=True)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        setting, settings = first["loc"][0], ", ".join(sorted(set(Profile.model_fields) - {"name"}))
        wrong = "there is no such setting" if first["type"] == "extra_forbidden" else first["msg"]
        raise BadInput(f"simulated model '{name}': {setting}: {wrong}; its settings are: {settings}") from error


def chance(*parts: object) -> float:
    """A number in [0, 1) that depends on the parts alone."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def pick(count: int, *parts: object) -> int:
    """An index in range(count) that depends on the parts alone."""
    return int(chance("pick", *parts) * count)
