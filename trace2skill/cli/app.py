"""The commands, and the one place where an error becomes a message and an exit code.

Exit codes: 0 done, 1 the run ended without a usable result, 2 something given is wrong or missing, 130 interrupted.
"""

import atexit
import errno
import logging
import os
import sys

import typer
from rich.markup import escape

from trace2skill import __version__
from trace2skill.cli.console import Console, PlainFormatter
from trace2skill.cli.lazily import lazy_group
from trace2skill.cli.stop import INTERRUPTED, leave_if_stopped, leave_on_signals, stoppable
from trace2skill.core.errors import Interrupted, Trace2SkillError


def _nothing_more_to_say() -> None:
    """Close stderr last of all: what Prefect's daemon threads still hold, DuckDB's binding reports as leaks."""
    sys.stderr.flush()
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)


PANELS = {
    "Run": "run:demo run:run run:rollout run:distill run:evaluate evidence:drift ingest:ingest mine:mine",
    "Operate": "deploy:deploy operate:status operate:watch operate:failures operate:retry operate:approve "
    "estimate:estimate mcp:mcp",
    "Look": "look:show report:report learned:lessons learned:patch why:why book:book nights:nights "
    "ingest:quarantine ingest:reveal look:validate look:doctor domains:domains domains:new_domain",
    "Evidence": "experiment:experiment evidence:power evidence:ablate shrink:shrink usage:usage triggers:triggers "
    "audit:audit library:library evidence:transfer",
    "Versions": "versions:versions versions:diff versions:promote versions:rollback propose_pr:propose_pr "
    "read_pr:read_pr versions:export provenance:provenance provenance:verify",
}
"""The commands by the parts of the help: the module that holds each, and its function."""
GROUPS = {"store": "store:store_app", "handoff": "handoff:handoff_app", "canary": "canary:canary_app"}

app = typer.Typer(
    name="trace2skill",
    cls=lazy_group(PANELS, GROUPS),
    help="Reads what an agent did and writes down what it should know next time.\n\n"
    "Start with `trace2skill demo`: the whole pipeline on bundled workbooks, with a simulated model, in a minute.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


OF_THE_DISK = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or have the quota raised",
    errno.EROFS: "make the file system writable, or name another place",
    errno.EACCES: "make it writable for this user, or name another place",
}
"""Ordinary trouble that any file may bring, and the remedy."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"trace2skill {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Show the log of the product and of Prefect."),
) -> None:
    """Set up the log before any command."""
    del version
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(PlainFormatter("%(levelname)s %(name)s: %(message)s"))
    if not verbose:
        from trace2skill.cli.prefect_settings import quiet

        quiet()


def main() -> None:
    """Run a command; an error of ours is one message on stderr and exit code 2."""
    atexit.register(_nothing_more_to_say)
    leave_on_signals()
    try:
        with stoppable(Console(stderr=True)):
            app()
    except Interrupted:  # what was kept has been said
        sys.exit(INTERRUPTED)
    except Trace2SkillError as error:
        _end_with(str(error))
    except OSError as error:
        if error.errno not in OF_THE_DISK:
            raise
        what = error.filename or "a file"  # what fails while it is written has no name
        _end_with(
            f"{what} cannot be used ({error.strerror}): {OF_THE_DISK[error.errno]}, then run the same command again; "
            "what was paid for is in the store"
        )
    finally:
        leave_if_stopped()


def _end_with(message: str) -> None:
    Console(stderr=True).print(f"[red]error:[/red] {escape(message)}", highlight=False, soft_wrap=True)
    sys.exit(2)
