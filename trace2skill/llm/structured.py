"""Structured answers: asked for by schema, read leniently, validated strictly, asked again with the reason.

The provider's JSON-schema mode is used where LiteLLM says there is one; elsewhere the model is asked for one fenced
JSON block, which is repaired by `json_repair` where it is slightly broken. Whatever comes, pydantic has the last word.
"""

import functools
import json
import re
from typing import Any, TypeVar

import json_repair
from pydantic import BaseModel, ValidationError

from trace2skill.core.errors import BadAnswer, ContextFull
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import transport
from trace2skill.llm.client import Client
from trace2skill.llm.request import Request, readable
from trace2skill.skills.markdown import fenced
from trace2skill.types.trajectory import StopReason

MOST_OPENED = 1000
T = TypeVar("T", bound=BaseModel)
RE_ASKS = 2
CUT_OFF = "it is cut off before its end: answer more briefly"
LIMIT_MET = "the most of one answer: raise --max-tokens"
"""What is said of an answer that stayed cut off: the limit is to blame, and not who answered."""
NO_ANSWER: dict[StopReason, str] = {
    "output_limit": CUT_OFF,
    "reasoning_only": "it holds reasoning and no answer",
    "empty": "it is empty",
    "refused": "it is a refusal",
}


def ask(client: Client, request: Request, wanted: type[T], *, step: StepLabel) -> T:
    """Ask for an answer of the type `wanted`; at most two re-asks quote what was wrong.

    Raises:
        BadAnswer: still invalid after the re-asks; carries the raw answer, and names the limit where one cut it off.
        ContextFull: the request itself is too long; a re-ask that is leaves the answer invalid.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    request = _asking_for(request, wanted)
    problem, raw = "", ""
    for number in range(1 + RE_ASKS):
        try:
            answer = client.complete(request, step=step)
        except ContextFull:
            if number == 0:
                raise
            raise BadAnswer(wanted.__name__, f"{problem} (and no room to ask again)", raw) from None
        raw, end = answer.text, answer.end
        value, problem = (None, NO_ANSWER[end]) if end in NO_ANSWER else read(raw, wanted)
        if value is not None or number == RE_ASKS:
            client.ended(request, answer)
        if value is not None:
            return value
        again = f"Your answer is not a valid {wanted.__name__}: {problem}\nAnswer again, with the corrected JSON only."
        messages = (
            *request.messages,
            {"role": "assistant", "content": raw or "(empty)"},
            {"role": "user", "content": again},
        )
        request = request.model_copy(update={"messages": messages})
    if end == "output_limit":
        most = request.settings.max_tokens
        problem = f"it is cut off at {most:,} tokens, {LIMIT_MET}"
    raise BadAnswer(wanted.__name__, problem, raw or answer.reasoning)


def read(text: str, wanted: type[T]) -> tuple[T | None, str]:
    """Read an answer of type `wanted` out of text. Returns (value, '') or (None, what is wrong).

    Every JSON text in the answer is tried; of several valid ones the last counts, since models correct themselves.
    """
    problem = CUT_OFF if is_cut_off(text) else "there is no JSON object in it"
    for found, mended in _json_texts(text):
        try:
            return wanted.model_validate(found, extra="forbid" if mended else None), ""
        except ValidationError as error:
            problem = _in_words(error)
    return None, problem


def _json_texts(text: str) -> list[tuple[Any, bool]]:
    """Objects found in the text and whether they were mended, most trustworthy first.

    That is: fenced blocks from the last on, then what stands in the open, then what had to be mended. A mended one may
    hold no key that nobody asked for: a broken quote makes keys out of text.
    """
    strict: list[tuple[Any, bool]] = []
    repaired: list[tuple[Any, bool]] = []
    for candidate in [*reversed(fenced(text)), text]:
        try:
            strict.append((readable(_first_object(candidate)), False))
        except (ValueError, RecursionError):
            if "{" in candidate and not is_cut_off(candidate):
                repaired.append((_repair(candidate), True))
    return [(value, mended) for value, mended in strict + repaired if isinstance(value, dict)]


def _first_object(text: str) -> Any:
    """The JSON object that starts with the first brace, whatever is said around it."""
    return json.JSONDecoder().raw_decode(text, text.index("{"))[0]


def is_cut_off(text: str) -> bool:
    """Does a JSON text open more than it closes? Mending that would take half an answer for a whole one.

    Brackets inside strings are counted, too: a text with broken quotes cannot be told apart. The error is on the safe
    side, since what looks cut off is asked for again.
    """
    inside = text[text.find("{") :] if "{" in text else ""
    return inside.count("{") > inside.count("}") or inside.count("[") > inside.count("]")


def _repair(text: str) -> Any:
    """The object in a slightly broken text, None where mending would lose or invent a single letter or digit.

    What mends takes the square of the time for brackets that stay open: a text with a thousand is asked for again.
    """
    broken = text[text.index("{") : text.rindex("}") + 1]
    if sum(map(broken.count, "{[(")) > MOST_OPENED:
        return None
    try:
        value = json_repair.loads(broken, skip_json_loads=True)
        said = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    return readable(value) if isinstance(value, dict) and _letters(said) == _letters(broken) else None


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text).lower()


@functools.cache
def _schema(wanted: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a type, made once: 5 ms each time are felt over thousands of calls."""
    return wanted.model_json_schema()


def _asking_for(request: Request, wanted: type[BaseModel]) -> Request:
    schema = _schema(wanted)
    if transport.has_schema_mode(request.settings):
        return request.model_copy(update={"answer_schema": schema})
    shape = json.dumps(schema, ensure_ascii=False)
    form = f"\n\nAnswer with one fenced ```json block and nothing else. It must match this JSON schema:\n{shape}"
    *before, last = request.messages
    last = {**last, "content": f"{last['content']}{form}"}
    return request.model_copy(update={"messages": (*before, last)})


def _in_words(error: ValidationError) -> str:
    lines = [f"{'.'.join(map(str, item['loc'])) or 'the whole'}: {item['msg']}" for item in error.errors()[:5]]
    return "; ".join(lines)
