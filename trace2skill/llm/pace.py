"""How fast a model is asked: as fast as its provider takes it, by what the provider itself says.

Calls under way are bounded by a window that shrinks by half when the provider says 'too many requests' and grows by
one for each window of calls it answered (additive increase, multiplicative decrease: Chiu and Jain 1989,
https://doi.org/10.1016/0169-7552(89)90019-6). While the provider asks to wait, nobody calls. Where a person knows the
provider's quota, requests and tokens per minute are kept below it, too. One pace per model and address, shared by all
threads of the process; several processes find their shares by the same rule.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trace2skill.core import stopping
from trace2skill.llm.settings import ModelSettings

WIDEST = 256
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
BURST_SECONDS = 6.0
"""How much of a minute's quota may be used at once."""

_paces: dict[tuple[str, str], "Pace"] = {}
_guard = threading.Lock()


class Quota:
    """A bucket that fills with so many units per minute; taking more than it holds is a debt to be waited for."""

    def __init__(self, per_minute: float | None, now: float) -> None:
        self._rate = per_minute / 60 if per_minute else math.inf
        self._held = self._most = self._rate * BURST_SECONDS
        self._at = now

    def wait(self, now: float) -> float:
        """Seconds until something may be taken."""
        if math.isinf(self._rate):
            return 0.0
        self._held = min(self._most, self._held + (now - self._at) * self._rate)
        self._at = now
        return max(0.0, -self._held / self._rate)

    def take(self, amount: float) -> None:
        """Take some, or give some back (negative)."""
        if not math.isinf(self._rate):
            self._held -= amount


class Pace:
    """The pace of one model. `clock` gives seconds; `draw` a number in [0, 1) for jitter."""

    def __init__(
        self,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._clock, self._draw = clock, draw
        self._requests = Quota(requests_per_minute, clock())
        self._tokens = Quota(tokens_per_minute, clock())
        self._window = float(WIDEST)
        self._under_way = 0
        self._closed_until = 0.0
        self._cut_at = -math.inf
        self._cuts = 0
        self._changed = threading.Condition()

    @property
    def window(self) -> float:
        """How many calls may be under way now."""
        return self._window

    @contextmanager
    def admitted(self, tokens: float) -> Iterator["Try"]:
        """Wait for a turn, and hold it for the block, which is one try of about so many tokens.

        Raises:
            Interrupted: the run is to end.
        """
        with self._changed:
            while (pause := self.pause_seconds()) > 0:
                stopping.check()
                self._changed.wait(min(pause, stopping.LOOK_SECONDS))
            stopping.check()
            self._under_way += 1
            self._requests.take(1)
            self._tokens.take(tokens)
        going = Try(self._clock())
        try:
            yield going
        finally:
            with self._changed:
                self._under_way -= 1
                self._tokens.take((going.used if going.used is not None else 0.0) - tokens)
                if going.refused:
                    self._slow_down(going)
                elif going.used is not None:
                    self._speed_up()
                self._changed.notify_all()

    def pause_seconds(self) -> float:
        """Seconds until the next look; infinite where only the end of another call can help."""
        now = self._clock()
        seconds = max(self._closed_until - now, self._requests.wait(now), self._tokens.wait(now))
        if seconds > 0:
            return seconds
        return math.inf if self._under_way >= max(1, int(self._window)) else 0.0

    def _slow_down(self, going: "Try") -> None:
        now = self._clock()
        if going.started < self._cut_at:  # it was sent before the last cut, and says nothing about the new window
            return
        self._window = max(1.0, min(self._window, self._under_way + 1) / 2)
        self._cut_at = now
        self._cuts += 1
        backoff = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._cuts - 1, 10)) * (0.5 + self._draw() / 2)
        asked = min(going.wait, LONGEST_PAUSE) if going.wait is not None else backoff
        self._closed_until = max(self._closed_until, now + asked)

    def _speed_up(self) -> None:
        self._cuts = 0
        self._window = min(float(WIDEST), self._window + 1 / self._window)


class Try:
    """What became of one try."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.used: float | None = None
        self.refused = False
        self.wait: float | None = None

    def answered(self, tokens: int) -> None:
        """The provider answered, with so many tokens in all."""
        self.used = tokens

    def rate_limited(self, wait: float | None) -> None:
        """The provider said 'too many requests', and asked for so many seconds, or for none in particular."""
        self.refused, self.wait = True, wait


def pace_of(settings: ModelSettings) -> Pace:
    """The pace of a model at an address; the quota is that of whoever asks first in this process."""
    key = (settings.name, settings.api_base or "")
    with _guard:
        if key not in _paces:
            _paces[key] = Pace(settings.requests_per_minute, settings.tokens_per_minute)
        return _paces[key]
