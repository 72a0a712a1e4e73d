"""Looking for better descriptions: proposed by what went wrong on half of the queries, and judged on the other half.

A query belongs to its half by its own text, so that it stays there when the file grows. A proposal is chosen on the
queries it was made from; the gate that promotes skills then compares it on the held-out ones, by exact test, with the
level of the skill's own looks.
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from trace2skill.consolidate.ledger import SupportLedger, inherited_ledger
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.core.step_label import StepLabel
from trace2skill.evaluation.acceptance import GateSettings
from trace2skill.evaluation.decision import decide, is_covered
from trace2skill.evaluation.trigger_queries import TriggerQuery
from trace2skill.evaluation.triggers import TriggerReport, control_query, report_on
from trace2skill.llm import ModelSettings
from trace2skill.proposals.descriptions import Refused, TriedRequest, propose_description
from trace2skill.runs.triggers import Choices
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.decision import Decision
from trace2skill.types.evaluation import Cell, Evaluation
from trace2skill.types.trajectory import OutcomeKind
from trace2skill.versions.records import Version
from trace2skill.versions.registry import Registry

FEWEST = 2
"""Queries of each half, for a skill and against it, below which nothing is looked for."""


class DescriptionSearch(Record):
    """What was looked for on behalf of one skill. Counts are of wrong choices of the whole library."""

    name: str
    before: str = Field(description="The description it has.")
    after: str = Field(default="", description="The best one that was found, '' where none did better.")
    version: str = Field(default="", description="Digest of the skill with it.")
    wrong_before: int = Field(default=0, description="On the queries that proposals are made from.")
    wrong_after: int = 0
    tried: int = 0
    refused: tuple[str, ...] = Field(default=(), description="Why proposals could not be used.")
    decision: Decision | None = Field(default=None, description="Over the held-out queries, of the best one.")

    @property
    def won(self) -> bool:
        """Is it to be put in use?"""
        return self.decision is not None and self.decision.verdict == "promote"


class OptimisedTriggers(Record):
    """The searches of a library, and how its held-out queries went before and after what won."""

    searches: tuple[DescriptionSearch, ...]
    before: TriggerReport
    after: TriggerReport


class TriggerSearch:
    """Looks for descriptions of a library.

    Args:
        store: keeps the versions that are proposed.
        choices: chooses, as the agent would.
        writer: the model that writes descriptions.
        gate: what a description has to show.
        tries: proposals for a skill at most.
    """

    def __init__(
        self, store: Store, choices: Choices, writer: ModelSettings, gate: GateSettings, tries: int = 3
    ) -> None:
        self._store, self._registry, self._choices = store, Registry(store), choices
        self._writer, self._gate, self._tries = writer, gate, tries

    def __call__(self, library: Sequence[Skill], queries: Sequence[TriggerQuery]) -> OptimisedTriggers:
        """Search for each skill for which something went wrong; what wins is in place for those after it.

        Raises:
            BadInput: a half has too few queries.
            ModelUnusable, InfrastructureFault, BudgetReached, Interrupted: as `Choices.taken`.
        """
        train, held_out = halves(queries)
        names = [skill.name for skill in library]
        enough = [name for name in names if not _too_few(name, train) and not _too_few(name, held_out)]
        if not enough:
            raise BadInput(
                f"{_too_few(names[0], train) or _too_few(names[0], held_out)}. Half of the queries are to learn from "
                "and half are held out, as each one's own text decides: write more, some forty for a skill"
            )
        self._choices.fire(library)
        now, searches = list(library), []
        first = self._taken(now, held_out)
        for place, name in enumerate(names):
            if name in enough:
                found, changed = self._search(now, place, train, held_out)
                now[place] = changed if found.won else now[place]
            else:
                why = _too_few(name, train) or _too_few(name, held_out)
                found = DescriptionSearch(name=name, before=now[place].description, refused=(why,))
            searches.append(found)
        before, after = (
            report_on(self._choices.model.name, names, held_out, taken) for taken in (first, self._taken(now, held_out))
        )
        return OptimisedTriggers(searches=tuple(searches), before=before, after=after)

    def _search(
        self, library: Sequence[Skill], place: int, train: Sequence[TriggerQuery], held_out: Sequence[TriggerQuery]
    ) -> tuple[DescriptionSearch, Skill]:
        skill = best = library[place]
        asked = [*train, TriggerQuery(query=control_query(skill.name), skill=skill.name)]
        taken = self._taken(library, asked)
        wrong = before = _wrong(asked, taken)
        refused, tried = [], 0
        while _concerns(skill.name, asked, taken) and tried < self._tries:
            tried += 1
            proposed = self._propose(library, place, best, asked, taken, tried)
            if isinstance(proposed, Refused):
                refused.append(proposed.why)
                continue
            said = self._taken(_with(library, place, proposed), asked)
            if said[asked[-1].query] != skill.name:
                refused.append("asked for by its name, the skill was not taken up with it")
            elif (fewer := _wrong(asked, said)) < wrong:
                best, taken, wrong = proposed, said, fewer
        decision = self._judged(library, place, best, held_out) if best.digest != skill.digest else None
        found = DescriptionSearch(
            name=skill.name,
            before=skill.description,
            after=best.description if decision else "",
            version=best.digest if decision else "",
            wrong_before=before,
            wrong_after=wrong,
            tried=tried,
            refused=tuple(refused),
            decision=decision,
        )
        return found, best

    def _propose(
        self,
        library: Sequence[Skill],
        place: int,
        best: Skill,
        asked: Sequence[TriggerQuery],
        taken: Mapping[str, str | None],
        number: int,
    ) -> Skill | Refused:
        rows = [
            TriedRequest(item.query, item.skill or "", said)
            for item in asked[:-1]
            if (said := taken[item.query]) is not None
        ]
        others = [one for at, one in enumerate(library) if at != place]
        step = StepLabel("describe", best.name, unit=f"{best.digest[:12]}-{number}")
        return propose_description(self._choices.client, self._writer, best, others, rows, seed=number, step=step)

    def _judged(
        self, library: Sequence[Skill], place: int, changed: Skill, held_out: Sequence[TriggerQuery]
    ) -> Decision:
        """Compare on the held-out queries, and keep the version with what was decided."""
        skill = library[place]
        with_it = _with(library, place, changed)
        champion, candidate = (
            _evaluation(condition, one.digest, held_out, self._taken(whole, held_out))
            for condition, one, whole in (("S0", skill, library), ("candidate", changed, with_it))
        )
        look = None
        if self._gate.spend != "at_once" and is_covered(champion, candidate, self._gate):
            evidence = ("descriptions", changed.digest, [cell.task_id for cell in candidate.cells])
            earns = self._gate.spend == "over_nights"
            look = self._registry.look(skill.name, skill.digest, evidence, self._gate.level, earns=earns)
        decision = decide(champion, candidate, self._gate, look=look)
        version = Version(
            name=skill.name,
            skill=changed.digest,
            parent=skill.digest,
            run_id=self._choices.run_id,
            state="rejected" if decision.verdict == "reject" else "candidate",
            decision=decision,
            author=self._writer.name,
        )
        self._registry.record(changed, version, skill.digest)
        if ledger := self._store.get("support", skill.digest, SupportLedger):  # its lines have the same supporters
            self._store.put("support", changed.digest, inherited_ledger(skill, changed, ledger))
        return decision

    def _taken(self, library: Sequence[Skill], queries: Sequence[TriggerQuery]) -> dict[str, str | None]:
        return self._choices.taken(library, [item.query for item in queries])


def halves(queries: Sequence[TriggerQuery]) -> tuple[list[TriggerQuery], list[TriggerQuery]]:
    """The queries that proposals are made from, and those that judge them."""
    train = [item for item in queries if not _is_held_out(item.query)]
    return train, [item for item in queries if _is_held_out(item.query)]


def _is_held_out(query: str) -> bool:
    return int(digest_of("trigger half", query)[:8], 16) % 2 == 1


def _too_few(name: str, half: Sequence[TriggerQuery]) -> str:
    """Why nothing is looked for on behalf of a skill, '' where there are queries enough for it and against it."""
    mine = sum(item.skill == name for item in half)
    if min(mine, len(half) - mine) >= FEWEST:
        return ""
    return f"{mine} of {len(half)} queries of one half should bring up '{name}': {FEWEST} and as many others are needed"


def _with(library: Sequence[Skill], place: int, skill: Skill) -> list[Skill]:
    return [*library[:place], skill, *library[place + 1 :]]


def _concerns(name: str, queries: Sequence[TriggerQuery], taken: Mapping[str, str | None]) -> bool:
    """Was a skill taken up where it should not be, or not where it should?"""
    return any(item.skill != (said := taken[item.query]) and name in (item.skill, said) for item in queries)


def _wrong(queries: Sequence[TriggerQuery], taken: Mapping[str, str | None]) -> int:
    return sum(taken[item.query] != item.skill for item in queries)


def _evaluation(
    condition: str, skill: str, queries: Sequence[TriggerQuery], taken: Mapping[str, str | None]
) -> Evaluation:
    """Choices as a matrix of one seed: a query is a task, passed where the right skill, or none, was taken up."""
    cells = []
    for item in queries:
        said = taken[item.query]
        right = float(said == item.skill)
        outcome: OutcomeKind = "infrastructure_error" if said is None else "passed" if right else "failed"
        cells.append(Cell(task_id=_named(item.query), seed=0, outcome=outcome, hard=right, soft=right))
    return Evaluation.of(condition, skill, cells)


def _named(query: str) -> str:
    """A query as the name of a task."""
    return query if len(query) <= 120 else f"{query[:100]}... {digest_of(query)[:12]}"
