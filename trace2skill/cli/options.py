"""Options of commands that look at what is there, and the store they look into. Settings: see `settings_options`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic import ValidationError

from trace2skill.cli.option_values import store_path
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record

if TYPE_CHECKING:  # commands without a store are quick
    from trace2skill.store import Store

N = TypeVar("N", bound=Record)

StorePath = Annotated[
    str | None,
    typer.Option("--store", help="Where what was paid for is kept: a DuckDB file, or postgresql://user@host/database."),
]
Output = Annotated[Path, typer.Option(help="Where run directories are written.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else, on stdout.")]

__all__ = ["AsJson", "Output", "StorePath", "checked", "existing_store", "store_path", "store_to_look_into"]


def existing_store(given: str | None) -> "Store":
    """The store in use, opened.

    Raises:
        BadInput: there is none yet.
    """
    from trace2skill.store import open_store

    return open_store(_existing(given))


def store_to_look_into(given: str | None) -> "Store":
    """The store in use, for commands that change nothing: while a run holds it they read a copy, and say so on stderr.

    Raises:
        BadInput: there is none yet.
    """
    from trace2skill.store import store_to_read

    return store_to_read(_existing(given), on_copy=lambda said: typer.echo(said, err=True))


def _existing(given: str | None) -> Path | str:
    path = store_path(given)
    if isinstance(path, Path) and not path.is_file():
        raise BadInput(f"there is no store at {path}: run `trace2skill demo` first, or name one with --store")
    return path


def checked(cls: type[N], **values: Any) -> N:
    """Build a record from options; what pydantic finds wrong becomes one message."""
    try:
        return cls(**values)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise BadInput(f"these settings cannot be: {said}") from error
