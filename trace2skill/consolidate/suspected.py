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
from trace2skill.safety.shown import shown
from trace2skill.skills.markdown import find_section, section_text, sections
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.lesson import Lesson
from trace2skill.types.patch import Edit

AT_ONCE = 5_000
"""Lessons that are read from the store together."""
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
        return shown(f"suspected of {reasons(self.findings)}; {said.rstrip(': ')}")


class Suspicions:
    """Finds what is suspected, and neither stated in the skill nor allowed by a person."""

    def __init__(self, store: Store, base: Skill) -> None:
        self._store, self._base, self._known, self._allowed = store, base, text_of(base), allowed_in(store)
        self._found: dict[str, tuple[Finding, ...]] = {}
        self._lessons: dict[str, str] = {}

    def of(self, group: EditGroup) -> tuple[Finding, ...]:
        """What is found in the words of a group, and in the lessons that ask for it."""
        texts = (written_by(group), *filter(None, map(self._lessons_of([group]).get, _cited(group))))
        return tuple(dict.fromkeys(finding for text in texts for finding in self.in_text(text)))

    def in_text(self, text: str) -> tuple[Finding, ...]:
        """What is found in a text. Many lessons have the same words."""
        if text not in self._found:
            self._found[text] = screened(text, self._known, self._allowed)
        return self._found[text]

    def by_text(self, groups: Iterable[EditGroup]) -> Suspected:
        """What a look is told of the texts of these groups; those of which nothing is suspected are left out."""
        found: dict[str, dict[Finding, None]] = {}
        asking = list(groups)
        self._lessons_of(asking)
        for group in asking:
            suspected = self.of(group)
            titles = {edit.title for edit in group.edits if not self.in_text(edit.title)}
            for text in texts_of(self._base, group) if suspected else ():
                if text not in titles:
                    found.setdefault(text, {}).update(dict.fromkeys(suspected))
        return {text: tuple(findings) for text, findings in found.items()}

    def _lessons_of(self, groups: Iterable[EditGroup]) -> dict[str, str]:
        """The words of all lessons so far, by id, those that these groups cite among them: read together."""
        new = [*dict.fromkeys(id for group in groups for id in _cited(group) if id not in self._lessons)]
        self._lessons.update(dict.fromkeys(new, ""))
        for at in range(0, len(new), AT_ONCE):
            found = self._store.several("lesson", new[at : at + AT_ONCE], Lesson)
            self._lessons.update({id: text_of_lesson(lesson) for id, lesson in found.items()})
        return self._lessons


def _cited(group: EditGroup) -> dict[str, None]:
    return dict.fromkeys((*group.lessons, *(id for said in group.said for id in said.lessons)))


def texts_of(base: Skill, group: EditGroup) -> tuple[str, ...]:
    """What a group says or takes out, as whoever looks at it reads it."""
    return tuple(dict.fromkeys(text for edit in group.edits for text in _in_words(base, edit)))


def _in_words(base: Skill, edit: Edit) -> Iterator[str]:
    """An edit as text alone: what it says, and what it takes out of the skill."""
    yield from (text for text in (edit.title, edit.content.strip().removeprefix("- ")) if text)
    if gone := _taken_out(base, edit).strip():
        yield f"(This is taken out of the skill:) {gone}"


def _taken_out(base: Skill, edit: Edit) -> str:
    text = base.text(edit.file) or ""
    if edit.op == "delete_file":
        return text
    if edit.op == "replace_in_section" and edit.anchor:
        return edit.anchor
    if edit.op == "delete_section":
        top = find_section(text, edit.section)
        below = [at.path for at in sections(text) if top and at.path[: len(top.path)] == top.path]
        return "".join(section_text(text, path) for path in below)
    return section_text(text, edit.section) if edit.op == "replace_in_section" else ""
