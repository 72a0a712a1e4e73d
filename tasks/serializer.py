"""How results of tasks are written into the store and read from it: under forms, never under import paths."""

import json
from typing import Any

from prefect.serializers import Serializer
from pydantic import Field

from trace2skill.core.errors import FormUnreadable
from trace2skill.core.forms import decode, encode
from trace2skill.core.old_records import translated

OURS, OLD = "trace2skill", "json"


class FormSerializer(Serializer):
    """Prefect's serializer `trace2skill`: see `trace2skill.core.forms`."""

    type: str = Field(default=OURS, frozen=True)

    def dumps(self, obj: Any) -> bytes:
        """The text of a value that has a form, or of plain values."""
        return encode(obj).encode()

    def loads(self, blob: bytes) -> Any:
        """The value of such a text. Raises FormUnreadable."""
        return decode(blob.decode())


def readable(content: bytes) -> bytes:
    """A record of Prefect's that this version can read, in the serializer of today.

    Raises:
        FormUnreadable: it is no record, or its value cannot be read.
    """
    try:
        record = json.loads(content)
        kind, text = record["metadata"]["serializer"]["type"], record["result"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise FormUnreadable("result", "not a record", type(error).__name__) from error
    if kind not in (OURS, OLD) or not isinstance(text, str):
        raise FormUnreadable("result", "unknown serializer", str(kind)[:40])
    if kind == OLD:
        text = translated(text)
        record["metadata"]["serializer"], record["result"] = {"type": OURS}, text
        content = json.dumps(record).encode()
    decode(text)
    return content
