"""Secrets and personal data out of trajectories before anything is stored or sent.

The patterns for known kinds of keys are those of detect-secrets; its guesses by entropy are not used, since commit
hashes, UUIDs and code would fall to them. Ours add private keys, connection strings, values of settings that are named
like a secret, bearer tokens, e-mail addresses and home directories. A placeholder says the kind and counts within the
trajectory, so that the same value is the same placeholder there and nothing of it is left.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from trace2skill.trajectory import Trajectory

SHORTEST = 5
REMEMBERED = 200
GUESSES = {"Base64 High Entropy String", "Hex High Entropy String", "Secret Keyword", "Public IP (ipv4)"}
NAMED = (
    r"(?:(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token"
    r"|refresh[_-]?token|client[_-]?secret|private[_-]?key|credential)s?|\b(?:pwd|token)\b|_token\b)"
)
OWN: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "private-key",
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)", re.S),
    ),
    ("connection-string", re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"']{0,80}:(?P<value>[^\s@/\"']{1,200})@")),
    ("json-web-token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?")),
    ("bearer-token", re.compile(r"(?i)\b(?:bearer|basic|token) (?P<value>[A-Za-z0-9._~+/-]{16,}=*)")),
    ("secret", re.compile(rf"(?i){NAMED}\\*[\"']?\s*(?:[:=]|=>)\s*(?P<quote>\\*[\"'])(?P<value>[^\"'\n\\]{{6,400}})(?P=quote)")),
    (
        "secret",  # not quoted: only what has letters and digits and is no call, name or path
        re.compile(rf"(?i){NAMED}\s*[:=]\s*(?P<value>(?=[^\s\"']*\d)(?=[^\s\"']*[a-z])[^\s\"'(){{}}\[\],;<>$]{{8,400}})(?![\w(.\[])"),
    ),
    ("secret", re.compile(r"(?i)--(?:password|token|api-key|secret)[ =](?P<value>[^\s\"'$-][^\s\"'$]{5,})")),
    ("anthropic-key", re.compile(r"\bsk-ant-[A-Za-z0-9_-]{16,}")),
    ("openai-key", re.compile(r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,}")),
    ("google-key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
    ("github-token", re.compile(r"\bgithub_pat_[A-Za-z0-9_]{22,}")),
    ("huggingface-token", re.compile(r"\bhf_[A-Za-z0-9]{30,}")),
    ("slack-webhook", re.compile(r"https://hooks\.slack\.com/services/(?P<value>[A-Za-z0-9/]{20,})")),
    ("e-mail", re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}\b")),
    ("home", re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\{1,2}Users\\{1,2})(?P<value>[A-Za-z0-9][\w.-]{0,63})")),
)  # fmt: skip
SECRET_FIELD = re.compile(rf"(?i)\A[\w.-]*{NAMED}\Z")
PLAIN = re.compile(
    r"\A(?:true|false|null|none|\*+|x+|<[^>]*>|\$\{?\w+\}?|\[REDACTED:[\w-]+:\d+\]|your[-_ ].*|example.*)\Z", re.I
)


class Redactor:
    """Replaces what must not be kept; counts by kind. One for each trajectory."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._names: dict[tuple[str, str], str] = {}
        self._numbers: Counter[str] = Counter()
        self._clean: set[str] = set()

    @property
    def replaced(self) -> dict[str, str]:
        """What each placeholder stands for. For a map that never leaves the machine."""
        return {name: value for (_, value), name in self._names.items()}

    def text(self, text: str) -> str:
        """The text with placeholders."""
        if len(text) < SHORTEST or text in self._clean:
            return text
        given = text
        for kind, pattern in patterns():
            if pattern.search(text):
                text = pattern.sub(lambda found, kind=kind: self._replaced(kind, found), text)  # type: ignore[misc]
        if text == given and len(text) <= REMEMBERED:
            self._clean.add(text)
        return text

    def value(self, value: Any, field: str = "") -> Any:
        """Any JSON value; a text under a name like `password` goes as a whole."""
        if isinstance(value, str):
            if SECRET_FIELD.match(field) and len(value) >= 4 and not PLAIN.match(value):
                return self._placeholder("secret", value)
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(item, key) for key, item in value.items()}
        return [self.value(item, field) for item in value] if isinstance(value, list) else value

    def _replaced(self, kind: str, found: re.Match[str]) -> str:
        named = "value" in found.re.groupindex
        value = found["value"] if named else found[0]
        if PLAIN.match(value) or "[REDACTED:" in value:
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


@cache
def patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Kind and pattern: ours for whole blocks first, then those of detect-secrets, then ours for the rest."""
    return (*OWN[:3], *_library(), *OWN[3:])


def redacted(trajectory: Trajectory) -> tuple[Trajectory, Redactor]:
    """The trajectory without secrets and personal data, and who took them out: what was replaced, and how often."""
    redactor = Redactor()
    fields = trajectory.model_dump(mode="json", exclude={"id", "task_id", "outputs", "parent", "skill"})
    kept = {"id": trajectory.id, "parent": trajectory.parent, "skill": trajectory.skill}
    clean = Trajectory.model_validate({**redactor.value(fields), **kept, "task_id": redactor.text(trajectory.task_id)})
    return clean, redactor


def _library() -> Iterator[tuple[str, re.Pattern[str]]]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    plugins: dict[str, Any] = get_mapping_from_secret_type_to_class()
    for kind, plugin in sorted(plugins.items()):
        if kind not in GUESSES:
            for pattern in getattr(plugin(), "denylist", ()):
                name = re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-")
                if not re.match(pattern.pattern, "") and name != "private-key":
                    yield name, pattern
