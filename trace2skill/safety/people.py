"""Who is named in a log: customers and their accounts, which no rule may name."""

import re
from collections.abc import Iterator
from typing import Any

from trace2skill.core.foreign_json import DEEPEST, parse
from trace2skill.types.trajectory import Trajectory

PART_OF_NAME = re.compile(r"(?i)\A(?:first|last|family|given|middle|sur)[_ ]?name\Z")
NAME = re.compile(
    r"(?i)\A(?:(?:full|customer|client|user|passenger|patient|contact|account|holder|guest|member)[_ ]?)?name\Z"
)
ACCOUNT = re.compile(
    r"(?i)\A(?:user|customer|client|account|member|patient|reservation|booking|order|passenger|ticket|invoice|payment)"
    r"s?(?:_?method)?_?(?:id|number|no|ref|key)?\Z"
)
LOOKS_LIKE_NAME = re.compile(r"\A[^\W\d_a-z][^\W\d_]+(?:[ -][^\W\d_]\.?[^\W\d_]*){1,3}\Z")
LOOKS_LIKE_ACCOUNT = re.compile(r"\A(?=[^\s]*\d)[\w#-]{5,40}\Z")
CAPITALISED = r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+"
INTRODUCES = re.compile(
    rf"(?:[Mm]y name is|I am|I'm|I’m|[Tt]his is|[Nn]ame:|[Mm]ein Name ist|[Ii]ch bin|[Jj]e m'appelle|[Mm]e llamo) ({CAPITALISED}(?: {CAPITALISED}){{1,2}})"
)
SHORTEST_PART = 3


def people_in(trajectory: Trajectory) -> set[str]:
    """Names of persons and of their accounts, from the arguments, the answers that are JSON, and introductions."""
    found: set[str] = set()
    for step in trajectory.steps:
        if step.source != "system":
            found |= set(INTRODUCES.findall(step.message))
        for call in step.tool_calls:
            found |= set(_named(call.arguments, "", 0))
        for answer in step.observations:
            if answer.content.lstrip()[:1] in ("{", "["):
                try:
                    found |= set(_named(parse(answer.content.encode("utf-8", "replace")), "", 0))
                except ValueError:
                    continue
    return found


def _named(value: Any, key: str, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        parts = [str(item) for name, item in value.items() if PART_OF_NAME.match(name) and isinstance(item, str)]
        if len(parts) > 1:
            yield " ".join(parts)
        for name, item in value.items():
            yield from _named(item, str(name), depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _named(item, key, depth + 1)
    elif isinstance(value, str):
        whole = NAME.match(key) and LOOKS_LIKE_NAME.match(value)
        part = PART_OF_NAME.match(key) and len(value) >= SHORTEST_PART and value[:1].isupper()
        if whole or part or (ACCOUNT.match(key) and LOOKS_LIKE_ACCOUNT.match(value)):
            yield value
