"""What a rollout of an agent that is not ours costs, as far as anybody knows, and how that is known."""

from trace2skill.agents.harness import CommandSettings, PythonSettings
from trace2skill.agents.loop import LoopLimits
from trace2skill.core.errors import BadInput
from trace2skill.llm import ModelSettings
from trace2skill.llm.client import Bill
from trace2skill.llm.transport import prices
from trace2skill.llm.usage import money, whole
from trace2skill.types.trajectory import Usage

MOST_OF_A_ROLLOUT = 10**10
"""Tokens of all calls of a rollout together; a log that says more says nothing."""


def bound_of(settings: CommandSettings | PythonSettings, loop: LoopLimits) -> float:
    """What is held of the run's cap for one rollout: its stated price, else the most that a loop may cost."""
    return settings.price_per_rollout if settings.price_per_rollout is not None else loop.cost


def charge(
    bill: Bill,
    settings: CommandSettings | PythonSettings,
    model: ModelSettings,
    usage: Usage | None,
    said: float | None,
    bound: float,
    *,
    started: bool,
) -> None:
    """Put the cost on the bill, from the first that is known.

    That is: the stated price of a rollout, what the agent said it cost, the tokens of its log at the model's price.
    Where none is, it counts as its bound: too much rather than too little. What never started costs nothing.
    """
    used = _possible(usage)
    said = money(said)
    price = _price(model) if used.prompt or used.completion else None
    cost, source = bound, "unknown: its bound"
    if not started:
        cost, source = 0.0, "nothing was bought"
    elif settings.price_per_rollout is not None:
        source = "price per rollout"
    elif said is not None:
        cost, source = said, "its own words"
    elif used.cost:
        cost, source = used.cost, "its log"
    elif price is not None:
        cost, source = used.prompt * price[0] + used.completion * price[1], "tokens of its log"
    bill.usage, bill.cost_from = used.model_copy(update={"cost": cost}), source


def _possible(usage: Usage | None) -> Usage:
    """What a log says was used; nothing of it where it says what cannot be."""
    if usage is None:
        return Usage()
    tokens = (whole(count, MOST_OF_A_ROLLOUT) for count in (usage.prompt, usage.completion, usage.cached))
    return Usage() if None in (*tokens, money(usage.cost)) else usage


def _price(model: ModelSettings) -> tuple[float, float] | None:
    try:
        return prices(model)
    except BadInput:
        return None
