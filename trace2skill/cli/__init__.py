"""The command line: `trace2skill --help`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run a command; Ctrl-C ends it also in the second that its imports take."""
    try:
        from trace2skill.cli.app import main as command
    except KeyboardInterrupt:
        sys.exit(130)
    command()
