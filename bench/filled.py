"""An analyst that fills its report up to a number of lessons with remarks of one run, for a bench.

What it knows of causes it has of the simulated office. The remarks are sentences of a thousand, each as likely as
another: nothing is wrong with them and nobody learns from them. How often two analyses make the same one is all that
lets a remark into a skill.
"""

import json
from collections.abc import Callable
from typing import Any

from trace2skill.sim.conversation import Heard, Spoken
from trace2skill.sim.profile import pick
from trace2skill.sim.roles import play

WHAT = (
    *("Note how wide the columns are", "Count the merged cells", "List the named ranges", "Look for hidden columns"),
    *("Print the colours of the tabs", "Keep a list of the frozen panes", "Look at the comments", "Count the pictures"),
    *("List the styles", "Print the page setup"),
)
WHEN = (
    *("before the first change", "after the workbook is loaded", "between two sheets", "when a sheet is wide"),
    *("where a table is long", "when titles repeat", "once the program has run", "where a column is narrow"),
    *("before the program runs", "when two sheets look alike"),
)
HOW = (
    *(
        "in one line",
        "in a comment",
        "on paper",
        "with the sheets' names",
        "by hand",
        "in a loop",
        "twice",
        "at leisure",
    ),
    *("in capitals", "as a list"),
)
REMARKS = tuple(f"{what} {when}, {how}." for what in WHAT for when in WHEN for how in HOW)


def filling(most: int, certainty: str) -> Callable[[Heard], Spoken]:
    """The simulated office, whose analysts of failures hand in `most` lessons, the added ones with that certainty."""

    def speak(heard: Heard) -> Spoken:
        said = play(heard)
        if said.tool == "submit":
            return said.model_copy(update={"arguments": _filled(said.arguments, heard, most, certainty)})
        if heard.system.startswith(("You are a one-call error analyst", "You are a success analyst")):
            return said.model_copy(update={"text": json.dumps(_filled(json.loads(said.text), heard, most, certainty))})
        return said

    return speak


def is_remark(text: str) -> bool:
    """Is it one of the sentences that were added?"""
    return any(remark.rstrip(".") in text for remark in REMARKS)


def _filled(report: dict[str, Any], heard: Heard, most: int, certainty: str) -> dict[str, Any]:
    lessons = list(report.get("lessons") or ())
    if not lessons:  # nothing was found: nothing is added
        return report
    steps = lessons[0].get("steps") or [3]
    for number in range(len(lessons), most):
        content = REMARKS[pick(len(REMARKS), "remark", heard.opening, number)]
        more = {"title": content.partition(",")[0][:120], "description": "Applies to workbooks.", "content": content}
        proof = {"steps": steps, "proved_by": "what that step wrote", "certainty": certainty, "stands": "new"}
        lessons.append({**more, **proof})
    return {**report, "lessons": lessons}
