"""Nobody holds the product up with a text: the time that an expression takes grows with the length of what it reads.

How much CPU twice the text takes is compared, so that a busy machine makes no difference. A child process looks at them,
for an expression that takes exponential time cannot be stopped in any other way; another one goes on behind it.
"""

import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest
from growing import cpu_of, texts_for
from patterns_of_product import Asked, asked

from trace2skill.safety.bounded import PIECE
from trace2skill.safety.secret_patterns import rules

SHORT, LONG = 4000, 16_000
MOST_GROWTH = 9.0
"""Four times the text may take so much longer: four times where it is linear, sixteen times where it is not."""
WORTH_LOOKING = 0.02
"""Seconds of CPU for the long text: what takes less grows too little to tell."""
CAN_BE_WORTH = WORTH_LOOKING / (LONG / SHORT) ** 2 * 0.8
"""Seconds of CPU for the short text: what takes less is below that even where it grows with the square."""
STUCK = 30.0
PART = 10
WORST = 3
"""So many texts of each expression that reads pieces are looked at in their full length: the worst at a tenth of it."""
PIECEWISE = {
    "trace2skill.safety.screening": PIECE, "trace2skill.safety.orders": PIECE, "trace2skill.safety.requests": PIECE,
    "trace2skill.safety.effects": PIECE,
    "trace2skill.safety.suspicions": PIECE,
    "trace2skill.safety.harmless:WARNS": 120, "trace2skill.safety.harmless:SENTENCE_END": 120,
    "trace2skill.safety.harmless:TOLD_TO_USE": 120, "trace2skill.safety.harmless:GOES_OUT": 600, "trace2skill.safety.harmless": PIECE,
    "trace2skill.analysts.events:OTHER_WORDS": 160, "trace2skill.analysts.events": 4000,
    "trace2skill.traces.runner_reports": 4000, "trace2skill.traces.calls:STOPPED": 4000, "trace2skill.traces.calls:FOOTER": 1000, "trace2skill.traces.guesses": 1000,
    "trace2skill.llm.server_words": 4000, "trace2skill.llm.failures": 4000,
}  # fmt: skip
"""What is given no longer a text than so many characters: of these a text of that length takes a second at most."""
"""Of the rest, texts of any length are read whole."""


def of_secrets() -> Iterator[Asked]:
    for rule in rules():
        worded = rule.worded if rule.worded is not rule.pattern else None
        yield Asked(rule.pattern, f"trace2skill.safety.secret_patterns:{rule.place}-{rule.kind}", False, worded)


def bound_of(place: str) -> int:
    return next((most for start, most in PIECEWISE.items() if place.startswith(start)), 0)


def texts_of(one: Asked, length: int) -> Iterator[str]:
    for pattern in (one.pattern, one.worded):
        yield from texts_for(pattern, length) if pattern else ()


def asked_about(one: Asked, text: str, pipe: Connection) -> float:
    """Seconds of CPU that a text takes; more than one is said."""
    pipe.send(("at", text[:60]))
    seconds = cpu_of(one.pattern, text, at_start=one.at_start)
    if seconds > 1:
        pipe.send(("slow", f"{seconds:.2f} s for {len(text)} characters: {text[:80]!r}"))
    return seconds


def look(some: list[Asked], pipe: Connection) -> None:
    """Say of each expression how its worst text grows."""
    for one in some:
        (of_pieces if bound_of(one.place) else of_whole_texts)(one, pipe)
        pipe.send(("done", ""))


def of_pieces(one: Asked, pipe: Connection) -> None:
    most = bound_of(one.place)
    for length in (40, 400, most // PART):
        taken = [asked_about(one, text, pipe) for text in texts_of(one, length)]
    # Of texts of one kind, the worst at a part of the length are the worst at all of it.
    worst = sorted(range(len(taken)), key=lambda place: -taken[place])[:WORST]
    for place, text in enumerate(texts_of(one, most)):
        if place in worst:
            asked_about(one, text, pipe)


def of_whole_texts(one: Asked, pipe: Connection) -> None:
    for length in (40, 400):
        for text in texts_of(one, length):
            asked_about(one, text, pipe)
    for text, more in zip(texts_of(one, SHORT), texts_of(one, LONG), strict=True):
        if (before := asked_about(one, text, pipe)) < CAN_BE_WORTH:
            continue
        if (seconds := cpu_of(one.pattern, more, at_start=one.at_start)) > WORTH_LOOKING:
            before = min(before, cpu_of(one.pattern, text, at_start=one.at_start))
            if seconds / max(before, 1e-6) > MOST_GROWTH:
                pipe.send(("slow", f"{before:.3f} s, then {seconds:.3f} s: {text[:80]!r}"))
                return


def complaints_of(some: list[Asked]) -> dict[str, str]:
    """What is wrong with expressions, by their places."""
    found: dict[str, str] = {}
    number = 0
    while number < len(some):
        number = looked_at(some, number, found)
    return found


def looked_at(some: list[Asked], number: int, found: dict[str, str]) -> int:
    """Let a child look at the expressions from a number on; returns the number that the next child begins with."""
    reads, says = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=look, args=(some[number:], says))
    child.start()
    says.close()
    last, since = "", time.monotonic()
    try:
        while number < len(some):
            if reads.poll(1):
                kind, words = reads.recv()
                since, last = time.monotonic(), words
                if kind == "slow":
                    found.setdefault(some[number].place, words)
                number += kind == "done"
            elif time.monotonic() - since > STUCK:
                found[some[number].place] = f"no end: {last!r}"
                return number + 1
        return number
    finally:
        child.kill()
        child.join()


@pytest.mark.slow  # a quarter of a minute of CPU
def test_the_time_that_an_expression_takes_grows_with_the_text_alone() -> None:
    looked = [one for one in asked() if not one.place.startswith("trace2skill.safety.secret")]
    assert len(looked) > 250
    complaints = complaints_of(looked)
    assert not complaints, "\n".join(f"{place}: {words}" for place, words in complaints.items())


@pytest.mark.slow
def test_redaction_as_well() -> None:
    complaints = complaints_of([*of_secrets()])
    assert not complaints, "\n".join(f"{place}: {words}" for place, words in complaints.items())


def test_what_grows_too_fast_is_seen() -> None:
    import re

    for bad in (r"\s+x", r"(?:a+)+b", r"a.*b.*c", r"^```(?P<n>[a-z]+)\n.*?^```$"):
        one = Asked(re.compile(bad, re.S | re.M), "trace2skill.bad:X", False)
        texts = [*zip(texts_for(one.pattern, 24), texts_for(one.pattern, 1500), strict=True)]
        assert texts
    fast = Asked(re.compile(r"(?<!\s)\s++x"), "trace2skill.good:X", False)
    slow = Asked(re.compile(r"\s+x"), "trace2skill.bad:X", False)
    also = Asked(re.compile(r"(?m)^[ \t]*.*b.*c"), "trace2skill.worse:X", False)
    assert complaints_of([fast, slow, fast, also]).keys() == {slow.place, also.place}
