"""What failed in a run, by stage and kind, and how much of it a run tolerates."""

from collections.abc import Sequence

from trace2skill.errors import StageFailed
from trace2skill.noun import Noun


class Failure(Noun):
    """One item of a mapped stage that has no result. A rerun picks it up."""

    stage: str
    name: str
    kind: str
    message: str


NAMED = 5


def tolerate(stage: str, total: int, failures: Sequence[Failure], max_failed_share: float) -> None:
    """Let a stage go on without a few of its items.

    Raises:
        StageFailed: more than the share failed. The message says how many, names the first few and the remedy.
    """
    own = [failure for failure in failures if failure.kind != "skipped"] or list(failures)
    if not failures or len(failures) <= max_failed_share * total:
        return
    named = "; ".join(f"{failure.name}: {failure.message}" for failure in own[:NAMED])
    more = f"; and {len(own) - NAMED} more" if len(own) > NAMED else ""
    raise StageFailed(
        f"{stage}: {len(failures)} of {total} failed: {named}{more}. "
        "Everything finished is kept: run the same command again"
    )
