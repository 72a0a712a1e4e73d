"""Where a store is: a DuckDB file by its path, or a PostgreSQL database by its URL.

A URL never holds a password, so that no settings, report or log can: libpq takes it from PGPASSWORD or from its
password file (https://www.postgresql.org/docs/current/libpq-pgpass.html).
"""

import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import PlainValidator, WithJsonSchema

SCHEMES = ("postgresql", "postgres")
DEFAULT_STORE = Path(".trace2skill/store.duckdb")
BESIDE_A_DATABASE = Path(".trace2skill")


def parse(value: Any) -> Path | str:
    """The address in a setting or option.

    Raises:
        ValueError: a URL with a password, or of a database that is not supported.
    """
    if isinstance(value, Path) and "://" not in str(value) and not str(value).startswith(("postgresql:", "postgres:")):
        return value
    text = str(value)
    if isinstance(value, Path):  # a command line's path has lost a slash of '//'
        text = text.replace(":/", "://", 1) if "://" not in text else text
    scheme, separator, _ = text.partition("://")
    if not separator:
        return Path(text)
    if scheme not in SCHEMES:
        raise ValueError(f"a store is a path or postgresql://user@host:port/database, not {scheme}://...")
    parts = urlsplit(text)
    if parts.password is not None or any("password" in name for name in parse_qs(parts.query)):
        raise ValueError("leave the password out of the store's address: put it into PGPASSWORD or a .pgpass file")
    return text


StoreAddress = Annotated[Path | str, PlainValidator(parse), WithJsonSchema({"type": "string"})]


def default_address() -> Path | str:
    """$TRACE2SKILL_STORE, else the file in the working directory."""
    return parse(os.environ.get("TRACE2SKILL_STORE") or DEFAULT_STORE)


def directory_beside(address: Path | str) -> Path:
    """Where files that belong to a store stand: beside its file, else below the working directory."""
    return address.parent if isinstance(address, Path) else BESIDE_A_DATABASE
