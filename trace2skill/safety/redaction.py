"""Secrets and personal data out of trajectories before anything is stored or sent.

A placeholder says the kind and counts within the trajectory, so that the same value is the same placeholder there and
nothing of it is left.
"""

import re
from collections import Counter
from functools import lru_cache, partial
from typing import Any

from trace2skill.safety.clean_texts import CleanTexts
from trace2skill.safety.needs import View
from trace2skill.safety.secret_patterns import NAMED, rules_for
from trace2skill.types.trajectory import Trajectory

SHORTEST = 5
LONGEST_FIELD = 64
CLEAN = CleanTexts(most_bytes=8_000_000)
"""What no rule changes, for all redactors: logs repeat names of fields, prompts and answers of tools."""
SECRET_FIELD = re.compile(rf"(?i)\A[\w.-]*{NAMED}\Z")
MADE, SHORTEST_REST = "[REDACTED:", 4
PLACEHOLDER, SIGNS = re.compile(r"\[REDACTED:[\w-]+:\d+\]"), re.compile(r"[\W_]+")
"""A value that a placeholder stands in is a secret all the same where more is left of it than signs."""
PLAIN = re.compile(
    r"\A(?:true|false|null|none|\*+|x+|<[^>]*>|\$\{?\w+\}?|\[REDACTED:[\w-]+:\d+\]|your[-_ ].*|example.*)\Z", re.I
)


class Redactor:
    """Replaces what must not be kept; counts by kind. One for each trajectory."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._names: dict[tuple[str, str], str] = {}
        self._numbers: Counter[str] = Counter()

    @property
    def replaced(self) -> dict[str, str]:
        """What each placeholder stands for. For a map that never leaves the machine."""
        return {name: value for (_, value), name in self._names.items()}

    def text(self, text: str) -> str:
        """The text with placeholders."""
        if len(text) < SHORTEST or text in CLEAN:
            return text
        clean = self._from(0, text)
        if clean == text:
            CLEAN.add(text)
        return clean

    def value(self, value: Any, field: str = "") -> Any:
        """Any JSON value; a text under a name like `password` goes as a whole."""
        if isinstance(value, str):
            if len(value) >= 4 and _names_secret(field) and not PLAIN.match(value):
                return self._placeholder("secret", value)
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(item, key) for key, item in value.items()}
        return [self.value(item, field) for item in value] if isinstance(value, list) else value

    def _from(self, place: int, text: str) -> str:
        """The text with placeholders for what is found by the rules from this place on."""
        view = View(text)
        for rule in rules_for(view):
            if rule.place >= place and rule.needs.spelt_in(view):
                replaced = rule.pattern.sub(partial(self._replaced, rule.kind), text)
                if replaced != text:  # a placeholder may be what a later rule needs
                    return self._from(rule.place + 1, replaced)
        return text

    def _replaced(self, kind: str, found: re.Match[str]) -> str:
        named = "value" in found.re.groupindex
        value = found["value"] if named else found[0]
        if PLAIN.match(value) or (MADE in value and len(SIGNS.sub("", PLACEHOLDER.sub("", value))) < SHORTEST_REST):
            return found[0]
        if not named:
            return self._placeholder(kind, value)
        start, end = found.start("value") - found.start(), found.end("value") - found.start()
        return found[0][:start] + self._placeholder(kind, value) + found[0][end:]

    def _placeholder(self, kind: str, value: str) -> str:
        self.counts[kind] += 1
        if (kind, value) not in self._names:
            self._numbers[kind] += 1
            self._names[kind, value] = f"[REDACTED:{kind}:{self._numbers[kind]}]"
        return self._names[kind, value]


def redacted(trajectory: Trajectory) -> tuple[Trajectory, Redactor]:
    """The trajectory without secrets and personal data, and who took them out: what was replaced, and how often."""
    redactor = Redactor()
    fields = trajectory.model_dump(mode="json", exclude={"id", "task_id", "outputs", "parent", "skill"})
    kept = {"id": trajectory.id, "parent": trajectory.parent, "skill": trajectory.skill}
    clean = Trajectory.model_validate({**redactor.value(fields), **kept, "task_id": redactor.text(trajectory.task_id)})
    return clean, redactor


def _names_secret(field: str) -> bool:
    return _known_field(field) if len(field) <= LONGEST_FIELD else bool(SECRET_FIELD.match(field))


@lru_cache(maxsize=4096)
def _known_field(field: str) -> bool:
    return bool(SECRET_FIELD.match(field))
