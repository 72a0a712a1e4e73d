"""Asking a trace store's REST API: bounded in time, size and tries, and nothing of its keys in what is said of it.

What a server answers is nobody's word: no redirect is followed, no address out of an answer is asked, and a key goes to
the store's public hosts, to the address that the client's own variable names, and to this machine, and nowhere else.
"""

import base64
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from trace2skill.core import stopping
from trace2skill.core.deadline import Deadline
from trace2skill.core.errors import BadInput
from trace2skill.core.foreign_json import parse
from trace2skill.safety.own_secrets import without_own
from trace2skill.safety.redaction import Redactor
from trace2skill.traces.stores.address import TraceStoreAddress
from trace2skill.traces.stores.tries import AGAIN, LONGEST_WAIT, GivenUp, TryAgain, asked_to_wait, until_answered

TRIES = 6
SECONDS, ALL_SECONDS = 60.0, 300.0
"""Of silence, and of all tries of a request together, without the waits between them."""
MOST_BYTES = 64 * 2**20
"""Of an answer, and of all pages of a trace together."""
FIRST_WAIT = 1.0
"""Seconds before the second try, doubled with each."""
RIGHT_ADDRESS = "is the address right, is that its API?"
NOBODY_THERE = "is the address right, and does a server run there?"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
GONE = (404, 410)
NO_KEY = (401, 403)
REFUSED = (400, *NO_KEY, 405, 422)


class NotPulled(Exception):
    """A request to a trace store failed for good, or after all tries.

    `again`: may it work the next time? `refused`: the server does not take the key or the question, so that no other
    page would be answered either; `key`: it is the key that it does not take. `own`: what was asked for is at fault
    itself, as it is too large or cannot be read, and not the server, its limits, or the way to it.
    """

    def __init__(
        self, message: str, *, again: bool, refused: bool = False, key: bool = False, own: bool = False
    ) -> None:
        super().__init__(message)
        self.again, self.refused, self.key, self.own = again, refused, key, own


@dataclass(frozen=True)
class KeyOfStore:
    """What a kind of store's own client takes from the environment, by the names of the variables."""

    hosts: tuple[str, ...] = ()
    """Public hosts, which may have the key."""
    named_by: tuple[str, ...] = ()
    """Variables that name the server that may have it."""
    keys: tuple[str, ...] = ()
    """Variables that hold it; all of them are needed, or none."""

    def key_of(self, address: TraceStoreAddress) -> tuple[str, ...]:
        """The values of the variables; empty where none is set.

        Raises:
            BadInput: only some are set, one cannot be a key, or this server may not have it.
        """
        values = tuple(os.environ.get(name, "") for name in self.keys)
        if not any(values):
            return ()
        for name, value in zip(self.keys, values, strict=True):
            if not value:
                raise BadInput(f"{address.name}: {' and '.join(self.keys)} go together, and {name} is not set")
            if not value.isascii() or not value.isprintable():
                raise BadInput(f"{address.name}: the key in {name} has signs that no key has")
        if not self._may_have_it(address):
            raise BadInput(
                f"{address.base} is not to have the key in {self.keys[0]}: it goes to "
                f"{' or '.join(self.hosts) or 'this machine'} over https alone, unless {self.named_by[0]} names "
                f"this server: set {self.named_by[0]}={address.base}"
            )
        return values

    def _may_have_it(self, address: TraceStoreAddress) -> bool:
        parts = urlsplit(address.base)
        named = {_origin(os.environ.get(name, "")) for name in self.named_by}
        public = parts.scheme == "https" and parts.hostname in self.hosts
        return public or parts.hostname in LOOPBACK or _origin(address.base) in named


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        return parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        return "", "", None


