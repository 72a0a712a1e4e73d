"""Where traces are pulled from: `langfuse+https://cloud.langfuse.com?since=30d&failed=all&passed=50`.

One form for settings, options and deployments. An address never holds credentials, so that no settings, store, report
or log can: keys come from the environment, by the names that each store's own client uses.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from trace2skill.core.errors import BadInput

KINDS = ("braintrust", "langfuse", "langsmith", "mlflow", "phoenix")
FORM = "KIND+https://HOST?project=NAME&since=30d, KIND one of " + ", ".join(KINDS)
DEFAULT_SINCE = "30d"
DEFAULT_OVERLAP = 3
MOST_DAYS = 3660
NO_PROJECT = ("langfuse",)
"""Kinds whose keys are for one project: an address names none."""
_START = re.compile(rf"({'|'.join(KINDS)})\+([a-z]+):/+", re.IGNORECASE)
_LIKE_ONE = re.compile(rf"({'|'.join(KINDS)})\+|[\w.-]+\+[^/]*[:@?=]", re.IGNORECASE)
"""What is meant as an address and is none: not taken for a file, whose name would be repeated, with a key in it."""
_URL = re.compile(r"[a-z][a-z0-9.+-]+:/|.*://", re.IGNORECASE)
"""What a path has made of two slashes is one."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9a-f:]+")
_NAME = re.compile(r"[A-Za-z_]{1,24}")
_PATH = re.compile(r"[A-Za-z0-9._~/-]*")
_DAYS = re.compile(r"[0-9]{1,4}d")


@dataclass(frozen=True)
class TraceStoreAddress:
    """A project of a trace store, which of its traces are wanted, and how many by how they ended."""

    kind: str
    base: str
    """The API's address, e.g. `https://api.smith.langchain.com`."""
    project: str = ""
    since: str = DEFAULT_SINCE
    """The first day (2026-11-01), or how many days before today it is (30d). Days are those of UTC."""
    until: str = ""
    """The day before which a trace has begun; '' for no end."""
    overlap: int = DEFAULT_OVERLAP
    """So many days are looked through again for what came late."""
    filter: str = ""
    """In the store's own language of filters."""
    failed: int | None = None
    """Take so many of the traces that failed; None takes all."""
    passed: int | None = None
    unknown: int | None = None

    def __str__(self) -> str:
        given = [
            f"{field.name}={quote(str(value), safe=_KEPT)}"
            for field in fields(self)[2:]
            if (value := getattr(self, field.name)) != field.default
        ]
        return f"{self.kind}+{self.base}{'?' if given else ''}{'&'.join(given)}"

    @property
    def place(self) -> str:
        """What names its traces, whichever of them are wanted: a trace of two addresses is one."""
        return f"{self.kind}+{self.base}?project={quote(self.project, safe=_KEPT)}"

    @property
    def pulled(self) -> str:
        """What names the list of traces that was pulled: place, window and filter, and not how many are taken."""
        return f"{self.place}&filter={quote(self.filter, safe='')}&since={self.since}&until={self.until}"

    @property
    def name(self) -> str:
        """Short, for people."""
        return (
            f"{self.kind} project '{self.project}'" if self.project else f"{self.kind} at {urlsplit(self.base).netloc}"
        )

    def window(self, today: str) -> tuple[str, str]:
        """The first day, and the day after the last one.

        Args:
            today: the day that it is (ISO 8601).
        """
        now = date.fromisoformat(today)
        first = str(now - timedelta(days=int(self.since[:-1]))) if self.since.endswith("d") else self.since
        return first, min(self.until or "9999", str(now + timedelta(days=1)))


LogsPath = Path | TraceStoreAddress
"""A file or folder of logs, or a trace store."""
_KEPT = "-._~:"
_KNOWN = {field.name for field in fields(TraceStoreAddress)[2:]}


