"""What can go wrong with a call, sorted into what can pass and what cannot, with the remedy."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import tenacity

from trace2skill.core import clock
from trace2skill.core.errors import ContextFull, InfrastructureFault, ModelUnusable, Unanswered
from trace2skill.llm import server_words
from trace2skill.llm.settings import ModelSettings
from trace2skill.safety.own_secrets import without_own
from trace2skill.safety.redaction import Redactor
from trace2skill.store import CallOutcome

LONGEST_WAIT_SECONDS = 60.0
PICTURE = re.compile(r"data:image/[\w.+-]+;base64,[\w+/=]*")
MOST_LOOKED_AT = 100_000
UNREADABLE = re.compile(r"Exceeds the limit .{0,80}digits.{0,200}APIResponse \[200", re.DOTALL)
CAN_PASS = {"rate_limited", "server_error", "timeout", "connection"}
REFUSALS_OF_A_DAY = 3
"""After so many refusals in a row that speak of a day's quota it is believed, although a server says 'in 20 s'."""
REMEDIES = {
    "authentication": "check the API key in the environment ({keys})",
    "not_found": "check the model's name and that your account may use it",
    "context_length": "use a model with a longer context, state its context (--context), or lower --max-turns",
    "bad_request": "the provider refused the parameters; see its words above",
    "quota": "the account has no credit or quota left: add some, wait until it is renewed, or use another model; all "
    "that was paid for is kept",
}


