"""A command as it was typed, to be repeated to whoever typed it: on a terminal that others see, and in a log."""

import re
import shlex
from collections.abc import Sequence

from trace2skill.safety.own_secrets import may_hold_secret, without_own
from trace2skill.skills import git_address
from trace2skill.store import address as store_address

HIDDEN = "***"
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/.*", re.DOTALL)
WITHOUT_SCHEME = re.compile(r"[^\s/=@]+:[^\s/]*@")
WORDS = re.compile(r"(password\s*=\s*)\S+", re.IGNORECASE)
"""A store's address of libpq in words."""


def in_words(words: Sequence[str]) -> str:
    """A command line, in which nothing stands that is a password in an address or a secret of the environment.

    An address of a repository is as it is kept; of any other what may be secret is `***`.
    """
    return shlex.join(without_own(_clean(word)) for word in words)


def _clean(word: str) -> str:
    found = URL.search(word)
    if found is None:
        return WORDS.sub(rf"\1{HIDDEN}", WITHOUT_SCHEME.sub(f"{HIDDEN}@", word))
    return word[: found.start()] + _address(found[0])


def _address(text: str) -> str:
    try:
        if text.startswith("git+"):
            return str(git_address.parse(text))
        if text.startswith(store_address.SCHEMES):
            return str(store_address.parse(text))
    except ValueError:  # the command was refused, and is about to say so
        pass
    else:
        if not may_hold_secret(text):
            return text
    scheme, slashes, rest = re.split(r"(:/+)", text, maxsplit=1)
    before, at, _ = rest.rpartition("@")
    rest = f"{HIDDEN}@{rest[len(before) + 1 :]}" if at else rest
    return f"{scheme}{slashes}{re.sub(r'[?#].*', lambda sign: f'{sign[0][0]}{HIDDEN}', rest, flags=re.DOTALL)}"
