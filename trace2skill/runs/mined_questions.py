"""Questions that are met while logs are mined: which are the same, and of which logs want different answers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from trace2skill.core.digest import digest_of
from trace2skill.mined import MinedSegment
from trace2skill.mined.asked_texts import AskedTexts, told_in
from trace2skill.mined.questions import MinedQuestion, QuestionMiner
from trace2skill.mined.session import HOPELESS, Mined
from trace2skill.runs.mined_twins import Families, MetSegment
from trace2skill.safety.redaction import Redactor
from trace2skill.traces.answered import Answered
from trace2skill.types.trajectory import Trajectory

PREFIX = "question "
"""Begins the name under which the sessions that were asked a question are one family."""


class Met(NamedTuple):
    """A question that a segment was asked, and the scorer of its log."""

    question: str
    line: str
    rule: str
    log: str


@dataclass
class MetQuestions:
    """What logs say of questions, and what these became."""

    families: Families
    miner: QuestionMiner = field(default_factory=QuestionMiner)
    next_ones: dict[str, Callable[[], Answered]] = field(default_factory=dict)
    """What says the questions of trajectories that come next."""
    wanted: dict[str, dict[str, str]] = field(default_factory=dict)
    """By question, the names of what is accepted, each with the first session that says so."""
    of_segments: dict[str, Met] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    """The lines that were told with any question, and are none of its own."""
    texts: AskedTexts = field(default_factory=AskedTexts)
    untold: set[str] = field(default_factory=set)
    """Questions that stand in those of others."""
    heard: list[tuple[str, str]] = field(default_factory=list)
    """Questions, by the names of their families, each with a session that was told what it asks, and asks another."""

    def tried(self, clean: Trajectory, found: Sequence[Mined], redactor: Redactor, log: str) -> list[Mined]:
        """What the segments of a session became, where its log asks a question and no work made it a task.

        Args:
            clean: the session, without secrets.
            found: what it became by its work.
            redactor: took the secrets out.
            log: names what it stands in.
        """
        asks = self.next_ones.pop(clean.id, None)
        if asks is None or len(found) != 1 or found[0].row is not None:
            self.texts.hears(clean.id, told_in(clean))
            return list(found)
        made = self.miner.mine(found[0].segment, asks, redactor)
        if made.known_by:
            self._met(made, clean.id, log)
        else:
            self.texts.hears(clean.id, told_in(clean))
        worked = not found[0].segment.why.startswith(HOPELESS)
        if worked and made.segment.check_passes is None:
            return list(found)  # why its work is no task says more
        return [found[0]._replace(segment=made.segment, row=made.row, question=made.known_by)]

    def settled(
        self, segments: Sequence[MinedSegment], seen: Sequence[MetSegment]
    ) -> list[tuple[MinedSegment, MetSegment]]:
        """The same, where a question that logs do not agree on, or that is an example of others, is no task.

        Those that ask the same in other words become one family.
        """
        compared = self.texts.compared()
        self.untold = compared.untold
        for one, other in compared.pairs():
            self.families.unite(f"{PREFIX}{one}", f"{PREFIX}{other}")
        self.heard = sorted((f"{PREFIX}{question}", session) for question, session in compared.heard())
        confirmed = self._confirmed(segments)
        told = []
        for item, met in zip(segments, seen, strict=True):
            why = self._against(item, confirmed) if item.check == "answer" else ""
            undone = {"task": "", "replayable": "not-replayable", "why": why}
            told.append((item.model_copy(update=undone), met._replace(is_task=False)) if why else (item, met))
        return told

    def _met(self, made: MinedQuestion, session: str, log: str) -> None:
        self.families.unite(session, f"{PREFIX}{made.known_by}")
        self.of_segments[made.segment.id] = Met(made.known_by, made.line, made.scored_by, log)
        self.texts.asks(made.known_by, log, made.asked, made.options)
        self.shown |= made.shown
        if made.wanted:
            self.wanted.setdefault(made.known_by, {}).setdefault(made.wanted, session)

    def _confirmed(self, segments: Sequence[MinedSegment]) -> set[tuple[str, str]]:
        """Questions with rules, where in a log that asks it the rule found an answer right that the log calls right.

        That both find wrong answers wrong says little of a rule: by any rule most answers are wrong.
        """
        met = [(self.of_segments[item.id], item) for item in segments if item.id in self.of_segments]
        logs = {(one.log, one.rule) for one, item in met if item.check_passes and item.outcome == "passed"}
        return {(one.question, one.rule) for one, _ in met if (one.log, one.rule) in logs}

    def _against(self, item: MinedSegment, confirmed: set[tuple[str, str]]) -> str:
        """What all logs together say against the question of a segment whose check was tried, '' for nothing."""
        met = self.of_segments.get(item.id)
        if met is None:
            return ""
        wanted = self.wanted.get(met.question, {})
        if len(wanted) > 1:
            return f"logs accept different answers of its question ({' and '.join(sorted(wanted.values())[:2])})"
        if met.line in self.shown or met.question in self.untold:
            return "its question stands in what was told with another one"
        if item.task and (met.question, met.rule) not in confirmed:
            return "no answer that its log calls right shows that it is judged by our rule"
        return ""


def mark_of(names: Iterable[str], session: str) -> str:
    """Names a group of tasks: by the first of its questions, whatever logs ask it; without any by a session."""
    questions = sorted(name for name in names if name.startswith(PREFIX))
    return digest_of("group", questions[0] if questions else session)[:16]
