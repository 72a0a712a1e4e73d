"""Texts that nobody vouches for as they are shown: signs that hide, or that turn what stands beside them, are named."""

import unicodedata

INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b\u180c\u180d\u180f")
"""Signs of ordinary categories that show nothing."""
HIDING = frozenset({"Cf", "Co", "Cs", "Cc", "Cn", "Zl", "Zp"})


def shown(text: str) -> str:
    """A suspicious text for a terminal or page: nothing in it hides or turns what stands beside it."""
    return "".join(sign if not hides(sign) else f"\\u{{{ord(sign):X}}}" for sign in text)


def hides(sign: str) -> bool:
    """Is it a sign that shows nothing, or changes how others are shown? Line ends and tabs are none."""
    if sign in "\n\t":
        return False
    return (
        unicodedata.category(sign) in HIDING
        or sign in INVISIBLE
        or "\ufe00" <= sign <= "\ufe0f"
        or "\U000e0100" <= sign <= "\U000e01ef"
    )
