"""What tasks ask that runs over some skills held out, and whether a request is one of these.

The division of a run says which they are, validation and test, whether or not a gate looked at them; their instructions
come from the data that the run was given, where these still stand.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from trace2skill.core.errors import BadInput
from trace2skill.core.forms import from_text_or_none
from trace2skill.domains.find import load_domain
from trace2skill.domains.splits import remembered, sample_tasks, split_tasks
from trace2skill.mined.requests import SHORTEST, alike
from trace2skill.runs.intake import TELLING
from trace2skill.runs.sections import DataSettings
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.shrunk import Shrunk
from trace2skill.runs.summary import RunSummary
from trace2skill.safety.shown import hides
from trace2skill.store import Store
from trace2skill.store.divisions import Divisions
from trace2skill.store.rows import RunRow
from trace2skill.types.task import Task
from trace2skill.types.trajectory import Trajectory

KINDS: dict[str, type[RunSummary] | type[Shrunk] | None] = {
    "run": RunSummary,
    "ingest": RunSummary,
    "shrink": Shrunk,
    **dict.fromkeys(("rollout", "evaluate", "ablate", "drift")),
}
"""Runs that divide tasks, and what those leave that name their skill."""
WORDS = 3
"""So many words of a short request, one after the other, are it wherever they stand."""
HEADING = "# Task\n\n"
TOLD = "Work in the current directory, without asking back. Python 3 with openpyxl is installed.\n\n"
"""What stands before a task in a rollout's first message."""


@dataclass
class HeldOutRequests:
    """The requests of held-out tasks, by the words that tell them apart."""

    ids: set[str] = field(default_factory=set)
    """Of such tasks, and of the sessions that they were made of."""
    words: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)
    """Runs whose held-out tasks cannot be read any more, and why."""

    def take(self, texts: Iterable[str]) -> None:
        """Hold these out, too."""
        self.words |= {said for text in texts if (said := alike(text))}

    def has(self, texts: Sequence[str]) -> bool:
        """Is any of these what a held-out task asks: the whole of it, or as a part of what else was said?"""
        return any(self._has(alike(_seen(text))) for text in texts)

    def _has(self, said: str) -> bool:
        if said in self.words:
            return True
        inside = len(said) >= TELLING
        return any(
            (inside and said in text) or (_tells(text) and re.search(rf"(?<!\w){re.escape(text)}(?!\w)", said))
            for text in self.words
            if inside or len(text) <= len(said)
        )


def held_out_of(store: Store, names: Collection[str]) -> HeldOutRequests:
    """What runs over skills of these names held out, and runs of which nobody knows over which skill they were."""
    found, seen = HeldOutRequests(), set[str]()
    for row in store.runs(*KINDS):
        settings = from_text_or_none(row.settings, RunSettings) if _is_of(row, names) else None
        if settings is None:
            continue
        data = settings.data
        mark = f"{data.domain} {data.domain_options} {data.path} {data.tasks} {data.plan}"
        if mark in seen or (settings.of_logs and str(data.path) in ("", ".")):
            continue
        seen.add(mark)
        try:
            tasks = _held_out_in(store, data)
        except (BadInput, AttributeError, ImportError, LookupError, OSError, TypeError, ValueError) as error:
            if not settings.of_logs:
                found.unread.append(f"{row.id}: {' '.join(str(error).split())[:200]}")
            continue
        found.ids |= {id for task in tasks for id in (task.id, *task.sessions)}
        found.take(task.instruction for task in tasks)
    return found


def asked_in(trajectory: Trajectory) -> list[str]:
    """Each message of a user alone, as it stands and without what a rollout puts before a task."""
    said = [step.message for step in trajectory.steps if step.source == "user" and step.message.strip()]
    bare = [cut(text, HEADING)[2].removeprefix(TOLD) for text in said for cut in (str.partition, str.rpartition)]
    return list(dict.fromkeys(text for text in (*said, *bare) if text.strip()))


def _held_out_in(store: Store, data: DataSettings) -> list[Task]:
    tasks = load_domain(data.domain, data.domain_options, recalculate=data.recalculate).load(data.path)
    if data.tasks is not None:
        tasks = sample_tasks(tasks, data.tasks, data.split_seed)
    if not tasks:
        return []
    places = remembered(tasks, data.path, Divisions(store).places(data.plan))
    splits = split_tasks(tasks, data.splits, data.split_seed, places=places)
    out = {*splits.validation, *splits.test}
    return [task for task in tasks if task.id in out]


def _is_of(row: RunRow, names: Collection[str]) -> bool:
    """Was it over one of these skills, as far as it says?"""
    kind = KINDS[row.kind] if row.summary else None
    told = from_text_or_none(row.summary, kind) if kind else None
    return told is None or told.skill_name in names


def _tells(text: str) -> bool:
    return len(text) >= TELLING or (len(text) >= SHORTEST and len(text.split()) >= WORDS)


def _seen(text: str) -> str:
    return "".join(sign for sign in text if not hides(sign))
