"""The signs that are held against outcomes, chosen without a look at any: each that is spared gives the others power.

A sign is compared among those sessions only in which it could have shown: a flag among those that used the program, the
use of a tool among those of its kind of work. What comes before or after a call that only looks is none, and of signs
that are the same sessions, or just the others, there is one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from trace2skill.analysts.events import READS, WRITES
from trace2skill.analysts.mining.commands import READ_ONLY
from trace2skill.analysts.mining.corpus import LEAST_SESSIONS, Corpus
from trace2skill.analysts.mining.signs import SEP

SHELL_CHANGES = re.compile(
    r"(?:sed|patch|tee|mv|cp|rm|git (?:commit|push|merge|apply)"
    r"|\w{1,40} (?:push|publish|apply|deploy|release|install))\Z"
)
RANK = {"answer": 0, "value": 1, "flag": 1, "before": 2, "after": 2, "use": 3, "error": 4, "stuck": 4, "repeat": 5}
"""Of signs that are nearly the same, the one that says best what to do comes first."""


@dataclass(frozen=True)
class Sign:
    """Something that a session shows or does not, and the sessions in which it could."""

    kind: str
    words: tuple[str, ...]
    shown: int
    eligible: int

    @property
    def order(self) -> tuple[float, tuple[str, ...]]:
        """Of nearly the same sessions the sign that says most first: an order matters around what changes something."""
        idle = self.kind in ("before", "after") and not _changes(self.words[0])
        return RANK[self.kind] + 1.5 * idle, self.words


def candidates(corpus: Corpus) -> list[Sign]:
    """Signs that some sessions show and some do not, each once."""
    best: dict[tuple[int, int], Sign] = {}
    for sign in _signs(corpus):
        shown, lacking = sign.shown & sign.eligible, sign.eligible & ~sign.shown
        if min(shown.bit_count(), lacking.bit_count()) < LEAST_SESSIONS:
            continue
        key = (min(shown, lacking), sign.eligible)
        if key not in best or sign.order < best[key].order:
            best[key] = sign
    return list(best.values())


def _signs(corpus: Corpus) -> Iterator[Sign]:
    known, work = corpus.known, _kinds_of_work(corpus)
    for mark, shown in sorted(corpus.marks.items()):
        kind, *words = mark.split(SEP)
        if kind == "arg":
            yield Sign("value", tuple(words), shown, _gave(corpus, words[0], words[1]))
        else:
            yield Sign(kind, tuple(words), shown, corpus.used.get(words[0], known))
    for tool in corpus.tools:
        yield Sign("use", (tool,), corpus.used[tool], work[tool])
    for tool in corpus.paired:
        for other in corpus.paired if not _only_looks(tool) else ():
            if tool != other:
                yield Sign("before", (tool, other), corpus.before(tool, other), corpus.used[tool])
                yield Sign("after", (tool, other), corpus.after(tool, other), corpus.used[tool])
    for (mark, tool), shown in sorted(corpus.after_error.items()):
        _, *words = mark.split(SEP)
        yield Sign("answer", (*words, tool), shown, corpus.marks[mark])


def _changes(tool: str) -> bool:
    return bool(WRITES.match(tool) or SHELL_CHANGES.match(tool))


def _only_looks(tool: str) -> bool:
    return not _changes(tool) and (tool in READ_ONLY or READS.match(tool) is not None)


def _gave(corpus: Corpus, tool: str, name: str) -> int:
    """The sessions that gave an argument any of the values that are told apart."""
    start, found = SEP.join(("arg", tool, name, "")), 0
    for mark, shown in corpus.marks.items():
        if mark.startswith(start):
            found |= shown
    return found


def _kinds_of_work(corpus: Corpus) -> dict[str, int]:
    """For each tool the sessions of its kind of work: those with it, with a tool used beside it, and so on.

    Tools that fewer than three sessions use side by side belong to different kinds.
    """
    kinds: list[tuple[list[str], int]] = []
    for tool in corpus.tools:
        tools, sessions = [tool], corpus.used[tool]
        near = [kind for kind in kinds if any(_beside(corpus, tool, other) for other in kind[0])]
        for others, theirs in near:
            tools, sessions = tools + others, sessions | theirs
        kinds = [kind for kind in kinds if kind not in near] + [(tools, sessions)]
    return {tool: sessions for tools, sessions in kinds for tool in tools}


def _beside(corpus: Corpus, one: str, other: str) -> bool:
    return (corpus.used[one] & corpus.used[other]).bit_count() >= LEAST_SESSIONS
