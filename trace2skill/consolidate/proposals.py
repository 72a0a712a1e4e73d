"""What the patches of a run propose: rules, edits that stand as they are, and what is kept out, screened one by one."""

from collections.abc import Iterable
from typing import NamedTuple

from trace2skill.consolidate.cut import Rule, Uncut, cut
from trace2skill.consolidate.groups import EditGroup, cut_into_groups, unite_equal
from trace2skill.consolidate.quarantine import Quarantined, allowed_in, keep, text_of, written_by
from trace2skill.core.record import Record
from trace2skill.safety.screening import Finding, screened
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.lesson import LessonKind
from trace2skill.types.patch import Patch


class Proposal(NamedTuple):
    """A patch with the kind of its lessons; `weak` where only weak labels speak for it."""

    patch: Patch
    kind: LessonKind
    weak: bool = False


class Proposals(Record):
    """All that a set of patches asks for. Nothing of a patch is in none of these."""

    rules: tuple[Rule, ...] = ()
    whole: tuple[EditGroup, ...] = ()
    uncut: tuple[Uncut, ...] = ()
    aside: tuple[Quarantined, ...] = ()


class _Screen:
    """Looks for what is suspicious and neither in the skill nor allowed."""

    def __init__(self, store: Store, base: Skill) -> None:
        self._known, self._allowed = text_of(base), allowed_in(store)

    def __call__(self, group: EditGroup) -> tuple[Finding, ...]:
        return screened(written_by(group), self._known, self._allowed)


def proposals_of(store: Store, base: Skill, given: Iterable[Proposal]) -> Proposals:
    """Cut patches into rules and whole edits, and put what is suspicious where people can review it.

    Of an edit in which something is suspicious only the rules that hold it are kept out; the whole edit is where no
    rule of it is suspicious alone.
    """
    screen = _Screen(store, base)
    rules: list[Rule] = []
    whole: list[EditGroup] = []
    uncut: list[Uncut] = []
    aside: list[Quarantined] = []
    for patch, kind, weak in given:
        suspicious: list[tuple[EditGroup, tuple[Finding, ...]]] = []
        clean: list[EditGroup] = []
        for group in cut_into_groups(patch, kind, weak=weak):
            found = screen(group)
            if found:
                suspicious.append((group, found))
            else:
                clean.append(group)
        made = cut(_of(patch, clean), kind, base, weak=weak)
        rules += made.rules
        uncut += made.uncut
        whole += cut_into_groups(patch.model_copy(update={"edits": made.whole}), kind, weak=weak)
        for group, found in suspicious:
            part = cut(_of(patch, [group]), kind, base, weak=weak)
            looked = [(rule, screen(_as_group(rule))) for rule in part.rules]
            bad = [_quarantined(_as_group(rule), why) for rule, why in looked if why]
            if not bad or part.whole:
                aside.append(_quarantined(group, found))
                continue
            aside += bad
            rules += [rule for rule, why in looked if not why]
            uncut += part.uncut
    distinct = {item.digest: item for item in aside}
    keep(store, distinct.values())
    return Proposals(
        rules=tuple({rule.id: rule for rule in rules}.values()),
        whole=tuple(unite_equal(whole)),
        uncut=tuple(uncut),
        aside=tuple(distinct.values()),
    )


def _of(patch: Patch, groups: Iterable[EditGroup]) -> Patch:
    return patch.model_copy(update={"edits": tuple(edit for group in groups for edit in group.edits)})


def _as_group(rule: Rule) -> EditGroup:
    """A rule as what it would write, for the screening: its place is part of it."""
    return EditGroup(edits=(rule.as_edit,), support=rule.support)


def _quarantined(group: EditGroup, findings: tuple[Finding, ...]) -> Quarantined:
    return Quarantined(text=group.text[:2000], findings=findings, trajectories=group.support.trajectories)