def parse(value: Any) -> LogsPath:
    """The place of logs in a setting or option: a file or folder, or a trace store.

    Raises:
        ValueError: it begins like the address of a trace store and cannot be one. The message does not repeat it.
    """
    if isinstance(value, TraceStoreAddress):
        return value
    text = str(value)
    start = _START.match(text)
    if start is None:
        if _LIKE_ONE.match(text) or (_URL.match(text) and not Path(text).exists()):
            raise ValueError(f"a trace store is named as {FORM}")
        return value if isinstance(value, Path) else Path(text)
    kind, scheme = start[1].lower(), start[2].lower()
    base, query = _base(scheme, text[start.end() :])
    given = _given(query)
    address = TraceStoreAddress(
        kind=kind,
        base=base,
        project=given.get("project", ""),
        since=_day("since", given.get("since", DEFAULT_SINCE)),
        until=_day("until", given["until"], days=False) if "until" in given else "",
        overlap=_count("overlap", given.get("overlap", str(DEFAULT_OVERLAP)), MOST_DAYS) or 0,
        filter=given.get("filter", ""),
        **{name: _count(name, given[name]) for name in ("failed", "passed", "unknown") if name in given},
    )
    if not address.project and kind not in NO_PROJECT:
        raise ValueError(f"name the project of {kind}: {kind}+{base}?project=NAME")
    if address.project and kind in NO_PROJECT:
        raise ValueError(f"the keys of {kind} are for one project: leave project= out")
    if address.until and not address.since.endswith("d") and address.until <= address.since:
        raise ValueError(f"until={address.until} is not after since={address.since}")
    return address


def _base(scheme: str, rest: str) -> tuple[str, str]:
    """The API's address, and the query behind it."""
    if scheme not in ("http", "https"):
        raise ValueError(f"a trace store is named as {FORM}")
    if re.search(r"[\s\x00-\x1f\x7f\\]", rest):
        raise ValueError("an address holds no blanks, backslashes or control characters: write a blank as %20")
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        port = parts.port
    except ValueError:
        raise ValueError(f"the host or port of the trace store cannot be: write it as {FORM}") from None
    if "@" in parts.netloc or "@" in parts.path:
        raise ValueError("leave the credentials out of the address: keys come from the environment")
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(parts.path) or ".." in parts.path or parts.fragment:
        raise ValueError(f"the host or path of the trace store cannot be: write it as {FORM}")
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}", parts.query


def _given(query: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _KNOWN:
            known = ", ".join(sorted(_KNOWN))
            said = f"'{name}'" if value.strip("=") and _NAME.fullmatch(name) else "such name"
            raise ValueError(
                f"the address of a trace store knows no {said}, only {known}; keys come from the environment"
            )
        if name in given or not value:
            raise ValueError(f"the address of a trace store says {name} {'twice' if value else 'without a value'}")
        given[name] = value
    return given


def _day(name: str, value: str, *, days: bool = True) -> str:
    if days and _DAYS.fullmatch(value) and int(value[:-1]) <= MOST_DAYS:
        return f"{int(value[:-1])}d"
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        also = f", or a number of days before today (30d; at most {MOST_DAYS}d)" if days else ""
        raise ValueError(f"{name}= is a day such as 2026-11-01{also}") from None


def _count(name: str, value: str, most: int = 10**9) -> int | None:
    if value == "all" and name != "overlap":
        return None
    if not (value.isascii() and value.isdigit()) or int(value[:12]) > most:
        raise ValueError(f"{name}= is a whole number{'' if name == 'overlap' else ' or all'}")
    return int(value)


LogsAddress = Annotated[
    LogsPath,
    PlainValidator(parse),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string"}),
]


def files_of(paths: Sequence[LogsPath]) -> tuple[Path, ...]:
    """The files and folders among the places of logs."""
    return tuple(path for path in paths if isinstance(path, Path))


def stores_of(paths: Sequence[LogsPath]) -> tuple[TraceStoreAddress, ...]:
    """The trace stores among the places of logs; each place once, as it is named first."""
    return tuple({path.pulled: path for path in reversed(paths) if isinstance(path, TraceStoreAddress)}.values())[::-1]


def check_samples(paths: Sequence[LogsPath]) -> None:
    """Do all addresses of one project take the same sample of its traces?

    Raises:
        BadInput: two do not.
    """
    samples: dict[str, tuple[int | None, ...]] = {}
    for path in paths:
        if isinstance(path, TraceStoreAddress):
            sample = (path.failed, path.passed, path.unknown)
            if samples.setdefault(path.place, sample) != sample:
                raise BadInput(f"{path.name}: give all its addresses the same sample (failed=, passed=, unknown=)")
