"""The last check before a skill: what a writer worded, and what the editor reworded or repaired, is screened again."""

from collections.abc import Sequence

from trace2skill.consolidate import Dropped, EditGroup, Groups
from trace2skill.consolidate.editor import Editor
from trace2skill.consolidate.quarantine import allowed_in, review, text_of, written_by
from trace2skill.safety.screening import screened
from trace2skill.skills.skill import Skill
from trace2skill.store import Store


def screened_root(store: Store, base: Skill, root: Groups) -> tuple[Groups, list[Dropped]]:
    """The groups of a rule book without what is suspicious, also where it stands in an open conflict."""
    inside = [side for conflict in root.open for side in conflict.sides]
    looked = review(store, base, [*root.groups, *inside])
    kept = {group.id for group in looked.kept}
    reasons = {text: item.reason for item in looked.aside for text in [item.text]}
    dropped = [
        Dropped(group=group, reason=f"quarantined: {reasons.get(group.text[:2000], 'suspicious')}")
        for group in [*root.groups, *inside]
        if group.id not in kept
    ]
    conflicts = [conflict for conflict in root.open if all(side.id in kept for side in conflict.sides)]
    alone = [side for conflict in root.open if conflict not in conflicts for side in conflict.sides if side.id in kept]
    groups = [group for group in root.groups if group.id in kept]
    return Groups.of([*groups, *alone], root.dropped, conflicts), dropped


class ScreenedEditor:
    """An editor whose words get into a skill only where the screening finds nothing new in them."""

    def __init__(self, editor: Editor, store: Store) -> None:
        self._editor = editor
        self._store = store

    def repair(self, skill: Skill, path: str, problems: Sequence[str]) -> Skill | None:
        """See `Editor`."""
        made = self._editor.repair(skill, path, problems)
        if made is None or screened(text_of(made), text_of(skill), allowed_in(self._store)):
            return None
        return made

    def reword(self, base: Skill, groups: Sequence[EditGroup]) -> list[EditGroup]:
        """See `Editor`."""
        made = self._editor.reword(base, groups)
        known, allowed = text_of(base), allowed_in(self._store)
        return [
            before if screened(written_by(after), known + "\n" + written_by(before), allowed) else after
            for before, after in zip(groups, made, strict=True)
        ]
