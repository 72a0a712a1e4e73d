"""A text as the needs of patterns are looked up in it. What is asked of few texts is worked out when it is asked."""

import re
import string

FOLDED = (("\u0130", "i"), ("\u0131", "i"), ("\u017f", "s"), ("\u212a", "k"))
"""The characters that a pattern without regard to case takes for an ASCII letter, besides the letter's two cases."""
RUN = frozenset(string.ascii_letters + string.digits + "_-")
RUNS = tuple(b"x" * length for length in range(4, 65, 4))
"""The lengths of runs that are told apart; a longer one counts as the last of these."""
MASK = bytes(ord("x" if chr(code) in RUN else " ") for code in range(256))
SIGNS = "@\\<?=JKP_/:-'\". "
"""Signs by which most patterns are ruled out at once: which a text has is found out for all patterns together.

The rarest come first. Letters count for patterns with regard to case."""
BITS = {sign: 1 << place for place, sign in enumerate(SIGNS)}
BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
KEY_RUN, BEFORE_KEY = 20, 20
"""A run that is as long may be a key; what stands so far before it may be the beginning of it."""
LONG_RUN = b"x" * KEY_RUN


def in_lower_case(text: str) -> str:
    """A text in lower case, each letter as a pattern without regard to case takes it. It stays as long."""
    if not text.isascii():
        for sign, letter in FOLDED:
            text = text.replace(sign, letter)
    return text.lower()


class View:
    """A text: as it is, in lower case, how long its longest run of letters and digits is, and which signs it has."""

    __slots__ = ("_keys", "_masked", "_run", "_signs", "lower", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.lower = in_lower_case(text)
        self._masked: bytes | None = None
        self._keys: str | None = None
        self._run = self._signs = -1

    @property
    def run(self) -> int:
        """The length of the longest run, as far as lengths are told apart (`RUNS`)."""
        if self._run < 0:
            self._run, masked = 0, self._runs()
            for run in RUNS:
                if run not in masked:
                    break
                self._run = len(run)
        return self._run

    @property
    def signs(self) -> int:
        """Which of `SIGNS` the text has, as `BITS`."""
        if self._signs < 0:
            text = self.text
            self._signs = sum([bit for sign, bit in BITS.items() if sign in text])
        return self._signs

    def around_keys(self) -> str:
        """The pieces of the text in which a key of `KEY_RUN` signs can stand, with what stands before them."""
        if self._keys is None:
            masked, pieces = self._runs(), []
            place = masked.find(LONG_RUN)
            while place >= 0:
                end = masked.find(b" ", place)
                end = end if end >= 0 else len(masked)
                start = masked.rfind(b" ", 0, place) + 1
                pieces.append(self.text[max(0, start - BEFORE_KEY) : end])
                place = masked.find(LONG_RUN, end)
            self._keys = " ".join(pieces)
        return self._keys

    def _runs(self) -> bytes:
        """The text with an `x` for each sign that may stand in a run, and a blank for each other."""
        if self._masked is None:
            text = self.text
            plain = text if text.isascii() else BEYOND_ASCII.sub(lambda found: "x" * len(found[0]), text)
            self._masked = plain.encode().translate(MASK)
        return self._masked
