"""The call itself: LiteLLM, with retries for what can pass.

Nothing else in the library imports litellm, apart from the simulated model and the one that is
answered by hand, which register themselves here.
"""

import functools
import gc
import json
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import tenacity

from trace2skill.core import stopping
from trace2skill.core.errors import BadInput, Interrupted
from trace2skill.llm import failures
from trace2skill.llm.answers import BYTES_PER_TOKEN, answer_of, priced, used_by
from trace2skill.llm.failures import CallFailed
from trace2skill.llm.pace import pace_of
from trace2skill.llm.request import Answer, Request
from trace2skill.llm.settings import ModelSettings
from trace2skill.llm.usage import Used
from trace2skill.sandbox.running import interrupted
from trace2skill.types.picture import MOST_TOKENS, USUAL_TOKENS
from trace2skill.types.trajectory import Usage

log = logging.getLogger(__name__)
R = TypeVar("R")


@functools.cache
def litellm() -> Any:
    """The litellm module, imported on first use (2 to 7 s), offline price map, no telemetry, no output of its own.

    What its import makes stays for good. The collector does not look for garbage in it, neither meanwhile nor later:
    each full collection would take half a second of it.
    """
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_LOG", "ERROR")
    collecting = gc.isenabled()
    gc.disable()
    try:
        import litellm as module
    finally:
        gc.freeze()
        if collecting:
            gc.enable()

    module.telemetry = False
    module.suppress_debug_info = True
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    from trace2skill.llm.handoff import provider as handoff
    from trace2skill.sim.provider import register

    register(module)
    handoff.register(module, interrupted)
    return module


def litellm_for(settings: ModelSettings) -> Any:
    """The litellm module, knowing this model if it is one of our own."""
    module = litellm()
    if settings.simulated:
        from trace2skill.sim.provider import ensure_known

        ensure_known(module, settings.name)
    if settings.handoff:
        from trace2skill.llm.handoff.provider import ensure_known as by_hand

        by_hand(module, settings.name)
    return module


def _simulated(settings: ModelSettings) -> dict[str, Any]:
    """What is known of a model of ours without LiteLLM: a run that finds all in the store never imports it."""
    from trace2skill.sim.provider import abilities

    return abilities(settings.name)


def prices(settings: ModelSettings) -> tuple[float, float]:
    """US dollars per token, in and out: the given price, else LiteLLM's; nothing for answers by hand.

    Raises:
        BadInput: nobody knows the price.
    """
    if settings.handoff:
        return 0.0, 0.0
    if settings.price is not None:
        return settings.price[0] / 1e6, settings.price[1] / 1e6
    if settings.simulated:
        known = _simulated(settings)
        return known["input_cost_per_token"], known["output_cost_per_token"]
    try:
        price_in, price_out = litellm_for(settings).cost_per_token(
            model=settings.name, prompt_tokens=1, completion_tokens=1
        )
    except Exception as error:
        raise BadInput(
            f"no price is known for model '{settings.name}', so no bill can be foreseen: give one with "
            f"--price IN,OUT[,CACHED] in US dollars per million tokens (a model of your own costs 0,0)"
        ) from error
    return float(price_in), float(price_out)


def has_native_tools(settings: ModelSettings) -> bool:
    """Does this model call tools natively? `settings.tools` decides, 'auto' asks LiteLLM."""
    if settings.tools != "auto":
        return settings.tools == "native"
    if settings.simulated:
        return bool(_simulated(settings).get("supports_function_calling"))
    return bool(litellm_for(settings).supports_function_calling(settings.name))


def has_schema_mode(settings: ModelSettings) -> bool:
    """Does the provider enforce a JSON schema? `settings.answers` decides, 'auto' asks LiteLLM."""
    if settings.answers != "auto":
        return settings.answers == "schema"
    if settings.simulated:
        return bool(_simulated(settings).get("supports_response_schema"))
    return bool(litellm_for(settings).supports_response_schema(settings.name))


def context_tokens(settings: ModelSettings) -> int | None:
    """Most tokens of a prompt, as stated or as LiteLLM reports it; None where nobody knows."""
    if settings.context is not None:
        return settings.context
    if settings.simulated:
        return int(_simulated(settings)["max_input_tokens"])
    try:
        found = litellm_for(settings).get_model_info(settings.name)
    except Exception:  # noqa: BLE001 - LiteLLM raises a bare Exception for a model it does not know
        return None
    tokens = found.get("max_input_tokens") or found.get("max_tokens")
    return int(tokens) if tokens else None


def parameters(request: Request) -> dict[str, Any]:
    """What is sent besides the messages, exactly: the ledger records this.

    The seed is left out where the provider has none. Any other parameter that the provider does not know is refused.

    Raises:
        BadInput: a parameter was set that this model does not take.
    """
    settings = request.settings
    sent: dict[str, Any] = {"max_tokens": settings.max_tokens}
    for name in ("temperature", "top_p", "reasoning_effort"):
        value = getattr(settings, name)
        if value is not None:
            sent[name] = value
    known = _known_parameters(settings)
    refused = [name for name in sent if name not in known and name != "max_tokens"]
    if refused:
        raise BadInput(f"model '{settings.name}' takes no {', '.join(refused)}: leave it out")
    if request.seed is not None and "seed" in known:
        sent["seed"] = request.seed
    if settings.api_base:
        sent["api_base"] = settings.api_base
    return sent


def _addressed(settings: ModelSettings, sent: dict[str, Any]) -> dict[str, Any]:
    """The parameters with the real address; the ledger has the names of the variables in it."""
    return {**sent, "api_base": settings.address} if settings.address else sent


