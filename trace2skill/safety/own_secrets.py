"""Secrets of whoever runs this, as they stand in the environment and in addresses: known by where they are.

A server that refuses a key may say it back, and a key may look like nothing. So what goes to a person, a log or the
store is freed of the values themselves; and an address, which is written down, may hold none.
"""

import os
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, unquote, urlsplit

SHORTEST = 6
"""Characters. What is shorter would be found in words that mean something else."""
TELLING = re.compile(
    r"(?:^|[_-])(?:api_?key|key|token|secret|pass(?:word|wd|phrase)?|pgpassword|credentials?|auth(?:_string)?)s?$"
    r"|password$",
    re.IGNORECASE,
)
COUNTS = re.compile(r"_tokens$", re.IGNORECASE)
"""How many tokens, and no token."""
ADDRESS = re.compile(r"(?:^|_)(?:proxy|ur[il]|dsn)$", re.IGNORECASE)
HARMLESS = {"api-version", "api_version", "deployment", "location", "model", "project", "region", "version"}
"""Parameters of an address that are no secret. What another one holds may be."""


def without_own(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """A text in which the name of a variable stands for a secret value of the environment: `[$OPENAI_API_KEY]`."""
    named = {
        form: name
        for name, value in sorted(environment.items())
        for secret in _secrets(name, value)
        for form in (secret, quote(secret, safe=""), unquote(secret))
        if len(form) >= SHORTEST
    }
    for form in sorted(named, key=len, reverse=True):
        text = text.replace(form, f"[${named[form]}]")
    return text


def _secrets(name: str, value: str) -> list[str]:
    if TELLING.search(name) and not COUNTS.search(name):
        return [] if value.startswith("/") and os.path.exists(value) else [value]
    if ADDRESS.search(name) and "@" in value:
        inside = value.partition("://")[2] or value
        return [inside.rpartition("@")[0].partition(":")[2]]
    return []


def may_hold_secret(address: str) -> bool:
    """Does an address have something where secrets stand: before an `@`, in a parameter, behind a `#`?

    A name of a user with an empty password, as is left where a variable stood, is none.
    """
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        user, at, _ = parts.netloc.rpartition("@")
    except ValueError:
        return "@" in address or "?" in address
    if parts.fragment or "@" in parts.query or (at and (":" not in user or user.partition(":")[2])):
        return True
    given = parse_qsl(parts.query, keep_blank_values=True)
    bare = {name for name, value in given if not value and f"{name}=" not in parts.query}
    return bool(bare) or any(value and name.lower() not in HARMLESS for name, value in given)
