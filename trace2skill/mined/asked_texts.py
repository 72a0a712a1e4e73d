"""Which questions ask the same in other words around it: another template, other options, an example more.

Texts are compared by runs of three words, within sentences. A run counts the less the more questions of one log have
it, for these are the words of a template, and nothing where half of them do. Two questions are one where the runs that
they share are at least half of what counts of either; and so are those between which such pairs lead. That may put
together what is not the same, and rather does so than to tell apart what is.
"""

import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from trace2skill.types.trajectory import Trajectory

RUN, ENOUGH = 3, 0.5
LEAST_COMMON, COMMON = 4, 0.5
"""So many questions of a log, and this share of them, make what they all have its template."""
MOST_WITH = 1_000
"""What stands in more questions than these tells none apart, and would have each compared with each."""
FALLS = 1.5
"""The power by which a run counts less the more questions of its log have it."""
WITHOUT_OPTIONS = 3
"""So many questions of a log that differ by their options alone are told apart by these."""
MOST_READ = 20_000
"""Characters of a text that are compared, at its begin and at its end."""
OPTION = re.compile(r"^[ \t]*[(\[]?([A-Z])[)\].:][ \t]+\S.*$", re.MULTILINE)
SENTENCE = re.compile(r"[.!?:;](?=\s|$)|\n")
_SIGNS = r"\s\"'`()\[\]{}*_<>,.;:!?\u3001\u3002\u3040-\u30ff\u3400-\u9fff\uff00-\uff1f"
WORD = re.compile(rf"[\u3040-\u30ff\u3400-\u9fff]|[^{_SIGNS}]+(?:[.,:'][^{_SIGNS}]+)*")
"""A word, or a sign of a script that has no blanks between words."""


def runs_in(text: str) -> "array[int]":
    """The runs of words of a text, by their hashes, which hold for this process."""
    if len(text) > 2 * MOST_READ:
        text = f"{text[:MOST_READ]}\n{text[-MOST_READ:]}"
    found = set[int]()
    for sentence in SENTENCE.split(text.casefold()):
        words = WORD.findall(sentence)
        found.update(hash(" ".join(words[at : at + RUN])) for at in range(max(1, len(words) - RUN + 1)) if words)
    return array("q", sorted(found))


def without_options(text: str) -> tuple[str, list[str]]:
    """A text, and the options that it lists on lines of their own, where it lists any."""
    if not {"A", "B"} <= {found[1] for found in OPTION.finditer(text)}:
        return text, []
    rest = OPTION.sub("", text)
    return (rest, [found[0] for found in OPTION.finditer(text)]) if rest.strip() else (text, [])


def told_in(clean: Trajectory) -> str:
    """What a session was told, by people and systems."""
    return "\n".join(step.message for step in clean.steps if step.source != "agent" and step.message)


class AskedTexts:
    """The questions of logs, by their names, and what other sessions were told."""

    def __init__(self) -> None:
        self._plain: dict[str, array[int]] = {}
        self._options: dict[str, array[int]] = {}
        self._of_logs: dict[str, set[str]] = defaultdict(set)
        self._heard: list[tuple[str, array[int]]] = []

    def asks(self, question: str, log: str, text: str, options: Sequence[str]) -> None:
        """A log asks a question in these words, with these options."""
        self._of_logs[log].add(question)
        if question not in self._plain:
            words, listed = without_options(text)
            self._plain[question] = runs_in(words)
            self._options[question] = runs_in("\n".join([*options, *listed]))

    def hears(self, session: str, text: str) -> None:
        """A session that asks no question that is known was told this."""
        self._heard.append((session, runs_in(text)))

    def compared(self, *, more: bool = False) -> "ComparedTexts":
        """What all of them together say. With `more`, other texts will be compared with them (`asked_in`)."""
        runs = dict(self._plain)
        for questions in self._of_logs.values():
            alike = defaultdict[bytes, list[str]](list)
            for question in questions:
                alike[self._plain[question].tobytes()].append(question)
            for same in alike.values():
                if len(same) >= WITHOUT_OPTIONS:
                    runs.update((one, array("q", sorted({*self._plain[one], *self._options[one]}))) for one in same)
        return ComparedTexts(runs, self._of_logs.values(), self._heard, more=more)


