"""What came of a run over a library: a row for each skill, the lessons that wait, and new skills that are proposed."""

from collections import Counter
from operator import not_
from pathlib import Path
from typing import Literal

from pydantic import Field

from trace2skill.core.failures import Failure
from trace2skill.core.record import Record
from trace2skill.runs.failures_page import what_failed
from trace2skill.runs.library_use import LibraryUse
from trace2skill.runs.routing import RoutedLesson
from trace2skill.runs.sources_read import SourcesRead
from trace2skill.runs.summary import SIMULATED_NOTE, RunSummary, Spent
from trace2skill.safety.code_spans import code_span

State = Literal["no lessons", "decided", "failed"]
NEW_SKILLS = ("found", "new skill")
"""Stages in which skills are found that the library lacks, and are written."""


class SkillRow(Record):
    """One skill of the library."""

    name: str
    state: State
    run_id: str = Field(default="", description="Id of its part of the run, which `trace2skill show` knows.")
    lessons: int = 0
    by: dict[str, int] = Field(default_factory=dict, description="Lessons by who said that they are its own.")
    used: int = Field(default=0, description="Of the sessions that were analysed, those that opened or ran it.")
    held_out: int = Field(default=0, description="Held-out tasks that exercise it.")
    verdict: str = ""
    lift: float | None = Field(default=None, description="Of the candidate on them; none where nothing was scored.")
    promoted: bool = False
    reason: str = Field(default="", description="Of the decision, or why it failed.")

    @classmethod
    def of(cls, summary: RunSummary, lessons: int, by: dict[str, int], used: int) -> "SkillRow":
        """The row of a skill whose part of the run has ended."""
        return cls(
            name=summary.skill_name,
            state="decided",
            run_id=summary.run_id,
            lessons=lessons,
            by=by,
            used=used,
            held_out=summary.tasks.get("validation", 0),
            verdict=summary.decision.verdict,
            lift=summary.decision.lift if summary.decision.comparison else None,
            promoted=summary.promoted,
            reason=summary.decision.reason,
        )

    @property
    def tried_on(self) -> str:
        """How many held-out tasks exercise it; '' where it did not come to that, and nobody looked."""
        return str(self.held_out) if self.state == "decided" else ""

    @property
    def outcome(self) -> str:
        """In a few words."""
        if self.state != "decided":
            return self.state
        return "promoted" if self.promoted else self.verdict.replace("_", " ")


class ProposedSkill(Record):
    """A skill that the library lacks. It is written beside, for people: nothing puts it into the library by itself."""

    name: str
    description: str
    lessons: tuple[str, ...]
    tasks: tuple[str, ...]
    needed: int = Field(description="Distinct tasks that have to ask for a skill before it is proposed.")
    rules: tuple[str, ...] = Field(default=(), description="What it would say.")
    directory: Path | None = Field(default=None, description="Where it was written; none where too few ask for it.")
    why_not: str = Field(default="", exclude_if=not_, description="Why it was not written, '' where it was.")


class LibrarySummary(Record, form="LibrarySummary", version=1):
    """The result of a run over a library."""

    run_id: str
    library: str = Field(description="Name of its directory.")
    domain: str
    models: tuple[str, ...]
    simulated: bool
    skills: tuple[SkillRow, ...]
    lessons: int
    waiting: tuple[RoutedLesson, ...] = Field(default=(), description="Lessons that belong to no skill, so far.")
    proposed: tuple[ProposedSkill, ...] = Field(default=(), description="New skills, those with too few tasks too.")
    use: LibraryUse = Field(default=LibraryUse(), description="Of the skills, in the sessions that were analysed.")
    trajectories: dict[str, int] = Field(default_factory=dict, description="Trajectories per outcome.")
    failures: tuple[Failure, ...] = ()
    spent: Spent = Spent()
    foreseen: float | None = Field(default=None, description="US dollars, estimated before the first attempt.")
    sources: SourcesRead | None = Field(default=None, exclude_if=not_)

    @property
    def is_whole(self) -> bool:
        """Did each skill come to its end, and what new ones were asked for?"""
        return all(row.state != "failed" for row in self.skills) and not any(
            failure.stage in NEW_SKILLS for failure in self.failures
        )

    @property
    def headline(self) -> str:
        """In one sentence."""
        counts = Counter(row.outcome for row in self.skills)
        rows = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        new = sum(item.directory is not None for item in self.proposed)
        return f"{len(self.skills)} skills: {rows}; {len(self.waiting)} lessons wait; {new} new skills proposed"

    def as_markdown(self) -> str:
        """The summary as a page. What came from a trace, a task or a model stands in it as code, and does nothing."""
        parts = [f"# Library refresh `{self.run_id}`", f"**{self.headline}.**", self._rows(), self._proposed()]
        if self.waiting:
            rows = [(item.title, item.extracted.name, item.why) for item in self.waiting]
            listed = "\n".join(f"- {code_span(said)} ({code_span(of)}): {code_span(why)}" for said, of, why in rows)
            parts.append(f"## Lessons that wait for a skill\n\n{listed}")
        if self.sources:
            parts.append("## Logs\n\n" + "\n".join(f"- {code_span(line)}" for line in self.sources.as_lines()))
        if self.failures:
            parts.append(what_failed(self.failures))
        parts.append(self.cost_in_words())
        parts.append(f"> {SIMULATED_NOTE}" if self.simulated else "")
        return "\n\n".join(part for part in parts if part) + "\n"

    def cost_in_words(self) -> str:
        """What the run has cost, all its parts together, and what had been foreseen."""
        spent = self.spent
        known = "" if self.foreseen is None else f", ${self.foreseen:.4f} was foreseen"
        return (
            f"{self.lessons} lessons; model calls {spent.calls}, tokens {spent.tokens_in} in and {spent.tokens_out} "
            f"out; cost ${spent.cost:.4f}{known}"
        )

    def _rows(self) -> str:
        names = ("skill", "lessons", "used in", "held-out tasks", "lift", "outcome", "reason")
        head = f"| {' | '.join(names)} |\n{'|---' * len(names)}|\n"
        return head + "\n".join(
            f"| {row.name} | {row.lessons} | {row.used} | {row.tried_on} | "
            f"{'' if row.lift is None else f'{row.lift:+.1%}'} | {row.outcome} | {code_span(row.reason)} |"
            for row in self.skills
        )

    def _proposed(self) -> str:
        if not self.proposed:
            return ""
        listed = "\n".join(
            f"- {code_span(item.name)}: {code_span(item.description)} Asked for by {len(item.tasks)} tasks, "
            f"{item.needed} are needed. "
            + (f"Written to `{item.directory}`." if item.directory else f"Not written: {code_span(item.why_not)}.")
            for item in self.proposed
        )
        return f"## New skills\n\n{listed}"
