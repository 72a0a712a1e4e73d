"""What day, month and time of day it is: the one place where the product asks, so that a test can let months pass.

How long something has taken says `time.monotonic`. What is compared with the times of files (`llm/handoff`) has the
clock of those.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def today() -> str:
    """The day that it is (ISO 8601), in UTC."""
    return now().date().isoformat()
