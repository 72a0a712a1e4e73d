"""Trying a request again: how often, after which wait, and what is said at each."""

import email.utils
import logging
from collections.abc import Callable
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from trace2skill.core import clock, stopping

log = logging.getLogger(__name__)
AGAIN = "run the same command again"
LONGEST_WAIT = 120.0
"""Seconds, where a server asks for none or for no more than these."""


class TryAgain(Exception):
    """A try failed, and the next may not. `seconds`: the server asked for so long a wait; `own`: see `NotPulled`."""

    def __init__(self, message: str, seconds: float | None = None, *, own: bool = False, remedy: str = AGAIN) -> None:
        super().__init__(message)
        self.seconds, self.own, self.remedy = seconds, own, remedy


class GivenUp(Exception):
    """All tries failed: says what was asked for, how the last one ended, and the remedy."""

    def __init__(self, message: str, *, own: bool) -> None:
        super().__init__(message)
        self.own = own


def until_answered(
    once: Callable[[], Any], what: str, tries: int, first_wait: float, is_time: Callable[[], bool]
) -> Any:
    """What `once` gives, tried while it raises `TryAgain`; a line in the log tells each wait.

    Args:
        once: a try.
        what: is asked for and where, in words.
        tries: at most so many.
        first_wait: seconds before the second try, doubled with each.
        is_time: may there be another try?

    Raises:
        GivenUp: the last try failed too.
        Interrupted: the process is to stop.
    """
    made = 0

    def counted() -> Any:
        nonlocal made
        made += 1
        return once()

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.warning("attempt %d of %d in %.0f s: %s %s", made + 1, tries, state.upcoming_sleep, what, error)

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.seconds if isinstance(error, TryAgain) else None
        return asked if asked is not None else min(first_wait * 2 ** (made - 1), LONGEST_WAIT)

    enough = stop_after_attempt(tries)
    retrying = Retrying(
        stop=lambda state: enough(state) or not is_time(),
        wait=wait,
        sleep=stopping.sleep,
        before_sleep=tell,
        retry=retry_if_exception(lambda error: isinstance(error, TryAgain)),
        reraise=True,
    )
    try:
        return retrying(counted)
    except TryAgain as error:
        times = f", {made} times" if made > 1 else ""
        raise GivenUp(f"{what} {error}{times}: {error.remedy}", own=error.own) from None


def asked_to_wait(said: str) -> float | None:
    """Seconds by a `Retry-After`: a number, or a date."""
    if said.strip().isascii() and said.strip().isdigit():
        return float(said.strip()[:9])
    try:
        when = email.utils.parsedate_to_datetime(said)
        return max(0.0, (when - clock.now()).total_seconds())
    except (ValueError, TypeError, IndexError):
        return None
