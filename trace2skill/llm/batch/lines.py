"""The lines of a batch: each call as the one request it would be, and what came back for it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from trace2skill.core.errors import BadInput
from trace2skill.core.foreign_json import parse, storable
from trace2skill.core.record import Record
from trace2skill.llm import transport
from trace2skill.llm.answers import answer_of, used_by
from trace2skill.llm.batch.prices import batch_cost
from trace2skill.llm.batch.records import PREFIX, BatchedCall
from trace2skill.llm.failures import CallFailed
from trace2skill.llm.request import Answer, Request
from trace2skill.llm.settings import ModelSettings
from trace2skill.llm.usage import Used
from trace2skill.store import CallOutcome
from trace2skill.types.trajectory import Usage

MOST_WORDS = 300
STATUS = re.compile(r"[1-5]\d\d", re.ASCII)
NOTHING_SAID = "its line holds neither an answer nor why there is none"
CLIENTS_OWN = ("extra_headers", "extra_query", "timeout")


class Came(Record):
    """What came back for a call: an answer, or why there is none. `cost` is in US dollars, with a note where that is
    not by the server's figures.
    """

    answer: Answer | None = None
    outcome: CallOutcome = "answered"
    cost: float = 0.0
    note: str = ""
    problem: str = ""


class Lines(Record):
    """The lines of result files by the ids of their calls, the first of each."""

    lines: Mapping[str, Mapping[str, Any]]
    strange: int
    """How many others there are of which nobody can say what call they are of."""
    problems: tuple[str, ...]
    """What is wrong with those that are left out, in words."""


def line_of(request: Request) -> bytes:
    """The line of a request: the same body that LiteLLM would send for a single call.

    Raises:
        BadInput: LiteLLM can make none of it.
    """
    lite = transport.litellm_for(request.settings)
    kinds = lite.types.utils.CallTypes
    raw = lite.utils.return_raw_request(kinds.completion, transport.arguments(request))
    body = raw.get("raw_request_body")
    if not isinstance(body, dict):
        raise BadInput(f"{request.settings.name}: no request for a batch can be made: {raw.get('error')}")
    body |= body.pop("extra_body", None) or {}  # OpenAI's client sends these for LiteLLM, and keeps those
    body = {name: value for name, value in body.items() if name not in CLIENTS_OWN}
    body.setdefault("model", lite.get_llm_provider(request.settings.name)[0])
    line = {
        "custom_id": request.key.removeprefix(PREFIX),
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
    }
    return json.dumps(line).encode() + b"\n"


def by_call(contents: Iterable[bytes], calls: Sequence[BatchedCall]) -> Lines:
    """The lines of result files, each with the call that it is of."""
    known, found = {call.id for call in calls}, dict[str, Mapping[str, Any]]()
    unreadable = unnamed = unknown = doubled = 0
    for content in contents:
        for raw in content.splitlines():
            if not raw.strip():
                continue
            try:
                line = storable(parse(raw))
            except ValueError:
                unreadable += 1
                continue
            id = line.get("custom_id") if isinstance(line, dict) else None
            if not isinstance(id, str) or not id:
                unnamed += 1
            elif id not in known:
                unknown += 1
            elif id in found:
                doubled += found[id] != line
            else:
                found[id] = line
    counts = {
        "cannot be read": unreadable,
        "name no call": unnamed,
        "name calls that are not in it": unknown,
        "answer a call once more": doubled,
    }
    problems = tuple(f"{count} lines {words}" for words, count in counts.items() if count)
    return Lines(lines=found, strange=unreadable + unnamed + unknown, problems=problems)


def came_of(line: Mapping[str, Any], call: BatchedCall, model: ModelSettings) -> Came:
    """What a line says of its call. What tells of no failure may be an answer, and was paid for then."""
    response = line.get("response")
    body = response.get("body") if isinstance(response, dict) else None
    status = _status(response.get("status_code")) if isinstance(response, dict) else None
    well = 200 <= status < 300 if status is not None else not _failure(line, body)
    if well:
        return _answered(body, call, model) if isinstance(body, dict) else unknown_cost(call, NOTHING_SAID)
    said = line.get("error") or (body.get("error") if isinstance(body, dict) else body)
    code = str(said.get("code") or "") if isinstance(said, dict) else ""
    words = str(said.get("message") or said) if isinstance(said, dict) else str(said or "no reason was given")
    ended = "expired" in code or "cancel" in code
    outcome: CallOutcome = "timeout" if ended else "server_error" if status is None or status >= 500 else "bad_request"
    return Came(outcome=outcome, problem=words[:MOST_WORDS])


def _status(said: Any) -> int | None:
    """The status of a response, which some say as text; None where it is none."""
    return int(said) if isinstance(said, int | str) and STATUS.fullmatch(str(said)) else None


def _failure(line: Mapping[str, Any], body: Any) -> bool:
    return bool(line.get("error") or (isinstance(body, dict) and body.get("error")))


def unknown_cost(call: BatchedCall, why: str) -> Came:
    """A call that may have been answered and paid for, and of which nobody can say so."""
    return Came(outcome="server_error", cost=call.bound, note=f"at most: {why}", problem=why)


def _answered(body: dict[str, Any], call: BatchedCall, model: ModelSettings) -> Came:
    lite = transport.litellm_for(model)

    def used(response: Any, said: int) -> Used:
        def cost(tokens: Usage) -> float | None:
            return batch_cost(model, tokens, response.usage)

        return used_by(model.name, response, said, prompt=call.prompt, bound=call.bound, cost=cost)

    try:
        response = lite.utils.convert_to_model_response_object(
            response_object=body, model_response_object=lite.ModelResponse()
        )
        answer = answer_of(call.key, response, used)
    except CallFailed as error:
        return unknown_cost(call, str(error))
    except Exception as error:  # noqa: BLE001 - LiteLLM raises whatever it meets in a body that is none
        return unknown_cost(call, f"its answer cannot be read: {type(error).__name__}")
    return Came(answer=answer, cost=answer.usage.cost, note=answer.usage_note)
