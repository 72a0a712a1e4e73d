"""What judges make of assertions: which are confirmed, how far judges agree, and whether they can tell wrong answers.

Agreement of many judges over statements is Fleiss' kappa (1971, https://doi.org/10.1037/h0031619); exact intervals of
shares are Clopper and Pearson's (1934, https://doi.org/10.1093/biomet/26.4.404), of 95%.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import not_
from typing import Literal

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.core.similarity import words
from trace2skill.proposals.assertions import Judged
from trace2skill.types.comparison import Interval

Recorded = Literal["holds", "does_not_hold"]
SIDES: tuple[Judged, ...] = ("holds", "does_not_hold", "cannot_be_told")
SHORTEST_WORD = 4
PLAIN = 0.5
"""An answer that has less than this share of an assertion's own words plainly does not meet it."""
MOST_WRONG = 0.2
"""A judge who errs on more of the control than this is not believed."""


class Assertion(Record):
    """One statement about the work on a request."""

    says: str
    steps: tuple[int, ...] = Field(default=(), description="Steps of the log that show it.")
    recorded: Recorded = Field(default="holds", description="Does it hold of the recorded session?")


class JudgeAgreement(Record):
    """How far the judges say the same of recorded sessions. None where there is nothing to compare."""

    judges: int
    assertions: int = Field(description="Those on which every judge had something to say.")
    unanimous: int
    pairwise: float | None = Field(description="Share of pairs of judges that agree, over all assertions, 0 to 1.")
    kappa: float | None = Field(description="Fleiss' kappa; None where all said one and the same of everything.")


class ShareOf(Record):
    """So many of so many, with the exact interval; None of nothing."""

    count: int
    of: int
    share: Interval | None

    @classmethod
    def counted(cls, told: Iterable[bool]) -> "ShareOf":
        """Of what is true."""
        all_told = list(told)
        return cls(count=sum(all_told), of=len(all_told), share=clopper_pearson(sum(all_told), len(all_told)))


class JudgeControl(Record):
    """One judge before answers of which it is known what they are."""

    judge: str
    wrong_taken: ShareOf = Field(
        description="Assertions that it says hold of another task's answer, or says nothing of, of those that do not."
    )
    right_taken: ShareOf = Field(description="Assertions that it says hold of the recorded work, of those that do.")
    missing: int = Field(
        default=0, exclude_if=not_, description="Verdicts of the control that it did not give: each is an error."
    )

    @property
    def why_broken(self) -> str:
        """Why it is not to be believed, in words; '' where it is."""
        wrong, right = self.wrong_taken, self.right_taken
        if self.missing >= wrong.of + right.of:
            return f"{self.judge} gave no verdict in the control that could be used"
        lost = f" ({self.missing} verdicts of the control are missing: each counts as an error)" if self.missing else ""
        if wrong.count > MOST_WRONG * wrong.of:
            return (
                f"{self.judge} says of another task's answer, which plainly does not meet them, that {wrong.count} of "
                f"{wrong.of} assertions hold{lost}"
            )
        if right.of - right.count > MOST_WRONG * right.of:
            return (
                f"{self.judge} says that {right.of - right.count} of {right.of} assertions do not hold of the very "
                f"work they were confirmed on{lost}"
            )
        return ""


class AuditedAssertion(Record):
    """An assertion with what the judges made of both answers: None where neither side has most of them."""

    says: str
    steps: tuple[int, ...]
    recorded: Recorded
    before: bool | None
    after: bool | None


class AuditedSegment(Record):
    """One request, asked of the agent with the first skill (or none) and with the second."""

    id: str
    session: str
    group: str = Field(description="Segments of one group are one piece of evidence.")
    request: str
    outcome: str
    assertions: tuple[AuditedAssertion, ...]

    @property
    def decided(self) -> tuple[AuditedAssertion, ...]:
        """Assertions that could be told of both answers; the others count for neither."""
        return tuple(item for item in self.assertions if item.before is not None and item.after is not None)

    @property
    def shares(self) -> tuple[float, float] | None:
        """Share of the decided assertions that hold, before and after; None where none is decided."""
        told = self.decided
        return (_share(item.before for item in told), _share(item.after for item in told)) if told else None


def confirmed(said: Sequence[Judged | None]) -> Recorded | Literal["disagree", "cannot_be_told", "unusable"]:
    """What the judges say of one assertion of a recorded session: what all of them say, or why it does not count."""
    if not said or any(one is None for one in said):
        return "unusable"
    if len(set(said)) > 1:
        return "disagree"
    only = said[0]
    assert only is not None
    return only


def shared_words(says: str, request: str, answer: str) -> float:
    """Of the words that an assertion has and its request has not, the share that an answer has; 1 of none."""
    own = {word for word in words(says) if len(word) >= SHORTEST_WORD} - {*words(request)}
    return len(own & {*words(answer)}) / len(own) if own else 1.0


def majority(said: Sequence[Judged | None]) -> bool | None:
    """Does it hold, say more than half of all judges? None where neither side has them: one missing is of none."""
    yes, no = said.count("holds"), said.count("does_not_hold")
    return True if 2 * yes > len(said) else False if 2 * no > len(said) else None


def agreement(judges: int, rows: Sequence[Sequence[Judged | None]]) -> JudgeAgreement:
    """Count how far judges agree.

    Args:
        judges: how many there are.
        rows: an assertion each: what each of the judges says; None where its answer cannot be used.
    """
    whole = [[one for one in row if one is not None] for row in rows if all(one is not None for one in row)]
    shared = {"judges": judges, "assertions": len(whole), "unanimous": sum(len(set(row)) == 1 for row in whole)}
    if judges < 2 or not whole:
        return JudgeAgreement(**shared, pairwise=None, kappa=None)
    counts = [Counter(row) for row in whole]
    agreeing = [sum(n * (n - 1) for n in row.values()) / (judges * (judges - 1)) for row in counts]
    observed = sum(agreeing) / len(agreeing)
    by_chance = sum((sum(row[side] for row in counts) / (judges * len(counts))) ** 2 for side in SIDES)
    kappa = (observed - by_chance) / (1 - by_chance) if by_chance < 1 else None
    return JudgeAgreement(**shared, pairwise=observed, kappa=kappa)


def clopper_pearson(count: int, of: int) -> Interval | None:
    """A share with its exact interval; None of nothing."""
    if not of:
        return None
    from scipy.special import betaincinv

    low = float(betaincinv(count, of - count + 1, 0.025)) if count else 0.0
    high = float(betaincinv(count + 1, of - count, 0.975)) if count < of else 1.0
    return Interval(mean=count / of, low=low, high=high)


def _share(told: Iterable[bool | None]) -> float:
    all_told = list(told)
    return sum(one is True for one in all_told) / len(all_told)
