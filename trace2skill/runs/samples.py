"""Samples of trace stores: `failed=all&passed=50` takes every trace that failed, and fifty of those that passed.

Which ones they are is drawn from their ids, so that the same traces give the same sample in whatever order they came,
and one more trace changes it by one at most.
"""

from collections.abc import Collection, Mapping

from trace2skill.core.digest import digest_of
from trace2skill.traces.stores import LogsPath, TraceStoreAddress, stores_of


def left_out_of_samples(paths: Collection[LogsPath], ends: Mapping[str, Collection[str]]) -> set[str]:
    """The traces that are in no sample.

    Args:
        paths: where logs are; files are all taken.
        ends: by the place of each trace, how its segments ended. A trace failed where any of them did.
    """
    out: set[str] = set()
    for address in stores_of(tuple(paths)):
        of: dict[str, list[str]] = {}
        for place, kinds in ends.items():
            if place.startswith(f"{address.place}#") and kinds:
                kind = next((kind for kind in ("failed", "passed") if kind in kinds), "unknown")
                of.setdefault(kind, []).append(place)
        for kind, places in of.items():
            if (most := _most(address, kind)) is not None:
                out.update(sorted(places, key=lambda place: (digest_of("sample", place), place))[most:])
    return out


def _most(address: TraceStoreAddress, kind: str) -> int | None:
    return {"failed": address.failed, "passed": address.passed, "unknown": address.unknown}[kind]
