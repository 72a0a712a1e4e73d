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
    """One page of a pull. Whoever pulls at the same time into a store that is shared writes others beside."""

    address: str = Field(description="See `TraceStoreAddress.pulled`.")
    number: int = Field(description="The later one says how a trace stands.")
    listed: tuple[Listed, ...] = Field(default=(), exclude_if=not_, description="What was settled, and how it stood.")
    through: str = Field(description="All that was listed for the days before this one is read; '' for nothing.")

    @property
    def id(self) -> str:
        """By what it is kept."""
        return digest_of("pull", self)


def pulled_before(store: Store, address: TraceStoreAddress) -> tuple[PullMemory, int]:
    """What earlier pulls of an address left, and the number of the next page."""
    memory, number = PullMemory(), 0
    pages = [page for page in store.all_of("pull", PulledPage) if page.address == address.pulled]
    for page in sorted(pages, key=lambda page: (page.number, page.id)):
        memory.listed |= {(one.trace, one.day): one for one in page.listed}
        memory.documents |= {one.trace: one.document for one in page.listed if one.document}
        memory.through = max(memory.through, page.through)
        number = page.number + 1
    return memory, number