@dataclass
class Rest:
    """One server, asked by one pull."""

    address: TraceStoreAddress
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: tuple[str, str] | None = None
    remedy: str = ""
    """The variables that hold a key."""
    wanted: str = ""
    """What a server lacks that is too old, in words."""
    _client: httpx.Client | None = None
    _deadline: Deadline = field(default_factory=Deadline)
    _together: int | None = None
    """Bytes so far of the trace that is put together of several pages."""

    @contextmanager
    def one_trace(self) -> Iterator[None]:
        """What is asked for within the block are pages of one trace, which together are no larger than one may be."""
        self._together = 0
        try:
            yield
        finally:
            self._together = None

    def close(self) -> None:
        """Close what connections there are."""
        if self._client is not None:
            self._client.close()

    def get(self, path: str, what: str, params: Mapping[str, Any] | Sequence[tuple[str, Any]] = ()) -> Any:
        """The JSON value that a GET is answered with; see `post`."""
        return self._ask("GET", path, what, params=params)

    def post(self, path: str, what: str, body: Mapping[str, Any]) -> Any:
        """The JSON value that a POST is answered with.

        Args:
            path: below the address.
            what: is asked for, in words, e.g. `page 3 of 2026-11-29`.
            body: JSON.

        Raises:
            NotPulled: it was refused, or failed as often as it may.
            Interrupted: the process is to stop.
        """
        return self._ask("POST", path, what, json=body)

    def listed(self, answer: Any, name: str, what: str, *, may_lack: tuple[str, ...] | None = None) -> list[Any]:
        """A list in an answer. Whoever has none under that name answers something else than what was asked.

        Args:
            answer: the JSON value.
            name: of the list.
            what: was asked for, in words.
            may_lack: an empty list may be left out of an answer that has none but these names.

        Raises:
            NotPulled: there is no such list.
        """
        found = answer.get(name) if isinstance(answer, dict) else None
        if isinstance(found, list):
            return found
        if found is None and may_lack is not None and isinstance(answer, dict) and not answer.keys() - {*may_lack}:
            return []
        raise NotPulled(
            f"{self._of(what)} was answered without a list '{name}': is it this store?", again=True, own=True
        )

    def _ask(self, method: str, path: str, what: str, **more: Any) -> Any:
        left = ALL_SECONDS

        def once() -> Any:
            nonlocal left
            began = time.monotonic()
            try:
                return self._once(left, method, path, what, **more)
            finally:
                left -= time.monotonic() - began

        try:
            return until_answered(once, self._of(what), TRIES, FIRST_WAIT, lambda: left > 0)
        except GivenUp as error:
            raise NotPulled(str(error), again=True, own=error.own) from None

    def _once(self, seconds: float, method: str, path: str, what: str, **more: Any) -> Any:
        stopping.check()
        too_long = TryAgain(f"did not end within {ALL_SECONDS:.0f} s in all")
        try:
            with self._deadline.within(seconds):
                answer, content = self._answer(method, path, what, **more)
            stopping.check()
            if self._deadline.passed:  # an answer without a length ends where its connection does
                raise too_long
        except httpx.TimeoutException:
            raise TryAgain(f"was not answered within {SECONDS:.0f} s") from None
        except httpx.TransportError as error:
            stopping.check()
            if self._deadline.passed:
                raise too_long from None
            remedy = NOBODY_THERE if isinstance(error, httpx.ConnectError) else AGAIN
            raise TryAgain(f"could not be asked for ({type(error).__name__})", remedy=remedy) from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError) as error:  # a proxy of a kind it lacks
            raise NotPulled(f"{self._of(what)} could not be asked for ({type(error).__name__})", again=True) from None
        if self._together is not None:
            self._together += len(content)
        return self._value(answer, content, what)

    def _answer(self, method: str, path: str, what: str, **more: Any) -> tuple[httpx.Response, bytes]:
        """An answer with its bytes as they came: none is unpacked, which a few bytes could make gigabytes."""
        if self._client is None:
            headers = {"Accept": "application/json", "Accept-Encoding": "identity", **self.headers}
            # This machine is asked without a proxy, which would be told the key.
            env = urlsplit(self.address.base).hostname not in LOOPBACK
            self._client = httpx.Client(
                headers=headers, auth=self.auth, timeout=SECONDS, follow_redirects=False, trust_env=env
            )
        self._client.cookies.clear()
        content = bytearray()
        seen = {"trace": self._deadline.seen}
        with self._client.stream(method, f"{self.address.base}/{path}", extensions=seen, **more) as answer:
            if answer.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
                raise NotPulled(f"{self._of(what)} was answered packed, which was not asked for", again=True)
            for piece in answer.iter_raw():
                stopping.check()
                content += piece
                if len(content) + (self._together or 0) > MOST_BYTES:
                    text = f"{self._of(what)} is larger than {MOST_BYTES} bytes: left out"
                    raise NotPulled(text, again=False, own=True)
        return answer, bytes(content)

    def _value(self, answer: httpx.Response, content: bytes, what: str) -> Any:
        status = answer.status_code
        if status in (408, 425, 429) or status >= 500:
            seconds = asked_to_wait(answer.headers.get("retry-after", ""))
            if seconds is not None and seconds > LONGEST_WAIT:
                text = f"{self._of(what)} is to be asked for again in {seconds:.0f} s ({status}): run the command then"
                raise NotPulled(text, again=True)
            raise TryAgain(f"was answered with {status}", seconds)
        if answer.is_redirect:
            text = f"{self._of(what)} is somewhere else ({status}), which is not followed: name that address"
            raise NotPulled(text, again=True, refused=True)
        if not answer.is_success:
            said = self.told(content.decode(errors="replace"))
            text = f"{self._of(what)} was refused ({status}): {said}. {self._remedy(status)}"
            raise NotPulled(
                text, again=status not in GONE, refused=status in REFUSED, key=status in NO_KEY, own=status in GONE
            )
        try:
            return parse(content)
        except ValueError:
            if content.lstrip()[:1] == b"<":  # a page for people stays one, however often it is asked for
                text = f"{self._of(what)} was answered with a page of HTML and not with JSON: {RIGHT_ADDRESS}"
                raise NotPulled(text, again=True, own=True) from None
            raise TryAgain("was answered with something else than JSON", own=True, remedy=RIGHT_ADDRESS) from None

    def _remedy(self, status: int) -> str:
        if status in NO_KEY:
            return f"Set {self.remedy}: a key that may read this project"
        if status in GONE:
            return f"Look at the address, and at its project={self.wanted}"
        return "Look at the filter= of the address" if self.address.filter else "Look at the address"

    def told(self, text: str) -> str:
        """What a server says, short, and without secrets: it may say a key back."""
        pair = base64.b64encode(":".join(self.auth or ()).encode()).decode()  # as the header has it
        for secret in (*self.headers.values(), *(self.auth or ()), pair):
            if len(secret) > 5:
                text = text.replace(secret.removeprefix("Bearer "), "[key]")
        return Redactor().text(without_own(" ".join(text.split())))[:300]

    def _of(self, what: str) -> str:
        host = f" ({urlsplit(self.address.base).netloc})" if self.address.project else ""  # else its name has it
        return f"{self.address.name}{host}: {what}"
