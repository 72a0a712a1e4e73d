"""What a pull request says of the version that it proposes: decision, scores, rules with who asked for them, cost.

A forge reads Markdown for more than its look: `@name` calls people, `#12` links, and "closes #12" closes. What a model
or a log has written stands in spans of code, where none of that is read.
"""

import re

from trace2skill.consolidate.groups import EditGroup
from trace2skill.runs.skill_reviews import SkillReviews, lines_said
from trace2skill.runs.summary import SIMULATED_NOTE, RunSummary
from trace2skill.safety.code_spans import code_span
from trace2skill.safety.shown import shown
from trace2skill.types.evaluation import score_names

MOST_RULES = 40
MOST_SUPPORTERS = 5
MOST_NOTES = 20
VERDICTS = {
    "promote": "The gate says: promote",
    "reject": "The gate says: do not promote",
    "not_enough_evidence": "Not enough evidence",
    "unfinished": "No verdict",
}
HOW_TO_VOTE = (
    "a comment `/reject` at a line keeps its rule out from now on; a suggestion for one line is taken as its words"
)
UNTESTED = "**Not tested on held-out tasks.** What it says of evidence is what its logs show, and no more."


def title_of(summary: RunSummary) -> str:
    """The title, in one line."""
    rules = len(summary.candidate.written)
    tested = f", {summary.decision.lift:+.1%} on held-out tasks" if summary.decision.comparison else ", not tested"
    return f"{summary.skill_name}: {rules} rule{'s' if rules != 1 else ''}{tested}"


def page_of(summary: RunSummary, report: str, reviews: SkillReviews | None = None) -> str:
    """The text, as Markdown.

    Args:
        summary: of the run.
        report: where its report can be opened, '' where nobody else can.
        reviews: what was said of the versions of this skill before.
    """
    parts = [
        f"**{VERDICTS[summary.decision.verdict]}**: {_said(summary.decision.reason)}",
        _scores(summary) or UNTESTED,
        _rules(summary),
        _said_before(summary, reviews) if reviews else "",
        _behind(summary, report),
    ]
    if summary.simulated:
        parts.append(f"> {SIMULATED_NOTE}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _scores(summary: RunSummary) -> str:
    if not summary.evaluations:
        return ""
    hard, soft = score_names(summary.evaluations)
    rows = [
        f"| {item.condition} | {item.hard:.1%} | {item.soft:.1%} | {len(item.scored)} of {len(item.cells)} |"
        for item in summary.evaluations
    ]
    return "\n".join([f"| skill | {hard} | {soft} | runs scored |", "|---|---|---|---|", *rows])


def _rules(summary: RunSummary) -> str:
    written = sorted(summary.candidate.written, key=lambda group: -len(group.support.tasks))
    if not written:
        return ""
    rows = [_row(group) for group in written[:MOST_RULES]]
    left = len(written) - len(rows)
    more = [f"\n{left} more are in the diff."] if left else []
    return "\n".join(["| asked for by | rule | such as |", "|---|---|---|", *rows, *more])


def _said_before(summary: RunSummary, reviews: SkillReviews) -> str:
    """What those who may write have said of these rules and of all, and which rules stay out since they rejected them.

    Words of others are shown by commands, and not repeated in our name where everybody reads them.
    """
    written = summary.candidate.written
    notes = [line for group in written for line in lines_said(reviews, group.said, group.text)]
    notes += [line for request in reviews.requests for line in request.lines if not line.text]
    heard = [line for line in dict.fromkeys(notes) if line.comment.may_vote or line.comment.against]
    rows = [f"- {code_span(line.text.strip()) or 'all of it'}: {code_span(line.in_words)}" for line in heard]
    out = [item for item in summary.refuted if item.waits and item.refuted[-1].by == "reviewer"]
    rows += [f"- {code_span(item.says)} stays out: {code_span(item.in_words)}" for item in out]
    if not rows:
        return ""
    left = [f"- and {len(rows) - MOST_NOTES} more: `trace2skill book` lists them"] if len(rows) > MOST_NOTES else []
    return "\n".join(["**What reviewers have said before:**\n", *rows[:MOST_NOTES], *left])


def _row(group: EditGroup) -> str:
    said = group.support
    tasks = f"{len(said.tasks)} task{'s' if len(said.tasks) != 1 else ''}"
    told = len(said.errors) + len(said.successes) > 0
    asked = f"{tasks}: {len(said.errors)} failed, {len(said.successes)} passed" if told else f"{tasks}, ends unknown"
    by = ", ".join(map(code_span, said.trajectories[:MOST_SUPPORTERS]))
    return f"| {asked} | {code_span(group.text.removeprefix('- '))} | {by} |"


def _behind(summary: RunSummary, report: str) -> str:
    """How much it was learned from, what that has cost, and where to look."""
    rolled = sum(summary.trajectories.values())
    read = [f"{rolled} rollouts"] if rolled or summary.sources is None else []
    read += [f"{summary.sources.trajectories} segments of logs"] if summary.sources else []
    lines = [
        f"learned from {' and '.join(read)}: {summary.lessons} lessons, by {', '.join(map(code_span, summary.models))}",
        f"{summary.spent.calls} model calls, {summary.cost_in_words()}",
    ]
    if summary.remembered:
        of = ", of other logs among them" if summary.sources and summary.sources.others else ""  # their places are ours
        lines.insert(1, f"{summary.remembered} of the rules that were weighed were learned by earlier runs{of}")
    if summary.sources and summary.sources.tested_on:
        left = f"the {summary.sources.held_out} segments of their sessions were left out of what was learned from"
        lines.insert(1, f"tested on {summary.sources.tested_on}: {left}")
    if summary.quarantined:
        lines.append(f"{len(summary.quarantined)} texts wait in quarantine and are no part of this")
    if summary.candidate.open:
        lines.append(f"{len(summary.candidate.open)} contradictions are open, and neither side is part of this")
    if summary.candidate.scripts:
        lines.append(f"scripts to review: {', '.join(map(code_span, summary.candidate.scripts))}")
    lines.append(f"[the report]({report}) has every edit with its traces" if report else "")
    lines.append("who asked for a line, and the steps that show it: `trace2skill why SKILL_DIR:LINE`")
    lines.append(HOW_TO_VOTE)
    lines.append(f"run `{summary.run_id}`, version `{summary.candidate.skill}`")
    return "\n".join(f"- {line}" for line in lines if line)


def _said(text: str) -> str:
    """Our own words as they are, unless they name what may be anybody's."""
    return code_span(text) if re.search(r"[@#<|\[\]!]|://|\bwww\.|\bGH-", text) else shown(text)
