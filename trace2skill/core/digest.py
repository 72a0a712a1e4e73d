"""Content digests: the names by which results, skills and trajectories are found again."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

_LEAVES = frozenset({str, int, float, bool, type(None)})
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> str:
    """One text for one value: sorted keys, no spaces, non-ASCII kept. Models are dumped in JSON mode first."""
    return _ENCODER.encode(_plain(value))


def digest_of(*parts: Any) -> str:
    """Hex SHA-256 of the canonical JSON of the parts (models, containers, numbers, strings, bytes)."""
    if _LEAVES.issuperset(map(type, parts)):  # most are so: what is encoded by itself needs no encoder of its own
        plain = f"[{','.join([str(part) if type(part) is int else _ENCODER.encode(part) for part in parts])}]"
    else:
        plain = canonical_json(list(parts))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def digest_of_bytes(content: bytes) -> str:
    """Hex SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def digest_of_files(paths: Iterable[Path]) -> str:
    """Hex SHA-256 over the contents of files in the order given; their names do not count."""
    return digest_of([digest_of_bytes(path.read_bytes()) for path in paths])


def _plain(value: Any) -> Any:
    if type(value) in _LEAVES:  # most are, and asking pydantic's metaclass for each would be half of the time
        return value
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")  # plain already, all the way down
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(item) for item in value), key=canonical_json)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return digest_of_bytes(value)
    if isinstance(value, Path):
        return str(value)
    return value
