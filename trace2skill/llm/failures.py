"""What can go wrong with a call, sorted into what can pass and what cannot, with the remedy."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import tenacity

from trace2skill.core.errors import ContextFull, InfrastructureFault, ModelUnusable, Unanswered
from trace2skill.llm.settings import ModelSettings
from trace2skill.store import CallOutcome

LONGEST_WAIT_SECONDS = 60.0
PICTURE = re.compile(r"data:image/[\w.+-]+;base64,[\w+/=]*")
CAN_PASS = {"rate_limited", "server_error", "timeout", "connection"}
REMEDIES = {
    "authentication": "check the API key in the environment ({keys})",
    "not_found": "check the model's name and that your account may use it",
    "context_length": "use a model with a longer context, state its context (--context), or lower --max-turns",
    "bad_request": "the provider refused the parameters; see its words above",
    "quota": "the account has no credit left: add some, or use another model",
}


class CallFailed(Exception):
    """One try failed. `kind` is the ledger's word for it; `wait` seconds were asked for by the provider."""

    def __init__(self, kind: CallOutcome, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.wait = wait
        self.tries = 0


def can_pass(error: BaseException) -> bool:
    """Is it worth another try?"""
    return isinstance(error, CallFailed) and error.kind in CAN_PASS


def sort_out(types: Any, error: Exception) -> Exception:
    """The try's failure in the ledger's words; an error that is not the provider's is passed on as it is.

    `types` is litellm's module of exceptions, which is imported late.
    """
    text = _first_line(error)
    if isinstance(error, types.RateLimitError):
        if "insufficient_quota" in str(error):
            return CallFailed("quota", text)
        return CallFailed("rate_limited", text, _retry_after(error))
    sorts: list[tuple[tuple[str, ...], CallOutcome]] = [
        (("Timeout",), "timeout"),
        (("APIConnectionError",), "connection"),
        (("ContextWindowExceededError",), "context_length"),
        (("ContentPolicyViolationError",), "refused"),
        (("AuthenticationError", "PermissionDeniedError"), "authentication"),
        (("NotFoundError",), "not_found"),
        (("InternalServerError", "ServiceUnavailableError", "BadGatewayError"), "server_error"),
        (("BadRequestError", "UnprocessableEntityError", "UnsupportedParamsError"), "bad_request"),
    ]
    for names, kind in sorts:
        if isinstance(error, tuple(getattr(types, name) for name in names if hasattr(types, name))):
            return CallFailed(kind, text, _retry_after(error))
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return CallFailed("server_error" if status >= 500 else "bad_request", text, _retry_after(error))
    return error


def final(model: str, error: CallFailed, keys: Sequence[str]) -> Exception:
    """What a failed call means for whoever asked. `keys` are the environment variables the model's key may be in."""
    if error.kind in CAN_PASS:
        return InfrastructureFault(f"{model}: {error.kind} after {error.tries} tries: {error}")
    if error.kind == "refused":
        return ModelUnusable(f"{model} refused by its content filter: {error}")
    remedy = REMEDIES[error.kind].format(keys=", ".join(keys or ["its key variable"]))
    sort = ContextFull if error.kind == "context_length" else ModelUnusable
    return sort(f"{model}: {error}; {remedy}")


def by_hand(settings: ModelSettings, error: CallFailed) -> Exception:
    """What a request that was not answered by hand means for whoever asked."""
    if error.kind != "timeout":
        return ModelUnusable(str(error))
    return Unanswered(
        f"{error} in {settings.handoff_seconds or 0:g} s: answer it (`trace2skill handoff status {settings.handoff}`) "
        "and run again, or let requests wait longer"
    )


class Patience:
    """When a call is given up: after so many tries that failed, or so many seconds of 'too many requests'.

    The latter slows a fleet down and does not fail it: such tries are not counted.
    """

    def __init__(self, attempts: int, seconds: float) -> None:
        self._attempts, self._seconds = attempts, seconds
        self._failed = 0

    def __call__(self, state: tenacity.RetryCallState) -> bool:
        """Tenacity's question after a failed try: stop?"""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, CallFailed) and error.kind == "rate_limited":
            return (state.seconds_since_start or 0.0) >= self._seconds
        self._failed += 1
        return self._failed >= self._attempts


def wait(state: tenacity.RetryCallState) -> float:
    """Seconds to the next try: exponential with jitter, and no less than the provider asked for.

    After 'too many requests' there is no wait of the call's own: the pace of the model says when it may go on.
    """
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, CallFailed) and error.kind == "rate_limited":
        return 0.0
    backoff = float(tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_SECONDS)(state))
    asked = error.wait if isinstance(error, CallFailed) and error.wait is not None else 0.0
    return max(backoff, min(asked, LONGEST_WAIT_SECONDS))


def _retry_after(error: Exception) -> float | None:
    """Seconds of a Retry-After header, given as seconds or as an HTTP date (RFC 9110, 10.2.3)."""
    response = getattr(error, "response", None)
    places = (getattr(error, "litellm_response_headers", None), getattr(response, "headers", None))
    value = next((headers["retry-after"] for headers in places if headers and "retry-after" in headers), None)
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None


def _first_line(error: Exception) -> str:
    """The first line of what was said, without the pictures that a provider may quote back."""
    lines = [line for line in PICTURE.sub("data:image", str(error)).splitlines() if line.strip()]
    return lines[0][:400] if lines else type(error).__name__
