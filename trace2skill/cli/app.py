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
from trace2skill.cli.book import book
from trace2skill.cli.console import Console, PlainFormatter
from trace2skill.cli.deploy import deploy
from trace2skill.cli.domains import domains, new_domain
from trace2skill.cli.estimate import estimate
from trace2skill.cli.evidence import ablate, drift, power, transfer
from trace2skill.cli.experiment import experiment
from trace2skill.cli.handoff import handoff_app
from trace2skill.cli.ingest import ingest, quarantine, reveal
from trace2skill.cli.learned import lessons, patch
from trace2skill.cli.library import library
from trace2skill.cli.look import doctor, show, validate
from trace2skill.cli.mcp import mcp
from trace2skill.cli.nights import nights
from trace2skill.cli.operate import approve, failures, retry, status, watch
from trace2skill.cli.propose_pr import propose_pr
from trace2skill.cli.report import report
from trace2skill.cli.run import demo, distill, evaluate, rollout, run
from trace2skill.cli.shrink import shrink
from trace2skill.cli.stop import INTERRUPTED, leave_if_stopped, leave_on_signals, stoppable
from trace2skill.cli.store import store_app
from trace2skill.cli.triggers import triggers
from trace2skill.cli.usage import usage
from trace2skill.cli.versions import diff, export, promote, rollback, versions
from trace2skill.cli.why import why
from trace2skill.core.errors import Interrupted, Trace2SkillError


def _nothing_more_to_say() -> None:
    """Close stderr last of all: what Prefect's daemon threads still hold, DuckDB's binding reports as leaks."""
    sys.stderr.flush()
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)


app = typer.Typer(
    name="trace2skill",
    help="Reads what an agent did and writes down what it should know next time.\n\n"
    "Start with `trace2skill demo`: the whole pipeline on bundled workbooks, with a simulated model, in a minute.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
OPERATE = (deploy, status, watch, failures, retry, approve, estimate, mcp)
RUNS = (demo, run, rollout, distill, evaluate, drift, ingest)
LOOKS = (show, report, lessons, patch, why, book, nights, quarantine, reveal, validate, doctor, domains, new_domain)
EVIDENCE = (experiment, power, ablate, shrink, usage, triggers, library, transfer)
VERSIONS = (versions, diff, promote, rollback, propose_pr, export)
for panel, commands in (
    ("Run", RUNS),
    ("Operate", OPERATE),
    ("Look", LOOKS),
    ("Evidence", EVIDENCE),
    ("Versions", VERSIONS),
):
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(store_app, name="store")
app.add_typer(handoff_app, name="handoff")


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
