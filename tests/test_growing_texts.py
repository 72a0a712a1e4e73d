"""Nobody holds the product up with a text: the time that an expression takes grows with the length of what it reads.

How much CPU twice the text takes is compared, so that a busy machine makes no difference. A child process looks at each
expression, for one that takes exponential time cannot be stopped in any other way.
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
STUCK = 30.0
WORST = 3
"""So many texts of each expression that reads pieces are looked at in their full length."""
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


def look(one: Asked, pipe: Connection) -> None:
    """Say how the worst text grows."""
    most = bound_of(one.place)
    for length in (40, 400, *([most // 4] if most else [])):
        taken = [asked_about(one, text, pipe) for text in texts_of(one, length)]
    if most:  # of texts of one kind, the worst at a quarter of the length are the worst at all of it
        worst = sorted(range(len(taken)), key=lambda place: -taken[place])[:WORST]
        for place, text in enumerate(texts_of(one, most)):
            if place in worst:
                asked_about(one, text, pipe)
    if not most:
        for text, more in zip(texts_of(one, SHORT), texts_of(one, LONG), strict=True):
            pipe.send(("at", text[:60]))
            if (seconds := cpu_of(one.pattern, more, at_start=one.at_start)) > WORTH_LOOKING:
                before = min(cpu_of(one.pattern, text, at_start=one.at_start) for _ in range(2))
                if seconds / max(before, 1e-6) > MOST_GROWTH:
                    pipe.send(("slow", f"{before:.3f} s, then {seconds:.3f} s: {text[:80]!r}"))
                    break
    pipe.send(("done", ""))


def complaint_of(one: Asked) -> str:
    reads, says = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=look, args=(one, says))
    child.start()
    says.close()
    found, last, since = "", "", time.monotonic()
    try:
        while True:
            if reads.poll(1):
                kind, words = reads.recv()
                since, last = time.monotonic(), words
                if kind == "done":
                    return found
                found = found or (words if kind == "slow" else "")
            elif time.monotonic() - since > STUCK:
                return f"no end: {last!r}"
    finally:
        child.kill()
        child.join()


@pytest.mark.slow  # half a minute of CPU
def test_the_time_that_an_expression_takes_grows_with_the_text_alone() -> None:
    looked = [one for one in asked() if not one.place.startswith("trace2skill.safety.secret")]
    assert len(looked) > 250
    complaints = {one.place: found for one in looked if (found := complaint_of(one))}
    assert not complaints, "\n".join(f"{place}: {words}" for place, words in complaints.items())


@pytest.mark.slow
def test_redaction_as_well() -> None:
    complaints = {one.place: found for one in of_secrets() if (found := complaint_of(one))}
    assert not complaints, "\n".join(f"{place}: {words}" for place, words in complaints.items())


def test_what_grows_too_fast_is_seen() -> None:
    import re

    for bad in (r"\s+x", r"(?:a+)+b", r"a.*b.*c", r"^```(?P<n>[a-z]+)\n.*?^```$"):
        one = Asked(re.compile(bad, re.S | re.M), "trace2skill.bad:X", False)
        texts = [*zip(texts_for(one.pattern, 24), texts_for(one.pattern, 1500), strict=True)]
        assert texts
    fast = Asked(re.compile(r"(?<!\s)\s++x"), "trace2skill.good:X", False)
    assert complaint_of(fast) == ""
    slow = Asked(re.compile(r"\s+x"), "trace2skill.bad:X", False)
    assert complaint_of(slow)
