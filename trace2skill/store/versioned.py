"""Bringing the tables of a store to the current schema, step by step, inside a transaction of the caller's."""

from collections.abc import Callable, Sequence
from typing import Any

from trace2skill.core.errors import StoreFromTheFuture, StoreUnavailable


def migrate(run: Callable[..., Any], tables: set[str], where: object, migrations: Sequence[Sequence[str]]) -> None:
    """Run the migrations that a store has not had.

    Args:
        run: runs a statement with its parameters and returns what has `fetchone`.
        tables: the tables there are.
        where: the store, for messages.
        migrations: all steps, oldest first.

    Raises:
        StoreFromTheFuture: its schema is newer than this version knows.
        StoreUnavailable: it holds something else.
    """
    if tables and "store_version" not in tables:
        kind = "DuckDB file" if "://" not in str(where) else "database"
        raise StoreUnavailable(f"{where} is a {kind}, but not a store of trace2skill: use another --store")
    row = run("SELECT max(version) FROM store_version").fetchone() if tables else None
    version = row[0] if row and row[0] is not None else 0
    if version > len(migrations):
        raise StoreFromTheFuture(
            f"the store {where} was written by a newer trace2skill (schema {version}, this one knows "
            f"{len(migrations)}): upgrade trace2skill, or use another --store"
        )
    if version == len(migrations):
        return
    run("CREATE TABLE IF NOT EXISTS store_version (version INTEGER NOT NULL)")
    for statements in migrations[version:]:
        for statement in statements:
            run(statement)
    run("INSERT INTO store_version VALUES (?)", len(migrations))
