"""`RunSummary`: what a run did, in numbers and in words, for the terminal, the Prefect artifact and a script."""

from operator import not_
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from trace2skill.analysts.script_trial import TriedScript
from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.contradiction import OpenConflict
from trace2skill.consolidate.cut import Uncut
from trace2skill.consolidate.quarantine import Quarantined
from trace2skill.core.failures import Failure
from trace2skill.core.record import Record
from trace2skill.evaluation.ends import of_each, short
from trace2skill.evaluation.outlook import GateOutlook
from trace2skill.runs import script_review
from trace2skill.runs.failures_page import what_failed
from trace2skill.runs.held_back import as_sections, one_line
from trace2skill.runs.replayed import Replayed
from trace2skill.runs.round_score import RoundScore
from trace2skill.runs.rule_verdict import RuleVerdict
from trace2skill.runs.shrunk import Shrunk
from trace2skill.runs.sources_read import SourcesRead
from trace2skill.runs.spread import SkillScores
from trace2skill.runs.turned import Turned
from trace2skill.safety.code_spans import code_span
from trace2skill.types.decision import Decision
from trace2skill.types.evaluation import Evaluation, score_names

SIMULATED_NOTE = (
    "A simulated model was used: this shows that the machinery works and proves nothing about the quality of a skill."
)


DISPUTED = (
    "An analyst holds that the expected result contradicts the request. Nothing was learned from these runs; after two "
    "such verdicts a task takes no part in later runs"
)


class LeftOut(Record):
    """A task that takes no part in evolution, and why."""

    task_id: str
    verdict: str
    reason: str


class Spent(Record):
    """What a run used. Money in US dollars; `calls` were paid for, `from_memory` were answered from the store."""

    calls: int = 0
    from_memory: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0


class Analysis(Record):
    """One analysis of a run, by the ids under which the store keeps its extraction and its patch."""

    trajectory_id: str
    task_id: str
    seed: int
    verdict: str
    extraction: str
    patch: str = Field(default="", description="Digest of the patch, '' where there was no lesson to propose.")


class CandidateScore(Record):
    """What a candidate scored where it was chosen by; `skill` is its digest."""

    number: int
    skill: str
    hard: float
    chosen: bool = False