class ComparedTexts:
    """Questions that were compared with one another. Texts have numbers here; those of equal runs are one."""

    def __init__(
        self,
        runs: Mapping[str, "array[int]"],
        logs: Iterable[Iterable[str]],
        heard: Sequence[tuple[str, "array[int]"]],
        *,
        more: bool,
    ) -> None:
        self._heard = heard
        self._names: list[list[str]] = []
        numbers: dict[bytes, int] = {}
        texts: list[array[int]] = []
        number_of = dict[str, int]()
        for question in sorted(runs):
            number = number_of[question] = numbers.setdefault(runs[question].tobytes(), len(texts))
            if number == len(texts):
                texts.append(runs[question])
                self._names.append([])
            self._names[number].append(question)
        # What stands in one text alone is counted and not kept: of most texts that is nearly all.
        met = None if more else _met_twice([*texts, *(told for _, told in heard)])
        often, common = _counted([[texts[number] for number in {number_of[one] for one in log}] for log in logs], met)
        self._counts: list[dict[int, float]] = []
        self._alone: list[int] = []
        self._with: dict[int, list[int]] = defaultdict(list)
        for number, text in enumerate(texts):
            kept = [run for run in text if met is None or run in met]
            self._alone.append(len(text) - len(kept))
            self._counts.append({run: often.get(run, 1) ** -FALLS for run in kept if run not in common})
            for run in self._counts[number]:
                self._with[run].append(number)
        for run in [run for run, among in self._with.items() if len(among) > MOST_WITH]:
            for number in self._with.pop(run):
                del self._counts[number][run]

    @property
    def untold(self) -> set[str]:
        """Questions of which nothing is left: every word of them stands in half of the questions of a log."""
        left = zip(self._names, self._counts, self._alone, strict=True)
        return {name for names, counts, alone in left if not counts and not alone for name in names}

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Questions that are one."""
        for text, names in enumerate(self._names):
            yield from ((names[0], other) for other in names[1:])
            candidates = {other for run in self._telling(text) for other in self._with[run]} - {text}
            for other in candidates:
                if self._holds(self._counts[other], text):
                    yield names[0], self._names[other][0]

    def heard(self) -> Iterator[tuple[str, str]]:
        """Questions, each with a session that was told what it asks; of those in equal words the first."""
        for session, told in self._heard:
            yield from ((names[0], session) for names in self._asked_in(dict.fromkeys(told, 0.0)))

    def asked_in(self, text: str) -> list[list[str]]:
        """What a text asks: lists of questions, each of those that are asked in equal words."""
        return self._asked_in(dict.fromkeys(runs_in(text), 0.0))

    def _asked_in(self, said: Mapping[int, float]) -> list[list[str]]:
        found = {text for run in said.keys() & self._telling_runs.keys() for text in self._telling_runs[run]}
        return [self._names[text] for text in found if self._holds(said, text)]

    @cached_property
    def _telling_runs(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for text in range(len(self._names)):
            for run in self._telling(text):
                found[run].append(text)
        return found

    def _holds(self, said: Mapping[int, float], text: int) -> bool:
        counts = self._counts[text]
        shared = math.fsum(counts[run] for run in counts.keys() & said.keys())
        return shared >= ENOUGH * (math.fsum(counts.values()) + self._alone[text])

    def _telling(self, text: int) -> list[int]:
        """The rarest runs of a text: where a text has none of them, it has less than half."""
        counts, found = self._counts[text], list[int]()
        left = math.fsum(counts.values())
        enough = ENOUGH * (left + self._alone[text]) * (1 - 1e-9)
        for run in sorted(counts, key=lambda run: (len(self._with.get(run, ())), run)):
            if left < enough:
                break
            found.append(run)
            left -= counts[run]
        return found


def _met_twice(texts: Sequence["array[int]"]) -> set[int]:
    """The runs that stand in more than one text."""
    ordered = sorted(run for text in texts for run in text)
    return {one for one, other in pairwise(ordered) if one == other}


def _counted(logs: Sequence[Sequence["array[int]"]], met: set[int] | None) -> tuple[dict[int, int], set[int]]:
    """By run, in how many questions of one log it stands at most; and those that are of a template."""
    often, common = dict[int, int](), set[int]()
    for texts in logs:
        for run, count in Counter(run for text in texts for run in text if met is None or run in met).items():
            often[run] = max(often.get(run, 0), count)
            if count >= max(LEAST_COMMON, COMMON * len(texts)):
                common.add(run)
    return often, common
