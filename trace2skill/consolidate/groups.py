"""Edit groups: the inseparable units of a merge, each with the trajectories and tasks that ask for it.

Support is kept by program: it counts distinct trajectories and distinct tasks, never messages.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.skills.markdown import links
from trace2skill.types.lesson import LessonKind
from trace2skill.types.patch import Edit, Patch

WEAK = 0.5
"""What a task counts of which only weak labels speak, or lessons that no step shows."""


class Support(Record):
    """Who asks for a group: sorted, distinct ids. `errors` and `successes` are those of known outcome."""

    trajectories: tuple[str, ...]
    tasks: tuple[str, ...]
    errors: tuple[str, ...] = ()
    successes: tuple[str, ...] = ()
    weak: tuple[str, ...] = Field(
        default=(),
        exclude_if=not_,
        description="Those of `tasks` that only lessons speak for that rest on weak labels or are inferred.",
    )

    @property
    def weight(self) -> float:
        """Distinct tasks, those with nothing but a weak label or what is inferred counted half."""
        return len(self.tasks) - len(self.weak) * (1 - WEAK)

    @classmethod
    def of(cls, trajectory_id: str, task_id: str, kind: LessonKind, *, weak: bool = False) -> "Support":
        """The support of one trajectory: one vote."""
        return cls(
            trajectories=(trajectory_id,),
            tasks=(task_id,),
            errors=(trajectory_id,) if kind == "error" else (),
            successes=(trajectory_id,) if kind == "success" else (),
            weak=(task_id,) if weak else (),
        )

    @classmethod
    def union(cls, supports: Iterable["Support"]) -> "Support":
        """The exact union: a trajectory on two sides still counts once."""
        given = list(supports)
        if len(given) == 1:
            return given[0]
        return cls(
            trajectories=_distinct(item.trajectories for item in given),
            tasks=_distinct(item.tasks for item in given),
            errors=_distinct(item.errors for item in given),
            successes=_distinct(item.successes for item in given),
            weak=tuple(
                task
                for task in _distinct(item.weak for item in given)
                if all(task in item.weak for item in given if task in item.tasks)
            ),
        )


class Saying(Record):
    """One supporter's own words for a rule: `how` says whether they state it as widely or for a narrower case."""

    trajectory_id: str
    task_id: str
    text: str
    how: Literal["same", "narrower"] = "same"
    lessons: tuple[str, ...] = ()


class EditGroup(Record):
    """Edits that stand or fall together: one edit, or the creation of a file with the edits that link it."""

    edits: tuple[Edit, ...]
    support: Support
    stands_for: tuple[str, ...] = Field(default=(), description="Ids of the leaves merged into it; empty for a leaf.")
    path: tuple[str, ...] = Field(default=(), description="The merges that united it, from the leaves up.")
    said: tuple[Saying, ...] = Field(default=(), exclude_if=not_, description="Its supporters' exact words.")
    against: tuple[Saying, ...] = Field(default=(), exclude_if=not_, description="Words that say the opposite.")
    note: str = Field(default="", exclude_if=not_, description="What was read into the place it was asked for.")
    inner: tuple["EditGroup", ...] = Field(
        default=(),
        exclude_if=not_,
        description="The rules written by its one file, each with the support it has itself.",
    )

    instead: tuple["EditGroup", ...] = Field(
        default=(),
        exclude_if=not_,
        description="The same in words of its supporters, where it is in a reviewer's: it stands where that may not.",
    )

    @cached_property
    def id(self) -> str:
        """Short content id over edits and support."""
        return "G" + digest_of(self.edits, self.support)[:12]

    @cached_property
    def text(self) -> str:
        """All that the group would write, for comparing and measuring."""
        return "\n".join(part for edit in self.edits for part in (edit.title, edit.content) if part)

    @cached_property
    def as_text(self) -> str:
        """The group as a model reads it."""
        return "\n\n".join(describe(edit) for edit in self.edits)

    @property
    def lessons(self) -> tuple[str, ...]:
        """Ids of the lessons the group writes down."""
        return _distinct(edit.lessons for edit in self.edits)


class Dropped(Record):
    """A group that does not reach the skill, and why. Nothing given is lost without such a record."""

    group: EditGroup
    reason: str


def cut_into_groups(
    patch: Patch, kind: LessonKind, *, weak: bool = False, halved: Collection[str] = ()
) -> list[EditGroup]:
    """Cut a patch into its inseparable groups. A `create` takes the edits along whose text links to its file.

    A group counts half where all of it does (`weak`), or all lessons that it writes down are among `halved`.
    """
    creates = [edit for edit in patch.edits if edit.op == "create"]
    linked: dict[str, list[Edit]] = {edit.file: [edit] for edit in creates}
    alone = []
    for edit in patch.edits:
        if edit.op == "create":
            continue
        target = next((file for file in linked if file in _link_targets(edit)), None)
        if target is None:
            alone.append(edit)
        else:
            linked[target].append(edit)
    cuts = [tuple(edits) for edits in linked.values()] + [(edit,) for edit in alone]

    def support(edits: tuple[Edit, ...]) -> Support:
        half = weak or half_of(_distinct(edit.lessons for edit in edits), halved)
        return Support.of(patch.trajectory_id, patch.task_id, kind, weak=half)

    return list(unite_equal(EditGroup(edits=edits, support=support(edits)) for edits in cuts))


def half_of(lessons: Collection[str], halved: Collection[str]) -> bool:
    """Does what these lessons ask for count half?"""
    return bool(lessons) and all(id in halved for id in lessons)


def unite_equal(groups: Iterable[EditGroup]) -> list[EditGroup]:
    """Groups that would write the same things in the same places become one, with the union of their support."""
    by_change: dict[tuple[str, ...], list[EditGroup]] = {}
    for group in groups:
        by_change.setdefault(tuple(edit.id for edit in group.edits), []).append(group)
    return [same[0] if len(same) == 1 else united(same[0].edits, same) for same in by_change.values()]


def united(edits: Sequence[Edit], sources: Sequence[EditGroup]) -> EditGroup:
    """A group that writes `edits` and stands for `sources`: their support and their lessons, by exact union."""
    lessons = _distinct(source.lessons for source in sources)
    return EditGroup(
        edits=tuple(edit.model_copy(update={"lessons": lessons}) for edit in edits),
        support=Support.union(source.support for source in sources),
        stands_for=_distinct(source.stands_for or (source.id,) for source in sources),
        path=tuple(dict.fromkeys(node for source in sources for node in source.path)),
        said=tuple(dict.fromkeys(saying for source in sources for saying in source.said)),
        against=tuple(dict.fromkeys(saying for source in sources for saying in source.against)),
    )


def describe(edit: Edit) -> str:
    """One edit in words: where it lands and what it writes."""
    place = " > ".join((edit.file, *edit.section))
    lines = [f"{edit.op} in {place}"]
    if edit.title:
        lines.append(f"title: {edit.title}")
    if edit.anchor:
        lines.append(f"anchor: {edit.anchor}")
    lines.append(edit.content)
    return "\n".join(lines)


def _link_targets(edit: Edit) -> set[str]:
    return {link.target.split("#")[0].removeprefix("./") for link in links(edit.content)}


def _distinct(parts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({item for part in parts for item in part}))
