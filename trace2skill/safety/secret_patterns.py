"""The kinds of secrets and personal data, and the regular expression by which each is known.

The patterns for known kinds of keys are those of detect-secrets; its guesses by entropy are not used, since commit
hashes, UUIDs and code would fall to them. Ours add private keys, connection strings, values of settings that are named
like a secret, bearer tokens, e-mail addresses and home directories.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from trace2skill.safety.linear import OWN_JWT, bare_setting, linear
from trace2skill.safety.needs import Mark, Needs, needs_of
from trace2skill.safety.secret_rules import KEYS, NO_TOKENS, PLACES, UNITS
from trace2skill.safety.shortlist import Shortlist
from trace2skill.safety.telling_places import BEHIND_NAMES, KINDS_OF_PLACES, MARKED, TOLD
from trace2skill.safety.view import View

GUESSES = {"Base64 High Entropy String", "Hex High Entropy String", "Secret Keyword", "Public IP (ipv4)"}
NAMED = (
    r"(?:(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|auth[_-]?token|access[_-]?token"
    r"|refresh[_-]?token|client[_-]?secret|private[_-]?key|(?:secret|account|signing|encryption|master|storage)[_-]?key|credential)s?|\b(?:pwd|token)\b"
    rf"|{''.join(f'(?<!{word})' for word in NO_TOKENS)}_token\b)"
)
NAMES_END = ("password", "passwd", "passphrase", "secret", "key", "credential", "pwd", "token")
CONNECTION = r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@\"']{0,80}:(?P<value>[^\s@/\"']{1,200})@"
BEARER = r"(?i)\b(?:bearer|basic|token) (?P<value>[A-Za-z0-9._~+/-]{16,}=*)"
QUOTED = rf"(?i){NAMED}\\*[\"']?\s*(?:[:=]|=>)\s*(?P<quote>\\*[\"'])(?P<value>[^\"'\n\\]{{6,400}})(?P=quote)"
BARE = (  # only what has letters and digits and is no call, name or path
    rf"(?i){NAMED}\s*[:=]\s*(?P<value>(?=[^\s\"']*\d)(?=[^\s\"']*[a-z])[^\s\"'(){{}}\[\],;<>$]{{8,400}})(?![\w(.\[])"
)
FLAG = r"(?i)--(?:password|token|api-key|secret)[ =](?P<value>[^\s\"'$-][^\s\"'$]{5,})"
DOMAIN = r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}\b"
NO_UNIT = rf"(?![\w.-]{{0,200}}\.(?:{UNITS})\b)"
E_MAIL = rf"(?<![\w.+-])(?!(?:git|hg|svn)@)[A-Za-z0-9][\w.+-]{{0,63}}@{NO_UNIT}{DOMAIN}"
BLOCKS = (
    ("private-key", r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"),
    ("connection-string", CONNECTION),
    ("json-web-token", OWN_JWT),
)  # fmt: skip
REST = (
    *(("access-key", pattern) for pattern in KEYS),
    *((kind, pattern) for kind, pattern, _, _ in PLACES),
    *((kind, pattern) for kind, patterns in KINDS_OF_PLACES for pattern in patterns),
    *((kind, pattern) for kind, pattern, _, _ in MARKED),
    ("bearer-token", BEARER),
    ("secret", QUOTED),
    ("secret", BARE),
    ("secret", FLAG),
    ("anthropic-key", r"\bsk-ant-[A-Za-z0-9_-]{16,}"),
    ("openai-key", r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,}"),
    ("google-key", r"\bAIza[A-Za-z0-9_-]{35}"),
    ("github-token", r"\bgithub_pat_[A-Za-z0-9_]{22,}"),
    ("huggingface-token", r"\bhf_[A-Za-z0-9]{30,}"),
    ("slack-webhook", r"https://hooks\.slack\.com/services/(?P<value>[A-Za-z0-9/]{20,})"),
    ("e-mail", E_MAIL),
    ("home", r"(?:/home/|/Users/|[A-Za-z]:\\{1,2}Users\\{1,2})(?P<value>[A-Za-z0-9][\w.-]{0,63})"),
)
MARKS = {
    CONNECTION: (("://",), r"[^\s:/@\"']{0,80}:[^\s@/\"']{1,200}@"),
    BEARER: (("bearer ", "basic ", "token "), r"[a-z0-9._~+/-]{16}"),
    QUOTED: (NAMES_END, r"s?\\*[\"']?\s*(?:[:=]|=>)\s*\\*[\"'][^\"'\n\\]{6}"),
    # the digit may be far behind: so far it is looked for, no farther, lest many names take the square of the time
    BARE: (NAMES_END, r"s?\s*[:=]\s*(?=[^\s\"']{0,400}\d|[^\s\"']{400})[^\s\"'(){}\[\],;<>$]{8}"),
    E_MAIL: (("@",), rf"(?<=[\w.+-]@){DOMAIN}"),
    **{pattern: (words, behind) for _, pattern, words, behind in (*PLACES, *MARKED) if words},
    **{pattern: (TOLD, behind) for pattern, behind in BEHIND_NAMES.items()},
    r"""(?:\s|=|:|"|^)AP[\dABCDEF][a-zA-Z0-9]{8,}(?:\s|"|$)""": (("AP",), r"[\dABCDEF][a-zA-Z0-9]{8}"),
    r"[0-9a-z]{32}-us[0-9]{1,2}": (("-us",), r"(?<=[0-9a-z]-us)[0-9]"),
}
"""What is in each match of a pattern that is slow to look for. The last are of detect-secrets: should it word them
anew, nothing is missed for it, they are only looked for more slowly."""
SETTINGS = ("key|pwd|pw|password|pass|token", "key|pwd|password|pass|token")
ASSIGNED = r"""(?:"|\'|)(?:\]|)(?: *)(?:=|:|:=|=>| +|::)(?: *)(?:"|\'|)"""
"""What patterns of detect-secrets have for the name of a setting, and between it and the value."""
ASSIGNED_BOUNDED = r"""(?:"|\'|)(?:\]|)(?: {0,40}(?:=|:|:=|=>|::) {0,40}| {1,80})(?:"|\'|)"""
"""The same for all but eighty blanks in a row, in time that grows with their number and not with its third power."""
ASSIGNED_ONCE = r"[\"']?\]?[ :=>]+[\"']?"
"""The same and more, without its time that grows with the third power of blanks in a row."""


class SecretRule(NamedTuple):
    """A kind of secret, how it is found, and what a text needs for it to be looked for at all."""

    place: int
    kind: str
    pattern: re.Pattern[str]
    needs: Needs
    worded: re.Pattern[str]
    """The pattern as its source words it: it finds the same, and may take the square of the time."""


@cache
def rules() -> tuple[SecretRule, ...]:
    """In their order: ours for whole blocks first, then those of detect-secrets, then ours for the rest."""
    blocks, rest = ([(kind, re.compile(pattern)) for kind, pattern in own] for own in (BLOCKS, REST))
    return tuple(
        SecretRule(
            place,
            kind,
            linear(pattern, {BARE: bare_setting(NAMED)}),
            needs_of(pattern, _mark(pattern), near_key=pattern.pattern in KEYS),
            pattern,
        )
        for place, (kind, pattern) in enumerate((*blocks, *_library(), *rest))
    )


def rules_for(view: View) -> list[SecretRule]:
    """The rules that a text has all for that they need: length, the longest run, signs, words. In their order."""
    return [rules()[number] for number in _shortlist().of(view)]


@cache
def _shortlist() -> Shortlist:
    return Shortlist([rule.needs for rule in rules()])


def _library() -> Iterator[tuple[str, re.Pattern[str]]]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    plugins: dict[str, Any] = get_mapping_from_secret_type_to_class()
    for kind, plugin in sorted(plugins.items()):
        if kind not in GUESSES:
            for pattern in getattr(plugin(), "denylist", ()):
                name = re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-")
                if not re.match(pattern.pattern, "") and name != "private-key":
                    yield name, re.compile(pattern.pattern.replace(ASSIGNED, ASSIGNED_BOUNDED), pattern.flags)


def _mark(pattern: re.Pattern[str]) -> Mark | None:
    any_case = pattern.flags & re.IGNORECASE
    if pattern.pattern in MARKS:
        words, behind = MARKS[pattern.pattern]
        return Mark(words, re.compile(behind, any_case))
    name, assigned, value = pattern.pattern.partition(ASSIGNED_BOUNDED)
    for setting in SETTINGS:
        if assigned and name.endswith(f"(?:{setting})"):
            return Mark(tuple(setting.split("|")), re.compile(ASSIGNED_ONCE + value, any_case))
    return None