class CallFailed(Exception):
    """One try failed. `kind` is the ledger's word for it; `wait` seconds were asked for by the provider.

    `of_a_day`: it was 'too many requests', and the quota it speaks of is one of a day. `answered`: the model answered,
    and is paid for it, but nobody can read what came.
    """

    def __init__(
        self,
        kind: CallOutcome,
        message: str,
        wait: float | None = None,
        *,
        of_a_day: bool = False,
        answered: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.wait = wait
        self.of_a_day = of_a_day
        self.answered = answered
        self.tries = 0


def can_pass(error: BaseException) -> bool:
    """Is it worth another try?"""
    return isinstance(error, CallFailed) and error.kind in CAN_PASS and not error.answered


def sort_out(types: Any, error: Exception) -> Exception:
    """The try's failure in the ledger's words; an error that is not the provider's is passed on as it is.

    `types` is litellm's module of exceptions, which is imported late.
    """
    text, all_words = _first_line(error), server_words.words_of(error)
    if ("install" in text or "No module named" in text) and _lacks_a_package(error):
        return ModelUnusable(f"a package that this provider needs is not installed: {text}")
    limited = isinstance(error, types.RateLimitError)
    status = 429 if limited else getattr(error, "status_code", None)
    meant = (
        server_words.meaning(status if isinstance(status, int) else None, all_words) if _was_told(types, error) else ""
    )
    if meant in ("quota", "context_length"):
        return CallFailed("quota" if meant == "quota" else "context_length", text)
    if limited:
        asked = _retry_after(error, all_words)
        if meant == "day" and asked is None:
            return CallFailed("quota", text)
        return CallFailed("rate_limited", text, asked, of_a_day=meant == "day")
    if "'choices'" in str(error)[:MOST_LOOKED_AT] and "Invalid response object" in str(error)[:MOST_LOOKED_AT]:
        return CallFailed("server_error", "its answer cannot be read: figures or parts that cannot be", answered=True)
    if UNREADABLE.search(str(error)[:MOST_LOOKED_AT]):
        return CallFailed("server_error", "its answer cannot be read: a number that is too long", answered=True)
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
    if isinstance(status, int):
        return CallFailed("server_error" if status >= 500 else "bad_request", text, _retry_after(error))
    return error


def final(model: str, error: CallFailed, keys: Sequence[str]) -> Exception:
    """What a failed call means for whoever asked. `keys` are the environment variables the model's key may be in."""
    if error.kind in CAN_PASS and not error.of_a_day:
        return InfrastructureFault(f"{model}: {error.kind} after {error.tries} tries: {error}")
    if error.kind == "refused":
        return ModelUnusable(f"{model} refused by its content filter: {error}")
    remedy = REMEDIES["quota" if error.of_a_day else error.kind].format(keys=", ".join(keys or ["its key variable"]))
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

    The latter slows a fleet down and does not fail it: such tries are not counted. A quota of a day is given up early.
    """

    def __init__(self, attempts: int, seconds: float) -> None:
        self._attempts, self._seconds = attempts, seconds
        self._failed = self._of_a_day = 0

    def __call__(self, state: tenacity.RetryCallState) -> bool:
        """Tenacity's question after a failed try: stop?"""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, CallFailed) and error.kind == "rate_limited":
            self._of_a_day = self._of_a_day + 1 if error.of_a_day else 0
            if self._of_a_day >= REFUSALS_OF_A_DAY or (error.of_a_day and (error.wait or 0.0) > self._seconds):
                return True
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


def _lacks_a_package(error: BaseException) -> bool:
    """Is it an import of LiteLLM's own that failed? It calls this an error of the server, or a broken connection."""
    seen: BaseException | None = error
    for _ in range(20):
        if seen is None:
            return False
        if isinstance(seen, ImportError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _was_told(types: Any, error: Exception) -> bool:
    """Did a server refuse, rather than the way to it break?"""
    names = ("Timeout", "APIConnectionError", "AuthenticationError", "NotFoundError", "ContentPolicyViolationError")
    return not isinstance(error, tuple(getattr(types, name) for name in names if hasattr(types, name)))


def _retry_after(error: Exception, said: str = "") -> float | None:
    """Seconds that a provider asks to wait: by its Retry-After header (RFC 9110, 10.2.3), else in its words.

    A date without a zone is read as UTC. What is no time that can be waited for says nothing.
    """
    response = getattr(error, "response", None)
    places = (getattr(error, "litellm_response_headers", None), getattr(response, "headers", None))
    value = next((headers["retry-after"] for headers in places if headers and "retry-after" in headers), None)
    seconds = _seconds_of(str(value).strip()) if value else None
    return seconds if seconds is not None else _seconds_in(said)


def _seconds_of(value: str) -> float | None:
    try:
        seconds = float(value)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            when = read(value)
            zoned = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
            return max(0.0, (zoned - clock.now()).total_seconds())
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


IN_WORDS = re.compile(
    r"retryDelay\W{1,6}(?P<delay>\d{1,6}(?:\.\d{1,9})?)s"
    r"|(?:try again|retry|available again|reset|wait)\w{0,8}(?: again)?(?: in| after| for)? {0,2}"
    r"(?:(?P<hours>\d{1,4}) ?h(?:(?:ou)?rs?)? ?)?(?:(?P<minutes>\d{1,4}) ?m(?:in(?:ute)?s?)?(?![a-z]) ?)?"
    r"(?:(?P<seconds>\d{1,6}(?:\.\d{1,9})?) ?s(?:ec(?:ond)?s?)?\b)?",
    re.IGNORECASE,
)


def _seconds_in(said: str) -> float | None:
    """Seconds to wait, where words tell: 'Please try again in 14m24.5s'."""
    for found in IN_WORDS.finditer(said[: server_words.LONGEST]):
        parts = [found["hours"], found["minutes"], found["seconds"]]
        if found["delay"]:
            return float(found["delay"])
        if any(parts):
            return sum(float(part or 0) * unit for part, unit in zip(parts, (3600, 60, 1), strict=True))
    return None


def _first_line(error: Exception) -> str:
    """The first line of what was said, without the pictures that a provider may quote back.

    Where a library kept nothing of a server's words but its status, those words stand behind it.
    """
    lines = [line for line in PICTURE.sub("data:image", str(error)).splitlines() if line.strip()]
    line = lines[0][:400] if lines else type(error).__name__
    words = " ".join(PICTURE.sub("data:image", server_words.told(error)).split())[:400]
    return Redactor().text(without_own(line if not words or words[:60] in line else f"{line}: {words}"))