def _known_parameters(settings: ModelSettings) -> Sequence[str]:
    if settings.simulated or settings.handoff:  # of a custom provider LiteLLM learns them only with its first call
        return ("seed", "temperature", "top_p", "reasoning_effort")
    return litellm_for(settings).get_supported_openai_params(settings.name) or ()


def cost_bound(request: Request) -> float:
    """An upper bound of the cost of one try, in US dollars: a token has at least one byte; pictures have their own."""
    price_in, price_out = prices(request.settings)
    return prompt_bound(request) * price_in + request.settings.max_tokens * price_out


def prompt_bound(request: Request) -> int:
    """Most tokens that the prompt of a request can have."""
    return request_bytes(request) + 256 + len(request.pictures) * MOST_TOKENS


def request_bytes(request: Request) -> int:
    """How many bytes the messages and tools of a request have, without its pictures."""
    return len(json.dumps([request.messages, [tool.model_dump() for tool in request.tools]]).encode())


def send(request: Request, *, step: str = "") -> tuple[Answer, int]:
    """Send the request, again where that can help. Returns the answer and the number of tries.

    `step` says who asks, where a person is asked.

    Raises:
        InfrastructureFault: tries used up on errors that can pass (429, 5xx, time-outs, connection).
        ModelUnusable: an error that cannot pass, with the remedy.
        Interrupted: the run is to end.
    """
    return persistently(request.settings, lambda: _try_in_turn(request, step))


def persistently(settings: ModelSettings, once: Callable[[], R]) -> tuple[R, int]:
    """What one try gives, tried again where that can help, and the number of tries. Raises as `send`."""
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(failures.can_pass),
        stop=failures.Patience(1 if settings.handoff else settings.attempts, settings.patience_seconds),
        wait=failures.wait,
        before_sleep=_tell,
        sleep=stopping.sleep,
        reraise=True,
    )
    tries = 0
    try:
        for attempt in retrying:
            with attempt:
                stopping.check()
                tries += 1
                return once(), tries
    except CallFailed as error:
        error.tries = tries
        if settings.handoff:
            raise failures.by_hand(settings, error) from error
        keys = litellm().validate_environment(settings.name)["missing_keys"]
        raise failures.final(settings.name, error, keys) from error
    raise AssertionError("tenacity ends with a result or an error")


def _try_in_turn(request: Request, step: str) -> Answer:
    """One try, when the pace of the model allows it; what came of it sets the pace of the next ones."""
    with pace_of(request.settings).admitted(expected_tokens(request)) as going:
        try:
            answer = _try_once(request, step)
        except CallFailed as error:
            if error.kind == "rate_limited":
                going.rate_limited(error.wait)
            raise
        going.answered(answer.usage.prompt + answer.usage.completion)
        return answer


def arguments(request: Request, step: str = "") -> dict[str, Any]:
    """What LiteLLM is given for one try, besides a key: messages, parameters, and what they ask of the answer."""
    settings = request.settings
    extra: dict[str, Any] = {}
    if request.tools:
        extra["tools"] = [{"type": "function", "function": tool.model_dump()} for tool in request.tools]
    if request.answer_schema is not None:
        name = str(request.answer_schema.get("title", "answer"))
        extra["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": name, "schema": request.answer_schema, "strict": False},
        }
    if "claude" in settings.name and litellm().utils.supports_prompt_caching(settings.name):
        points: list[dict[str, Any]] = [{"location": "message", "role": "system"}]
        if _goes_on(request):
            points.append({"location": "message", "index": -1})
        extra["cache_control_injection_points"] = points
    if settings.handoff:
        who = {"key": request.key, "role": request.role, "step": step, "wait": settings.handoff_seconds}
        extra["metadata"] = {"trace2skill": who}
    common = {"model": settings.name, "messages": request.sent, "timeout": settings.timeout_seconds}
    return {**common, "num_retries": 0, "max_retries": 0, **_addressed(settings, parameters(request)), **extra}


def _goes_on(request: Request) -> bool:
    """Will all that is said so far be sent once more? To keep it in a cache costs a quarter more than to send it."""
    conversed = any(message["role"] == "assistant" for message in request.messages)
    return bool(request.tools) or request.role == "agent" or conversed


def keyless(settings: ModelSettings) -> dict[str, str]:
    """A server of one's own asks for no key, and LiteLLM's client for one all the same."""
    own = settings.api_base and litellm().validate_environment(settings.name)["missing_keys"]
    return {"api_key": "none"} if own else {}


def _try_once(request: Request, step: str) -> Answer:
    settings = request.settings
    try:
        response = litellm_for(settings).completion(**arguments(request, step), **keyless(settings))
    except Exception as error:
        if interrupted():
            raise Interrupted("the run was interrupted") from error
        raise failures.sort_out(litellm().exceptions, error) from error
    return answer_of(request.key, response, lambda response, said: _used(request, response, said))


def _used(request: Request, response: Any, said: int) -> Used:
    settings = request.settings

    def cost(tokens: Usage) -> float | None:
        if settings.price is not None or settings.handoff:
            return priced(tokens, settings.price or (0.0, 0.0))
        try:
            return float(litellm().completion_cost(completion_response=response, model=settings.name) or 0.0)
        except Exception:  # noqa: BLE001 - LiteLLM raises whatever its arithmetic meets
            return None

    about = expected_tokens(request)
    return used_by(settings.name, response, said, prompt=about, bound=cost_bound(request), cost=cost)


def expected_tokens(request: Request) -> int:
    """How many tokens its prompt has by its length."""
    return request_bytes(request) // BYTES_PER_TOKEN + len(request.pictures) * USUAL_TOKENS


def _tell(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.info("model call failed (%s); try %d after a pause", error, state.attempt_number + 1)
