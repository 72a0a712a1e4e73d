"""What trace stores hold of a trace's scores, as an outcome: which of them say that the work was right."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.session import UNLABELLED
from trace2skill.types.trajectory import Outcome

WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
RIGHT = frozenset(
    WORD.findall(
        "accepted accuracy completed completion correct correctly correctness goal ok pass passed passes passing "
        "resolved reward right solved success successful tests thumb thumbs"
    )
)
"""Words in the name of a score by which a high one says that the work was right."""
TURNS = frozenset(WORD.findall("bad down error errors fail failed failure incorrect no not partial un wrong"))
"""Words that turn it round, or leave it open."""
CLEAR = frozenset(WORD.findall("correct fail failed incorrect pass passed resolved success unresolved"))
"""Values that say it by themselves, whatever the score is called."""
MOST_NAMED = 6


class Score(NamedTuple):
    """What was said of a whole trace: the name of what was judged, the verdict, and who judged ('log', 'judge')."""

    name: str
    value: Any
    source: str = "log"


def agreed(scores: Sequence[Score], kind: str = "score") -> Outcome:
    """The outcome by the scores of one trace.

    Only a score whose name says that the work was right counts (`correctness`, `task success`, `passed`): of another,
    such as `toxicity` or `rating`, nobody can tell which end is good, or where it ends. Those of people and programs
    outweigh those of models. Where scores of one kind differ, or none counts, the outcome is unknown, and the reason
    names them.
    """
    told = [from_score(one.value, one.source, f"{kind} '{one.name}'") for one in scores if _is_verdict(one)]
    known = [made for made in told if made.kind != "unknown"]
    found = [made for made in known if not made.weak] or known
    if len({made.kind for made in found}) > 1 or (scores and not found):
        named = ", ".join(sorted(f"{one.name} {str(one.value)[:40]}" for one in scores)[:MOST_NAMED])
        why = "its scores differ" if found else "no score says whether the work was right"
        return Outcome(kind="unknown", reason=f"{why} ({named}): say by --labels how it ended", source="none")
    return min(found, key=lambda made: (made.soft, made.reason), default=UNLABELLED)


def _is_verdict(score: Score) -> bool:
    words = {word.lower() for word in WORD.findall(score.name)}
    clear = isinstance(score.value, str) and score.value.strip().lower() in CLEAR
    return clear or bool(words & RIGHT and not words & TURNS)
