"""The simulated model as a LiteLLM custom provider: `sim/...`.

It takes the same requests over the same LiteLLM path as any model. What it answers is simulated; that it runs commands
on real files, hands in real fixes and fills the same schemas is not. It shows the machinery and proves nothing about
the quality of a skill.
"""

import json
import math
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

from trace2skill.core.digest import digest_of
from trace2skill.sim.conversation import Heard, Spoken, text_of
from trace2skill.sim.embedding import EMBEDDING, embedded
from trace2skill.sim.pictures import TOKENS, refusal
from trace2skill.sim.profile import Profile, chance, profile_of
from trace2skill.sim.roles import play
from trace2skill.sim.scripted import SCRIPTED, speak, unscripted

PRICE_PER_TOKEN = (0.5e-6, 2.0e-6)
STORM = 0.5
CALL_LOG = "TRACE2SKILL_SIM_CALLS"
"""Environment variable: a file to which every served request appends its key, for counting calls over processes."""

PROMPTS = "TRACE2SKILL_SIM_PROMPTS"
"""Environment variable: a file to which every served request appends its messages, for looking at what was sent."""

OUTAGE = "TRACE2SKILL_SIM_OUTAGE"
"""Environment variable: a file with the share of requests that get a 503 as long as it exists."""


def register(litellm: Any) -> None:
    """Make `sim/...` known to LiteLLM. Model names are made known one by one, by `ensure_known`."""
    if any(item["provider"] == "sim" for item in litellm.custom_provider_map):
        return
    handler = _handler(litellm)
    litellm.custom_provider_map = [*litellm.custom_provider_map, {"provider": "sim", "custom_handler": handler}]


def ensure_known(litellm: Any, name: str) -> None:
    """Give LiteLLM the price and abilities of one simulated model.

    Raises:
        BadInput: the name holds a setting that is not understood.
    """
    if name not in litellm.model_cost:
        litellm.register_model({name: abilities(name)})


def abilities(name: str) -> dict[str, Any]:
    """The price and abilities of one simulated model, in LiteLLM's words: known without LiteLLM, which takes seconds.

    Raises:
        BadInput: the name holds a setting that is not understood.
    """
    profile = profile_of(name)
    price_in, price_out = PRICE_PER_TOKEN
    if profile.name == EMBEDDING:
        mode = {"litellm_provider": "sim", "mode": "embedding", "max_input_tokens": 8_000, "max_tokens": 8_000}
        return {**mode, "input_cost_per_token": price_in / 10, "output_cost_per_token": 0.0}
    return {
        "litellm_provider": "sim",
        "mode": "chat",
        "max_input_tokens": 200_000,
        "max_output_tokens": 32_000,
        "max_tokens": 32_000,
        "input_cost_per_token": price_in,
        "output_cost_per_token": price_out,
        "supports_function_calling": True,
        "supports_response_schema": True,
        "supports_vision": not profile.blind,
    }


def _handler(litellm: Any) -> Any:
    """The handler LiteLLM calls. Its base class comes from litellm, which is imported late, hence the closure."""

    class Simulated(litellm.CustomLLM):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self._tries: Counter[str] = Counter()
            self._guard = threading.Lock()
            self._began: dict[str, float] = {}

        def _in_storm(self, profile: Profile) -> bool:
            with self._guard:
                began = self._began.setdefault(profile.digest, time.monotonic())
            return time.monotonic() - began < profile.storm_seconds

        def completion(self, *_: Any, **request: Any) -> Any:
            profile = profile_of(request["model"])
            options = request["optional_params"]
            heard = Heard(
                profile=profile,
                messages=tuple(dict(message) for message in request["messages"]),
                native_tools=bool(options.get("tools")),
                seed=options.get("seed") or 0,
            )
            with self._guard:
                self._tries[heard.key] += 1
                attempt = self._tries[heard.key]
            _refuse(litellm, heard, attempt, request.get("timeout"), lambda: self._in_storm(profile))
            _log_call(heard.key, heard.messages)
            said = speak(heard) if profile.name == SCRIPTED else play(heard)
            spoken = _disturbed(profile, heard, said, structured=bool(options.get("response_format")))
            return _filled(litellm, request["model_response"], request["model"], heard, spoken)

        def embedding(self, *_: Any, **request: Any) -> Any:
            profile, texts = profile_of(request["model"]), [str(text) for text in request["input"]]
            key = digest_of("embedding", profile.seed, texts)
            _check_outage(litellm, profile, key)
            _log_call(key, texts)
            response = request["model_response"]
            response.data = [
                {"object": "embedding", "index": index, "embedding": embedded(text)} for index, text in enumerate(texts)
            ]
            tokens = sum(len(text) for text in texts) // 4 + 1
            response.usage = litellm.Usage(prompt_tokens=tokens, completion_tokens=0, total_tokens=tokens)
            response.model = f"sim/{request['model']}"
            return response

    return Simulated()


