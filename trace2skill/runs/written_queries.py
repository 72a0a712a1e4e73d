"""Having the model write queries for a library, until each skill has as many for it and near misses of it as wanted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from trace2skill.core import stopping
from trace2skill.core.errors import BadAnswer
from trace2skill.core.progress import watcher
from trace2skill.core.record import Record
from trace2skill.core.step_label import StepLabel
from trace2skill.evaluation.trigger_file import NewQuery
from trace2skill.evaluation.trigger_queries import TriggerQuery
from trace2skill.llm import Client, ModelSettings
from trace2skill.llm.checks import check_model
from trace2skill.proposals.trigger_queries import (
    STYLES,
    KnownRequest,
    WrittenQuery,
    ask_for_queries,
    cleaned,
    why_unfit,
)
from trace2skill.runs.known_requests import KnownRequests, add_logs, requests_in
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.sources import Sources
from trace2skill.runs.triggers import Choices
from trace2skill.skills.skill import Skill
from trace2skill.store import Store

A_CALL = 10
"""Queries of each half that one call is asked for, at most."""
IN_VAIN = 2
"""Calls in a row that add nothing, after which a skill has what it has."""
UNUSABLE = "no usable answer"


class QueriesOfSkill(Record):
    """How many queries one skill has now."""

    name: str
    should: int = Field(description="That should call for it, with those that stood there.")
    near: int = Field(description="Near misses of it; of a single skill every query that should not call for it.")
    wanted: int = Field(description="Of each half.")
    requests: int = Field(description="Requests of users that the writer was shown.")


class QueriesWritten(Record):
    """What was written, and what was not taken of it."""

    new: tuple[NewQuery, ...]
    skills: tuple[QueriesOfSkill, ...]
    kept: int = Field(description="Queries that stood in the file.")
    not_taken: dict[str, int] = Field(description="By reason, how many of those that the model wrote.")
    held_out: int = Field(description="Requests of held-out tasks that were met and not shown.")
    problems: int = Field(default=0, description="Lines, files and traces of the logs that could not be read.")
    first_problem: str = Field(default="", description="The first of them, in words.")


@dataclass
class QueryWriting:
    """Writes queries for a library.

    Args:
        client: with the books of these skills.
        model: the writer.
        library: the skills that an agent sees together.
        known: requests of users.
        there: the queries of the file.
        each: queries of each half that every skill should have.
        seed: which of many requests the writer is shown.
    """

    client: Client
    model: ModelSettings
    library: Sequence[Skill]
    known: KnownRequests
    there: Sequence[TriggerQuery]
    each: int
    seed: int
    new: list[NewQuery] = field(default_factory=list)
    not_taken: Counter[str] = field(default_factory=Counter)

    def __call__(self) -> QueriesWritten:
        """Ask until every skill has enough, or nothing more comes.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached, Interrupted: what was asked is in the store.
        """
        watcher().begin("queries", len(self.library))
        skills = []
        for skill in self.library:
            skills.append(self._of(skill))
            watcher().item("queries", skill.name, "done")
        return QueriesWritten(
            new=tuple(self.new),
            skills=tuple(skills),
            kept=len(self.there),
            not_taken=dict(sorted(self.not_taken.items())),
            held_out=self.known.left_out,
            problems=self.known.problems,
            first_problem=self.known.first_problem,
        )

    def _of(self, skill: Skill) -> QueriesOfSkill:
        known = self.known.for_skill(skill.name, self.seed)
        others = [one for one in self.library if one is not skill]
        call = in_vain = 0
        while any(wanted := self._missing(skill.name)) and in_vain < IN_VAIN:
            stopping.check()
            call += 1
            before = len(self.new)
            step = StepLabel("write queries", skill.name, unit=f"{skill.digest[:12]}-{call}")
            asked = (min(A_CALL, wanted[0]), min(A_CALL, wanted[1]))
            written = [item.query for item in self._every() if skill.name in (item.skill, item.near)]
            try:
                said = ask_for_queries(
                    self.client, self.model, skill, others, known, written, asked, seed=call, step=step
                )
            except BadAnswer:
                self.not_taken[UNUSABLE] += 1
                said = []
            for item in said:
                self._take(skill, item, known)
            in_vain = 0 if len(self.new) > before else in_vain + 1
        should, near = (self.each - count for count in self._missing(skill.name, below_zero=True))
        return QueriesOfSkill(name=skill.name, should=should, near=near, wanted=self.each, requests=len(known))

    def _take(self, skill: Skill, item: WrittenQuery, known: Sequence[KnownRequest]) -> None:
        query, wanted = cleaned(item.query), item.skill.strip()
        names = [one.name for one in self.library]
        missing = self._missing(skill.name)
        there = [one.query for one in self._every()]
        if why := why_unfit(query, wanted, names, there, [one.text for one in known]):
            self.not_taken[why] += 1
        elif not missing[0 if wanted == skill.name else 1]:
            self.not_taken["more than was asked for"] += 1
        else:
            self.new.append(self._as_new(skill, query, wanted, item))

    def _as_new(self, skill: Skill, query: str, wanted: str, item: WrittenQuery) -> NewQuery:
        near = "" if wanted == skill.name else skill.name
        about = f"after {item.like}" if item.like else "after the text of the skill"
        kind = "" if not near else f"near miss of {skill.name}, " if not wanted else f"neighbour of {skill.name}, "
        style = item.style if item.style in STYLES else ""
        by = f"written by {self.model.name}"
        return NewQuery(query=query, skill=wanted, near=near, style=style, source=f"{kind}{about}, {by}")

    def _every(self) -> list[TriggerQuery | NewQuery]:
        return [*self.there, *self.new]

    def _missing(self, name: str, *, below_zero: bool = False) -> tuple[int, int]:
        """Queries that are wanting for a skill, and near misses of it."""
        alone = len(self.library) == 1
        every = self._every()
        should = self.each - sum(item.skill == name for item in every)
        near = self.each - sum(item.skill != name and (alone or item.near == name) for item in every)
        return (should, near) if below_zero else (max(0, should), max(0, near))


def write_queries_for(
    store: Store,
    settings: RunSettings,
    library: Sequence[Skill],
    there: Sequence[TriggerQuery],
    logs: Sequence[Path] = (),
    each: int = 10,
) -> QueriesWritten:
    """Write queries after the tasks that runs over these skills have learned from, and after logs.

    Args:
        store: with what runs over the skills have left; keeps the answers.
        settings: whose merger writes, with whose caps.
        library: the skills that an agent sees together.
        there: the queries that there are.
        logs: files and folders of logs.
        each: queries of each half that every skill should have.

    Raises:
        BadInput: no log could be read, or the model cannot be asked.
        InfrastructureFault, ModelUnusable, BudgetReached, Interrupted: what was asked is in the store.
    """
    writer = settings.models.merger
    check_model(writer)
    names = [skill.name for skill in library]
    known = requests_in(store, names)
    if logs:
        add_logs(known, Sources(paths=tuple(logs)), names)
    client = Choices(store, settings.models.agent, library, settings.money, settings.operation.workers).client
    return QueryWriting(client, writer, library, known, there, each, settings.learning.seeds[0])()
