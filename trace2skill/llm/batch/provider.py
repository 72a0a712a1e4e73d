"""A provider's batch API, as LiteLLM has it: a file goes up, a batch of it is made, looked at, and read.

Only providers whose batches can be listed with their metadata are used: of others nobody could say, after a crash,
whether a batch was sent.
"""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from trace2skill.core.errors import Interrupted
from trace2skill.core.record import Record
from trace2skill.llm import failures, transport
from trace2skill.llm.failures import CallFailed
from trace2skill.llm.pace import pace_of
from trace2skill.llm.settings import ModelSettings
from trace2skill.sandbox.running import interrupted

log = logging.getLogger(__name__)
PROVIDERS = ("azure", "hosted_vllm", "litellm_proxy", "openai")
"""Of those for which LiteLLM makes batches; of anthropic it only looks at them."""
KNOWN_ADDRESS = ("azure", "openai")
"""Those whose own address LiteLLM takes for batches, too."""
MARK = "trace2skill"
"""The name in a batch's metadata that says which of ours it is."""
MOST_LISTED = 100
MOST_PAGES = 20
ENDED = ("completed", "failed", "expired", "cancelled")
R = TypeVar("R")


class Seen(Record):
    """What a provider says of a batch. `created` is in seconds since 1970, 0 where it does not say."""

    state: str
    counted: bool = True
    """Does it say how many calls are done and have failed? One that says that there are none says nothing."""
    total: int = 0
    done: int = 0
    failed: int = 0
    created: float = 0.0
    files: tuple[str, ...] = ()
    """What went in and what came out, to be removed once it is read."""
    results: tuple[str, ...] = ()
    """The files of answers and of errors."""
    problem: str = ""

    @property
    def ended(self) -> bool:
        """Will nothing more come?"""
        return self.state in ENDED


GONE = Seen(state="gone", problem="the provider does not know it any more")


class Reached(Record):
    """How a model's provider is reached: its name, and a key and an address that LiteLLM would not find for batches."""

    provider: str
    key: str | None = None
    address: str | None = None


def reached(settings: ModelSettings) -> Reached | None:
    """The provider of a model, where calls of it can go in batches; None for any other.

    Of one whose address LiteLLM knows for single calls alone, as it has it there: else the batch would be sent to
    OpenAI.
    """
    if settings.simulated or settings.handoff:
        return None
    try:
        _, name, key, address = transport.litellm_for(settings).get_llm_provider(settings.name)
    except Exception:  # noqa: BLE001 - LiteLLM raises its own for a name it does not know, which is said elsewhere
        return None
    address = settings.address or address
    if name not in PROVIDERS or (name not in KNOWN_ADDRESS and not address):
        return None
    return Reached(provider=str(name), key=key, address=address)


def provider_of(settings: ModelSettings) -> str | None:
    """The name of that provider."""
    found = reached(settings)
    return found.provider if found else None


