"""One node of the merge tree: two sides become one, and the program keeps the books.

A model is asked only about groups that touch across the sides. It may combine the groups it was given and cite them;
support is united by program, every given id must be accounted for, and an answer that breaks a rule is asked for once
more and then replaced by a deterministic union. A transport fault is neither: it is raised, and the node is rerun.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.consolidate.groups import Dropped, EditGroup, Groups, united
from trace2skill.errors import BadAnswer
from trace2skill.llm import Door, ModelSettings, Request, ask
from trace2skill.markdown import section_text
from trace2skill.patch import Edit, EditOp
from trace2skill.prompts import prompt_digest, render
from trace2skill.similarity import similarity
from trace2skill.skill import Skill

PROMPTS = ("merger", "merger_task")
SIMILAR = 0.6  # share of common words from which two texts are taken to speak of the same thing
NEARLY_EQUAL = 0.9


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


class MergeAnswer(BaseModel):
    """What the merger answers."""

    model_config = ConfigDict(extra="ignore")
    groups: list[MergedGroup]
    dropped: list[DroppedGroup] = Field(default_factory=list)


def merge(door: Door, model: ModelSettings, base: Skill, left: Groups, right: Groups, *, step: str) -> Groups:
    """Unite two sides of the tree.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Door.complete`; the node has no result and is rerun.
    """
    dropped = (*left.dropped, *right.dropped)
    asked_left, asked_right = touching(left.groups, right.groups)
    asked = {group.id for group in (*asked_left, *asked_right)}
    untouched = [group for group in (*left.groups, *right.groups) if group.id not in asked]
    if not asked:
        return Groups.of(untouched, dropped)
    merged, newly_dropped = _ask_merger(door, model, base, asked_left, asked_right, step)
    return Groups.of([*untouched, *merged], [*dropped, *newly_dropped])


def merge_identity(model: ModelSettings) -> dict[str, object]:
    """What a node's key holds of the operator."""
    return {"merge": 1, "model": model.identity, "prompts": prompt_digest(*PROMPTS)}


def touching(
    left: Sequence[EditGroup], right: Sequence[EditGroup]
) -> tuple[tuple[EditGroup, ...], tuple[EditGroup, ...]]:
    """The groups of each side that meet one of the other side: same file and section, or similar text."""
    pairs = [(a, b) for a in left for b in right if _meet(a, b)]
    lefts, rights = {a.id for a, _ in pairs}, {b.id for _, b in pairs}
    return tuple(a for a in left if a.id in lefts), tuple(b for b in right if b.id in rights)


def violations(answer: MergeAnswer, given: Sequence[EditGroup]) -> list[str]:
    """Which rules of the merge an answer breaks, in words for the re-ask."""
    by_id = {group.id: group for group in given}
    cited = [id for group in answer.groups for id in group.cites]
    dropped = [item.id for item in answer.dropped]
    found = [f"{id} was not given" for id in dict.fromkeys(cited + dropped) if id not in by_id]
    found += [f"{id} is neither cited nor dropped" for id in by_id if id not in cited and id not in dropped]
    found += [f"{id} is cited twice" for id in by_id if cited.count(id) > 1]
    found += [f"{id} is both cited and dropped" for id in by_id if id in cited and id in dropped]
    for group in answer.groups:
        if not group.cites:
            found.append("a group cites nothing")
        elif not group.edits and len(group.cites) > 1:
            found.append(f"the group citing {', '.join(group.cites)} has no edits and cites more than one")
    length = sum(len(edit.content) for group in answer.groups for edit in group.edits)
    allowed = sum(len(group.text) for group in given)
    if length > allowed:
        found.append(f"the result has {length} characters, more than the {allowed} of both sides together")
    return found


def unite_by_program(given: Sequence[EditGroup]) -> list[EditGroup]:
    """The deterministic fallback: nearly equal groups become one (most supported wording), the rest stay."""
    kept: list[EditGroup] = []
    for group in sorted(given, key=lambda item: (-len(item.support.tasks), item.id)):
        twin = next((i for i, other in enumerate(kept) if _nearly_equal(group, other)), None)
        if twin is None:
            kept.append(group)
        else:
            kept[twin] = united(kept[twin].edits, [kept[twin], group])
    return kept


def _ask_merger(
    door: Door,
    model: ModelSettings,
    base: Skill,
    left: Sequence[EditGroup],
    right: Sequence[EditGroup],
    step: str,
) -> tuple[list[EditGroup], list[Dropped]]:
    given = [*left, *right]
    sections = "\n\n".join(_touched_sections(base, given))
    messages: tuple[dict[str, object], ...] = (
        {"role": "system", "content": render("merger")},
        {"role": "user", "content": render("merger_task", sections=sections, left=left, right=right)},
    )
    for _ in range(2):
        request = Request(role="merger", settings=model, messages=messages)
        try:
            answer = ask(door, request, MergeAnswer, step=step)
        except BadAnswer:
            break
        broken = violations(answer, given)
        if not broken:
            return _carry_out(answer, given)
        complaint = "Your answer breaks these rules:\n- " + "\n- ".join(broken) + "\nAnswer again, whole."
        asked_again: dict[str, object] = {"role": "user", "content": complaint}
        said: dict[str, object] = {"role": "assistant", "content": answer.model_dump_json()}
        messages = (*messages, said, asked_again)
    return unite_by_program(given), []


def _carry_out(answer: MergeAnswer, given: Sequence[EditGroup]) -> tuple[list[EditGroup], list[Dropped]]:
    by_id = {group.id: group for group in given}
    merged = []
    for group in answer.groups:
        sources = [by_id[id] for id in group.cites]
        edits: Sequence[Edit] = [Edit(**{**edit.model_dump(), "section": tuple(edit.section)}) for edit in group.edits]
        merged.append(united(edits, sources) if edits else sources[0])
    return merged, [Dropped(group=by_id[item.id], reason=f"merger: {item.reason}") for item in answer.dropped]


def _touched_sections(base: Skill, given: Sequence[EditGroup]) -> list[str]:
    places = {(edit.file, edit.section) for group in given for edit in group.edits}
    texts = []
    for file, section in sorted(places):
        text = base.text(file)
        if text is not None:
            texts.append(f"## {' > '.join((file, *section))}\n\n{section_text(text, section)}")
    return texts


def _meet(a: EditGroup, b: EditGroup) -> bool:
    places = {(edit.file, edit.section) for edit in a.edits}
    if any((edit.file, edit.section) in places for edit in b.edits):
        return True
    return similarity(a.text, b.text) >= SIMILAR


def _nearly_equal(a: EditGroup, b: EditGroup) -> bool:
    same_shape = [(e.op, e.file, e.section) for e in a.edits] == [(e.op, e.file, e.section) for e in b.edits]
    return same_shape and SequenceMatcher(None, a.text.lower(), b.text.lower()).ratio() >= NEARLY_EQUAL
