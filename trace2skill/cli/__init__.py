"""The command line: `trace2skill --help`."""

from trace2skill.cli.app import main

__all__ = ["main"]
