"""Two versions of a skill side by side in real sessions: which is better, said as soon as it is sure.

Each session goes to one of the two by a hash of its name: to the candidate with a known probability, the share. That
chance, which has nothing to do with the session, is all that the test needs: tasks may become harder from day to day,
and outcomes may hang together. A session with score y says x = (y - m) / share where it had the candidate, and
x = -(y - m) / (1 - share) where it had the champion, m being the mean of the scores before it. The mean of x is what
the candidate adds to this session (Horvitz and Thompson 1952, https://doi.org/10.1080/01621459.1952.10483446).

Two gamblers bet on it, one that the candidate adds, one that it takes away, each with a capital of 1 of which no bet
can lose more than is there. Where a gambler is wrong its capital grows to 1/a with a chance of at most a, at whatever
moment one looks (Ville 1939; betting on means: Waudby-Smith and Ramdas 2024, https://doi.org/10.1093/jrsssb/qkad009;
with weights: Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro 2022, https://arxiv.org/abs/2210.10768). Each gambler
has half of the level, so that between two that are equally good the test ends with a chance of at most the level.

That holds where sessions are taken in an order that has nothing to do with their version: the order in which they were
served. In the order in which their ends become known it does not, if one version's become known later.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal, NamedTuple

from pydantic import Field

from trace2skill.core.record import Record

STAKES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)
"""Of what a bet may risk, the shares that a gambler's capital is split over: few sessions need large ones, small
differences small ones."""
FIRST_MEAN = 0.5
SKEWED = 0.001
"""From a chance so small on, that the sessions seen are so split is no chance."""
Verdict = Literal["better", "worse", "goes_on"]


class CanaryEnd(NamedTuple):
    """A session with a known end."""

    session: str
    candidate: bool
    score: float
    """0 to 1."""


class ArmScore(Record):
    """The sessions that one version had."""

    sessions: int
    mean: float | None = Field(description="Mean score, 0 to 1; none without a session.")


class CanaryTest(Record):
    """What the sessions so far say."""

    verdict: Verdict
    champion: ArmScore
    candidate: ArmScore
    added: float | None = Field(description="What the candidate adds to the score, by the weights; none without any.")
    level: float = Field(description="Chance of an end between versions that are equally good.")
    for_better: float = Field(description="Capital of the one who bets on the candidate; it ends at 2 / level.")
    for_worse: float = Field(description="Capital of the one who bets against it.")
    decided_at: int = Field(default=0, description="After so many sessions it was sure; 0 where it is not.")

    @property
    def in_words(self) -> str:
        """For a reader."""
        arms = [
            f"{name}: {'no session' if arm.mean is None else f'{arm.mean:.1%} of {arm.sessions} sessions'}"
            for name, arm in (("champion", self.champion), ("candidate", self.candidate))
        ]
        told = {
            "better": "the candidate is better",
            "worse": "the candidate is worse",
            "goes_on": "nothing is sure yet",
        }
        at = f" (since session {self.decided_at})" if self.decided_at else ""
        return f"{'; '.join(arms)}; {told[self.verdict]}{at}, at level {self.level:g}"


def has_candidate(canary: str, session: str, share: float) -> bool:
    """Does this session get the candidate? The same session always gets the same.

    Args:
        canary: its id: another canary splits the same sessions in another way.
        session: its name.
        share: of the sessions, from 0 to 1.
    """
    drawn = int.from_bytes(sha256(f"{canary}\x1f{session}".encode("utf-8", "surrogatepass")).digest()[:8])
    return drawn < share * 2**64


def weighed(seen: Sequence[CanaryEnd], share: float, level: float = 0.05) -> CanaryTest:
    """Test the sessions one after the other, up to the first after which it is sure.

    Args:
        seen: the sessions with a known end, in the order in which they were served.
        share: chance of a session to get the candidate, between 0 and 1.
        level: see above.

    Raises:
        ValueError: a share or level that is none.
    """
    if not 0 < share < 1 or not 0 < level < 1:
        raise ValueError(f"a share and a level lie between 0 and 1, and not at {share:g} and {level:g}")
    better, worse = [1.0] * len(STAKES), [1.0] * len(STAKES)
    verdict: Verdict = "goes_on"
    mean, total, added, at = FIRST_MEAN, FIRST_MEAN, 0.0, 0
    for number, one in enumerate(seen, start=1):
        gain = (one.score - mean) / share if one.candidate else -(one.score - mean) / (1 - share)
        up = max(mean / share, (1 - mean) / (1 - share))  # the most that one who bets on the candidate can lose
        down = max((1 - mean) / share, mean / (1 - share))
        better = [capital * (1 + stake * gain / up) for capital, stake in zip(better, STAKES, strict=True)]
        worse = [capital * (1 - stake * gain / down) for capital, stake in zip(worse, STAKES, strict=True)]
        added += gain
        total += one.score
        mean = total / (number + 1)
        if not at and max(_capital(better), _capital(worse)) >= 2 / level:
            at, verdict = number, "better" if _capital(better) > _capital(worse) else "worse"
            break
    return CanaryTest(
        verdict=verdict,
        champion=_arm(seen, candidate=False),
        candidate=_arm(seen, candidate=True),
        added=added / (at or len(seen)) if seen else None,
        level=level,
        for_better=_capital(better),
        for_worse=_capital(worse),
        decided_at=at,
    )


def skewed(sessions: int, candidates: int, share: float) -> float | None:
    """The chance of so uneven a split, where it is too small for chance; None where it is not.

    Sessions of one of the two are missing then (Fabijan and others 2019, https://doi.org/10.1145/3292500.3330722): its
    agents crash before they write a log, say. What is left cannot be compared.
    """
    if not sessions:
        return None
    from scipy.stats import binomtest  # slow to import

    p = float(binomtest(candidates, sessions, share).pvalue)
    return p if p < SKEWED else None


def _capital(stakes: Sequence[float]) -> float:
    return sum(stakes) / len(stakes)


def _arm(seen: Sequence[CanaryEnd], *, candidate: bool) -> ArmScore:
    scores = [one.score for one in seen if one.candidate == candidate]
    return ArmScore(sessions=len(scores), mean=sum(scores) / len(scores) if scores else None)
