r"""The rules by which an answer is judged, named and defined as inspect_ai's scorers are.

What is said here of each is of inspect_ai 0.3.285 (https://inspect.aisi.org.uk/scorers.html, and the modules `_match`,
`_classification`, `_choice` and `_answer` of its `scorer/`). Where several answers are accepted, an answer is right
that is right for one of them; of `choice` the letters together are the one right answer.

`exact_match` is `ExactMatch` of autoevals (0.4.1, `value.py`), as Braintrust's scores name it, for texts.

`pattern` is left out: its expression comes out of a log, and one that takes time without end needs few characters. What
numeric `match` does not read are numerals other than those of `float`, single fractions such as `½` and the minus sign.
"""

import math
import re
import string
import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import model_validator

from trace2skill.core.record import Record

RuleName = Literal["match", "includes", "exact", "choice", "answer", "exact_match"]
ARGUMENTS: dict[RuleName, frozenset[str]] = {
    "match": frozenset({"location", "ignore_case", "numeric"}),
    "includes": frozenset({"ignore_case"}),
    "exact": frozenset(),
    "choice": frozenset(),
    "answer": frozenset({"pattern"}),
    "exact_match": frozenset(),
}
"""By rule, the arguments that it takes; they are called as inspect_ai calls them."""
AROUND = string.whitespace + string.punctuation
AROUND_NUMBERS = "!?:;()[]{}'\"`"
DIGITS_COMPARED = 5
ESCAPED = re.compile(r"\\(?=[$,£€*_])")
IN_NUMBERS = re.compile(r"[$,£€*_]|\.(?!\d)")
ARTICLES = re.compile(r"\b(?:a|an|the)\b")
LETTERS_RUN = re.compile(r"[A-Za-z\d ,]+")
AROUND_LETTERS = " \t\r\n$*()"
NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


class AnswerRule(Record):
    """A rule with its arguments."""

    name: RuleName = "match"
    location: Literal["begin", "end", "any", "exact"] = "end"
    ignore_case: bool = True
    numeric: bool = False
    pattern: Literal["letter", "word", "line"] = "line"

    @model_validator(mode="after")
    def _takes_its_arguments(self) -> "AnswerRule":
        odd = sorted(self.model_fields_set - {"name"} - ARGUMENTS[self.name])
        if odd:
            takes = ", ".join(sorted(ARGUMENTS[self.name])) or "no arguments"
            raise ValueError(f"the rule '{self.name}' does not take {', '.join(odd)}: it takes {takes}")
        return self

    def is_right(self, answer: str, accepted: Sequence[str], choices: int = 0) -> bool:
        """Is an answer right?

        Args:
            answer: what is judged.
            accepted: answers that are accepted; of `choice`, the right letters.
            choices: so many options there are, for `choice`.
        """
        if self.name == "choice":
            return chosen(answer, choices, several=len(letters_of(accepted)) > 1) == set(letters_of(accepted))
        return any(self._holds(answer, one) for one in accepted)

    def decides_nothing(self, accepted: str) -> bool:
        """Is so little left of an accepted answer that any answer is right, or none?"""
        if self.name == "exact":
            return not _plain(accepted)
        if self.name == "match":
            return not accepted.strip(AROUND)
        return not accepted.strip()

    def _holds(self, answer: str, accepted: str) -> bool:
        if self.name == "match":
            return _match(answer, accepted, self)
        rules: dict[str, Callable[[str, str], bool]] = {"includes": self._includes, "exact": _exact}
        rules["exact_match"] = _same
        return rules.get(self.name, self._answers)(answer, accepted)

    def _includes(self, answer: str, accepted: str) -> bool:
        """Does the accepted answer stand anywhere in the answer?"""
        return accepted.casefold() in answer.casefold() if self.ignore_case else accepted in answer

    def _answers(self, answer: str, accepted: str) -> bool:
        """Is the letter, the word that ends the first line, or the last line the accepted answer, in any case?"""
        return said(answer, self.pattern).lower() == accepted.strip().lower() != ""


