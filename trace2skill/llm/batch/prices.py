"""What calls in a batch cost: by the price that was given for them, else by LiteLLM's, else as single ones."""

from typing import Any

from trace2skill.llm import transport
from trace2skill.llm.answers import priced
from trace2skill.llm.request import Request
from trace2skill.llm.settings import ModelSettings
from trace2skill.types.trajectory import Usage


def batch_prices(settings: ModelSettings) -> tuple[float, float]:
    """US dollars per token, in and out, of a call in a batch. What nobody knows to be cheaper costs as a single one.

    Raises:
        BadInput: nobody knows any price.
    """
    if settings.batch_price is not None:
        return settings.batch_price[0] / 1e6, settings.batch_price[1] / 1e6
    known = _known(settings)
    return (known[0], known[1]) if known else transport.prices(settings)


def batch_bound(request: Request) -> float:
    """The most a call may cost in a batch, in US dollars: see `transport.cost_bound`."""
    price_in, price_out = batch_prices(request.settings)
    return transport.prompt_bound(request) * price_in + request.settings.max_tokens * price_out


def batch_cost(settings: ModelSettings, tokens: Usage, said: Any) -> float | None:
    """What an answer out of a batch cost, in US dollars; None where that cannot be told. `said` is LiteLLM's usage."""
    given = settings.batch_price or (None if _known(settings) else settings.price)
    if given is not None:
        return priced(tokens, given)
    lite = transport.litellm_for(settings)
    try:
        if _known(settings):
            return float(sum(lite.cost_calculator.batch_cost_calculator(usage=said, model=settings.name)))
        return float(sum(lite.cost_per_token(model=settings.name, usage_object=said)))
    except Exception:  # noqa: BLE001 - LiteLLM raises whatever its arithmetic meets
        return None


def _known(settings: ModelSettings) -> tuple[float, float] | None:
    """LiteLLM's own price of the model in batches; none beside a price that a person gave, which knows better."""
    if settings.price is not None or settings.simulated or settings.handoff:
        return None
    try:
        info = transport.litellm_for(settings).get_model_info(settings.name)
    except Exception:  # noqa: BLE001 - LiteLLM raises a bare Exception for a model it does not know
        return None
    price_in, price_out = info.get("input_cost_per_token_batches"), info.get("output_cost_per_token_batches")
    return (float(price_in), float(price_out)) if price_in is not None and price_out is not None else None
