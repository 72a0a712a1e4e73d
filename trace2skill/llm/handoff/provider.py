"""The model by hand as a LiteLLM custom provider: a request becomes files, and its thread waits for the answer."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trace2skill.core.digest import digest_of, digest_of_bytes
from trace2skill.core.errors import BadInput
from trace2skill.llm.handoff import conversation
from trace2skill.llm.handoff.askers import id_of, sharing
from trace2skill.llm.handoff.folder import Folder
from trace2skill.llm.handoff.page import rendered
from trace2skill.llm.handoff.presence import join
from trace2skill.llm.handoff.records import Body, GivenAnswer, Head
from trace2skill.llm.request import readable
from trace2skill.types.picture import USUAL_TOKENS

PROVIDER = "handoff"
TOLD = "trace2skill"
"""Under which name LiteLLM's `metadata` say who asks, and how long the answer is waited for."""
FIRST_LOOK, LONGEST_LOOK = 0.05, 0.5
ATTEND_SECONDS = 5.0
BYTES_PER_TOKEN = 4
CONTEXT = 200_000
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}


def register(litellm: Any, stopped: Callable[[], bool]) -> None:
    """Make `handoff/...` known to LiteLLM. `stopped` says that the run is to end: nobody waits any longer then."""
    if not any(item["provider"] == PROVIDER for item in litellm.custom_provider_map):
        handler = _handler(litellm, stopped)
        litellm.custom_provider_map = [
            *litellm.custom_provider_map,
            {"provider": PROVIDER, "custom_handler": handler},
        ]


def ensure_known(litellm: Any, name: str) -> None:
    """Tell LiteLLM what a model by hand can do: everything, for nothing."""
    if name not in litellm.model_cost:
        able = ("function_calling", "response_schema", "vision")
        known = {"litellm_provider": PROVIDER, "mode": "chat", "max_input_tokens": CONTEXT, "max_tokens": CONTEXT}
        free = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}
        litellm.register_model({name: {**known, **free, **{f"supports_{what}": True for what in able}}})


def _handler(litellm: Any, stopped: Callable[[], bool]) -> Any:
    class ByHand(litellm.CustomLLM):  # type: ignore[misc]
        def completion(self, *_: Any, **request: Any) -> Any:
            where = {"llm_provider": PROVIDER, "model": request["model"]}
            told = ((request.get("litellm_params") or {}).get("metadata") or {}).get(TOLD) or {}
            try:
                folder = Folder(Path(request["model"]).expanduser(), make=True)
                join(folder)
                head, body, how = asked(folder, request, told)
                given = folder.get("answers", f"{head.id}.json", GivenAnswer) or _wait(folder, head, told, stopped)
            except BadInput as error:
                raise litellm.BadRequestError(message=str(error), **where) from error
            if given is None:
                raise litellm.Timeout(message=f"request {head.id} in {folder.path} got no answer", **where)
            message = _message(given)
            conversation.remember(folder, head.id, how, [*body.messages, message])
            return _filled(litellm, request, body, given, message)

        def embedding(self, *_: Any, **request: Any) -> Any:
            raise litellm.BadRequestError(
                message="embeddings cannot be given by hand: name another model for them",
                llm_provider=PROVIDER,
                model=request["model"],
            )

    return ByHand()


