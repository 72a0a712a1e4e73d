"""The books of a merge: what a merger may answer, which rules that keeps, and what it comes to."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.consolidate.contradiction import OpenConflict, is_conditional, opposed_pairs
from trace2skill.consolidate.groups import Dropped, EditGroup, united
from trace2skill.skills.apply import conflicts
from trace2skill.skills.place import EditPolicy, place
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Edit, EditOp, Unplaced


class MergedEdit(BaseModel):
    """An edit as the merger writes it."""

    model_config = ConfigDict(extra="ignore")
    op: EditOp
    file: str = "SKILL.md"
    section: list[str] = Field(default_factory=list)
    anchor: str = ""
    title: str = ""
    content: str = ""


class MergedGroup(BaseModel):
    """A group of the merger's answer. Without edits it keeps those of the one group it cites."""

    model_config = ConfigDict(extra="ignore")
    cites: list[str]
    edits: list[MergedEdit] = Field(default_factory=list)


class DroppedGroup(BaseModel):
    """A given group that the merger leaves out."""

    model_config = ConfigDict(extra="ignore")
    id: str
    reason: str


class Contradiction(BaseModel):
    """Given groups that the merger cannot bring together: they stay apart for a person to decide."""

    model_config = ConfigDict(extra="ignore")
    ids: list[str] = Field(min_length=2)
    reason: str


class MergeAnswer(BaseModel):
    """What the merger answers."""

    model_config = ConfigDict(extra="ignore")
    groups: list[MergedGroup]
    dropped: list[DroppedGroup] = Field(default_factory=list)
    contradictions: list[Contradiction] = Field(default_factory=list)


def violations(answer: MergeAnswer, given: Sequence[EditGroup], base: Skill, policy: EditPolicy) -> list[str]:
    """Which rules of the merge an answer breaks, in words for the re-ask."""
    found = _miscounted(answer, given)
    if found:
        return found
    merged, _, _ = carry_out(answer, given)
    length, allowed = sum(len(group.text) for group in merged), sum(len(group.text) for group in given)
    if length > allowed:
        found.append(f"the result has {length} characters, more than the {allowed} of all sides together")
    found += _unfit(merged, base, policy)
    by_id = {group.id: group for group in given}
    for group, written in zip(merged, answer.groups, strict=True):
        for a, b in opposed_pairs([by_id[id] for id in written.cites]):
            if not is_conditional(group.text, a, b):
                found.append(f"{a.id} and {b.id} say opposite things: state when each holds, or list a contradiction")
    dropped = [by_id[item.id] for item in answer.dropped]
    for group in dropped:
        rivals = [other for other in given if other.id != group.id and opposed_pairs([group, other])]
        found += [
            f"{group.id} opposes {other.id} and may not be dropped for that: list a contradiction" for other in rivals
        ]
    return found


def carry_out(
    answer: MergeAnswer, given: Sequence[EditGroup]
) -> tuple[list[EditGroup], list[Dropped], list[OpenConflict]]:
    """The merged groups in the order of the answer, what it drops and what it sets aside. Support is united here."""
    by_id = {group.id: group for group in given}
    merged = []
    for group in answer.groups:
        sources = [by_id[id] for id in group.cites]
        edits = [Edit(**{**edit.model_dump(), "section": tuple(edit.section)}) for edit in group.edits]
        merged.append(united(edits, sources) if edits else sources[0])
    dropped = [Dropped(group=by_id[item.id], reason=f"merger: {item.reason}") for item in answer.dropped]
    aside = [
        OpenConflict(sides=tuple(by_id[id] for id in dict.fromkeys(item.ids)), reason=f"merger: {item.reason}")
        for item in answer.contradictions
    ]
    return merged, dropped, aside


def _miscounted(answer: MergeAnswer, given: Sequence[EditGroup]) -> list[str]:
    """Every given id is cited once, dropped or set aside, and no other id appears."""
    by_id = {group.id: group for group in given}
    cited = [id for group in answer.groups for id in group.cites]
    dropped = [item.id for item in answer.dropped]
    aside = [id for item in answer.contradictions for id in dict.fromkeys(item.ids)]
    used = [*cited, *dropped, *aside]
    found = [f"{id} was not given" for id in dict.fromkeys(used) if id not in by_id]
    found += [f"{id} is neither cited nor dropped nor in a contradiction" for id in by_id if id not in used]
    found += [f"{id} is used more than once" for id in by_id if used.count(id) > 1]
    found += ["a contradiction needs two groups" for item in answer.contradictions if len(set(item.ids)) < 2]
    for group in answer.groups:
        if not group.cites:
            found.append("a group cites nothing")
        elif not group.edits and len(group.cites) > 1:
            found.append(f"the group citing {', '.join(group.cites)} has no edits and cites more than one")
    return found


def _unfit(merged: Sequence[EditGroup], base: Skill, policy: EditPolicy) -> list[str]:
    """Edits without a place in the skill, and edits that cannot both be applied."""
    edits = [edit for group in merged for edit in group.edits]
    placed = [place(base, edit, policy) for edit in edits]
    found = [f"'{item.edit.content[:60]}' has no place: {item.reason}" for item in placed if isinstance(item, Unplaced)]
    clashes = conflicts(base, edits, policy)
    return found + [f"edits conflict in {item.file}: {item.reason}" for item in clashes]
