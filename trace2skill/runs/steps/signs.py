"""Step `signs`: what each of several imported trajectories shows, for the miner."""

import math
from collections.abc import Sequence

from trace2skill.analysts import rules
from trace2skill.analysts.mining import SignsRead, signs_of
from trace2skill.core.digest import digest_of_bytes
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.judge import trajectory_of
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.watermarks import Taken
from trace2skill.types.references import SignsKept

ABOUT = 400
"""Trajectories a batch."""


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
    made = (signs_of(trajectory_of(rt, item)).model_copy(update={"content": item.content}) for item in batch)
    kept = SignsRead(signs=tuple(made))
    rt.store.put("signs", kept.digest, kept)
    return SignsKept(content=kept.digest, sessions=len(batch))


SIGNS = RunStep(
    name="signs",
    version=1,
    parts=_parts,
    do=read_signs,
    gives=SignsKept,
    shown="signs",
    mapped=True,
)
