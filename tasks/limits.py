"""Limits across runs: Prefect's global concurrency limits, one slot each, held by a whole run and not by a call."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import concurrency

from trace2skill.core.errors import BadInput
from trace2skill.runs.settings import RunSettings


@contextmanager
def held(settings: RunSettings) -> Iterator[None]:
    """Hold a slot of every limit that the settings name; wait where all are taken.

    An acquisition costs about 0.2 s, which is nothing for a run and a lot for a call.

    Raises:
        BadInput: the server knows no limit of that name.
    """
    with ExitStack() as stack:
        for name in sorted(settings.operation.limits_held):  # in one order, so that two runs never wait for each other
            try:
                stack.enter_context(concurrency(name, occupy=1, strict=True))
            except ConcurrencySlotAcquisitionError as error:
                remedy = f"`prefect gcl create {name} --limit 1` makes it"
                raise BadInput(f"this Prefect server has no global concurrency limit '{name}': {remedy}") from error
        yield
