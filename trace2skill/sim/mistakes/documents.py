"""Mistakes in answers to questions on pages."""

import datetime
import re

from trace2skill.sim.mistakes.mistake import planted

FIGURE = re.compile(r"[\d.,]*\d")
DATE = re.compile(r"\d{1,2} [A-Z][a-z]+ \d{4}")
NAME = re.compile(r"[A-Z][\w'.-]*(?: [\w'.-]+)* [A-Z][\w'-]+")


def row_slipped(answer: str) -> str:
    """The figures of another row."""
    if not FIGURE.fullmatch(answer):
        return answer
    return "".join(str(9 - int(letter)) if letter.isdecimal() else letter for letter in answer)


def date_rewritten(answer: str) -> str:
    """A date in another form than the printed one."""
    if not DATE.fullmatch(answer):
        return answer
    return datetime.datetime.strptime(answer, "%d %B %Y").date().isoformat()


def name_cut(answer: str) -> str:
    """A name without all but its last word, where that is the smaller part."""
    last = answer.split(" ")[-1]
    return last if NAME.fullmatch(answer) and 2 * len(last) < len(answer) else answer


def page_in_a_sentence(answer: str) -> str:
    """The words of the page, wrapped in other words."""
    return f"As far as I can make it out, the page in the picture gives {answer} as the thing that was asked for here."


DOCUMENTS = (
    planted(
        "row_slipped",
        row_slipped,
        prevalence=0.4,
        section="Working it out",
        guidance=(r"\bpage\b", r"\brow\b", r"label", r"neighbour|height|straight"),
        title="Keep to the row",
        when="Applies to pages with a table.",
        contents=(
            "In a table of the page, go from the label straight along its row; no neighbour is meant.",
            "Hold to one row of the page's table: label and figure stand at the same height.",
            "See that label and figure on the page are in the same row, and not in a neighbouring one.",
        ),
    ),
    planted(
        "date_rewritten",
        date_rewritten,
        prevalence=0.5,
        section="Giving the answer",
        guidance=(r"\bpage\b", r"\bdates?\b", r"print|shown|stands"),
        title="Dates as printed",
        when="Applies to questions for a day.",
        contents=(
            "Give a date in the form in which the page prints it; do not convert it.",
            "Copy dates as they are printed on the page, month in words included.",
            "A date stays as it stands on the page, in its own order.",
        ),
    ),
    planted(
        "name_cut",
        name_cut,
        prevalence=0.45,
        section="Giving the answer",
        guidance=(r"\bpage\b", r"\bnames?\b", r"whole|full|every part"),
        title="Whole names",
        when="Applies to questions for people and firms.",
        contents=(
            "Give names of people and firms whole, as the page has them, not the last part only.",
            "A name is given in full, as on the page: first and family name.",
            "Take over every part of a name on the page.",
        ),
    ),
    planted(
        "page_in_a_sentence",
        page_in_a_sentence,
        prevalence=0.25,
        section="Giving the answer",
        guidance=(r"\bpage\b", r"sentence", r"\bonly\b|without|no more"),
        title="The words of the page",
        when="Applies to every question on a page.",
        contents=(
            "Give only the words that stand on the page, no sentence around them.",
            "What the page says is given without a sentence of your own around it.",
            "The words of the page and no more: build no sentence.",
        ),
    ),
)
