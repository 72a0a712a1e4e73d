"""Embeddings: texts in, a vector for each out. Sent, priced and kept as any other call of a model."""

from collections.abc import Mapping
from operator import not_
from typing import Any, Literal

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.llm import failures, transport
from trace2skill.llm.answers import BYTES_PER_TOKEN
from trace2skill.llm.pace import pace_of
from trace2skill.llm.settings import ModelSettings
from trace2skill.llm.usage import used
from trace2skill.types.trajectory import Usage


class EmbeddingRequest(Record):
    """One call of an embedding model. Its `key` covers all that can change the vectors."""

    role: Literal["embedding"] = "embedding"
    settings: ModelSettings
    texts: tuple[str, ...] = Field(min_length=1)
    seed: None = None

    @property
    def key(self) -> str:
        """Content key of the call: 'call/' and 64 hex digits."""
        return "call/" + digest_of("embedding call 1", self.settings.name, self.settings.api_base, self.texts)


class Embedding(Record, form="Embedding", version=1):
    """A vector for each text of a request, in its order."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage = Usage()
    usage_note: str = Field(default="", exclude_if=not_, description="Why the usage is not the server's own figures.")

    @property
    def tokens_cached(self) -> None:
        """Nobody keeps texts to be embedded in a cache."""
        return


def parameters(request: EmbeddingRequest) -> dict[str, Any]:
    """What is sent besides the texts, exactly: the ledger records this."""
    return {"api_base": request.settings.api_base} if request.settings.api_base else {}


def cost_bound(request: EmbeddingRequest) -> float:
    """An upper bound of the cost of one try, in US dollars: a token has at least one byte."""
    return (sum(len(text.encode("utf-8", "surrogatepass")) for text in request.texts) + 256) * _price(request.settings)


def send(request: EmbeddingRequest) -> tuple[Embedding, int]:
    """Send the request, again where that can help. Returns the vectors and the number of tries.

    Raises:
        InfrastructureFault: tries used up on errors that can pass.
        ModelUnusable: an error that cannot pass, with the remedy.
    """
    return transport.persistently(request.settings, lambda: _try_in_turn(request))


def _price(settings: ModelSettings) -> float:
    return transport.prices(settings)[0]


def _try_in_turn(request: EmbeddingRequest) -> Embedding:
    expected = sum(map(len, request.texts)) / BYTES_PER_TOKEN
    with pace_of(request.settings).admitted(expected) as going:
        try:
            found = _try_once(request)
        except failures.CallFailed as error:
            if error.kind == "rate_limited":
                going.rate_limited(error.wait)
            raise
        going.answered(found.usage.prompt)
        return found


def _try_once(request: EmbeddingRequest) -> Embedding:
    settings = request.settings
    lite = transport.litellm_for(settings)
    extra: dict[str, Any] = {"api_base": settings.address} if settings.address else {}
    if settings.api_base and lite.validate_environment(settings.name)["missing_keys"]:
        extra["api_key"] = "none"
    try:
        response = lite.embedding(
            model=settings.name, input=list(request.texts), timeout=settings.timeout_seconds, max_retries=0, **extra
        )
    except Exception as error:
        raise failures.sort_out(lite.exceptions, error) from error
    rows = sorted(response.data, key=lambda row: int(_of(row, "index")))
    vectors = tuple(tuple(float(value) for value in _of(row, "embedding")) for row in rows)
    if len(vectors) != len(request.texts):
        raise failures.CallFailed("server_error", f"{len(vectors)} vectors for {len(request.texts)} texts")
    price = _price(settings)
    found = used(
        getattr(response, "usage", None),
        model=settings.name,
        answered=False,
        about=Usage(prompt=sum(map(len, request.texts)) // BYTES_PER_TOKEN + 1),
        bound=cost_bound(request),
        cost=lambda tokens: tokens.prompt * price,
    )
    return Embedding(vectors=vectors, usage=found.usage, usage_note=found.note)


def _of(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, Mapping) else getattr(row, name)
