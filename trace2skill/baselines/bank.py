"""ReasoningBank (https://arxiv.org/abs/2509.25140): lessons stay as they are, and the agent is shown the closest.

No skill is written. At inference the task is compared with every lesson, by an embedding model or by words (BM25), and
the closest lessons stand in the agent's prompt.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.core.similarity import words
from trace2skill.llm.settings import ModelSettings
from trace2skill.prompts import prompt_digest, render
from trace2skill.types.lesson import Lesson

PROMPT = "agent_memory"
Vector = tuple[float, ...]


class BankSettings(Record):
    """How lessons are found again."""

    top_k: int = Field(default=1, ge=1, le=20, description="How many lessons the agent is shown.")
    embedding: ModelSettings | None = Field(
        default=None, description="LiteLLM embedding model; none compares words by BM25, without any call."
    )

    @property
    def identity(self) -> dict[str, object]:
        """What can change which lessons are found and how they are shown."""
        model = (self.embedding.name, self.embedding.api_base) if self.embedding else "bm25"
        return {"bank": 1, "top_k": self.top_k, "embedding": model, "prompt": prompt_digest(PROMPT)}


class Bank(Record, form="Bank", version=1):
    """Lessons, each with its vector where an embedding model finds them."""

    settings: BankSettings
    lessons: tuple[Lesson, ...]
    vectors: tuple[Vector, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 of what is in it and how it is searched."""
        return digest_of("bank", self.settings.identity, self.lessons, self.vectors)


def text_of(lesson: Lesson) -> str:
    """What a lesson is found by."""
    return f"{lesson.title}\n{lesson.description}\n{lesson.content}"


def closest(bank: Bank, task: str, embed: Callable[[str], Vector]) -> tuple[Lesson, ...]:
    """The lessons closest to a task's description, the closest first; of equal texts one, of equally close the first.

    Args:
        bank: the lessons.
        task: the description that the agent reads.
        embed: gives the vector of a text; called only where the bank has vectors.
    """
    if not bank.lessons:
        return ()
    scores = _by_vector(bank.vectors, embed(task)) if bank.vectors else _by_words(bank.lessons, task)
    ranked = sorted(range(len(scores)), key=lambda n: (-scores[n], bank.lessons[n].id))
    distinct = {bank.lessons[n].content: bank.lessons[n] for n in reversed(ranked)}
    found = [bank.lessons[n] for n in ranked if distinct[bank.lessons[n].content] is bank.lessons[n]]
    return tuple(found[: bank.settings.top_k])


def in_prompt(lessons: Sequence[Lesson]) -> str:
    """What stands behind the agent's system prompt; '' without lessons."""
    return render(PROMPT, lessons=lessons) if lessons else ""


def _by_vector(vectors: Sequence[Vector], wanted: Vector) -> list[float]:
    import numpy as np

    matrix, query = np.asarray(vectors), np.asarray(wanted)
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(query)
    return [round(float(score), 9) for score in (matrix @ query) / np.where(lengths == 0, 1.0, lengths)]


def _by_words(lessons: Sequence[Lesson], task: str) -> list[float]:
    import bm25s

    index = bm25s.BM25()
    index.index([words(text_of(lesson)) for lesson in lessons], show_progress=False)
    return [round(float(score), 6) for score in index.get_scores(words(task))]
