"""What failed in a run, as a section of its page."""

from collections.abc import Iterable

from trace2skill.core.failures import Failure
from trace2skill.safety.code_spans import code_span


def what_failed(failures: Iterable[Failure]) -> str:
    """The items, and what to do. The words are those of providers, tasks and traces: they stand as code."""
    rows = [f"- {item.stage}: {code_span(item.name)}: {item.kind}: {code_span(item.message)}" for item in failures]
    return "## What failed\n\n" + "\n".join(rows) + "\n\nRun the same command again: only these are run."
