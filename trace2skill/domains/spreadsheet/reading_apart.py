"""The process that reads a large workbook: its limits are set before the first byte is read. See `reading`."""

import contextlib
import resource
import sys

from trace2skill.domains.spreadsheet.reading import answer_apart


def main() -> None:
    """Answer the request on standard input, within so many seconds of computing and bytes of memory."""
    seconds, memory = map(int, sys.argv[1:])
    with contextlib.suppress(ValueError, OSError):  # macOS knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # At the first the system sends SIGXCPU, at the second SIGKILL, which may as well be its lack of memory.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    sys.stdout.buffer.write(answer_apart(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
