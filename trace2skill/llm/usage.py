"""What an answer used and cost: the server's own figures where they can be, else the bound that was held for the call.

A server may leave the figures out, count nothing, or say what cannot be. Nothing of that may give a run more money than
its cap: what is not known costs what it may have cost at most, and the answer says so.
"""

import logging
import math
import re
from collections.abc import Callable
from typing import Any

from trace2skill.core.record import Record
from trace2skill.types.trajectory import Usage

log = logging.getLogger(__name__)
MOST_TOKENS, MOST_DOLLARS = 10_000_000, 1e6
"""No call of a model has more; a figure above it is none."""
FAR_TOO_FEW = 50
"""So many times fewer tokens than a text may have cannot be: even of blanks only a few dozen are one token."""
DIGITS = re.compile(r"\d{1,8}")
_warned: set[tuple[str, str]] = set()


class Used(Record):
    """What a call used, and '' or why its figures are not the server's own."""

    usage: Usage
    note: str = ""
    cached_told: bool = False
    """Does the server say how many tokens came from its cache? What it does not say is not none."""


def whole(value: Any, most: int = MOST_TOKENS) -> int | None:
    """A number of tokens as a whole one: 12, 12.0, '12'. None for anything else, and for what cannot be."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = int(value) if DIGITS.fullmatch(value.strip()) else None
    if isinstance(value, float):
        if not math.isfinite(value) or value != int(value):
            return None
        value = int(value)
    return value if isinstance(value, int) and 0 <= value <= most else None


def money(value: Any) -> float | None:
    """An amount of US dollars; None for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        amount = float(value)
    except OverflowError:
        return None
    return amount if math.isfinite(amount) and 0 <= amount <= MOST_DOLLARS else None


def used(
    said: Any,
    *,
    model: str,
    answered: bool,
    about: Usage,
    bound: float,
    cost: Callable[[Usage], float | None],
) -> Used:
    """What a call used.

    Args:
        said: the server's figures, an object or None.
        model: whose, for the warning.
        answered: did it say anything? Then it has used tokens for it.
        about: tokens by the length of what was sent and answered, where the server's figures are none.
        bound: what the call may cost at most, in US dollars.
        cost: what an amount of tokens costs; None where that cannot be told.
    """
    problem, found = _figures(said, answered)
    problem = problem or _too_few(found, about)
    if problem:
        return _bounded(model, problem, about, bound)
    priced = money(cost(found))
    if priced is None:
        return _bounded(model, "there is no price for them", found, bound)
    details = getattr(said, "prompt_tokens_details", None)
    told = whole(getattr(details, "cached_tokens", None)) is not None
    return Used(usage=found.model_copy(update={"cost": priced}), cached_told=told)


def _figures(said: Any, answered: bool) -> tuple[str, Usage]:
    """'' and the tokens, or what is wrong with the figures."""
    if said is None:
        return "there are none", Usage()
    given = {name: getattr(said, name, None) for name in ("prompt_tokens", "completion_tokens")}
    prompt, completion = (whole(value) for value in given.values())
    if prompt is None or completion is None:
        wrong = "; ".join(f"{name} is {str(value)[:20]}" for name, value in given.items() if whole(value) is None)
        return wrong, Usage()
    if not prompt or (answered and not completion):
        return f"{'prompt' if not prompt else 'completion'}_tokens is 0", Usage()
    details = getattr(said, "prompt_tokens_details", None)
    cached = whole(getattr(details, "cached_tokens", None) or 0)
    return "", Usage(prompt=prompt, completion=completion, cached=cached if cached and cached <= prompt else 0)


def _too_few(said: Usage, about: Usage) -> str:
    """'' or which figure cannot be for a text of that length."""
    for name, tokens, thought in (
        ("prompt", said.prompt, about.prompt),
        ("completion", said.completion, about.completion),
    ):
        if tokens * FAR_TOO_FEW < thought:
            return f"{name}_tokens is {tokens} for about {thought}"
    return ""


def _bounded(model: str, problem: str, tokens: Usage, bound: float) -> Used:
    """The tokens that are known or thought, at the cost held for the call. Said once for a model and reason."""
    if bound and (model, problem) not in _warned:
        _warned.add((model, problem))
        log.warning(
            "%s: its server's figures of usage cannot be used (%s): such calls count as the most they may have cost, "
            "$%.4f for this one",
            *(model, problem, bound),
        )
    return Used(usage=tokens.model_copy(update={"cost": bound}), note=f"at most: {problem}")
