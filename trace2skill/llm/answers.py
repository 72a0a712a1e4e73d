"""A response of LiteLLM's as an answer, and what it used."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from trace2skill.llm.failures import CallFailed
from trace2skill.llm.reply import as_text, calls_in, says
from trace2skill.llm.request import Answer, Message, readable
from trace2skill.llm.usage import Used
from trace2skill.llm.usage import used as usage_of
from trace2skill.types.trajectory import Usage

BYTES_PER_TOKEN = 4


def answer_of(key: str, response: Any, use: Callable[[Any, int], Used]) -> Answer:
    """The answer in a response of LiteLLM's.

    Args:
        key: that of the request.
        response: a completion.
        use: what the response used; it is given how many bytes the message has, 0 where it says nothing.

    Raises:
        CallFailed: there is no answer in it.
    """
    if not response.choices:
        raise CallFailed("server_error", "the answer has no choices")
    choice = response.choices[0]
    message: Message = readable(choice.message.model_dump(exclude_none=True, warnings=False))
    message.pop("provider_specific_fields", None)
    calls, malformed = calls_in(message)
    used = use(response, len(json.dumps(message, default=str)) if says(message) else 0)
    return Answer(
        key=key,
        text=as_text(message.get("content")) or as_text(message.get("refusal")),
        reasoning=as_text(message.pop("reasoning_content", "")),
        tool_calls=calls,
        malformed_calls=malformed,
        message=message,
        finish=as_text(choice.finish_reason) or "stop",
        usage=used.usage,
        usage_note=used.note,
        cached_told=used.cached_told,
    )


def used_by(
    model: str, response: Any, said: int, *, prompt: int, bound: float, cost: Callable[[Usage], float | None]
) -> Used:
    """What an answer of `said` bytes to a prompt of about so many tokens used; the rest is as in `usage.used`."""
    return usage_of(
        getattr(response, "usage", None),
        model=model,
        answered=said > 0,
        about=Usage(prompt=prompt, completion=-(-said // BYTES_PER_TOKEN)),
        bound=bound,
        cost=cost,
    )


def priced(tokens: Usage, price: Sequence[float]) -> float:
    """Tokens at a price in US dollars per million, in and out, and in from the cache where that has its own.

    Without that, cached tokens cost as much as others: then it is at most.
    """
    price_in, price_out, cached = (part / 1e6 for part in (*price, price[0])[:3])
    return (tokens.prompt - tokens.cached) * price_in + tokens.cached * cached + tokens.completion * price_out
