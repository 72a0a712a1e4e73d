"""The process that reads a large workbook: its limits are set before the first byte is read. See `reading`."""

import contextlib
import resource
import sys

from trace2skill.domains.spreadsheet.reading import LARGE_MEMORY, LARGE_SECONDS, answer_apart


def main() -> None:
    """Answer the request on standard input."""
    with contextlib.suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (LARGE_MEMORY, LARGE_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (LARGE_SECONDS, LARGE_SECONDS))
    sys.stdout.buffer.write(answer_apart(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
