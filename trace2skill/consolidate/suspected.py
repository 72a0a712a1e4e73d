"""What is suspected of the lines of a candidate: by their own words, or by those of a lesson behind them.

It is worked out anew from the lessons that a line cites, and not handed on: so no rewording on the way loses it, be it
of a proposer, the rule book, a writer or an editor.
"""

from collections.abc import Iterable, Iterator
from operator import not_

from pydantic import Field

from trace2skill.consolidate.groups import EditGroup
from trace2skill.consolidate.quarantine import allowed_in, text_of, text_of_lesson, written_by
from trace2skill.core.record import Record
from trace2skill.safety.screening import Finding, reasons, screened
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.lesson import Lesson

Suspected = dict[str, tuple[Finding, ...]]
"""By text: what is suspected of it."""


class LetThrough(Record):
    """A rule that was suspected and stands in the skill all the same, for a model looked at it."""

    group: str = Field(description="Id of the edit group that wrote it.")
    text: str
    findings: tuple[Finding, ...]
    by: str = Field(description="The model; '' where a person has allowed it.")
    why: str = Field(default="", exclude_if=not_)

    @property
    def in_words(self) -> str:
        """For a reader."""
        said = f"let through by the second look of {self.by}: {self.why}" if self.by else self.why
        return f"suspected of {reasons(self.findings)}; {said.rstrip(': ')}"


class Suspicions:
    """Finds what is suspected, and neither stated in the skill nor allowed by a person."""

    def __init__(self, store: Store, base: Skill) -> None:
        self._store, self._known, self._allowed = store, text_of(base), allowed_in(store)
        self._lessons: dict[str, tuple[Finding, ...]] = {}

    def of(self, group: EditGroup) -> tuple[Finding, ...]:
        """What is found in the words of a group, and in the lessons that ask for it."""
        cited = dict.fromkeys((*group.lessons, *(id for said in group.said for id in said.lessons)))
        behind = (finding for id in cited for finding in self._of_lesson(id))
        return tuple(dict.fromkeys((*self.in_text(written_by(group)), *behind)))

    def in_text(self, text: str) -> tuple[Finding, ...]:
        """What is found in a text."""
        return screened(text, self._known, self._allowed)

    def by_text(self, groups: Iterable[EditGroup]) -> Suspected:
        """What a look is told of the texts of these groups; those of which nothing is suspected are left out."""
        found: dict[str, dict[Finding, None]] = {}
        for group in groups:
            suspected = self.of(group)
            for text in _judged(group) if suspected else ():
                found.setdefault(text, {}).update(dict.fromkeys(suspected))
        return {text: tuple(findings) for text, findings in found.items()}

    def _of_lesson(self, id: str) -> tuple[Finding, ...]:
        if id not in self._lessons:
            lesson = self._store.get("lesson", id, Lesson)
            self._lessons[id] = self.in_text(text_of_lesson(lesson)) if lesson else ()
        return self._lessons[id]


def _judged(group: EditGroup) -> Iterator[str]:
    """The texts of a group by which a reader judges it: what each edit says, or its title where that is all."""
    for edit in group.edits:
        yield edit.content.strip().removeprefix("- ") or edit.title
