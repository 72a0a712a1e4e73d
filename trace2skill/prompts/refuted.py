"""The block that shows a writer of rules which ones were refuted. Where none was, a prompt is what it is without it."""

import json
from collections.abc import Sequence

from trace2skill.prompts import prompt_digest, render

PROMPT = "refuted"


def with_refuted(refuted: Sequence[str]) -> str:
    """What goes behind a task, '' where nothing is refuted."""
    if not refuted:
        return ""
    lines = "\n".join(json.dumps(text, ensure_ascii=False) for text in refuted)
    return "\n" + render(PROMPT, refuted=lines)


def refuted_parts(refuted: Sequence[str]) -> tuple[object, ...]:
    """What a key holds of it: nothing where nothing is refuted."""
    return ((prompt_digest(PROMPT), tuple(refuted)),) if refuted else ()
