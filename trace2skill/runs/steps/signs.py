"""Step `signs`: what each of several imported trajectories shows, for the miner."""

import math
from collections.abc import Iterator, Sequence

from trace2skill.analysts import rules
from trace2skill.analysts.mining import SignsRead, signs_of
from trace2skill.core.digest import digest_of_bytes
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.judge import trajectory_of
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.watermarks import Taken
from trace2skill.types.references import SignsKept
from trace2skill.types.trajectory import Trajectory

ABOUT = 400
"""Trajectories a batch."""
AT_ONCE = 50


def batches(taken: Sequence[Taken]) -> list[list[Taken]]:
    """The trajectories in batches by their ids: a new one changes one batch and leaves the others as they are."""
    digits = max(0, math.ceil(math.log(max(1, len(taken)) / ABOUT, 16)))
    found: dict[str, list[Taken]] = {}
    for item in sorted(taken, key=lambda item: item.id):
        found.setdefault(digest_of_bytes(item.id.encode())[:digits], []).append(item)
    return [found[key] for key in sorted(found)]


def _parts(rt: Runtime, batch: Sequence[Taken]) -> tuple[object, ...]:
    del rt
    return rules.VERSION, [(item.id, item.content) for item in batch]


def read_signs(rt: Runtime, batch: Sequence[Taken]) -> SignsKept:
    """Look at every trajectory of a batch by itself.

    Raises:
        BadInput: the store does not hold one of them any more.
    """
    kept = SignsRead(
        signs=tuple(
            signs_of(trajectory).model_copy(update={"content": item.content}) for item, trajectory in _all(rt, batch)
        )
    )
    rt.store.put("signs", kept.digest, kept)
    return SignsKept(content=kept.digest, sessions=len(batch))


def _all(rt: Runtime, batch: Sequence[Taken]) -> Iterator[tuple[Taken, Trajectory]]:
    """The trajectories of a batch, some at a time; one that a judge labelled is asked for by itself."""
    for start in range(0, len(batch), AT_ONCE):
        part = batch[start : start + AT_ONCE]
        found = rt.store.several("trajectory", [item.id for item in part], Trajectory)
        for item in part:
            there = found.pop(item.id, None)
            same = there and (there.outcome.kind, there.outcome.source) == (item.outcome, item.source)
            yield item, there if there and same else trajectory_of(rt, item)


SIGNS = RunStep(
    name="signs",
    version=1,
    parts=_parts,
    do=read_signs,
    gives=SignsKept,
    shown="signs",
    mapped=True,
)
