"""The rows behind the registry: versions of skills, what was said of them, their champions, looks at held-out tasks.

Every change reads and writes as one, so that it sees no half of another's, in all processes.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from trace2skill.store.base import Store

WRITTEN = "replace(substr(CAST(written AS TEXT), 1, 19), ' ', 'T') || 'Z'"


class VersionRow(NamedTuple):
    """One version of a skill: `digest` names its files, `decision` is JSON or '', `written` is ISO 8601 in UTC."""

    name: str
    digest: str
    parent: str
    run_id: str
    state: str
    decision: str
    author: str
    number: int = 0
    written: str = ""


class JudgementRow(NamedTuple):
    """One judgement of a version: by which run, over which champion; `decision` is JSON."""

    run_id: str
    champion: str
    decision: str
    written: str = ""


Standing = Callable[[Sequence[JudgementRow]], JudgementRow]
"""Which of the judgements of a version, oldest first, stands."""


class ChangeRow(NamedTuple):
    """One line of a champion's history. `done` once the directory was swapped."""

    name: str
    number: int
    kind: str
    digest: str
    previous: str
    run_id: str
    reason: str
    done: bool
    written: str = ""


class LookRow(NamedTuple):
    """One look at a champion; `cost` and `remaining` are shares of the level, none in rows of before they were kept.

    `reign` is the number of the change that made it champion, 0 where it never became one here.
    """

    champion: str
    key: str
    number: int
    reign: int
    cost: float | None
    remaining: float | None
    won: bool


Price = Callable[[Sequence[ChangeRow], Sequence[LookRow], int], tuple[float, float]]
"""What the look of a number costs, and what is left after it: see `trace2skill.versions.spending.price`."""
LOOKS = (
    "SELECT champion, key, number, coalesce(reign, 0), cost, remaining, coalesce(won, false) FROM look WHERE name = ?"
)
CHANGES = (
    f"SELECT name, number, kind, digest, previous, run_id, reason, done, {WRITTEN} "
    "FROM champion WHERE name = ? ORDER BY number"
)


