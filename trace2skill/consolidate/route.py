"""Prevalence: how much independent support a group needs to stand in SKILL.md, in a reference, or not at all.

A rule that independent trajectories ask for again and again is a property of the domain.
"""

import math
import re
from collections.abc import Collection, Sequence

from pydantic import Field

from trace2skill.consolidate.groups import Dropped, EditGroup, united
from trace2skill.consolidate.node import Groups
from trace2skill.core.record import Record
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Edit


class Thresholds(Record):
    """Distinct tasks a group needs. None takes the default that grows with the number of tasks.

    The defaults: SKILL.md from max(2, ceil(log10 N)) tasks on, with N tasks analysed, so 2 of 24 and 3 of 200; a
    reference from 2 on. One task alone is an anecdote and is dropped, with a record.
    """

    main: int | None = Field(default=None, ge=1, description="For SKILL.md; none takes a default by their number.")
    reference: int | None = Field(default=None, ge=1, description="For a reference; none takes 2.")

    def for_tasks(self, tasks: int) -> tuple[int, int]:
        """(main, reference) for a run over so many tasks."""
        main = self.main or max(2, math.ceil(math.log10(max(tasks, 1))))
        return main, min(self.reference or 2, main)


class Routed(Record):
    """Groups in order of support, highest first, all of them to be applied, and what stays out."""

    main: tuple[EditGroup, ...]
    reference: tuple[EditGroup, ...]
    dropped: tuple[Dropped, ...]


def route(root: Groups, thresholds: Thresholds, tasks: int) -> Routed:
    """Sort the groups of the root by their support in distinct tasks."""
    main_from, reference_from = thresholds.for_tasks(tasks)
    ordered = sorted(root.groups, key=lambda group: (-group.support.weight, group.id))
    main = [group for group in ordered if group.support.weight >= main_from]
    rest = [group for group in ordered if group.support.weight < main_from]
    reference = [group for group in rest if group.support.weight >= reference_from]
    rare = [group for group in rest if group.support.weight < reference_from]
    reason = f"asked for by fewer than {reference_from} of {tasks} tasks"
    return Routed(
        main=tuple(main),
        reference=tuple(reference),
        dropped=(*root.dropped, *(Dropped(group=group, reason=reason) for group in rare)),
    )


def reference_groups(skill: Skill, groups: tuple[EditGroup, ...]) -> list[EditGroup]:
    """Rewrite groups so that they land in `references/`, one file per section, linked once from SKILL.md.

    A group that already lands outside SKILL.md, or that removes text, stays as it is.
    """
    moved: dict[str, list[EditGroup]] = {}
    kept = []
    for group in groups:
        plain = len(group.edits) == 1 and group.edits[0].file == "SKILL.md" and group.edits[0].content
        if not plain or group.edits[0].op not in ("append_to_section", "insert_after", "insert_before", "add_section"):
            kept.append(group)
            continue
        edit = group.edits[0]
        moved.setdefault((edit.section or (edit.title,))[-1], []).append(group)
    return kept + [_reference_file(skill, topic, members) for topic, members in sorted(moved.items())]


def _reference_file(skill: Skill, topic: str, members: list[EditGroup]) -> EditGroup:
    slug = re.sub(r"[^a-z0-9]+", "-", topic.lower()).strip("-") or "special-cases"
    path = f"references/{slug}.md"
    body = "\n".join(group.edits[0].content.strip("\n") for group in members) + "\n"
    section = members[0].edits[0].section
    if skill.text(path) is not None:
        return _holding([Edit(op="append_to_section", file=path, section=(), content=body)], path, members)
    link = f"- For special cases of this, read [{path}]({path}).\n"
    home = Edit(op="append_to_section", section=section, content=link)
    if not section:
        home = Edit(op="add_section", title=topic, content=link)
    return _holding([Edit(op="create", file=path, content=f"# {topic}: special cases\n\n{body}"), home], path, members)


def _holding(edits: list[Edit], path: str, members: list[EditGroup]) -> EditGroup:
    """The group that writes the rules of one file. What each of them counts stays its own."""
    inner = []
    for group in members:
        line = Edit(op="append_to_section", file=path, content=group.edits[0].content, lessons=group.edits[0].lessons)
        inner.append(group.model_copy(update={"edits": (line,)}))
    return united(edits, members).model_copy(update={"inner": tuple(inner), "said": ()})


def can_be_thinned(group: EditGroup) -> bool:
    """Is it a file of rules that still has the words of each, one after the other?"""
    return bool(group.inner) and group.edits[0].content.endswith(_body(group.inner))


def thinned(group: EditGroup, left_out: Collection[str]) -> EditGroup | None:
    """The file of rules without some of them, by id; None where none is left."""
    kept = tuple(rule for rule in group.inner if rule.id not in left_out)
    if len(kept) in (0, len(group.inner)):
        return group if kept else None
    first, *links = group.edits
    content = first.content.removesuffix(_body(group.inner)) + _body(kept)
    edits = [first.model_copy(update={"content": content}), *links]
    return united(edits, kept).model_copy(update={"inner": kept, "said": ()})


def _body(rules: Sequence[EditGroup]) -> str:
    return "\n".join(rule.edits[0].content.strip("\n") for rule in rules) + "\n"
