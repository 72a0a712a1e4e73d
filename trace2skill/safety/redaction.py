"""Secrets and personal data out of trajectories before anything is stored or sent.

A placeholder says the kind and counts within the trajectory, so that the same value is the same placeholder there and
nothing of it is left.
"""

import re
from collections import Counter
from functools import partial
from operator import is_not
from typing import Any

from trace2skill.safety.clean_texts import CleanTexts
from trace2skill.safety.secret_patterns import NAMED, rules_for
from trace2skill.safety.view import View
from trace2skill.types.trajectory import Step, Trajectory

SHORTEST, SHORTEST_SECRET = 5, 4
"""From so many characters on a text is looked through, and a value under a name like `password` is one."""
LONGEST_FIELD, MOST_FIELDS = 64, 4096
PLAIN_FIELDS: set[str] = set()
"""Names of fields that name no secret: the first so many that were met."""
CLEAN = CleanTexts(most_bytes=8_000_000)
"""What no rule changes, for all redactors: logs repeat names of fields, prompts and answers of tools."""
NO_TEXT = frozenset({int, float, bool, type(None)})
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
        """Any JSON value, the same object where nothing is replaced; a text under a name like `password` goes whole."""
        if isinstance(value, str):
            if len(value) >= SHORTEST_SECRET and _names_secret(field) and not PLAIN.match(value):
                return self._placeholder("secret", value)
            return self.text(value)
        if isinstance(value, dict):
            return self._object(value)
        if not isinstance(value, list):
            return value
        made = [self.value(item, field) for item in value]
        return made if any(map(is_not, made, value)) else value

    def _object(self, value: dict[str, Any]) -> dict[str, Any]:
        """An object. Most of what it holds is known to be clean, or nothing: to see that takes no call."""
        made, latest, same = {}, CLEAN.latest, True
        for key, item in value.items():
            name, clean = key if key in latest else self.text(key), item
            if type(item) is str:
                if key not in PLAIN_FIELDS:
                    clean = self.value(item, key)
                elif item not in latest:
                    clean = self.text(item)
            elif item and type(item) not in NO_TEXT:
                clean = self.value(item, key)
            if clean is not item or name is not key:
                same = False
            made[name] = clean
        return value if same else made

    def _from(self, place: int, text: str) -> str:
        """The text with placeholders for what is found by the rules from this place on."""
        view = View(text)
        for rule in rules_for(view):
            if rule.place >= place:
                replaced = rule.pattern.sub(partial(self._replaced, rule.kind), text)
                if replaced != text:  # a placeholder may be what a later rule needs
                    return self._from(rule.place + 1, replaced)
        return text

    def _replaced(self, kind: str, found: re.Match[str]) -> str:
        named = "value" in found.re.groupindex
        value = found["value"] if named else found[0]
        if value is None:
            return found[0]
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
    fields = trajectory.model_dump(
        mode="json", exclude={"id", "task_id", "outputs", "parent", "skill"}, exclude_defaults=True
    )
    clean, task = redactor.value(fields), redactor.text(trajectory.task_id)
    if clean is fields and task == trajectory.task_id and not trajectory.outputs:
        return trajectory, redactor
    pairs = zip(trajectory.steps, fields.get("steps", ()), clean.get("steps", ()), strict=True)
    steps = [step if made is dumped else Step.model_validate(made) for step, dumped, made in pairs]
    kept = {"id": trajectory.id, "parent": trajectory.parent, "skill": trajectory.skill, "steps": steps}
    return Trajectory.model_validate({**clean, **kept, "task_id": task}), redactor


def _names_secret(field: str) -> bool:
    if field in PLAIN_FIELDS:
        return False
    named = bool(SECRET_FIELD.match(field))
    if not named and len(field) <= LONGEST_FIELD and len(PLAIN_FIELDS) < MOST_FIELDS:
        PLAIN_FIELDS.add(field)
    return named
