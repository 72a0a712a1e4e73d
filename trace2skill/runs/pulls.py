"""What is remembered of pulls from trace stores: a record a page, written with what came of its traces.

What a page settles and the trajectories of its traces are kept in one transaction: a pull that is killed goes on behind
the last page that is here, and nothing is taken twice.
"""

from operator import not_

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.store import Store
from trace2skill.traces.stores import Listed, PullMemory, TraceStoreAddress


class PulledPage(Record, form="PulledPage", version=1):
    """One page of a pull. Those of an address are numbered from 0."""

    listed: tuple[Listed, ...] = Field(default=(), exclude_if=not_, description="What was settled, and how it stood.")
    through: str = Field(description="All that was listed for the days before this one is read; '' for nothing.")


def pull_id(address: TraceStoreAddress, number: int) -> str:
    """A pull by another window or filter is another one."""
    return digest_of("pull", address.pulled, number)


def pulled_before(store: Store, address: TraceStoreAddress) -> tuple[PullMemory, int]:
    """What earlier pulls of an address left, and how many pages they have."""
    memory, number = PullMemory(), 0
    while (page := store.get("pull", pull_id(address, number), PulledPage)) is not None:
        memory.listed |= {(one.trace, one.day): one for one in page.listed}
        memory.through = max(memory.through, page.through)
        number += 1
    return memory, number