def asked(folder: Folder, request: dict[str, Any], told: dict[str, Any]) -> tuple[Head, Body, list[Any]]:
    """Put a request into the folder, unless it stands there. Returns it, and what names its conversations besides."""
    options = request["optional_params"]
    messages = tuple(readable(_without_pictures(folder, message)) for message in request["messages"])
    schema = ((options.get("response_format") or {}).get("json_schema") or {}).get("schema")
    body = Body(
        messages=messages,
        tools=tuple(tool["function"] for tool in options.get("tools") or ()),
        answer_schema=schema,
        max_tokens=options.get("max_tokens"),
    )
    how = [request["model"], *(options.get(name) for name in ("seed", "temperature", "top_p", "reasoning_effort"))]
    key = told.get("key") or "call/" + digest_of("handoff call 1", how, body)
    name = id_of(key)
    known = folder.get("heads", f"{name}.json", Head)
    if known is None:
        head = Head(
            id=name,
            key=key,
            role=told.get("role", ""),
            step=told.get("step", ""),
            model=f"{PROVIDER}/{request['model']}",
            asked_at=time.time(),
            conversation=name,
            characters=sum(len(str(message.get("content") or "")) for message in messages),
        )
        head = conversation.placed(folder, head, how, messages)
        folder.put("bodies", f"{name}.json", body)
        page = rendered(head, body, directory=str(folder.path), sharing=sharing(folder, head))
        folder.put("waiting", f"{name}.md", page.encode("utf-8"))
        folder.put("heads", f"{name}.json", head)
        known = folder.get("heads", f"{name}.json", Head) or head
    if known.key != key:
        raise BadInput(f"two requests in {folder.path} have the id {name}: use another folder for one of the runs")
    return known, body, how


def _wait(folder: Folder, head: Head, told: dict[str, Any], stopped: Callable[[], bool]) -> GivenAnswer | None:
    """The answer; None where the run ends before it, or the time of the settings is over."""
    name, pause = f"{head.id}.json", FIRST_LOOK
    began = time.monotonic()
    attended = began - ATTEND_SECONDS
    try:
        while not stopped():
            now = time.monotonic()
            if now - attended >= ATTEND_SECONDS:
                folder.attend(head.id)
                attended = now
            if folder.has("answers", name):
                folder.remove("waiting", f"{head.id}.md")
                return folder.get("answers", name, GivenAnswer)
            left = (told.get("wait") or float("inf")) - (now - began)
            if left <= 0:
                return None
            time.sleep(min(pause, left))
            pause = min(LONGEST_LOOK, pause * 1.5)
        return None
    finally:
        folder.attend(head.id, at=0.0)


def _without_pictures(folder: Folder, message: dict[str, Any]) -> dict[str, Any]:
    """The message with each picture as the name of a file beside the request."""
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    return {**message, "content": [_part(folder, part) for part in content]}


def _part(folder: Folder, part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") != "image_url":
        return part
    head, _, data = part["image_url"]["url"].partition(",")
    raw = base64.b64decode(data)
    ending = ENDINGS.get(head.removeprefix("data:").partition(";")[0], "bin")
    name = f"{digest_of_bytes(raw)[:32]}.{ending}"
    folder.put("pictures", name, raw)
    return {"type": "picture", "file": f"pictures/{name}"}


def _message(given: GivenAnswer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": given.text}
    if given.calls:
        message["tool_calls"] = [
            {
                "id": f"call_{given.id}_{number}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for number, call in enumerate(given.calls)
        ]
    return message


def _filled(litellm: Any, request: dict[str, Any], body: Body, given: GivenAnswer, message: dict[str, Any]) -> Any:
    response = request["model_response"]
    finish = "length" if given.cut_off else "tool_calls" if given.calls else "stop"
    response.choices = [litellm.Choices(index=0, finish_reason=finish, message=litellm.Message(**message))]
    pictures = sum(
        part.get("type") == "picture"
        for item in body.messages
        if isinstance(item.get("content"), list)
        for part in item["content"]
    )
    prompt = _tokens([body.messages, body.tools, body.answer_schema]) + pictures * USUAL_TOKENS
    answer = _tokens([given.text, [call.model_dump() for call in given.calls]])
    response.usage = litellm.Usage(prompt_tokens=prompt, completion_tokens=answer, total_tokens=prompt + answer)
    response.model = f"{PROVIDER}/{request['model']}"
    return response


def _tokens(what: Any) -> int:
    """About how many tokens that is: nobody counted them."""
    return len(json.dumps(what, ensure_ascii=False).encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN + 1
