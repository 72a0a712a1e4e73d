"""Patterns that take the square of a text's length, and what finds the same in time that grows with the length alone.

Such a pattern may begin at many places of one run of signs, and looks at the rest of the run from each. Here it begins
once a run: what stands before the first place that may be a beginning is passed over for good, for where that fails all
later ones of the run do. What is replaced stands in the group `value`. A match without that group finds nothing: it
passes over a stretch in which nothing can be found.
"""

import re
from collections.abc import Mapping

from trace2skill.safety.secret_rules import BEGUN, BEGUN_NEWER, BEHIND_BEGUN, KEYS

JWT_SIGNS, JWT_LIBRARY = "[A-Za-z0-9_-]", "[A-Za-z0-9_=-]"
OWN_JWT = r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?"


def once_a_run(signs: str, begins: str, rest: str) -> str:
    """`begins` and `rest`, tried once in each run of these signs: at the first place where it begins."""
    return rf"(?<!{signs})(?>{signs}*?(?={begins}))(?P<value>{rest})"


def bare_setting(named: str) -> str:
    """A setting that is `named` like a secret, with a value of letters and digits (`secret_patterns.BARE`).

    Where no digit follows, no setting of the same stretch has one behind it: but for those that may go on behind its
    end, which is as far as the longest name.
    """
    passed = r"(?:[^\s\"'](?=[^\s\"']{64}))*+"
    return (
        rf"(?i){named}\s*[:=]\s*(?=[^\s\"'(){{}}\[\],;<>$]{{8}})"
        rf"(?:(?=[^\s\"']*\d)(?P<value>(?=[^\s\"']*[a-z])[^\s\"'(){{}}\[\],;<>$]{{8,400}})(?![\w(.\[])"
        rf"|(?![^\s\"']*\d){passed})"
    )


def begun_once(begun: str) -> str:
    """A key that is known by how it begins; behind each beginning the first digit is looked for once."""
    return (
        rf"\b(?=(?:{begun})[A-Za-z0-9]{{10}}[A-Za-z0-9_-]{{10}})"
        rf"(?:(?P<value>(?:{begun})(?=[A-Za-z_-]*\d){BEHIND_BEGUN})|(?:{begun})[A-Za-z_-]*+)"
    )


LINEAR = {
    OWN_JWT: once_a_run(JWT_SIGNS, r"\beyJ", r"eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?"),
    r"eyJ[A-Za-z0-9-_=]+\.[A-Za-z0-9-_=]+\.?[A-Za-z0-9-_.+/=]*?": once_a_run(
        JWT_LIBRARY, "eyJ", rf"eyJ{JWT_LIBRARY}++\.{JWT_LIBRARY}++\.?"
    ),
    r"\/\/.+\/:_authToken=\s*((npm_.+)|([A-Fa-f0-9-]{36})).*": (
        r"(?m)^(?>.*?(?=//))(?P<value>//.+/:_authToken=\s*(?:npm_.+|[A-Fa-f0-9-]{36}).*)"
    ),
    r"sk-[A-Za-z0-9-_]*[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}": once_a_run(
        JWT_SIGNS, "sk-", r"sk-[A-Za-z0-9_-]*[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}"
    ),
    KEYS[0]: begun_once(BEGUN),
    KEYS[1]: begun_once(BEGUN_NEWER),
}
"""By the pattern as it is worded. Should detect-secrets word one of its own anew, it is only slow again."""


def linear(pattern: re.Pattern[str], more: Mapping[str, str]) -> re.Pattern[str]:
    """What finds the same in linear time, where that is known here or in `more`; else the pattern itself."""
    other = LINEAR.get(pattern.pattern) or more.get(pattern.pattern)
    return re.compile(other, pattern.flags & re.IGNORECASE) if other else pattern
