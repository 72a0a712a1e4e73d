"""What an audit will cost at most, before anything is asked: its calls by who answers them, and what they are like."""

from collections.abc import Sequence

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.llm import ModelSettings
from trace2skill.llm.transport import prices
from trace2skill.proposals.assertions import MOST
from trace2skill.runs.audit_asking import Panel
from trace2skill.runs.audit_sessions import ShownSegment
from trace2skill.skills.skill import Skill

CHARACTERS = 4
"""Of a token."""
PROMPT, PLAN, VERDICT, WRITTEN = 500, 800, 12, 60
"""Tokens: of the words around what is shown, of an answer of the agent, of one verdict, of one assertion."""


class AuditEstimate(Record):
    """Calls and US dollars, if nothing is in the store yet."""

    segments: int
    writer: int = Field(description="Calls.")
    judges: int
    agent: int
    cost: float
    by_hand: int = Field(default=0, description="Of the calls, those that a person or a session answers.")

    @property
    def calls(self) -> int:
        """All of them."""
        return self.writer + self.judges + self.agent


def estimated(
    panel: Panel, segments: Sequence[ShownSegment], skills: Sequence[Skill | None], *, written: bool, audited: bool
) -> AuditEstimate:
    """Count calls and their price.

    Args:
        panel: who is asked.
        segments: that are audited.
        skills: of both arms.
        written: are assertions written and confirmed, or do they come from a file?
        audited: is the audit made, or are the assertions only written?
    """
    verdicts, rows = MOST * VERDICT, MOST * WRITTEN
    cost, calls = 0.0, {"writer": 0, "judges": 0, "agent": 0}
    by_hand = 0

    def add(who: str, model: ModelSettings, tokens_in: int, tokens_out: int) -> None:
        nonlocal cost, by_hand
        price_in, price_out = prices(model)
        cost += tokens_in * price_in + tokens_out * price_out
        calls[who] += 1
        by_hand += bool(model.handoff)

    for segment in segments:
        asked = PROMPT + len(segment.request) // CHARACTERS
        log = asked + len(segment.recorded) // CHARACTERS
        if written:
            add("writer", panel.writer, log + len(segment.before) // CHARACTERS, rows)
        for judge in panel.judges:
            if written:
                add("judges", judge.model, log + rows, verdicts)
            if audited:
                add("judges", judge.model, asked + rows + 2 * len(segment.answer) // CHARACTERS, 2 * verdicts)
                add("judges", judge.model, asked + rows + 2 * PLAN, 2 * verdicts)
        for skill in skills if audited else ():
            shown = sum(len(file.content) for file in skill.files if file.path.endswith(".md")) if skill else 0
            add("agent", panel.agent, asked + (shown + len(segment.before)) // CHARACTERS, PLAN)
    return AuditEstimate(segments=len(segments), **calls, cost=cost, by_hand=by_hand)
