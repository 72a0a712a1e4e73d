"""Where a store is: a DuckDB file by its path, or a PostgreSQL database by its URL.

A URL never holds a password, so that no settings, report or log can: libpq takes it from PGPASSWORD or from its
password file (https://www.postgresql.org/docs/current/libpq-pgpass.html).
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import PlainValidator, WithJsonSchema

SCHEMES = ("postgresql", "postgres")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)
URL = re.compile(r"[a-z][a-z0-9+.-]+(?::[a-z0-9+.-]+)*:/", re.IGNORECASE)
WORDS = re.compile(r"\bpassword\s*=", re.IGNORECASE)
"""An address of libpq in words, `host=h password=p`."""
SECRET = re.compile(r"pass(?!file)", re.IGNORECASE)
NO_PASSWORD = "leave the password out of the store's address: put it into PGPASSWORD or a .pgpass file"
DEFAULT_STORE = Path(".trace2skill/store.duckdb")
BESIDE_A_DATABASE = Path(".trace2skill")


def parse(value: Any) -> Path | str:
    """The address in a setting or option.

    Raises:
        ValueError: a URL with a password, or of a database that is not supported.
    """
    text = str(value)
    if isinstance(value, Path) and URL.match(text):  # a command line's path has lost a slash of '//'
        text = text.replace(":/", "://", 1) if "://" not in text else text
    scheme, separator, _ = text.partition("://")
    if WORDS.search(text) and not separator:
        raise ValueError(NO_PASSWORD)
    if not separator and not text.lower().startswith(tuple(f"{name}:" for name in SCHEMES)):
        return Path(text)
    if scheme not in SCHEMES:
        kind = f"not {scheme}://..." if SCHEME.fullmatch(scheme) else "and no other kind of address"
        raise ValueError(f"a store is a path or postgresql://user@host:port/database, {kind}")
    parts = urlsplit(text)
    odd = parts.fragment or "@" in parts.query  # a password with such a sign in it ends the address too soon
    if odd or parts.password is not None or any(SECRET.search(name) for name in parse_qs(parts.query)):
        raise ValueError(NO_PASSWORD)
    return text


StoreAddress = Annotated[Path | str, PlainValidator(parse), WithJsonSchema({"type": "string"})]


def default_address() -> Path | str:
    """$TRACE2SKILL_STORE, else the file in the working directory."""
    return parse(os.environ.get("TRACE2SKILL_STORE") or DEFAULT_STORE)


def directory_beside(address: Path | str) -> Path:
    """Where files that belong to a store stand: beside its file, else below the working directory."""
    return address.parent if isinstance(address, Path) else BESIDE_A_DATABASE
