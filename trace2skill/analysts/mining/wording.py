"""The words of rules that come of associations, and the words that several error messages share."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from trace2skill.analysts.events import IN_ERRORS
from trace2skill.analysts.mining.associations import Distinction
from trace2skill.analysts.mining.candidates import Sign
from trace2skill.analysts.mining.commands import tail
from trace2skill.core.similarity import similarity
from trace2skill.safety.screening import screened

MOST_QUOTED = 110
SHARED = 0.8
ADVICE = re.compile(r"(?<=\S)\s*[(（]|(?<=[^\W_])[.!?;]+(?=\s|\Z)|[。！？；]|(?<=[\w)'\"])\s+[-–—]+\s")
"""Where an error stops saying what is wrong."""
ERROR = re.compile(r"(?i)\A(?:error\b[:.]?\s*)+")
OF_ERRORS = ("error", "stuck", "answer")
"""Kinds of signs whose second word is an error."""
PIECES = re.compile(r"\s+|[^\s]+")


def title_and_content(found: Distinction) -> tuple[str, str]:
    """The title of a rule, and what to do."""
    sign, bad = found.sign, found.with_failure
    words = [quoted(word) for word in sign.words]
    if sign.kind in OF_ERRORS:
        words[1] = quoted(words_of_error([sign.words[1]])) or "an error"
    return WORDS[sign.kind](words, bad)


def in_numbers(found: Distinction, within: bool) -> str:
    """The table and its odds, in words."""
    a, b, c, d = found.table
    of = "sessions, each within its own task" if within else "tasks"
    return f"of {a + b} {of} that show it {a} failed, of {c + d} others {c} (p = {found.tested.p:.2g})"


def name_of(sign: Sign) -> str:
    """A sign in a few words, for a report."""
    return {
        "value": "`{0}` with `{1}` = {2}",
        "flag": "`{0}` with `{1}`",
        "before": "`{1}` before `{0}`",
        "after": "`{1}` after `{0}`",
        "use": "the use of `{0}`",
        "error": "`{0}` answering “{1}”",
        "stuck": "`{0}` left with “{1}”",
        "repeat": "the same `{0}` again and again",
        "answer": "`{2}` after `{0}` answered “{1}”",
    }[sign.kind].format(*sign.words)


def quoted(word: str) -> str:
    """A word that stands between backticks and cannot break out of them."""
    return " ".join(word.replace("`", "'").split())


def words_of_error(lines: Sequence[str]) -> str:
    """The words that errors share, without what they advise; '' where no word is left.

    "refused. Set a=b and try again" is known again by "refused": what stands in brackets or after a sentence is
    advice of whoever wrote the answer. One that is suspicious is said whole, so that the screening sees it.
    """
    bad = next((line for line in lines if any(found.reason not in IN_ERRORS for found in screened(line))), "")
    return quoted(bad) if bad else common_words([_what_is_wrong(line) for line in lines])


def _what_is_wrong(error: str) -> str:
    said = ADVICE.split(error, maxsplit=1)[0].strip(" .:,;-")
    return said if re.search(r"[^\W\d_]{3,}", ERROR.sub("", said)) else ""


def common_words(lines: Sequence[str]) -> str:
    """What most of these lines share, word for word, with an ellipsis where they differ; long paths by their tails."""
    counts = Counter(" ".join(line.split()) for line in lines)
    line, often = max(counts.items(), key=lambda item: (item[1], -len(item[0]), item[0]))
    if often >= SHARED * len(lines):
        return _short(line.split())
    parts = [text.split() for text in counts for _ in range(min(counts[text], 50))]
    shared = Counter(word for words in parts for word in set(words))
    kept = [word if shared[word] >= SHARED * len(parts) else "…" for word in line.split()]
    return _short([word for place, word in enumerate(kept) if word != "…" or kept[place - 1 : place] != ["…"]])


def listed(names: Iterable[str]) -> str:
    """`a`, `b` and `c`."""
    shown = [f"`{quoted(name)}`" for name in names]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def alike(one: str, other: str) -> bool:
    """Do two rules say the same?"""
    return similarity(one, other) >= 0.9


def _short(words: list[str]) -> str:
    return quoted(" ".join(tail(word) for word in words))[:MOST_QUOTED].strip(" .,:;")


def _value(words: list[str], bad: bool) -> tuple[str, str]:
    tool, name, value = words
    if bad:
        return f"{tool}: {name} = {value} goes with failure", f"Do not call `{tool}` with `{name}` = `{value}`."
    return f"{tool}: {name} = {value} goes with success", f"Call `{tool}` with `{name}` = `{value}`."


def _flag(words: list[str], bad: bool) -> tuple[str, str]:
    tool, flag = words
    if bad:
        return f"{tool} {flag} goes with failure", f"Do not give `{flag}` to `{tool}`."
    return f"{tool} {flag} goes with success", f"Give `{flag}` to `{tool}`."


def _before(words: list[str], bad: bool) -> tuple[str, str]:
    tool, other = words
    if bad:
        return f"{other} before {tool} goes with failure", f"Do not call `{other}` before `{tool}`."
    return f"{other} comes before {tool}", f"Call `{other}` before the first `{tool}`."


def _after(words: list[str], bad: bool) -> tuple[str, str]:
    tool, other = words
    if bad:
        return f"{other} after {tool} goes with failure", f"Do not call `{other}` after the last `{tool}`."
    return f"{other} comes after {tool}", f"After the last `{tool}`, call `{other}`."


def _use(words: list[str], bad: bool) -> tuple[str, str]:
    (tool,) = words
    if bad:
        return f"{tool} goes with failure", f"Do not use `{tool}` where there is another way."
    return f"{tool} goes with success", f"Use `{tool}`."


def _error(words: list[str], bad: bool) -> tuple[str, str]:
    tool, error = words
    if bad:
        return (
            f"an answer of {tool} that goes with failure",
            f'Do not go on once `{tool}` answers "{error}": the task fails unless that is put right.',
        )
    return f"an answer of {tool} that goes with success", f'Go on when `{tool}` answers "{error}": it is no failure.'


def _repeat(words: list[str], bad: bool) -> tuple[str, str]:
    (tool,) = words
    if bad:
        return (
            f"the same {tool} again and again goes with failure",
            f"Do not repeat the same `{tool}`: change the call.",
        )
    return f"{tool} again and again goes with success", f"Repeat `{tool}` until it answers otherwise."


def _answer(words: list[str], bad: bool) -> tuple[str, str]:
    tool, error, then = words
    if bad:
        return f"{then} after a failure of {tool} goes with failure", (
            f'Do not turn to `{then}` when `{tool}` answers "{error}".'
        )
    return f"{then} mends a failure of {tool}", f'When `{tool}` answers "{error}", turn to `{then}`.'


WORDS = {
    "value": _value,
    "flag": _flag,
    "before": _before,
    "after": _after,
    "use": _use,
    "error": _error,
    "stuck": _error,
    "repeat": _repeat,
    "answer": _answer,
}
