"""Questions that are met while logs are mined: which are the same, and of which logs want different answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from trace2skill.mined import MinedSegment
from trace2skill.mined.questions import MinedQuestion, QuestionMiner
from trace2skill.mined.session import HOPELESS, Mined
from trace2skill.runs.mined_twins import Families, MetSegment
from trace2skill.safety.redaction import Redactor
from trace2skill.traces.answered import Answered

PREFIX = "question "
"""Begins the name under which the sessions that were asked a question are one family."""


@dataclass
class MetQuestions:
    """What logs say of questions, and what these became."""

    families: Families
    miner: QuestionMiner = field(default_factory=QuestionMiner)
    next_ones: dict[str, Answered] = field(default_factory=dict)
    """Said of trajectories that come next."""
    wanted: dict[str, dict[str, str]] = field(default_factory=dict)
    """By question, the names of what is accepted, each with the first session that says so."""
    of_segments: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By segment, its question, and the longest line of that."""
    shown: set[str] = field(default_factory=set)
    """The lines that were told with any question, and are none of its own."""

    def tried(self, session: str, found: Sequence[Mined], redactor: Redactor) -> list[Mined]:
        """What the segments of a session became, where its log asks a question and no work made it a task."""
        answered = self.next_ones.pop(session, None)
        if answered is None or len(found) != 1 or found[0].row is not None:
            return list(found)
        made = self.miner.mine(found[0].segment, answered, redactor)
        if made.known_by:
            self._met(made, session)
        worked = not found[0].segment.why.startswith(HOPELESS)
        if worked and made.segment.check_passes is None:
            return list(found)  # why its work is no task says more
        return [found[0]._replace(segment=made.segment, row=made.row, question=made.known_by)]

    def settled(
        self, segments: Sequence[MinedSegment], seen: Sequence[MetSegment]
    ) -> list[tuple[MinedSegment, MetSegment]]:
        """The same, where a question that logs do not agree on, or that is an example of others, is no task."""
        told = []
        for item, met in zip(segments, seen, strict=True):
            why = self._against(item) if item.check == "answer" else ""
            undone = {"task": "", "replayable": "not-replayable", "why": why}
            told.append((item.model_copy(update=undone), met._replace(is_task=False)) if why else (item, met))
        return told

    def _met(self, made: MinedQuestion, session: str) -> None:
        self.families.unite(session, f"{PREFIX}{made.known_by}")
        self.of_segments[made.segment.id] = (made.known_by, made.line)
        self.shown |= made.shown
        if made.wanted:
            self.wanted.setdefault(made.known_by, {}).setdefault(made.wanted, session)

    def _against(self, item: MinedSegment) -> str:
        """What all logs together say against the question of a segment whose check was tried, '' for nothing."""
        question, line = self.of_segments.get(item.id, ("", ""))
        wanted = self.wanted.get(question, {})
        if len(wanted) > 1:
            return f"logs accept different answers of its question ({' and '.join(sorted(wanted.values())[:2])})"
        return "its question stands in what was told with another one" if line in self.shown else ""
