"""One node of the merge tree: its sides become one, and the program keeps the books.

A model is asked only about groups that touch across the sides. It may combine the groups it was given and cite them;
support is united by program, every given id must be accounted for, and an answer that breaks a rule is asked for once
more and then replaced by a deterministic union. A transport fault is neither: it is raised, and the node is rerun.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Literal

from pydantic import Field

from trace2skill.consolidate.books import MergeAnswer, carry_out, violations
from trace2skill.consolidate.contradiction import OpenConflict, opposed
from trace2skill.consolidate.groups import Dropped, EditGroup, united
from trace2skill.consolidate.node import Groups
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadAnswer
from trace2skill.core.record import Record
from trace2skill.core.similarity import similarity
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask
from trace2skill.prompts import prompt_digest, render
from trace2skill.skills.apply import conflicts
from trace2skill.skills.markdown import section_text
from trace2skill.skills.place import EditPolicy, place
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Unplaced

PROMPTS = ("merger", "merger_task")
SIMILAR = 0.6  # share of common words from which two texts are taken to speak of the same thing
NEARLY_EQUAL = 0.9


class MergeSettings(Record):
    """How the merge tree is reduced."""

    ask: Literal["touching", "always"] = Field(
        default="touching",
        description="'touching' asks the model only about groups that touch; 'always' is the paper's.",
    )
    fan_in: int = Field(default=2, ge=2, le=64, description="How many sides one merge unites: the paper's B.")


def merge(
    client: Client,
    model: ModelSettings,
    base: Skill,
    sides: Sequence[Groups],
    *,
    step: StepLabel,
    settings: MergeSettings = MergeSettings(),
    policy: EditPolicy = EditPolicy(),
) -> Groups:
    """Unite the sides of a node.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`; the node has no result and is rerun.
    """
    dropped = [item for side in sides for item in side.dropped]
    aside = [item for side in sides for item in side.open]
    groups = [list(side.groups) for side in sides]
    given = groups if settings.ask == "always" else touching(groups)
    ids = {group.id for side in given for group in side}
    untouched = [group for side in sides for group in side.groups if group.id not in ids]
    if sum(bool(side) for side in given) < 2:
        return Groups.of([group for side in sides for group in side.groups], dropped, aside)
    merged, newly_dropped, newly_open = _ask_merger(client, model, base, given, step, policy)
    node = "M" + digest_of([side.digest for side in sides])[:12]
    merged = [group if group.id in ids else group.model_copy(update={"path": (*group.path, node)}) for group in merged]
    return Groups.of([*untouched, *merged], [*dropped, *newly_dropped], [*aside, *newly_open])


def merge_identity(model: ModelSettings, settings: MergeSettings, policy: EditPolicy) -> dict[str, object]:
    """What a node's key holds of the operator."""
    prompts = prompt_digest(*PROMPTS)
    return {"merge": 3, "model": model.identity, "ask": settings.ask, "policy": policy, "prompts": prompts}


def touching(sides: Sequence[Sequence[EditGroup]]) -> list[list[EditGroup]]:
    """The groups of each side that meet one of another side: same file and section, or similar text."""
    return [
        [a for a in side if any(_meet(a, b) for m, other in enumerate(sides) if m != n for b in other)]
        for n, side in enumerate(sides)
    ]


def unite_by_program(
    given: Sequence[EditGroup], base: Skill, policy: EditPolicy
) -> tuple[list[EditGroup], list[OpenConflict]]:
    """The deterministic fallback: nearly equal groups become one, in the most supported wording; what opposes or
    conflicts is set aside, both sides; the rest stays.
    """
    kept: list[EditGroup] = []
    for group in sorted(given, key=lambda item: (-len(item.support.tasks), item.id)):
        twin = next((i for i, other in enumerate(kept) if _nearly_equal(group, other)), None)
        if twin is None:
            kept.append(group)
        else:
            kept[twin] = united(kept[twin].edits, [kept[twin], group])
    return set_aside(kept, base, policy)


def set_aside(
    groups: Sequence[EditGroup], base: Skill, policy: EditPolicy, *, by_words: bool = True
) -> tuple[list[EditGroup], list[OpenConflict]]:
    """Take out the groups that oppose each other or cannot both be applied; each pair becomes an open conflict.

    Without `by_words` nothing is taken for opposed because of the words it shares: a book has found out what is.
    """
    found = [
        OpenConflict(sides=(a, b), reason="they say the opposite of each other")
        for n, a in enumerate(groups)
        for b in groups[n + 1 :]
        if by_words and opposed(a.text, b.text)
    ]
    homeless = {group.id for group in groups if any(isinstance(place(base, e, policy), Unplaced) for e in group.edits)}
    housed = [group for group in groups if group.id not in homeless]  # the others are told of when all is applied
    owner = {edit.id: group for group in housed for edit in group.edits}
    for clash in conflicts(base, [edit for group in housed for edit in group.edits], policy):
        a, b = owner[clash.first], owner[clash.second]
        sides = (a,) if a.id == b.id else (a, b)
        found.append(OpenConflict(sides=sides, reason=clash.reason))
    out = {side.id for conflict in found for side in conflict.sides}
    return [group for group in groups if group.id not in out], found


def _ask_merger(
    client: Client,
    model: ModelSettings,
    base: Skill,
    sides: Sequence[Sequence[EditGroup]],
    step: StepLabel,
    policy: EditPolicy,
) -> tuple[list[EditGroup], list[Dropped], list[OpenConflict]]:
    given = [group for side in sides for group in side]
    sections = "\n\n".join(_touched_sections(base, given))
    messages: tuple[dict[str, object], ...] = (
        {"role": "system", "content": render("merger")},
        {"role": "user", "content": render("merger_task", sections=sections, sides=sides)},
    )
    for _ in range(2):
        request = Request(role="merger", settings=model, messages=messages)
        try:
            answer = ask(client, request, MergeAnswer, step=step)
        except BadAnswer:
            break
        broken = violations(answer, given, base, policy)
        if not broken:
            return carry_out(answer, given)
        complaint = "Your answer breaks these rules:\n- " + "\n- ".join(broken) + "\nAnswer again, whole."
        asked_again: dict[str, object] = {"role": "user", "content": complaint}
        said: dict[str, object] = {"role": "assistant", "content": answer.model_dump_json()}
        messages = (*messages, said, asked_again)
    kept, aside = unite_by_program(given, base, policy)
    return kept, [], aside


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
    if opposed(a.text, b.text):
        return False
    same_shape = [(e.op, e.file, e.section) for e in a.edits] == [(e.op, e.file, e.section) for e in b.edits]
    return same_shape and SequenceMatcher(None, a.text.lower(), b.text.lower()).ratio() >= NEARLY_EQUAL
