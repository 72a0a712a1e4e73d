"""What a log of an evaluation says of a question: what was asked, what is accepted, how it was scored.

A reader says it beside the trajectory and never in it: what is accepted is gold, and only the miner of tasks reads it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from trace2skill.core.record import Record

MOST_ACCEPTED = 100


class Answered(Record):
    """A question that was asked once, its accepted answers, and the answer that was scored.

    `why` says why it is no question that stands by itself, '' where it may be one; then the rest may be empty.
    """

    why: str = ""
    asked: str = Field(default="", description="The question as the data set has it: by it, it is known again.")
    given: str = Field(default="", description="What the data set says before it, such as a passage.")
    question: str = Field(default="", description="The question as it was put to the agent.")
    context: str = Field(default="", description="What the agent was told before it.")
    choices: tuple[str, ...] = ()
    accepted: tuple[str, ...] = Field(default=(), description="Gold.")
    scorer: str = Field(default="", description="The name of what scored it.")
    arguments: Mapping[str, Any] = Field(default_factory=dict, description="Those of the scorer.")
    output: str = Field(default="", description="What was scored: all that the agent said in the end.")
    right: bool | None = Field(default=None, description="The scorer's verdict, where it is not the log's outcome.")


def accepted_in(value: Any) -> tuple[str, ...] | str:
    """The accepted answers that a log holds, as texts; in words why there are none.

    A number is its text, a list holds several. Objects, truth values and what is empty are no answers.
    """
    found = value if isinstance(value, list) else [value]
    if any(isinstance(one, bool) or not isinstance(one, (str, int, float)) for one in found):
        return "its target is neither a text nor a list of texts"
    texts = tuple(dict.fromkeys(str(one) for one in found))
    if not texts or not all(text.strip() for text in texts):
        return "its target is empty"
    return texts if len(texts) <= MOST_ACCEPTED else f"its target has more than {MOST_ACCEPTED} values"


def text_of(content: Any) -> str | None:
    """The text of a message, its parts on lines of their own; None where it has parts that are no text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in parts]
    return "\n".join(map(str, texts)) if texts and all(isinstance(text, str) for text in texts) else None


def said_by(messages: Sequence[Any], role: str) -> list[str] | None:
    """The texts of the messages of a role, None where one of them is no text."""
    found = [text_of(item.get("content")) for item in messages if isinstance(item, dict) and item.get("role") == role]
    return [text for text in found if text is not None] if None not in found else None


def said_in(put: Sequence[Any], messages: Sequence[Any]) -> dict[str, str]:
    """The question as the data set has it and as it was put, and the context; or `why` it does not stand by itself.

    Args:
        put: the messages of the data set.
        messages: those of the log, to the last answer.
    """
    if any(item.get("role") not in ("user", "system") for item in put):
        return {"why": "its input holds what an agent said"}
    until = next((at for at, item in enumerate(messages) if item.get("role") == "assistant"), len(messages))
    before, after = messages[:until], messages[until:]
    if any(item.get("role") != "assistant" for item in after):
        return {"why": "more was said to it than the question"}
    asked, question, context = said_by(put, "user"), said_by(before, "user"), said_by(before, "system")
    if not asked or not question or context is None:
        return {"why": "its question is no text alone"}
    if len(question) != len(asked):
        return {"why": "more was said to it than the question"}
    joined = {"asked": asked, "given": said_by(put, "system") or [], "question": question, "context": context}
    return {name: "\n\n".join(text.strip() for text in texts) for name, texts in joined.items()}