def _refuse(litellm: Any, heard: Heard, attempt: int, timeout: object, in_storm: Callable[[], bool]) -> None:
    """Whatever keeps a call from being answered: what it asks, an outage, its latency, a storm, a planned fault."""
    profile, key = heard.profile, heard.key
    if problem := refusal(heard) or unscripted(profile):
        raise litellm.BadRequestError(message=f"simulated: {problem}", model=profile.name, llm_provider="sim")
    _check_outage(litellm, profile, key)
    _sleep(profile, key, attempt)
    if chance("hang", key, attempt) < profile.hangs:
        time.sleep(float(timeout or 600))  # type: ignore[arg-type]
        raise litellm.Timeout(message="simulated: hung", llm_provider="sim", model=profile.name)
    if in_storm() and chance("storm", key, attempt) < STORM:
        raise _too_many(litellm, profile)
    _fail_as_planned(litellm, profile, key, attempt)


def _check_outage(litellm: Any, profile: Profile, key: str) -> None:
    if chance("outage", key) < _outage():
        raise litellm.ServiceUnavailableError(message="simulated: outage", llm_provider="sim", model=profile.name)


def _sleep(profile: Profile, key: str, attempt: int) -> None:
    if profile.latency <= 0:
        return
    spread = NormalDist().inv_cdf(min(max(chance("latency", key, attempt), 1e-6), 1 - 1e-6))
    time.sleep(profile.latency * math.exp(profile.jitter * spread))


def _fail_as_planned(litellm: Any, profile: Profile, key: str, attempt: int) -> None:
    where = {"llm_provider": "sim", "model": profile.name}
    if chance("429", key, attempt) < profile.rate_limited:
        raise _too_many(litellm, profile)
    if chance("503", key, attempt) < profile.server_error:
        raise litellm.ServiceUnavailableError(message="simulated: overloaded", **where)
    if chance("timeout", key, attempt) < profile.timeouts:
        raise litellm.Timeout(message="simulated: timed out", **where)


def _outage() -> float:
    """Share of requests that nothing answers now."""
    path = os.environ.get(OUTAGE)
    return float(Path(path).read_text(encoding="ascii")) if path and Path(path).exists() else 0.0


def _too_many(litellm: Any, profile: Profile) -> Exception:
    where = {"llm_provider": "sim", "model": profile.name}
    error: Exception = litellm.RateLimitError(message="simulated: too many requests", **where)
    if profile.retry_after is not None:
        error.response.headers["retry-after"] = str(profile.retry_after)  # type: ignore[attr-defined]
    return error


def _disturbed(profile: Profile, heard: Heard, spoken: Spoken, *, structured: bool) -> Spoken:
    """The answer as it is, or broken as the profile says: a refusal, or JSON cut off or wrapped in prose."""
    if chance("refusal", heard.key) < profile.refusals:
        return Spoken(text="I am sorry, I cannot help with that.")
    if structured and chance("malformed", heard.key) < profile.malformed:
        half = spoken.text[: len(spoken.text) // 2]
        forms = (half, f"Here is my answer.\n```json\n{half}\n```", "I would rather explain it in words.", "[1, 2, 3]")
        return spoken.model_copy(update={"text": forms[int(chance("form", heard.key) * len(forms))]})
    return spoken


def _log_call(key: str, said: Sequence[object]) -> None:
    if path := os.environ.get(CALL_LOG):
        _append(path, key)
    if path := os.environ.get(PROMPTS):
        _append(path, json.dumps(said, ensure_ascii=True, default=str))


def _append(path: str, line: str) -> None:
    with Path(path).open("a", encoding="ascii") as log:
        log.write(line + "\n")


def _filled(litellm: Any, response: Any, name: str, heard: Heard, spoken: Spoken) -> Any:
    message: dict[str, Any] = {"role": "assistant", "content": spoken.text}
    if spoken.tool:
        function = {"name": spoken.tool, "arguments": json.dumps(spoken.arguments)}
        message["tool_calls"] = [{"id": f"call_{heard.turns}", "type": "function", "function": function}]
    prompt = sum(len(text_of(message)) for message in heard.messages) // 4 + 1 + len(heard.pictures) * TOKENS
    answer = (len(spoken.text) + len(json.dumps(spoken.arguments))) // 4 + 1
    response.choices = [litellm.Choices(index=0, finish_reason=spoken.finish, message=litellm.Message(**message))]
    response.usage = litellm.Usage(prompt_tokens=prompt, completion_tokens=answer, total_tokens=prompt + answer)
    response.model = f"sim/{name}"
    return response
