"""Mistakes of whoever answers questions on tables."""

import re

from trace2skill.sim.mistakes.mistake import planted

WHOLE = re.compile(r"\d+")
WORDS = re.compile(r"(?P<first>[^\W\d]+) [^|]+")


def with_commas(answer: str) -> str:
    """Several values, joined so that they read as one."""
    return answer.replace("|", ", ")


def with_heading(answer: str) -> str:
    """A count into which the heading went."""
    return str(int(answer) + 1) if WHOLE.fullmatch(answer) else answer


def with_noun(answer: str) -> str:
    """A figure with what it counts behind it."""
    return f"{answer} entries" if WHOLE.fullmatch(answer) else answer


def first_word(answer: str) -> str:
    """The first word of a longer name."""
    found = WORDS.fullmatch(answer)
    return found["first"] if found else answer


TABLES = (
    planted(
        "values_joined_by_commas",
        with_commas,
        prevalence=0.8,
        section="Giving the answer",
        guidance=(r"\bbars?\b", r"\bvalues?\b"),
        title="Bars between values",
        when="Applies where more than one value is asked for.",
        contents=(
            "Put bars between values: commas make one of them.",
            "Several values are kept apart by a bar each.",
            "Write a bar between one value and the next.",
        ),
    ),
    planted(
        "heading_counted",
        with_heading,
        prevalence=0.35,
        section="Working it out",
        guidance=(r"\bheading\b", r"\bcount"),
        title="The heading is no entry",
        when="Applies to every question of how many.",
        contents=(
            "Leave the heading out when you count entries.",
            "The heading counts for nothing: begin with the line after it.",
            "Count what stands under the heading, without it.",
        ),
    ),
    planted(
        "noun_behind_figure",
        with_noun,
        prevalence=0.3,
        section="Giving the answer",
        guidance=(r"\bnoun\b", r"\bfigures?\b"),
        title="Figures without nouns",
        when="Applies to every question of how many.",
        contents=(
            "Give the figure without the noun that it goes with.",
            "No noun belongs behind a figure.",
            "Where a figure is asked for, leave its noun away.",
        ),
    ),
    planted(
        "name_cut_short",
        first_word,
        prevalence=0.6,
        section="Giving the answer",
        guidance=(r"\bnames?\b", r"\bin full\b|\bwhole\b|\bcomplete\b", r"\bentry\b|\bcells?\b"),
        title="Names in full",
        when="Applies to names taken from a table.",
        contents=(
            "Copy a name in full, as its cell has it.",
            "Take the whole name from the entry, not its beginning.",
            "A name is complete only as the cell gives it.",
        ),
    ),
)
