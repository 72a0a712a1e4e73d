"""What a store has written down of a skill's life, and what must hold of it after each night, whatever happened."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trace2skill.store import open_store

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Books:
    """The rows, as they stand now: of versions, champions, judgements, looks, places of tasks, and money by month."""

    versions: Rows
    changes: Rows
    judgements: Rows
    looks: Rows
    places: Rows
    spent: dict[str, float]

    @classmethod
    def of(cls, store: Path) -> "Books":
        opened = open_store(store)
        try:
            ask = opened.query
            return cls(
                versions=ask("SELECT digest, parent, number FROM version ORDER BY name, number"),
                changes=ask("SELECT digest, previous, kind, run_id, reason, done FROM champion ORDER BY name, number"),
                judgements=ask("SELECT * FROM judgement ORDER BY name, digest, number"),
                looks=ask("SELECT name, champion, key, number, reign, cost, remaining, won, written FROM look"),
                places=ask("SELECT plan, mark, name, split FROM place"),
                spent=dict(ask("SELECT substr(CAST(written AS TEXT), 1, 7), sum(cost) FROM ledger GROUP BY 1")),
            )
        finally:
            opened.close()


def check(now: Books, before: Books | None, live: str, monthly: float) -> None:
    """What holds after a night.

    Args:
        now: the books of this morning.
        before: those of the morning before.
        live: digest of what stands where the skill is used from.
        monthly: the month's cap in US dollars.
    """
    digests = [digest for digest, *_ in now.versions]
    assert len(set(digests)) == len(digests), "a version is one row"
    assert all(parent in {"", *digests} for _, parent, _ in now.versions), "of each version the parent is known"
    champions = [digest for digest, *_ in now.changes]
    assert champions[-1] == live, "there is one champion, and it is in use"
    assert set(champions) <= {*digests}
    assert [previous for _, previous, *_ in now.changes] == ["", *champions[:-1]], "each follows the one before"
    assert all(done for *_, done in now.changes), "nothing is left half done"
    promotions = Counter((digest, run) for digest, _, kind, run, *_ in now.changes if kind == "promote")
    assert set(promotions.values()) <= {1}, "each promotion once"
    assert all(cost <= monthly for cost in now.spent.values())
    if before is None:
        return
    assert set(before.versions) <= {*now.versions}
    assert now.changes[: len(before.changes)] == before.changes, "history is added to and never rewritten"
    assert set(before.judgements) <= {*now.judgements}, "a judgement never changes"
    known = {look[:3]: look for look in now.looks}
    for look in before.looks:
        *taken, won, written = known[look[:3]]
        assert (taken, written) == ([*look[:7]], look[8]), "a look is taken once, at its price"
        assert won or not look[7], "what was won stays won"
    assert _price(now) >= _price(before)
    assert set(before.places) <= {*now.places}, "no task moves, a sealed one least of all"
    assert all(now.spent[month] >= cost for month, cost in before.spent.items())


def _price(books: Books) -> float:
    return sum(float(cost) for *_, cost, _, _, _ in books.looks)
