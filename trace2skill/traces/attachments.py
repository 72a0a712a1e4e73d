"""What inspect_ai keeps once in a sample and points at (`attachment://`), put back where it stood."""

import re
from collections.abc import Mapping
from typing import Any

from trace2skill.traces.values import text

REFERENCE = re.compile(r"attachment://([0-9a-f]{32})")
ALWAYS, TIMES = 8 * 1024 * 1024, 2
"""So many characters are put back of any sample, and each attachment so often besides: more unfolds without end."""


class Attachments:
    """The attachments of a sample. One object puts back so much and no more, whatever it is asked."""

    def __init__(self, held: Mapping[str, Any]) -> None:
        self._held = held
        self._left = ALWAYS + TIMES * sum(len(one) for one in held.values() if isinstance(one, str))
        self.left_out = 0
        """So many references stayed as they were, since too much had been put back."""

    def whole(self, value: Any) -> Any:
        """The value with attachments put back, each once: an attachment's own text is not looked through again."""
        if isinstance(value, str):
            return self._text(value) if "attachment://" in value else value
        if isinstance(value, dict):
            return {key: self.whole(item) for key, item in value.items()}
        return [self.whole(item) for item in value] if isinstance(value, list) else value

    def _text(self, value: str) -> str:
        if (alone := REFERENCE.fullmatch(value)) is not None:  # the same object, however often it stands there
            return self._put_back(alone)
        return REFERENCE.sub(self._put_back, value)

    def _put_back(self, found: re.Match[str]) -> str:
        if found[1] not in self._held:
            return found[0]
        made = text(self._held[found[1]])
        if len(made) > self._left:
            self.left_out += 1
            return found[0]
        self._left -= len(made)
        return made
