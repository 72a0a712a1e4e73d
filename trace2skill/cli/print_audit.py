"""What `audit` says: which sessions, what counts, how good the judges are, and both arms."""

from collections.abc import Sequence

import typer
from rich.table import Table

from trace2skill.cli.console import Console, flat, plain
from trace2skill.cli.trigger_program import share
from trace2skill.evaluation.assertions import AuditedSegment, ShareOf
from trace2skill.evaluation.audit import NO_SKILL, AssertionsKept, AuditReport
from trace2skill.runs.audit_assertions import Confirmed
from trace2skill.runs.audit_estimate import AuditEstimate
from trace2skill.runs.audit_sessions import AuditedSessions, ShownSegment
from trace2skill.types.comparison import Comparison

SHOWN = 20


def print_sessions(found: AuditedSessions, skill: str, *, each: bool = False) -> None:
    """Which sessions are asked about, and why not the others."""
    console = Console()
    groups = len({item.group for item in found.segments})
    unfit = "".join(f"; {count} {why}" for why, count in found.unfit.items())
    beyond = f"; {found.beyond} more than --most" if found.beyond else ""
    console.print(
        f"{len(found.segments)} of {found.read} segments are asked about, in {groups} groups; {found.learned} are of "
        f"sessions from which {plain(skill)} has learned{unfit}{beyond}",
        highlight=False,
    )
    if not found.known:
        console.print(
            f"[yellow]the store knows nothing of what {plain(skill)} has learned from[/yellow]: whether it has learned "
            "from these sessions is for you to know",
            highlight=False,
        )
    if found.absent:
        named = ", ".join(flat(id)[:40] for id in found.absent[:SHOWN])
        console.print(
            f"[yellow]{len(found.absent)} segments of the file are in none of these logs[/yellow]: {named}",
            highlight=False,
        )
    if found.problems:
        console.print(f"[yellow]{found.problems} parts of the logs were not read[/yellow]: `ingest --dry-run` says why")
    for item in found.segments if each else found.segments[:0]:
        console.print(f"  {plain(item.id)} {plain(item.session)}: {flat(item.request)[:120]}", highlight=False)


def say_estimate(bill: AuditEstimate, cap: float | None) -> None:
    """The bill, before anything is asked, beside the cap: to stderr, so that --json stays what it is."""
    by_hand = f", {bill.by_hand} of them answered by hand" if bill.by_hand else ""
    typer.echo(
        f"about ${bill.cost:.2f} if nothing is in the store: {bill.calls} calls ({bill.writer} of the writer, "
        f"{bill.judges} of judges, {bill.agent} of the agent){by_hand}",
        err=True,
    )
    if cap is not None and bill.cost > cap:
        typer.echo(f"that is more than --max-cost {cap:g}: raise it, or ask about fewer (--most)", err=True)


def print_assertions(found: Confirmed, asked: Sequence[ShownSegment], file: str) -> None:
    """What was written into a file."""
    console = Console()
    _say_kept(console, found.told)
    for item in asked[:SHOWN]:
        for one in found.kept.get(item.id, ()):
            console.print(f"  {plain(item.id)}: {flat(one.says)[:140]}", highlight=False)
    typer.echo(f"written to {file}. Read them, take out what you would not stand for, and audit with --from {file}")


def print_audit(found: AuditReport) -> None:
    """A row a segment, what the skill gained and lost, and the tests."""
    console = Console()
    _say_kept(console, found.kept)
    for judge in found.control:
        wrong, right = judge.wrong_taken, judge.right_taken
        console.print(
            f"control, {plain(judge.judge)}: assertions hold of another task's answer in {_of(wrong)}, and of the "
            f"recorded work in {_of(right)}"
            + (f"; {judge.missing} verdicts are missing, which count as errors" if judge.missing else ""),
            highlight=False,
        )
    first = "without" if found.before == NO_SKILL else found.before[:12]
    table = Table("segment", "request", "assertions", first, "with")
    for item in found.segments[:SHOWN]:
        table.add_row(plain(item.id), flat(item.request)[:60], str(len(item.decided)), *_held(item))
    table.add_row("all", "", str(found.assertions), str(found.held(after=False)), str(found.held(after=True)))
    console.print(table)
    if more := len(found.segments) - SHOWN:
        console.print(f"and {more} more: --json has all" if more > 0 else "", end="\n" if more > 0 else "")
    changed = [(item, one) for item in found.segments for one in item.decided if one.before != one.after]
    for item, one in changed[:SHOWN]:
        what = "[green]holds with it alone[/green]" if one.after else "[red]is lost with it[/red]"
        console.print(f"{what}: {plain(item.id)}: {flat(one.says)[:160]}", highlight=False)
    for test, name in ((found.soft, "share of assertions that hold"), (found.hard, "all assertions hold")):
        console.print(f"{name}: {_in_words(test)}", highlight=False)
    if found.missing:
        console.print(
            f"[yellow]{found.missing} verdicts of judges are missing[/yellow]: each counts for neither side, and an "
            "assertion needs more than half of all judges",
            highlight=False,
        )
    if found.unplanned or found.undecided:
        console.print(
            f"[yellow]left out[/yellow]: {found.unplanned} segments without an answer of the agent, "
            f"{found.undecided} assertions that most judges could not tell",
            highlight=False,
        )
    console.print("an audit of what an agent says, and not of what it does: it promotes nothing")


def _say_kept(console: Console, found: AssertionsKept) -> None:
    why = "".join(f"; {count}: {reason}" for reason, count in found.dropped.items())
    unusable = f"; {found.unusable} segments without a usable answer" if found.unusable else ""
    console.print(
        f"assertions: {found.written} written, {found.kept} count, confirmed by {found.confirmed_by}{why}{unusable}",
        highlight=False,
    )
    if found.agreement is not None and found.agreement.pairwise is not None:
        same = found.agreement
        kappa = "not defined (all said one and the same)" if same.kappa is None else f"{same.kappa:.2f}"
        console.print(
            f"{same.judges} judges over {same.assertions} assertions of recorded sessions: the same of "
            f"{same.unanimous}, pairs agree in {same.pairwise:.0%}, Fleiss' kappa {kappa}",
            highlight=False,
        )
    console.print(
        f"'all assertions hold' agrees with the log's verdict in {_of(found.verdicts)}, and with a guessed one in "
        f"{_of(found.guessed)}",
        highlight=False,
    )


def _held(item: AuditedSegment) -> tuple[str, str]:
    told = item.decided
    return str(sum(bool(one.before) for one in told)), str(sum(bool(one.after) for one in told))


def _of(found: ShareOf) -> str:
    return f"{found.count} of {found.of}" + (f", {share(found.share)}" if found.share else "")


def _in_words(found: Comparison) -> str:
    return (
        f"better in {len(found.better)} and worse in {len(found.worse)} of {found.tasks} groups, "
        f"{found.before_score.mean:.0%} before and {found.after_score.mean:.0%} with it (lift {found.lift.mean:+.1%}, "
        f"95% interval {found.lift.low:+.1%} to {found.lift.high:+.1%}, p = {found.p_value:.4f}, {found.test})"
    )