class SkillHistory:
    """Versions, changes of champions and looks in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def versions(self, name: str | None = None) -> list[VersionRow]:
        """All versions, of one name or of all, by name and number."""
        rows = self._store.query(
            f"SELECT name, digest, parent, run_id, state, decision, author, number, {WRITTEN} "
            "FROM version WHERE name = coalesce(?, name) ORDER BY name, number",
            [name],
        )
        return [VersionRow(*row) for row in rows]

    def judgements(self, name: str, digest: str) -> list[JudgementRow]:
        """Every judgement of a version, oldest first."""
        rows = self._store.query(
            f"SELECT run_id, champion, decision, {WRITTEN} FROM judgement "
            "WHERE name = ? AND digest = ? ORDER BY number",
            [name, digest],
        )
        return [JudgementRow(*row) for row in rows]

    def keep_version(self, row: VersionRow, over: str, standing: Standing) -> int:
        """Keep a version and return its number: a known one keeps its own, whatever stands in the row.

        A decision is added to those there are, each once. The row has the one that stands, and keeps its state where
        that is not the last one.
        """
        with self._store.together() as run:
            judged = _with_judgement(run, row, over)
            if judged:
                stands = standing(judged)
                row = row._replace(decision=stands.decision, run_id=stands.run_id)
            known = run("SELECT number, state FROM version WHERE name = ? AND digest = ?", row.name, row.digest)
            if known:
                old = judged and row.decision != judged[-1].decision and row.state != "promoted"
                run(
                    "UPDATE version SET state = ?, decision = ?, run_id = ? WHERE name = ? AND digest = ?",
                    *(known[0][1] if old else row.state, row.decision, row.run_id, row.name, row.digest),
                )
                return int(known[0][0])
            ((last,),) = run("SELECT coalesce(max(number), 0) FROM version WHERE name = ?", row.name)
            number = int(last) + 1
            values = row._replace(number=number)[:-1]
            run("INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?, ?, now()::TIMESTAMP)", *values)
        return number

    def changes(self, name: str) -> list[ChangeRow]:
        """What happened to the champion of a name, oldest first."""
        return [ChangeRow(*row) for row in self._store.query(CHANGES, [name])]

    def append_change(self, row: ChangeRow, expected: str | None, won: str = "") -> ChangeRow | None:
        """Write the next line of a history, as its row says but for the number and the champion before.

        Args:
            row: what is to be written; `number` and `previous` are filled in here.
            expected: digest of the champion that must still be the last one, None for any.
            won: key of the look at that champion which decided for the change, '' for none.

        Returns:
            The row as it stands now, or None where another champion than the expected one is the last: then nothing
            was written.
        """
        with self._store.together() as run:
            last = run("SELECT number, digest FROM champion WHERE name = ? ORDER BY number DESC LIMIT 1", row.name)
            number, champion = last[0] if last else (0, "")
            if expected is not None and champion and champion != expected:
                return None
            written = row._replace(number=number + 1, previous=champion or expected or "")
            run("INSERT INTO champion VALUES (?, ?, ?, ?, ?, ?, ?, ?, now()::TIMESTAMP)", *written[:-1])
            if won:
                run(
                    "UPDATE look SET won = true WHERE name = ? AND champion = ? AND key = ?",
                    *(row.name, written.previous, won),
                )
        return written

    def mark_done(self, name: str, number: int) -> None:
        """Say that the directory was swapped."""
        with self._store.together() as run:
            run("UPDATE champion SET done = true WHERE name = ? AND number = ?", name, number)

    def take_look(self, name: str, champion: str, key: str, price: Price) -> LookRow:
        """The look at a champion under a key: the one that was taken, or the next, at its price."""
        with self._store.together() as run:
            looks = [LookRow(*row) for row in run(LOOKS, name)]
            known = next((item for item in looks if (item.champion, item.key) == (champion, key)), None)
            if known:
                return known
            changes = [ChangeRow(*row) for row in run(CHANGES, name)]
            taken = priced(changes, looks, champion, key, price)
            run(
                "INSERT INTO look (name, champion, key, number, written, reign, cost, remaining, won) "
                "VALUES (?, ?, ?, ?, now()::TIMESTAMP, ?, ?, ?, false)",
                *(name, champion, key, taken.number, taken.reign, taken.cost, taken.remaining),
            )
        return taken

    def next_look(self, name: str, champion: str, price: Price) -> LookRow:
        """The look that would be taken under a key not seen before. Nothing is written."""
        looks = [LookRow(*row) for row in self._store.query(LOOKS, [name])]
        return priced(self.changes(name), looks, champion, "", price)

    def opening_number(self, data: str, reason: str, *, once: bool) -> tuple[int, bool]:
        """Write an opening of a test split down.

        Args:
            data: digest of the split's tasks.
            reason: why it was opened.
            once: whether the same reason is the same opening, which is then not counted again.

        Returns:
            Its number, from 1, and whether it is new.
        """
        with self._store.together() as run:
            if once:
                before = run("SELECT number FROM opening WHERE data = ? AND reason = ?", data, reason)
                if before:
                    return int(before[0][0]), False
            ((number,),) = run("SELECT count(*) + 1 FROM opening WHERE data = ?", data)
            run("INSERT INTO opening VALUES (?, ?, ?, now()::TIMESTAMP)", data, number, reason)
        return int(number), True


def priced(changes: Sequence[ChangeRow], looks: Sequence[LookRow], champion: str, key: str, price: Price) -> LookRow:
    """The next look at a champion, at its price."""
    at_it = [item for item in looks if item.champion == champion]
    number = len(at_it) + 1
    cost, remaining = price(changes, looks if changes else at_it, number)
    reign = changes[-1].number if changes else 0
    return LookRow(champion, key, number, reign, cost, remaining, won=False)


def _with_judgement(run: Callable[..., list[tuple[Any, ...]]], row: VersionRow, over: str) -> list[JudgementRow]:
    """The judgements of a version with the one that the row brings, which is written where it is new."""
    found = run(
        "SELECT run_id, champion, decision FROM judgement WHERE name = ? AND digest = ? ORDER BY number",
        *(row.name, row.digest),
    )
    judged, new = [JudgementRow(*item) for item in found], JudgementRow(row.run_id, over, row.decision)
    if not row.decision or any((item.run_id, item.decision) == (new.run_id, new.decision) for item in judged):
        return judged
    values = (row.name, row.digest, len(judged) + 1, *new[:-1])
    run("INSERT INTO judgement VALUES (?, ?, ?, ?, ?, ?, now()::TIMESTAMP)", *values)
    return [*judged, new]
