"""Values that are typed in a form of their own: a price, pairs, a store."""

import math
from collections.abc import Sequence
from pathlib import Path

from trace2skill.core.errors import BadInput


def store_path(given: str | None) -> Path | str:
    """The store in use: the option, else $TRACE2SKILL_STORE, else .trace2skill/store.duckdb.

    Raises:
        BadInput: an address that cannot be, such as one with a password in it.
    """
    from trace2skill.store.address import default_address, parse  # commands without a store are quick

    try:
        return parse(given) if given else default_address()
    except ValueError as error:
        raise BadInput(f"--store: {error}") from error


def pairs(given: Sequence[str], option: str = "--domain-option") -> dict[str, str]:
    """KEY=VALUE options as a mapping.

    Raises:
        BadInput: one without '='.
    """
    wrong = [item for item in given if "=" not in item]
    if wrong:
        raise BadInput(f"{option} {wrong[0]}: write it as KEY=VALUE")
    return {key.strip(): value.strip() for key, _, value in (item.partition("=") for item in given)}


def number_by_stage(given: Sequence[str]) -> dict[str, float]:
    """STAGE=SHARE options as a mapping.

    Raises:
        BadInput: one without '=', or whose share is no number.
    """
    found = pairs(given, "--max-failed")
    try:
        return {stage: float(share) for stage, share in found.items()}
    except ValueError as error:
        raise BadInput(f"--max-failed: {error}: write it as STAGE=SHARE") from error


def price(text: str) -> tuple[float, ...]:
    """US dollars per million tokens, in and out, and in from the cache where a third is given.

    Raises:
        BadInput: not two or three numbers, or one that is no price.
    """
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) not in (2, 3):
        raise BadInput("--price: give IN,OUT or IN,OUT,CACHED, in US dollars per million tokens")
    if not all(math.isfinite(part) and part >= 0 for part in found):
        raise BadInput(f"--price {text}: a price is a number of dollars, and not negative")
    return found
