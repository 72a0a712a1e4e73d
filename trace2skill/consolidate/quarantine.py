"""Quarantine: what the screening keeps out of skills, in the store for review, and what people have allowed."""

from collections.abc import Iterable, Sequence

from trace2skill.consolidate.cut import is_cut
from trace2skill.consolidate.groups import EditGroup
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.safety.screening import Finding, are_suspicions, screened
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.lesson import Lesson

UNSEEN = "suspected, and no second look called it harmless"


class Quarantined(Record, form="Quarantined", version=1):
    """A text that was kept out of a skill, what is suspicious in it, and who asked for it."""

    text: str
    findings: tuple[Finding, ...]
    trajectories: tuple[str, ...]

    @property
    def reason(self) -> str:
        """In words."""
        found = "; ".join(dict.fromkeys(finding.in_words for finding in self.findings))
        return f"{found} ({UNSEEN})" if self.is_suspected else found

    @property
    def is_suspected(self) -> bool:
        """Is it no more than suspected, and did nobody call it harmless?"""
        return are_suspicions(self.findings)


class Allowed(Record, form="Allowed", version=1):
    """A finding that a person lets into skills, and why."""

    finding: Finding
    why: str


class Review(Record):
    """What the screening of a set of groups lets through and what it keeps out."""

    kept: tuple[EditGroup, ...]
    aside: tuple[Quarantined, ...]


def allowed_in(store: Store) -> frozenset[str]:
    """Ids of the findings that people have allowed."""
    return frozenset(item.finding.id for item in store.all_of("allowance", Allowed))


def review(store: Store, base: Skill, groups: Iterable[EditGroup], *, looked: bool = False) -> Review:
    """Keep out the groups that would write something suspicious that is neither in the skill nor allowed.

    `looked`: a model looks at each line before it is written, and decides on those that are no more than suspected.
    """
    known, allowed = text_of(base), allowed_in(store)
    kept, aside = [], []
    for group in groups:
        findings = screened(written_by(group), known, allowed)
        if findings and not (looked and may_be_looked_at(group, findings)):
            aside.append(
                Quarantined(text=group.text[:2000], findings=findings, trajectories=group.support.trajectories)
            )
        else:
            kept.append(group)
    keep(store, aside)
    return Review(kept=tuple(kept), aside=tuple(aside))


def may_be_looked_at(group: EditGroup, findings: Sequence[Finding]) -> bool:
    """Is a group no more than suspected, and does it write lines and nothing else? What a script does is no advice."""
    return are_suspicions(findings) and all(is_cut(edit) for edit in group.edits)


def review_lessons(
    store: Store, base: Skill, lessons: Sequence[Lesson], *, looked: bool = False
) -> tuple[tuple[Lesson, ...], tuple[Quarantined, ...]]:
    """The lessons of one trajectory that may be shown to whoever writes the skill, and those that are kept out.

    `looked`: those that are no more than suspected are shown, for a model looks at the lines that come of them.
    """
    known, allowed = text_of(base), allowed_in(store)
    kept, aside = [], []
    for lesson in lessons:
        text = text_of_lesson(lesson)
        findings = screened(text, known, allowed)
        if findings and not (looked and are_suspicions(findings)):
            aside.append(Quarantined(text=text, findings=findings, trajectories=(lesson.trajectory_id,)))
        else:
            kept.append(lesson)
    keep(store, aside)
    return tuple(kept), tuple(aside)


def allowed_of(store: Store, base: Skill, lessons: Sequence[Lesson]) -> list[str]:
    """Ids of the findings in these lessons that people have allowed: what a patch of them depends on besides."""
    allowed = allowed_in(store)
    if not allowed:
        return []
    found = (finding for lesson in lessons for finding in screened(text_of_lesson(lesson), text_of(base)))
    return sorted({finding.id for finding in found} & allowed)


def suspected_in(store: Store, base: Skill, lessons: Sequence[Lesson]) -> list[str]:
    """Ids of the lessons that are shown since a model looks at what comes of them: a patch depends on it besides."""
    known, allowed = text_of(base), allowed_in(store)
    found = ((lesson.id, screened(text_of_lesson(lesson), known, allowed)) for lesson in lessons)
    return sorted(id for id, findings in found if are_suspicions(findings))


def keep(store: Store, aside: Iterable[Quarantined]) -> None:
    """Put what was kept out where people can review it."""
    store.put_all(("quarantine", item.digest, item) for item in aside)


def waiting(store: Store) -> list[Quarantined]:
    """What is in quarantine and holds something that nobody has allowed."""
    allowed = allowed_in(store)
    return [
        item
        for item in store.all_of("quarantine", Quarantined)
        if any(finding.id not in allowed for finding in item.findings)
    ]


def allow(store: Store, ids: Sequence[str], why: str) -> list[Finding]:
    """Let findings into skills from now on, for good.

    Raises:
        BadInput: no reason, or no such finding is in quarantine.
    """
    if not why.strip():
        raise BadInput("say why it is allowed (--why): it is recorded")
    known = {finding.id: finding for item in store.all_of("quarantine", Quarantined) for finding in item.findings}
    unknown = [id for id in ids if id not in known]
    if unknown:
        raise BadInput(f"nothing called {', '.join(unknown)} is in quarantine: `trace2skill quarantine` lists it")
    for id in ids:
        store.put("allowance", id, Allowed(finding=known[id], why=why))
    return [known[id] for id in ids]


def text_of_lesson(lesson: Lesson) -> str:
    """All that a lesson says."""
    return "\n".join((lesson.title, lesson.description, lesson.content))


def text_of(skill: Skill) -> str:
    """All that a skill says."""
    return "\n".join(skill.text(file.path) or "" for file in skill.files)


def written_by(group: EditGroup) -> str:
    """All that a group would write, the names of its files among it."""
    return "\n".join(part for edit in group.edits for part in (edit.file, edit.title, edit.content) if part)