class BatchApi:
    """The batch API of one model's provider. What can pass is tried again, but for the one thing that must not be."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._lite = transport.litellm_for(settings)
        found = reached(settings)
        how: dict[str, Any] = {"timeout": settings.timeout_seconds, "max_retries": 0, **transport.keyless(settings)}
        given = {"api_key": found and found.key, "api_base": found and found.address}
        how |= {name: value for name, value in given.items() if value}
        self._how = {**how, "custom_llm_provider": found and found.provider}

    def upload(self, lines: bytes, name: str) -> str:
        """Put the calls there; returns the file's id. Twice is harmless. Raises as `transport.persistently`."""
        file = (f"{name}.jsonl", lines, "application/jsonl")
        return str(self._again(lambda: self._lite.create_file(file=file, purpose="batch", **self._how)).id)

    def create(self, file: str, name: str) -> str:
        """Make the batch, in one try; returns its id.

        Raises:
            CallFailed: it was refused, or nobody knows whether it was made: `find` does.
        """
        made = self._once(
            lambda: self._lite.create_batch(
                completion_window="24h",
                endpoint="/v1/chat/completions",
                input_file_id=file,
                metadata={MARK: name},
                **self._how,
            )
        )
        return str(made.id)

    def find(self, name: str) -> str | None:
        """The id of our batch of that name, among the latest two thousand. Raises as `transport.persistently`."""
        after: str | None = None
        for _ in range(MOST_PAGES):
            here = {"after": after} if after else {}
            page = self._again(lambda here=here: self._lite.list_batches(limit=MOST_LISTED, **here, **self._how))  # type: ignore[misc]
            found = [*(getattr(page, "data", None) or [])]
            for batch in found:
                if (getattr(batch, "metadata", None) or {}).get(MARK) == name:
                    return str(batch.id)
            if not found or not getattr(page, "has_more", False) or str(found[-1].id) == after:
                return None
            after = str(found[-1].id)
        return None

    def look(self, id: str) -> Seen:
        """How far a batch is; `GONE` where the provider has forgotten it. Raises as `transport.persistently`."""
        batch = self._unless_gone(lambda: self._lite.retrieve_batch(batch_id=id, **self._how))
        if batch is None:
            return GONE
        counts = getattr(batch, "request_counts", None)
        results = tuple(str(file) for file in (batch.output_file_id, batch.error_file_id) if file)
        return Seen(
            state=str(batch.status),
            counted=bool(getattr(counts, "total", 0)),
            total=int(getattr(counts, "total", 0) or 0),
            done=int(getattr(counts, "completed", 0) or 0),
            failed=int(getattr(counts, "failed", 0) or 0),
            created=float(batch.created_at or 0),
            files=(*([str(batch.input_file_id)] if batch.input_file_id else []), *results),
            results=results,
            problem=_problem(batch),
        )

    def read(self, file: str) -> bytes | None:
        """What a file holds; None where it is gone. Raises as `transport.persistently`."""
        found = self._unless_gone(lambda: self._lite.file_content(file_id=file, **self._how))
        return None if found is None else bytes(found.content)

    def cancel(self, id: str) -> None:
        """Ask for the end of a batch; it may be over already."""
        self._if_possible(lambda: self._lite.cancel_batch(batch_id=id, **self._how), f"batch {id} was not cancelled")

    def remove(self, files: tuple[str, ...]) -> None:
        """Remove files, as far as the provider lets us."""
        for file in files:
            self._if_possible(
                lambda file=file: self._lite.file_delete(file_id=file, **self._how),  # type: ignore[misc]
                f"file {file} stays at the provider",
            )

    def _again(self, call: Callable[[], R]) -> R:
        return transport.persistently(self._settings, lambda: self._in_turn(call))[0]

    def _unless_gone(self, call: Callable[[], R]) -> R | None:
        def once() -> R | None:
            try:
                return self._in_turn(call)
            except CallFailed as error:
                if error.kind == "not_found":
                    return None
                raise

        return transport.persistently(self._settings, once)[0]

    def _in_turn(self, call: Callable[[], R]) -> R:
        """One try, when the pace of the model allows it: the provider counts these requests, too."""
        with pace_of(self._settings).admitted(0) as going:
            try:
                found = self._once(call)
            except CallFailed as error:
                if error.kind == "rate_limited":
                    going.rate_limited(error.wait)
                raise
            going.answered(0)
            return found

    def _once(self, call: Callable[[], R]) -> R:
        try:
            return call()
        except Exception as error:
            if interrupted():
                raise Interrupted("the run was interrupted") from error
            raise failures.sort_out(self._lite.exceptions, self._translated(error)) from error

    def _translated(self, error: Exception) -> Exception:
        """LiteLLM's own for what a provider's client raised: of batches it passes that on as it is."""
        how = {"model": self._settings.name, "custom_llm_provider": self._how["custom_llm_provider"]}
        try:
            self._lite.exception_type(original_exception=error, **how)
        except Exception as translated:  # noqa: BLE001 - that is how it answers
            return translated
        return error

    def _if_possible(self, call: Callable[[], object], words: str) -> None:
        try:
            self._once(call)
        except Exception as error:  # noqa: BLE001 - nothing depends on it
            log.info("%s: %s", words, error)


def _problem(batch: Any) -> str:
    """The first thing that a provider found wrong with a batch as a whole."""
    said = getattr(getattr(batch, "errors", None), "data", None) or []
    return next((str(getattr(item, "message", "") or "")[:300] for item in said), "")
