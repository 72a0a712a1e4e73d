"""What the patches of a run propose: rules, edits that stand as they are, and what is kept out, screened one by one."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from trace2skill.consolidate.cut import Rule, Uncut, cut
from trace2skill.consolidate.groups import EditGroup, cut_into_groups, unite_equal
from trace2skill.consolidate.quarantine import Quarantined, allowed_in, keep, may_be_looked_at, text_of, written_by
from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.safety.screening import Finding, screened
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.lesson import LessonKind
from trace2skill.types.patch import Patch


class Proposal(NamedTuple):
    """A patch with the kind of its lessons; `weak` where only weak labels speak for it.

    `halved` are ids of those of its lessons that count half.
    """

    patch: Patch
    kind: LessonKind
    weak: bool = False
    halved: tuple[str, ...] = ()


class Proposals(Record):
    """All that a set of patches asks for. Nothing of a patch is in none of these."""

    rules: tuple[Rule, ...] = ()
    whole: tuple[EditGroup, ...] = ()
    uncut: tuple[Uncut, ...] = ()
    aside: tuple[Quarantined, ...] = ()


class _Screen:
    """Looks for what keeps a group out: what is suspicious, neither in the skill nor allowed, nor left to a look."""

    def __init__(self, store: Store, base: Skill, *, looked: bool) -> None:
        self._known, self._allowed, self._looked = text_of(base), allowed_in(store), looked

    def __call__(self, group: EditGroup) -> tuple[Finding, ...]:
        found = screened(written_by(group), self._known, self._allowed)
        return () if self._looked and may_be_looked_at(group, found) else found


class Cutter:
    """Cuts patches into rules and whole edits, one by one as they come, and sets aside what is suspicious.

    Of an edit in which something is suspicious only the rules that hold it are kept out; the whole edit is where no
    rule of it is suspicious alone. `looked`: a model looks at the lines that come of it, and decides on those that are
    no more than suspected.
    """

    def __init__(self, store: Store, base: Skill, *, looked: bool = False) -> None:
        self._store, self._base, self._screen = store, base, _Screen(store, base, looked=looked)
        self._done: dict[str, Proposals] = {}

    def take(self, given: Proposal) -> Proposals:
        """What one patch proposes. One that was taken before is not cut again."""
        key = digest_of(given.patch.digest, given.kind, given.weak, given.halved)
        if key not in self._done:
            self._done[key] = self._cut(given)
        return self._done[key]

    def of(self, given: Iterable[Proposal]) -> Proposals:
        """All that patches propose, in their order; what is kept out is put where people can review it."""
        return together(self._store, [self.take(item) for item in given])

    def _cut(self, given: Proposal) -> Proposals:
        patch, kind = given.patch, given.kind
        half: dict[str, Any] = {"weak": given.weak, "halved": given.halved}
        looked = [(group, self._screen(group)) for group in cut_into_groups(patch, kind, **half)]
        made = cut(_of(patch, [group for group, found in looked if not found]), kind, self._base, **half)
        rules, uncut, aside = [*made.rules], [*made.uncut], list[Quarantined]()
        for group, found in looked:
            if not found:
                continue
            part = cut(_of(patch, [group]), kind, self._base, **half)
            seen = [(rule, self._screen(_as_group(rule))) for rule in part.rules]
            bad = [_quarantined(_as_group(rule), why) for rule, why in seen if why]
            if not bad or part.whole:
                aside.append(_quarantined(group, found))
                continue
            aside += bad
            rules += [rule for rule, why in seen if not why]
            uncut += part.uncut
        whole = cut_into_groups(patch.model_copy(update={"edits": made.whole}), kind, **half)
        for rule in rules:
            rule.worked_out()
        return Proposals(rules=tuple(rules), whole=tuple(whole), uncut=tuple(uncut), aside=tuple(aside))


def together(store: Store, every: Sequence[Proposals]) -> Proposals:
    """What several patches propose, in their order; what is kept out is put where people can review it."""
    aside = {item.digest: item for one in every for item in one.aside}
    keep(store, aside.values())
    return Proposals(
        rules=tuple({rule.id: rule for one in every for rule in one.rules}.values()),
        whole=tuple(unite_equal(group for one in every for group in one.whole)),
        uncut=tuple(item for one in every for item in one.uncut),
        aside=tuple(aside.values()),
    )


def _of(patch: Patch, groups: Iterable[EditGroup]) -> Patch:
    return patch.model_copy(update={"edits": tuple(edit for group in groups for edit in group.edits)})


def _as_group(rule: Rule) -> EditGroup:
    """A rule as what it would write, for the screening: its place is part of it."""
    return EditGroup(edits=(rule.as_edit,), support=rule.support)


def _quarantined(group: EditGroup, findings: tuple[Finding, ...]) -> Quarantined:
    return Quarantined(text=group.text[:2000], findings=findings, trajectories=group.support.trajectories)
