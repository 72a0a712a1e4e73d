"""The domain `document_qa`: questions on images of pages, scored by ANLS."""

import functools
from pathlib import Path

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.domains.answers import AnswerDomain, Judged
from trace2skill.domains.document_qa.anls import anls, is_right
from trace2skill.domains.document_qa.dataset import answers_of, load_questions
from trace2skill.domains.document_qa.pages import shown
from trace2skill.types.picture import Picture
from trace2skill.types.task import Task

PAGES_HELD = 64


class Options(Record):
    """What `--domain-option` takes."""

    longest_side: int = Field(
        default=1536, ge=64, le=8192, description="Pages are made smaller until no side has more pixels."
    )
    file: str = Field(default="", description="The file of questions, where the directory holds several.")


class DocumentQA(AnswerDomain):
    """Questions on images of pages. See `trace2skill.domains.base.Domain` for what the methods promise."""

    name = "document_qa"
    about = (
        "Each task is a question on one page: a letter, a form, a table, a report, scanned or typeset. The agent is "
        "shown the image of the page. The answer stands on the page, nearly always word for word, and is short. It is "
        "compared letter by letter, without regard to case, with the answers that people gave: a letter in ten may be "
        "off, no digit may, and one that is more than half off counts nothing."
    )
    Options = Options

    def __init__(self, longest_side: int = 1536, file: str = "") -> None:
        self.longest_side = longest_side
        self.version = f"document_qa 2, {longest_side} pixels"
        self._file = file
        # Every turn of every analyst of a page asks for it again.
        self._shown = functools.lru_cache(maxsize=PAGES_HELD)(shown)

    def load(self, data: Path) -> list[Task]:
        """See `dataset`."""
        return load_questions(data, self._file, self.name)

    def describe(self, task: Task) -> str:
        """The question, where the page lies, and how to answer."""
        return (
            f"{task.instruction}\n\nThe question is about the page in the picture. In its full size it is "
            f"`input/{self._page(task).name}`; Pillow is installed.\n\n{self.how_to_answer}\n"
        )

    def pictures(self, task: Task) -> tuple[Picture, ...]:
        """The page, no side longer than `longest_side`."""
        return (self._shown(self._page(task), self.longest_side),)

    def judge(self, task: Task, answer: str) -> Judged:
        """ANLS is the soft score; what counts as right is stricter, see `is_right`."""
        accepted = answers_of(task)
        return Judged(passed=is_right(answer, accepted), score=anls(answer, accepted))

    def gold_answer(self, task: Task) -> str:
        """The first of the accepted answers."""
        return answers_of(task)[0]

    def gold_parts(self, task: Task) -> list[object]:
        """All accepted answers, numbers as numbers."""
        return [_number(answer) for answer in answers_of(task)]

    def _given(self, task: Task) -> str:
        """The question alone: what stands on the page is no text to a program."""
        return task.instruction

    def _page(self, task: Task) -> Path:
        page = task.cases[0].input
        if page is None:
            raise ValueError(f"task {task.id} was loaded without a page")
        return page


def _number(text: str) -> object:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return text
