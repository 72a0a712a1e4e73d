"""The last check before a skill: what a writer worded, and what the editor reworded or repaired, is screened again.

A model looks a second time at what a candidate would say (`second_look`); what it names is kept out like what the
screening finds, and so is what was suspected and nobody has called harmless.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from trace2skill.consolidate import Dropped, EditGroup, Groups
from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.cut import MARK
from trace2skill.consolidate.editor import Editor
from trace2skill.consolidate.quarantine import Quarantined, allowed_in, keep, review, text_of, written_by
from trace2skill.consolidate.second_look import ALLOWED, SecondLook, SecondLooker
from trace2skill.consolidate.suspected import LetThrough, Suspected, Suspicions, texts_of
from trace2skill.safety.screening import screened
from trace2skill.skills.skill import Skill
from trace2skill.store import Store


class Passed(NamedTuple):
    """Groups that may be written, what was kept out, and what it says in quarantine."""

    root: Groups
    dropped: tuple[Dropped, ...]
    aside: tuple[Quarantined, ...]


def screened_root(store: Store, base: Skill, root: Groups, *, looked: bool = False) -> Passed:
    """The groups of a rule book without what is suspicious, also where it stands in an open conflict.

    `looked`: a model looks at each line that is written, and decides on those that are no more than suspected.
    """
    seen = review(store, base, _all_in(root), looked=looked)
    kept = {group.id for group in seen.kept}
    reasons = {item.text: item.reason for item in seen.aside}
    gone = {group.id: reasons.get(group.text[:2000], "suspicious") for group in _all_in(root) if group.id not in kept}
    return _without(root, gone, seen.aside)


def unseen(texts: Iterable[str]) -> SecondLook:
    """What comes of a look that nobody takes."""
    return SecondLook(found={}, unjudged=tuple(dict.fromkeys(texts)))


def looked_root(
    store: Store, passed: Passed, texts: Mapping[str, Sequence[str]], look: SecondLook, suspected: Suspected
) -> Passed:
    """What passed, without the groups of whose texts a second look names one, or has no word on one that is suspected.

    `texts` are those of each group, by its id.
    """
    gone, aside = dict[str, str](), list[Quarantined]()
    open_texts = suspected.keys() & {*look.unjudged}
    for group in _all_in(passed.root):
        own = texts.get(group.id, ())
        findings = tuple(look.found[text] for text in own if text in look.found)
        findings = findings or tuple(
            dict.fromkeys(item for text in own if text in open_texts for item in suspected[text])
        )
        if findings and group.id not in gone:
            out = Quarantined(text=group.text[:2000], findings=findings, trajectories=group.support.trajectories)
            gone[group.id] = out.reason
            aside.append(out)
    keep(store, aside)
    left = _without(passed.root, gone, aside)
    return Passed(left.root, (*passed.dropped, *left.dropped), (*passed.aside, *left.aside))


def texts_written(base: Skill, root: Groups, made: Candidate) -> dict[str, tuple[str, ...]]:
    """What of the groups a candidate says or takes out, as whoever looks at it reads it, by the id of the group.

    A rule that was moved to a reference file is known by its words and its support.
    """
    written = {_mark(group) for group in (*made.applied, *made.written)}
    return {group.id: texts_of(base, group) for group in _all_in(root) if _mark(group) in written}


def let_through(made: Candidate, suspicions: Suspicions, look: SecondLooker) -> tuple[LetThrough, ...]:
    """The suspected rules that a candidate says, and who called each harmless."""
    cleared = look.cleared
    return tuple(
        LetThrough(
            group=rule.id,
            text=text,
            findings=findings,
            by="" if cleared[text] == ALLOWED else look.by,
            why=cleared[text],
        )
        for rule in made.written
        for text, findings in suspicions.by_text([rule]).items()
        if text in cleared
    )


def written_in(root: Groups, texts: Mapping[str, Sequence[str]]) -> list[EditGroup]:
    """The groups that a candidate says, by their texts (`texts_written`)."""
    return [group for group in _all_in(root) if group.id in texts]


class ScreenedEditor:
    """An editor whose words get into a skill only where neither screening nor a second look finds something in them."""

    def __init__(
        self, editor: Editor, store: Store, look: SecondLooker | None = None, suspicions: Suspicions | None = None
    ) -> None:
        self._editor = editor
        self._store = store
        self._look = look
        self._suspicions = suspicions

    def repair(self, skill: Skill, path: str, problems: Sequence[str]) -> Skill | None:
        """See `Editor`."""
        made = self._editor.repair(skill, path, problems)
        if made is None or screened(text_of(made), text_of(skill), allowed_in(self._store)):
            return None
        known = _lines_in(skill)
        new = [line for line in _lines_in(made) if line not in known]
        own = {line: self._suspicions.in_text(line) for line in new} if self._suspicions else {}
        seen = self._look(new, own) if self._look and new else None
        return None if seen and (seen.found or seen.unjudged) else made

    def reword(self, base: Skill, groups: Sequence[EditGroup]) -> list[EditGroup]:
        """See `Editor`."""
        made = self._editor.reword(base, groups)
        known, allowed = text_of(base), allowed_in(self._store)
        clean = [
            before if screened(written_by(after), known + "\n" + written_by(before), allowed) else after
            for before, after in zip(groups, made, strict=True)
        ]
        return self._looked_at(base, groups, clean)

    def _looked_at(self, base: Skill, groups: Sequence[EditGroup], made: Sequence[EditGroup]) -> list[EditGroup]:
        """Another wording that a second look names, or could not judge, is not taken."""
        new = [after for before, after in zip(groups, made, strict=True) if after != before]
        changed = {after.id: texts_of(base, after) for after in new}
        if self._look is None or not changed:
            return list(made)
        suspected = self._suspicions.by_text(new) if self._suspicions else {}
        seen = self._look((text for texts in changed.values() for text in texts), suspected)
        bad = {*seen.found, *seen.unjudged}
        return [
            before if bad.intersection(changed.get(after.id, ())) else after
            for before, after in zip(groups, made, strict=True)
        ]


def _lines_in(skill: Skill) -> dict[str, None]:
    lines = (MARK.sub("", line).strip() for line in text_of(skill).splitlines())
    return dict.fromkeys(line for line in lines if line)


def _all_in(root: Groups) -> list[EditGroup]:
    return [*root.groups, *(side for conflict in root.open for side in conflict.sides)]


def _without(root: Groups, gone: Mapping[str, str], aside: Sequence[Quarantined]) -> Passed:
    """The groups without those of `gone`, which says why. The sides that a conflict is left with stand alone.

    Where a reviewer's words are gone, those of the rule's supporters are there again.
    """
    dropped = tuple(
        Dropped(group=group, reason=f"quarantined: {gone[group.id]}") for group in _all_in(root) if group.id in gone
    )
    conflicts = [item for item in root.open if not any(side.id in gone for side in item.sides)]
    alone = [side for item in root.open if item not in conflicts for side in item.sides if side.id not in gone]
    left = ((group,) if group.id not in gone else _again(group, gone[group.id]) for group in root.groups)
    groups = [group for groups in left for group in groups]
    return Passed(Groups.of([*groups, *alone], root.dropped, conflicts), dropped, tuple(aside))


def _again(group: EditGroup, reason: str) -> tuple[EditGroup, ...]:
    return tuple(one.model_copy(update={"note": f"in words of its own again: {reason}"}) for one in group.instead)


def _mark(group: EditGroup) -> tuple[object, ...]:
    return tuple(edit.content for edit in group.edits), group.support
