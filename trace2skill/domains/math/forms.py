"""The final-answer rules of the data sets: how an answer is asked for, and what of a text is the answer."""

import re
from typing import Literal

from trace2skill.domains.answers import HOW_TO_ANSWER, unwrapped

Form = Literal["gsm8k", "boxed", "dapo"]
ASKED: dict[Form, str] = {
    "gsm8k": "End your last message with a line that begins with `####` and holds the number alone: `#### 42`.",
    "boxed": r"End your last message with the final answer inside `\boxed{}`, and nothing else inside it.",
    "dapo": HOW_TO_ANSWER,
}

HASHES = re.compile(r"^[ \t>*_]*(?:####|A:)(?P<rest>.*)$", re.MULTILINE)
NUMBER = re.compile(r"-?(?:\d[\d,]*(?:\.\d+)?|\.\d+)")
ANSWER_LINE = re.compile(r"^[ \t>*_#-]*answer[ \t*_]*:(?P<rest>.*)$", re.MULTILINE | re.IGNORECASE)
BRACE = re.compile(r"(?<!\\)[{}]")
BOX = re.compile(r"\\f?boxed\s*\{|\\fbox\s*\{")


def answer_in(text: str, form: Form) -> str:
    """The final answer of a text, '' where it has none in this form. The last one counts."""
    if form == "gsm8k":
        return number_after_hashes(text)
    if form == "boxed":
        return last_box(text)
    lines = list(ANSWER_LINE.finditer(text))
    rest = lines[-1]["rest"] if lines else ""
    return bare(last_box(rest) or rest)


def number_after_hashes(text: str) -> str:
    """The first number of the last line that begins with `####`, or with `A:` as in published GSM8K solutions."""
    lines = list(HASHES.finditer(text))
    found = NUMBER.search(lines[-1]["rest"].replace("$", "").replace("\\", "")) if lines else None
    return found[0].replace(",", "") if found else ""


def last_box(text: str) -> str:
    r"""What stands inside the last `\boxed{...}` whose braces close; every letter is looked at once."""
    starts = {found.end() for found in BOX.finditer(text)}
    waiting: list[int] = []
    best = (-1, -1)
    for brace in BRACE.finditer(text):
        place = brace.start()
        if brace[0] == "{":
            waiting.append(place + 1)
        elif waiting and (start := waiting.pop()) in starts and start > best[0]:
            best = (start, place)
    return bare(text[best[0] : best[1]]) if best[0] >= 0 else ""


def bare(text: str) -> str:
    """An answer without emphasis, math delimiters and the full stop around it."""
    clean = unwrapped(text).removesuffix(".").strip()
    for left, right in (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        if clean.startswith(left) and clean.endswith(right) and len(clean) > len(left) + len(right):
            return clean[len(left) : -len(right)].strip().removesuffix(".").strip()
    return clean
