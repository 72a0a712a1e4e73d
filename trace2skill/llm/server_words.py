"""What servers say when they refuse: the words of many for the same few things, since their codes do not tell.

A full context comes as 400, 413, 422, 429 and 500, a used-up quota as 402, 403 and 429, and each server has words of
its own. The patterns are read against the whole of what was said, and none of them looks back.
"""

import json
import re
from typing import Any, Literal

Meaning = Literal["context_length", "quota", "day", ""]
LONGEST = 8000
"""How much of what a server said is looked at."""

CONTEXT = re.compile(
    r"context.{0,2}(?:length|window|size|limit)|maximum (?:context|prompt|input|sequence) |max(?:imum)?_?(?:context|model|seq)_?len"
    r"|exceed_context|context the overflows|(?:prompt|input|request|message|conversation)s? (?:is|are|was|were) too (?:long|large|big)"
    r"|request too large|too many (?:input )?tokens|(?:input|prompt)(?: token)?s?(?: length| count)?.{0,40}exceed.{0,40}(?:maximum|limit|allowed|length)"
    r"|`?inputs`? tokens ?\+ ?`?max_new_tokens|`inputs` must have less than|must be less than \d+ tokens|reduce (?:the|your) (?:length|message|prompt|input)"
    r"|number of tokens.{0,60}(?:exceed|maximum|too)|string_above_max_length|larger than the model'?s? |payload too large"
    r"|n_ctx|num_ctx|kv cache (?:is )?full|model_max_prompt_tokens|use a shorter (?:input|prompt)|range of input length|超长|上下文",
    re.IGNORECASE,
)  # fmt: skip
NO_CONTEXT = re.compile(r"at most \d+ completion tokens|unsupported (?:parameter|value)", re.IGNORECASE)
TOO_LARGE = re.compile(
    r"too large|limit:? (?P<limit>\d+),? requested:? (?P<asked>\d+)|tokens must be reduced", re.IGNORECASE
)
NO_MONEY = re.compile(
    r"insufficient[_ ](?:quota|credit|balance|fund)|out of credits?|no credits?|credit balance is too low|included credits|add (?:more )?credits?"
    r"|not enough (?:credit|balance|fund)|payment required|billing (?:hard )?limit|billing_hard_limit|billing_not_active|spend(?:ing)? limit"
    r"|monthly (?:\w+ ){0,3}(?:limit|credit|quota|usage|budget|cap)|per[_ -]?month|subscribe to|upgrade (?:your|to a|the) (?:plan|account|subscription)"
    r"|account (?:is |has been )?(?:not active|suspended|deactivated|past due)|exceeded your (?:monthly|usage|spend)|usage limit (?:has been )?reached"
    r"|free (?:trial|quota|credits?) (?:\w+ ){0,3}(?:expired|exhausted|used up)|arrearage|余额不足|欠费",
    re.IGNORECASE,
)  # fmt: skip
A_DAY = re.compile(
    r"per[_ -]?day|daily|\b[rt]pd\b|a day\b|\b24 ?h(?:ours?)?\b|per[_ -]?week|weekly|tomorrow|exceeded your current quota|insufficient_quota",
    re.IGNORECASE,
)  # fmt: skip
A_MINUTE = re.compile(r"per[_ -]?(?:min|sec)|\b[rt]pm\b|\b[rt]ps\b|perminute|persecond|a minute\b", re.IGNORECASE)


def meaning(status: int | None, said: str) -> Meaning:
    """What a refusal means, '' where it has no meaning that changes what may be done about it.

    'quota' does not pass without a person; 'day' may pass within the hour, where the server says how soon.
    """
    text = said[:LONGEST]
    if status == 402 or (status in (None, 400, 403, 404, 429) and NO_MONEY.search(text)):
        return "quota"
    if status == 429:
        return _too_many(text)
    if status in (None, 400, 413, 422, 500) and not NO_CONTEXT.search(text) and (status == 413 or CONTEXT.search(text)):
        return "context_length"
    return ""


def _too_many(text: str) -> Meaning:
    for found in TOO_LARGE.finditer(text):
        limit, asked = found["limit"], found["asked"]
        if not limit or (len(asked) <= 12 and len(limit) <= 12 and int(asked) > int(limit)):
            return "context_length"
    if A_DAY.search(text) and not (A_MINUTE.search(text) and not re.search(r"per[_ -]?day|daily", text, re.IGNORECASE)):
        return "day"
    return ""


def words_of(error: BaseException) -> str:
    """All that a server said, whatever the libraries in between made of it: the longest that anybody kept."""
    found: list[str] = []
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting and len(seen) < 8:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        found += [_text_of(getattr(one, "body", None)), _text_of(_response_text(one)), str(one)[:LONGEST]]
        waiting += [one.__cause__, one.__context__]
    return "\n".join(dict.fromkeys(text for text in found if text))


def told(error: BaseException) -> str:
    """The words of a server alone, '' where nobody kept any."""
    found: list[str] = []
    one: BaseException | None = error
    for _ in range(8):
        if one is None:
            break
        found += [_text_of(getattr(one, "body", None)), _text_of(_response_text(one))]
        one = one.__cause__ or one.__context__
    return next((text for text in found if text), "")


def _response_text(error: BaseException) -> Any:
    try:
        text = getattr(getattr(error, "response", None), "text", None)
    except Exception:  # noqa: BLE001 - httpx: a body that was streamed and is gone
        return None
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _text_of(said: Any, depth: int = 0) -> str:
    """The message in an error's body: `error.message`, `error`, `message`, `detail`, or the text itself."""
    if isinstance(said, str):
        return said[:LONGEST]
    if isinstance(said, dict) and depth < 4:
        for name in ("error", "message", "detail", "errors", "msg"):
            if text := _text_of(said.get(name), depth + 1):
                code = said.get("code")
                return f"{text} ({code})" if isinstance(code, str) and code and code not in text else text
    if isinstance(said, list) and said and depth < 4:
        return _text_of(said[0], depth + 1)
    return ""
