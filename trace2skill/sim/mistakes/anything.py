"""Mistakes that any answer can show, and good habits of whoever answers questions."""

import re

from trace2skill.sim.cause import Habit
from trace2skill.sim.lessons import Wording
from trace2skill.sim.mistakes.mistake import planted

WHOLE = re.compile(r"-?\d{4,}")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def in_a_sentence(answer: str) -> str:
    """The answer, wrapped in words."""
    return f"So it comes out as {answer}, if I see it right."


def grouped(answer: str) -> str:
    """A large whole number with separators."""
    return f"{int(answer):,}" if WHOLE.fullmatch(answer) else answer


def one_more(answer: str) -> str:
    """A whole number, with the start counted as well."""
    return str(int(answer) + 1) if re.fullmatch(r"-?\d+", answer) else answer


ANYTHING = (
    planted(
        "counted_from_one_too_many",
        one_more,
        prevalence=0.25,
        section="Working it out",
        guidance=(r"start", r"count|twice|once", r"in all|total|sum"),
        title="Do not count the start twice",
        when="Applies to sums and counts.",
        contents=(
            "Do not count the start a second time when you build a total.",
            "The start belongs into the sum once, so count it once.",
            "When you take a total, see that the start is counted once.",
        ),
    ),
    planted(
        "thousands_grouped",
        grouped,
        prevalence=0.5,
        section="Giving the answer",
        guidance=(r"thousands?", r"\bdigits\b"),
        title="Plain digits",
        when="Applies to large numbers.",
        contents=(
            "Give large numbers in plain digits, without thousands separators.",
            "Leave out the comma between thousands: plain digits only.",
            "No separators between thousands; digits alone.",
        ),
    ),
    planted(
        "answer_in_a_sentence",
        in_a_sentence,
        prevalence=0.4,
        section="Giving the answer",
        guidance=(r"answer", r"\balone\b|nothing else|\bbare\b"),
        title="The answer alone",
        when="Applies to every answer.",
        contents=(
            "Put the answer alone behind the mark, without a sentence around it.",
            "Behind the mark stands the bare answer, no sentence.",
            "Give the answer and nothing else on the last line.",
        ),
    ),
)

HABITS: tuple[Habit, ...] = tuple(
    Habit(
        name=name,
        section=section,
        guidance=guidance,
        wordings=tuple(Wording(title=title, description="Applies to every question.", content=text) for text in texts),
    )
    for name, section, guidance, title, texts in (
        (
            "restate_question",
            "Before you start",
            (r"question", r"restate|own words|asks for"),
            "Know what is asked",
            (
                "Restate the question in one line before you work on it.",
                "Say in your own words what the question wants before you begin.",
                "Write down what the question asks for, then begin.",
            ),
        ),
        (
            "work_backwards",
            "Working it out",
            (r"second way|backwards|another way", r"result|answer"),
            "A second way",
            (
                "Confirm the result in a second way before you give it.",
                "Go backwards from the result to what was given, to see whether it holds.",
                "Reach the result another way, too, and compare both.",
            ),
        ),
    )
)
