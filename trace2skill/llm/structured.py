"""Structured answers: asked for by schema, read leniently, validated strictly, asked again with the reason.

The provider's JSON-schema mode is used where LiteLLM says there is one; elsewhere the model is asked for one fenced
JSON block, which is repaired by `json_repair` where it is slightly broken. Whatever comes, pydantic has the last word.
"""

import json
from typing import Any, TypeVar

import json_repair
from markdown_it import MarkdownIt
from pydantic import BaseModel, ValidationError

from trace2skill.errors import BadAnswer
from trace2skill.llm import transport
from trace2skill.llm.door import Door
from trace2skill.llm.request import Request

T = TypeVar("T", bound=BaseModel)
RE_ASKS = 2


def ask(door: Door, request: Request, wanted: type[T], *, step: str) -> T:
    """Ask for an answer of the type `wanted`; at most two re-asks quote what was wrong.

    Raises:
        BadAnswer: still invalid after the re-asks; carries the raw answer.
        InfrastructureFault, ModelUnusable, BudgetReached: as `Door.complete`.
    """
    request = _asking_for(request, wanted)
    problem, raw = "", ""
    for _ in range(1 + RE_ASKS):
        answer = door.complete(request, step=step)
        raw = answer.text
        value, problem = read(raw, wanted)
        if value is not None:
            return value
        again = f"Your answer is not a valid {wanted.__name__}: {problem}\nAnswer again, with the corrected JSON only."
        messages = (
            *request.messages,
            {"role": "assistant", "content": raw or "(empty)"},
            {"role": "user", "content": again},
        )
        request = request.model_copy(update={"messages": messages})
    raise BadAnswer(wanted.__name__, problem, raw)


def read(text: str, wanted: type[T]) -> tuple[T | None, str]:
    """Read an answer of type `wanted` out of text. Returns (value, '') or (None, what is wrong).

    Every JSON text in the answer is tried; of several valid ones the last counts, since models correct themselves.
    """
    problem = "there is no JSON object in it"
    for found in _json_texts(text):
        try:
            return wanted.model_validate(found), ""
        except ValidationError as error:
            problem = _in_words(error)
    return None, problem


def _json_texts(text: str) -> list[Any]:
    """Objects found in the text, most trustworthy first: the whole, fenced blocks from the last on, repaired ones."""
    fences = [token.content for token in MarkdownIt().parse(text) if token.type == "fence"]
    strict, repaired = [], []
    for candidate in [text, *reversed(fences)]:
        try:
            strict.append(json.loads(candidate))
        except (json.JSONDecodeError, RecursionError):
            if "{" in candidate:
                repaired.append(_repair(candidate))
    return [value for value in strict + repaired if isinstance(value, dict)]


def _repair(text: str) -> Any:
    try:
        value = json_repair.loads(text[text.index("{") :], skip_json_loads=True)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list):  # several objects in a row: the last is what the model settled on
        return next((item for item in reversed(value) if isinstance(item, dict)), None)
    return value


def _asking_for(request: Request, wanted: type[BaseModel]) -> Request:
    schema = wanted.model_json_schema()
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
