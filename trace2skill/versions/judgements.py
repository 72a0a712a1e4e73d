"""What runs said of a version, night by night, and which of it stands."""

from collections.abc import Sequence

from trace2skill.core.forms import from_text_or_none
from trace2skill.core.record import Record
from trace2skill.store.skill_history import JudgementRow
from trace2skill.types.decision import Decision


class VersionJudgement(Record):
    """What one run said of a version, compared with one champion. `decision` is none where it cannot be read."""

    run_id: str
    champion: str
    decision: Decision | None
    written: str = ""

    @property
    def verdict(self) -> str:
        """The verdict, '' where it cannot be read."""
        return self.decision.verdict if self.decision else ""


def standing(judged: Sequence[VersionJudgement]) -> int:
    """Which judgement of a version stands: the last win, until a later run rejects it over the same champion.

    Too little evidence on another night says nothing against a win. Without a win the last one stands.
    """
    for at in range(len(judged) - 1, -1, -1):
        won = judged[at]
        later = [item for item in judged[at + 1 :] if item.champion == won.champion]
        if won.verdict == "promote" and not any(item.verdict == "reject" for item in later):
            return at
    return len(judged) - 1


def read_judgement(row: JudgementRow) -> VersionJudgement:
    """A judgement as the store has it; a decision that cannot be read is none."""
    decision = from_text_or_none(row.decision, Decision)
    return VersionJudgement(run_id=row.run_id, champion=row.champion, decision=decision, written=row.written)


def standing_row(rows: Sequence[JudgementRow]) -> JudgementRow:
    """The same of rows."""
    return rows[standing([read_judgement(row) for row in rows])]
