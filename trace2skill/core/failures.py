"""What failed in a run, by stage and kind, and how much of it a run tolerates."""

from collections.abc import Sequence

from trace2skill.core.errors import StageFailed
from trace2skill.core.record import Record

NAMED = 5


class Failure(Record):
    """One item of a mapped stage that has no result. A rerun picks it up. `of` is how many items the stage had."""

    stage: str
    name: str
    kind: str
    message: str
    of: int = 0


def in_words(failures: Sequence[Failure]) -> str:
    """'rollout: 3 of 200 failed: 13-1 seed 41: ...': each stage with its first few by name.

    Items that only waited for failed ones are counted where a stage has no others.
    """
    told = []
    for stage in dict.fromkeys(failure.stage for failure in failures):
        mine = [failure for failure in failures if failure.stage == stage]
        own = [failure for failure in mine if failure.kind != "skipped"] or mine
        named = "; ".join(f"{failure.name}: {failure.message}" for failure in own[:NAMED])
        more = f"; and {len(own) - NAMED} more" if len(own) > NAMED else ""
        told.append(f"{stage}: {len(mine)} of {max(mine[0].of, len(mine))} failed: {named}{more}")
    return ". ".join(told)


def tolerate(failures: Sequence[Failure], max_failed_share: float) -> None:
    """Let a stage go on without a few of its items. `failures` are all of one stage.

    Raises:
        StageFailed: more than the share failed. The message says how many, names the first few and the remedy.
    """
    if not failures or len(failures) <= max_failed_share * failures[0].of:
        return
    raise StageFailed(f"{in_words(failures)}. Everything finished is kept: run the same command again")