class RunSummary(Record, form="RunSummary", version=1):
    """The result of a refresh."""

    run_id: str
    mode: Literal["deepening", "creation"]
    domain: str
    models: tuple[str, ...]
    simulated: bool
    skill_name: str
    base: str
    tasks: dict[str, int] = Field(default_factory=dict, description="Tasks per split.")
    left_out: tuple[LeftOut, ...] = ()
    trajectories: dict[str, int] = Field(default_factory=dict, description="Trajectories per outcome.")
    ends: tuple[str, ...] = Field(
        default=(), exclude_if=not_, description="What ended without an answer, trajectories and analyses: in words."
    )
    verdicts: dict[str, int] = Field(default_factory=dict, description="Analyses per verdict.")
    lessons: int = 0
    patches: int = 0
    leaves: int = Field(default=0, description="Rules and whole edits of all patches, before any were united.")
    remembered: int = Field(default=0, exclude_if=not_, description="Of the leaves, rules that earlier runs left.")
    tree: str = Field(default="", exclude_if=not_, description="Digest of the merge tree, of earlier versions.")
    book: str = Field(default="", exclude_if=not_, description="Digest of the rule book.")
    uncut: tuple[Uncut, ...] = Field(default=(), exclude_if=not_, description="Parts of patches that are no rule.")
    analyses: tuple[Analysis, ...] = ()
    candidate: Candidate
    evaluations: tuple[Evaluation, ...] = ()
    decision: Decision
    promoted: bool = False
    approval: str = Field(default="", description="What a person said of the promotion, '' where nobody was asked.")
    candidates: tuple[CandidateScore, ...] = Field(default=(), description="Where several were evolved.")
    night: int | None = Field(default=None, exclude_if=not_, description="Of the skill, where its seeds move.")
    night_of: str = Field(default="", exclude_if=not_, description="The day of that night (ISO 8601).")
    seeds: tuple[int, ...] = Field(default=(), exclude_if=not_, description="Of that night's rollouts.")
    rounds: tuple[RoundScore, ...] = Field(
        default=(), exclude_if=not_, description="Of the evolution run that was chosen, where it may have several."
    )
    turned: Turned | None = Field(
        default=None,
        exclude_if=not_,
        description="Evolve tasks that the candidate turned, where it was rolled out there.",
    )
    replays: tuple[Replayed, ...] = Field(
        default=(), exclude_if=not_, description="What was tried of its candidates in parts, before the gate."
    )
    rolled: tuple[SkillScores, ...] = Field(
        default=(),
        exclude_if=not_,
        description="How each skill did on the evolve tasks, where several were rolled out or rollouts are to tell.",
    )
    refuted: tuple[RuleVerdict, ...] = Field(
        default=(), exclude_if=not_, description="Rules of the book that earlier runs refuted, as this one knew them."
    )
    shrunk: Shrunk | None = Field(
        default=None, exclude_if=not_, description="What was to be taken out of the champion, where that was asked for."
    )
    scripts: tuple[TriedScript, ...] = Field(
        default=(),
        exclude_if=not_,
        description="What became of programs that do the same job, where scripts are wanted.",
    )
    spent: Spent = Spent()
    foreseen: float | None = Field(default=None, description="US dollars, estimated before the first attempt.")
    outlook: GateOutlook | None = Field(
        default=None, exclude_if=not_, description="What the gate could say at best, before the first attempt."
    )
    failures: tuple[Failure, ...] = ()
    sources: SourcesRead | None = Field(default=None, exclude_if=not_, description="The logs it learned from.")
    quarantined: tuple[Quarantined, ...] = Field(
        default=(), exclude_if=not_, description="What the screening kept out of the skill, for review."
    )
    library: str = Field(
        default="",
        exclude_if=not_,
        description="Id of the run over a library that it is a part of; what was spent is "
        "what that one had spent until then.",
    )
    disputed: tuple[LeftOut, ...] = Field(
        default=(), exclude_if=not_, description="Tasks whose expected result contradicts the request, says an analyst."
    )
    candidate_directory: Path | None = None

    @property
    def learned(self) -> bool:
        """Did the skill change at all?"""
        return self.candidate.skill != self.candidate.base

    @property
    def outcome(self) -> Literal["promoted", "staged", "rejected", "not_enough_evidence", "unfinished"]:
        """What became of the candidate, as events name it: 'staged' won and did not replace the skill."""
        if self.promoted:
            return "promoted"
        if self.decision.verdict == "promote":
            return "staged"
        return "rejected" if self.decision.verdict == "reject" else self.decision.verdict

    def headline(self) -> dict[str, Any]:
        """The run in a few flat values, for an event."""
        return {
            "run": self.run_id,
            "verdict": self.decision.verdict,
            "reason": self.decision.reason,
            "approval": self.approval,
            "lift": self.decision.lift,
            "cost": self.spent.cost,
            "failed": len(self.failures),
        }

    def score_rows(self) -> list[dict[str, Any]]:
        """The scores as rows of a table."""
        hard, soft = score_names(self.evaluations)
        otherwise = any(map(short, self.evaluations))
        return [
            {
                "skill": item.condition,
                hard: f"{item.hard:.1%}",
                soft: f"{item.soft:.1%}",
                "runs scored": f"{len(item.scored)} of {len(item.cells)}",
                **({"ended otherwise": short(item)} if otherwise else {}),
            }
            for item in self.evaluations
        ]

    def as_markdown(self) -> str:
        """The summary as a page."""
        parts = [f"# Skill refresh `{self.run_id}`", self._verdict(), self._scores(), self._learned(), self._numbers()]
        if self.sources:
            parts.append("## Logs\n\n" + "\n".join(f"- {line}" for line in self.sources.as_lines()))
        parts += as_sections(self.quarantined, self.candidate)
        if self.failures:
            parts.append(what_failed(self.failures))
        if self.left_out:
            listed = "\n".join(f"- {item.task_id}: {item.verdict}: {code_span(item.reason)}" for item in self.left_out)
            parts.append(f"## Tasks left out\n\n{listed}")
        if self.disputed:
            listed = "\n".join(f"- {item.task_id}: {code_span(item.reason)}" for item in self.disputed)
            parts.append(f"## Tasks that a person should look at\n\n{DISPUTED}:\n\n{listed}")
        if blamed := self.blamed_in_words():
            parts.append("## Replay\n\n" + "\n".join(f"- {line}" for line in blamed))
        if self.refuted:
            listed = "\n".join(f"- {one_line(item.says)}: {item.in_words}" for item in self.refuted)
            parts.append(f"## Refuted rules\n\n{listed}")
        parts.append(self.shrunk.as_markdown() if self.shrunk else "")
        if self.candidate.open:
            parts.append("## Open conflicts\n\n" + "\n\n".join(map(_conflict, self.candidate.open)))
        parts += script_review.as_markdown(self.candidate, self.scripts)
        if self.candidate.diff:
            parts.append(f"## Changes of the skill\n\n```diff\n{self.candidate.diff.rstrip()}\n```")
        if self.simulated:
            parts.append(f"> {SIMULATED_NOTE}")
        return "\n\n".join(part for part in parts if part) + "\n"

    def _verdict(self) -> str:
        words = {"promote": "Promote", "reject": "Do not promote", "not_enough_evidence": "Not enough evidence"}
        words["unfinished"] = "No verdict"
        answered = f" {self.approval}." if self.approval else ""
        known = f"\n\nKnown before it began: {self.outlook.in_words}." if self.outlook and self.outlook.in_words else ""
        return f"**{words[self.decision.verdict]}**: {self.decision.reason}.{answered}{known}"

    def _scores(self) -> str:
        if not self.evaluations:
            return ""
        hard, soft = score_names(self.evaluations)
        rows = "\n".join(
            f"| {item.condition} | {item.hard:.1%} | {item.soft:.1%} | {len(item.scored)} of {len(item.cells)} |"
            for item in self.evaluations
        )
        ends = "".join(f"\n- {line}" for line in of_each(self.evaluations))
        table = f"| skill | {hard} | {soft} | runs scored |\n|---|---|---|---|\n{rows}"
        return f"## Scores on held-out tasks\n\n{table}" + (f"\n{ends}" if ends else "")

    def _learned(self) -> str:
        if not self.learned:
            return "## Learned\n\nNothing: no lesson had enough support."
        rows = "\n".join(
            f"| {len(group.support.tasks)} | {len(group.support.errors)} | {len(group.support.successes)} "
            f"| {one_line(group.text)} |"
            for group in self.candidate.written
        )
        return f"## Learned\n\n| tasks | failures | successes | rule |\n|---|---|---|---|\n{rows}"

    def _numbers(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self.trajectories.items()))
        verdicts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(self.verdicts.items()))
        ends = "".join(f"- {line}\n" for line in self.ends)
        ends += "".join(f"- {line}\n" for line in self.search_in_words())
        return (
            "## Numbers\n\n"
            f"- trajectories: {counts or 'none'}\n{ends}- analyses: {verdicts or 'none'}\n"
            f"- lessons {self.lessons}, patches {self.patches}, rules {self.rules_in_words()}, "
            f"written {len(self.candidate.written)}, dropped {len(self.candidate.dropped)}, "
            f"unplaced {len(self.candidate.unplaced)}, open conflicts {len(self.candidate.open)}\n"
            f"- model calls {self.spent.calls}, tokens {self.spent.tokens_in} in and {self.spent.tokens_out} out\n"
            f"- {self.cost_in_words()}"
        )

    def search_in_words(self) -> list[str]:
        """Which night it was, what was not rolled out, how rounds, replays and shrinking went: a line each, if any."""
        seeds = ", ".join(map(str, self.seeds))
        night = [f"night {self.night} of this skill ({self.night_of}), rollout seeds {seeds}"] if self.night else []
        every = self.tasks.get("evolve", 0)
        drawn = len(self.rolled[0].tasks) if self.rolled else every
        spread = [f"S0 was rolled out on {drawn} of {every} evolve tasks (--spread telling)"] if drawn < every else []
        return [*night, *spread, *(item.in_words for item in (*self.rounds, *self.replays, self.shrunk) if item)]

    def blamed_in_words(self) -> list[str]:
        """Which rules replay has found to break tasks, and what became of them: a line each."""
        rules = [rule for record in self.replays for rule in record.rules]
        return [f"{rule.fate}: {one_line(rule.group.text)}: {rule.reason}" for rule in rules]

    def rules_in_words(self) -> str:
        """How many rules there were, and how many of them earlier runs left."""
        return f"{self.leaves} ({self.remembered} of earlier runs)" if self.remembered else str(self.leaves)

    def cost_in_words(self) -> str:
        """What the run has cost, what had been foreseen, and what a point of lift has cost."""
        words = f"cost ${self.spent.cost:.4f}"
        if self.library:
            return f"{words} for all skills of {self.library} until then"
        if self.foreseen is not None:
            words += f", ${self.foreseen:.4f} was foreseen"
        if self.decision.comparison and self.decision.lift > 0:
            words += f"; ${self.spent.cost / (100 * self.decision.lift):.4f} for each point of lift"
        return words


def _conflict(conflict: OpenConflict) -> str:
    sides = "\n".join(
        f"- {one_line(side.text)} ({len(side.support.tasks)} tasks: {', '.join(side.support.trajectories)})"
        for side in conflict.sides
    )
    return f"{conflict.reason}:\n\n{sides}"
