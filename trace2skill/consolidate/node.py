"""`Groups`: what a rule book comes to, ready to be routed."""

from collections.abc import Iterable

from trace2skill.consolidate.contradiction import OpenConflict, in_order
from trace2skill.consolidate.groups import Dropped, EditGroup, unite_equal
from trace2skill.core.record import Record


class Groups(Record, form="Groups", version=1):
    """Groups sorted by id, with what was dropped or set aside on the way here."""

    groups: tuple[EditGroup, ...]
    dropped: tuple[Dropped, ...] = ()
    open: tuple[OpenConflict, ...] = ()

    @classmethod
    def of(
        cls, groups: Iterable[EditGroup], dropped: Iterable[Dropped] = (), open: Iterable[OpenConflict] = ()
    ) -> "Groups":
        """Sorted, with groups of equal edits united."""
        return cls(
            groups=tuple(sorted(unite_equal(groups), key=lambda group: group.id)),
            dropped=tuple(sorted(dropped, key=lambda item: (item.group.id, item.reason))),
            open=in_order(list(open)),
        )
