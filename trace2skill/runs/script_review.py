"""The scripts of a candidate as a person reviews them: text, where each comes from, and what it was tried on."""

import re
from collections.abc import Iterable, Sequence
from operator import not_

from pydantic import Field

from trace2skill.analysts.script_trial import ScriptRun, TriedScript
from trace2skill.consolidate.candidate import Candidate
from trace2skill.core.record import Record
from trace2skill.safety.shown import shown

WARNS = "Whoever wrote it warns:"
UNTRIED = "asked for by patches, and tried on nothing"


class ReviewedScript(Record):
    """A new script of a candidate."""

    path: str
    text: str
    source: str = Field(description="Where it comes from, in a few words.")
    origin: str = Field(description="The same, with every program.")
    runs: tuple[ScriptRun, ...] = Field(default=(), exclude_if=not_, description="What it was tried on.")
    warning: str = Field(default="", exclude_if=not_, description="What its writer says of the programs to a reviewer.")


def reviewed(candidate: Candidate, tried: Sequence[TriedScript]) -> list[ReviewedScript]:
    """The new scripts of a candidate, in the order of their paths."""
    by_path = {item.made.path: item for item in tried if not item.reason}
    made = {edit.file: (edit.content, group) for group in candidate.applied for edit in group.edits}
    found = []
    for path in candidate.scripts:
        text, group = made.get(path, ("", None))
        item = by_path.get(path)
        tasks = ", ".join(group.support.tasks) if group else ""
        source, origin = (_source(item), _origin(item)) if item else (UNTRIED, f"{UNTRIED}: {tasks}")
        runs, warning = (item.runs, item.made.warning) if item else ((), "")
        found.append(ReviewedScript(path=path, text=text, source=source, origin=origin, runs=runs, warning=warning))
    return found


def refused(tried: Iterable[TriedScript]) -> list[str]:
    """The routines of which no script came, and why: a line each."""
    return [shown(f"{item.in_words}{_warned(item)}") for item in tried if item.reason]


def _warned(item: TriedScript) -> str:
    return f"; {WARNS} {item.made.warning}" if item.made.warning else ""


def as_markdown(candidate: Candidate, tried: Sequence[TriedScript]) -> list[str]:
    """The sections of a summary's page: scripts to review, and routines without one."""
    parts = []
    scripts = reviewed(candidate, tried)
    if scripts:
        parts.append("## Scripts to review\n\n" + "\n\n".join(map(_markdown, scripts)))
    if without := refused(tried):
        parts.append("## Routines without a script\n\n" + "\n".join(f"- {line}" for line in without))
    return parts


def _origin(item: TriedScript) -> str:
    programs = ", ".join(f"{task} ({id})" for task, id in zip(item.tasks, item.trajectories, strict=True))
    rules = f"; lessons drawn with them speak for {', '.join(item.rules)}" if item.rules else ""
    return f"{_source(item)}: {programs}{rules}"


def _source(item: TriedScript) -> str:
    return f"from {len(item.tasks)} programs that did the same, {item.fixes} of them fixes"


def _markdown(item: ReviewedScript) -> str:
    runs = "\n".join(
        f"- {'made from' if run.seen == 'source' else 'unseen'}: {run.task_id}: "
        f"{'passed' if run.passed else 'failed'}: `{run.command}`"
        for run in item.runs
    )
    fence = "`" * max(3, *(len(found) + 1 for found in re.findall("`+", item.text)), 3)
    text = f"{fence}python\n{shown(item.text).rstrip()}\n{fence}" if item.text else ""
    warning = f"{WARNS} {shown(item.warning)}" if item.warning else ""
    return "\n\n".join(part for part in (f"`{item.path}`: {item.origin}", warning, runs, text) if part)