def _match(answer: str, accepted: str, rule: AnswerRule) -> bool:
    """Does the accepted answer stand at the location, but for blanks and punctuation at the ends of both?

    `numeric`, with an accepted answer that is a number: is the number that stands there the same, to five digits? Signs
    of currency, emphasis and commas between digits do not count. Words that are no number are passed over at the begin
    and the end; `exact` has nothing else.
    """
    found, wanted = answer.strip(), accepted.strip()
    if rule.ignore_case:
        found, wanted = found.casefold(), wanted.casefold()
    if rule.numeric:
        wanted = _without_signs(wanted)
        if (number := _number(wanted)) is not None:
            return _same_number(_without_signs(found), _as_compared(number), rule.location)
    found, wanted = found.strip(AROUND), wanted.strip(AROUND)
    where: dict[str, bool] = {"begin": found.startswith(wanted), "end": found.endswith(wanted), "any": wanted in found}
    return where.get(rule.location, found == wanted)


def _same_number(found: str, wanted: str, location: str) -> bool:
    if location == "exact":
        whole = _number(found, bare=True)
        return whole is not None and _as_compared(whole) == wanted
    words = found.split()
    numbers = (
        _as_compared(one) for one in map(_number, reversed(words) if location == "end" else words) if one is not None
    )
    return wanted in numbers if location == "any" else next(numbers, "") == wanted


def _without_signs(text: str) -> str:
    return IN_NUMBERS.sub("", ESCAPED.sub("", text))


def _number(text: str, *, bare: bool = False) -> float | None:
    """A finite number; unless it is to be bare, without brackets, quotes and sentence marks around it."""
    clean = (text if bare else text.strip(AROUND_NUMBERS)).replace("\u2212", "-")
    try:
        found = float(clean)
    except ValueError:
        found = unicodedata.numeric(clean, math.nan) if len(clean) == 1 else math.nan
    return found if math.isfinite(found) else None


def _as_compared(number: float) -> str:
    return format(number, f".{DIGITS_COMPARED}g")


def _exact(answer: str, accepted: str) -> bool:
    """Are both the same in SQuAD's normal form: no case, articles or punctuation, numbers by value, blanks as one?"""
    return _plain(accepted) == _plain(answer) != ""


def _same(answer: str, accepted: str) -> bool:
    """Is it the same text, to the letter, but for blanks around it?"""
    return answer.strip() == accepted.strip()


def _plain(text: str) -> str:
    return " ".join(filter(None, map(_plain_word, text.replace("-", " ").split(" "))))


def _plain_word(word: str) -> str:
    clean = word.casefold()
    number = next((one for one in (clean, clean.strip(AROUND)) if _is_finite(one)), None)
    clean = str(float(number)) if number is not None else _if_number(clean.translate(NO_PUNCTUATION))
    return " ".join(ARTICLES.sub(" ", clean).split())


def _if_number(text: str) -> str:
    return str(float(text)) if _is_finite(text) else text


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def letter(place: int) -> str:
    """The name of an option by its place from 0: `A` to `Z`, and then `1`, `2` and so on."""
    return chr(ord("A") + place) if place < 26 else str(place - 25)


def letters_of(accepted: Sequence[str]) -> list[str]:
    """The letters of right options, however they are written: `A`, `A,C`, `AC`, or one by one; each once."""
    words = [word for text in accepted for word in text.replace(",", " ").upper().split()]
    return list(dict.fromkeys(one for word in words for one in ([word] if word.isdecimal() else word)))


def chosen(answer: str, choices: int, *, several: bool) -> set[str]:
    """The options that an answer names: the letters it begins with, up to the first sign that is none.

    Where one option is right, one letter names it; else all stand with commas, blanks, `and` or nothing between them.
    None where anything else stands there.
    """
    told = LETTERS_RUN.match(answer.lstrip(AROUND_LETTERS))
    text = told[0].strip().upper() if told else ""
    there = {letter(place) for place in range(choices)}
    parts = {part.strip() for part in text.split(",") if part.strip()}
    if not several:
        return parts if len(parts) == 1 and parts <= there else set()
    joined = text.replace(" AND ", ",").replace(" ", "")
    for found in ({part for part in joined.split(",") if part}, set(joined)):
        if found <= there:
            return found
    return set()


def said(answer: str, pattern: Literal["letter", "word", "line"]) -> str:
    """What `answer` compares of what stands behind `ANSWER:`, '' where nothing stands there in that form."""
    clean = answer.strip()
    if pattern == "line":
        return "" if "\n" in clean else clean
    first = clean.partition("\n")[0].strip()
    if pattern == "letter":
        alone = first[:1].isascii() and first[:1].isalpha() and not re.match(r"\w", first[1:2])
        return first[:1] if alone else ""
    word = first if len(first.split()) == 1 else ""
    return word[:-1] if len(word) > 1 and word[-1] in ".,;:!?" else word
