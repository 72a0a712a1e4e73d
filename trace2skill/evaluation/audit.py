"""`AuditReport`: what two ways of working come to by assertions, paired by task with the tests of the gate."""

from collections.abc import Sequence
from operator import not_

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.evaluation.assertions import AuditedSegment, JudgeAgreement, JudgeControl, ShareOf
from trace2skill.evaluation.compare import compare
from trace2skill.types.comparison import Comparison
from trace2skill.types.evaluation import Cell, Evaluation

NO_SKILL = "no skill"


class AssertionsKept(Record):
    """What was written, what counts, and how good it is."""

    segments: int = Field(description="Segments that a writer was asked about.")
    written: int
    kept: int
    dropped: dict[str, int] = Field(default_factory=dict, description="By reason, assertions that do not count.")
    unusable: int = Field(default=0, exclude_if=not_, description="Segments without a usable answer of the writer.")
    confirmed_by: str = Field(description="'judges', or 'a person' where they came from a file.")
    agreement: JudgeAgreement | None = Field(default=None, description="None where a person confirmed them.")
    verdicts: ShareOf = Field(
        description="Segments in which 'all assertions hold' says the same as the log's verdict, of those with one."
    )
    guessed: ShareOf = Field(description="The same where the verdict itself is a guess (words, signs).")


class AuditReport(Record):
    """With and without a skill, by what an agent says it would do. It promotes nothing."""

    skill: str = Field(description="Name of the skill.")
    version: str = Field(description="Its digest.")
    before: str = Field(description="'no skill', or the digest of the skill that it is held against.")
    agent: str
    writer: str
    judges: tuple[str, ...]
    kept: AssertionsKept
    control: tuple[JudgeControl, ...] = Field(description="One a judge.")
    segments: tuple[AuditedSegment, ...]
    unplanned: int = Field(default=0, exclude_if=not_, description="Segments in which an agent gave no answer.")
    undecided: int = Field(description="Assertions of which most judges could not tell, of one answer or both.")
    missing: int = Field(default=0, exclude_if=not_, description="Verdicts over answers that judges did not give.")
    soft: Comparison = Field(description="By the share of assertions that hold.")
    hard: Comparison = Field(description="By whether all of them hold.")

    @property
    def assertions(self) -> int:
        """Those that were decided of both answers."""
        return sum(len(item.decided) for item in self.segments)

    def held(self, *, after: bool) -> int:
        """How many of these hold."""
        told = [one for item in self.segments for one in item.decided]
        return sum(bool(one.after if after else one.before) for one in told)


def comparisons(segments: Sequence[AuditedSegment], before: str, after: str) -> tuple[Comparison, Comparison]:
    """Soft and hard scores, paired by task: a group of segments is one, and each segment is one try at it."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for item in segments:
        if (shares := item.shares) is not None:
            rows.setdefault(item.group, []).append(shares)
    arms = [
        Evaluation.of(name, None, [_cell(group, n, pair[arm]) for group in rows for n, pair in enumerate(rows[group])])
        for arm, name in enumerate((before, after))
    ]
    return compare(*arms, score="soft"), compare(*arms, score="hard")


def _cell(group: str, number: int, share: float) -> Cell:
    all_hold = share == 1.0
    outcome = "passed" if all_hold else "failed"
    return Cell.model_validate(
        {"task_id": group, "seed": number, "outcome": outcome, "hard": float(all_hold), "soft": share}
    )
