"""Asking within bounds: every prompt fits a budget of tokens, and what cannot be answered whole is answered in halves.

An answer that breaks the rules is asked for once more with what is wrong; then the items are cut in two and each half
is asked about; what is still not answered is left to the program. A prompt that is too long for the model is cut in
two, too. A transport fault is neither: it is raised, and the step is run again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, Field, model_validator

from trace2skill.core.errors import BadAnswer, ContextFull
from trace2skill.core.record import Record
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask
from trace2skill.prompts import prompt_digest, render
from trace2skill.prompts.refuted import with_refuted

A = TypeVar("A", bound=BaseModel)
Item = TypeVar("Item")
CHARS_PER_TOKEN = 4
PER_LINE = 6  # tokens of an id and its marks
FRAME = 1_500  # tokens that a prompt may have around its items


class Bounds(Record):
    """How much one call of the consolidation may hold. Part of a run's settings, as `merge`."""

    tokens: int = Field(
        default=16_000, ge=4_000, description="Most tokens of one prompt; the default leaves half of a 32k context."
    )
    fan_in: int = Field(
        default=16, ge=2, le=64, description="Most parts of the rule book that one call unites: the paper's B."
    )

    @model_validator(mode="before")
    @classmethod
    def _without_what_was(cls, given: Any) -> Any:
        """Settings of earlier versions said when two groups of edits were shown to the merger; all rules are, now."""
        if isinstance(given, Mapping) and "ask" in given:
            return {name: value for name, value in given.items() if name != "ask"}
        return given

    @property
    def room(self) -> int:
        """Tokens of a prompt's items."""
        return self.tokens - FRAME

    @property
    def leaf_room(self) -> int:
        """Tokens of the rules of one leaf: an answer that groups a whole prompt of them would be too long."""
        return self.room * 3 // 4

    @property
    def book_room(self) -> int:
        """Most tokens of the book that stands beside rules which are compared with it."""
        return self.room // 3

    def room_beside(self, book: Sequence[str]) -> int:
        """Tokens of the rules that fit one prompt beside the book, or as much of it as is shown."""
        return self.room - min(tokens(book), self.book_room)


class Asker(Protocol):
    """Whoever answers: a model behind its client, or a function in a test."""

    def __call__(self, prompt: str, wanted: type[A], values: dict[str, Any], said: Sequence[str]) -> A:
        """Answer the prompt called `prompt` and `prompt`_task.

        `said` holds an earlier answer and what is wrong with it. Raises BadAnswer and ContextFull.
        """


class ModelAsker:
    """A model, asked through the client of a run."""

    def __init__(self, client: Client, model: ModelSettings, step: StepLabel) -> None:
        self._client, self._model, self._step = client, model, step

    def __call__(self, prompt: str, wanted: type[A], values: dict[str, Any], said: Sequence[str]) -> A:
        """See `Asker`."""
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": render(prompt)},
            {"role": "user", "content": render(f"{prompt}_task", **values) + with_refuted(values.get("refuted", ()))},
        ]
        messages += [{"role": ("assistant", "user")[n % 2], "content": text} for n, text in enumerate(said)]
        request = Request(role="merger", settings=self._model, messages=tuple(messages))
        return ask(self._client, request, wanted, step=self._step)


def asked_identity(model: ModelSettings, bounds: Bounds, prompt: str, version: int) -> dict[str, object]:
    """What a step's key holds of whoever answers it."""
    prompts = prompt_digest(prompt, f"{prompt}_task")
    return {prompt: version, "model": model.identity, "tokens": bounds.tokens, "prompts": prompts}


def tokens(texts: Sequence[str]) -> int:
    """Tokens that texts take as lines of a prompt, four bytes each."""
    return sum(map(_tokens, texts))


@lru_cache(maxsize=16_384)
def _tokens(text: str) -> int:
    """Each text is measured in every round."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8")) // CHARS_PER_TOKEN + PER_LINE


def lines(texts: Sequence[str], letter: str) -> str:
    """Texts as a model reads them: a line each, with a short id, quoted so that none can pass for two."""
    return "\n".join(f"{letter}{n}: {json.dumps(text, ensure_ascii=False)}" for n, text in enumerate(texts, 1))


def ids(texts: Sequence[object], letter: str) -> list[str]:
    """The ids that `lines` gives."""
    return [f"{letter}{n}" for n in range(1, len(texts) + 1)]


def answered(
    items: Sequence[Item],
    fits: Callable[[Sequence[Item]], bool],
    once: Callable[[Sequence[Item], Sequence[str]], A],
    broken: Callable[[A, Sequence[Item]], list[str]],
    *,
    halved: bool = False,
) -> list[tuple[Sequence[Item], A | None]]:
    """Answers that together cover all items, in order; None for items that nobody could answer in rule.

    Args:
        items: what is asked about.
        fits: does a prompt with these items keep the budget?
        once: asks about items; takes what was said before.
        broken: which rules an answer breaks, in words.
        halved: is this a half of items that were not answered in rule?
    """
    if not items:
        return []
    if not fits(items) and len(items) > 1:
        return _in_halves(items, fits, once, broken, halved=halved)
    said: list[str] = []
    for _ in range(2):
        try:
            answer = once(items, said)
        except ContextFull:
            if said or len(items) == 1:
                break
            return _in_halves(items, fits, once, broken, halved=halved)
        except BadAnswer:
            break
        found = broken(answer, items)
        if not found:
            return [(items, answer)]
        complaint = "Your answer breaks these rules:\n- " + "\n- ".join(found[:20]) + "\nAnswer again, whole."
        said = [answer.model_dump_json(exclude_defaults=True), complaint]
    if halved or len(items) == 1:
        return [(items, None)]
    return _in_halves(items, fits, once, broken, halved=True)


def _in_halves(
    items: Sequence[Item],
    fits: Callable[[Sequence[Item]], bool],
    once: Callable[[Sequence[Item], Sequence[str]], A],
    broken: Callable[[A, Sequence[Item]], list[str]],
    *,
    halved: bool,
) -> list[tuple[Sequence[Item], A | None]]:
    middle = len(items) // 2
    return [
        part for half in (items[:middle], items[middle:]) for part in answered(half, fits, once, broken, halved=halved)
    ]
