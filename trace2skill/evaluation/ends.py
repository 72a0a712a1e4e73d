"""How runs ended, where not with an answer: in words, and whether that decided a comparison.

A run that is cut off at the most tokens of an answer, or whose answer is withheld or missing, fails for a limit of the
harness or a whim of the server. It says as little of the skill as one without a score.
"""

from collections import Counter
from collections.abc import Iterable

from trace2skill.types.evaluation import Cell, Evaluation
from trace2skill.types.trajectory import StopReason

WORDS: dict[StopReason, tuple[str, str]] = {
    "output_limit": ("{were} cut off at {most} tokens", "raise --max-tokens"),
    "reasoning_only": ("ended in reasoning without an answer", "raise --max-tokens, or ask for less reasoning"),
    "empty": ("ended in an empty answer", "look at what the model's server does"),
    "refused": ("{were} refused by the model or a filter", "their words stand in the trajectories"),
    "time_limit": ("{were} ended by the clock", "give them more time, or the machine less to do"),
    "context_limit": ("ended since the model's context was full", "lower --max-turns, or take a larger context"),
    "turn_limit": ("ended at the most turns", "raise --max-turns"),
    "token_limit": ("ended at the most tokens of one run", "raise the agent's loop.tokens"),
    "cost_limit": ("ended at the most cost of one run", "raise the agent's loop.cost"),
    "space_limit": ("{were} ended since they filled the disk", "raise the limits of the harness"),
}
"""Each end in words that go on after '4 of 40 runs', and what helps."""
SAYS_NOTHING: frozenset[StopReason] = frozenset({"output_limit", "reasoning_only", "empty", "refused", "time_limit"})
"""Ends that say nothing of a skill: the work had no end of its own. The limits of turns, tokens and cost are what an
agent is given for a task, the same for every skill, and whoever needs more has failed."""


def ended(cells: Iterable[Cell]) -> Counter[str]:
    """How many runs ended so, for every end that is no answer."""
    return Counter(cell.stop for cell in cells if cell.stop)


def undecided(cell: Cell) -> bool:
    """Did the run fail by an end that says nothing of the skill? One that passed all the same did not."""
    return cell.outcome == "failed" and cell.stop in SAYS_NOTHING


def in_words(counts: Counter[str], runs: int, most_tokens: int = 0) -> list[str]:
    """A line for each end: '4 of 40 runs were cut off at 8,192 tokens: raise --max-tokens'.

    Args:
        counts: how many ended so.
        runs: how many there were.
        most_tokens: the most of one answer, 0 where nobody knows.
    """
    most = f"{most_tokens:,}" if most_tokens else "the most"
    lines = []
    for name in (name for name in WORDS if counts[name]):
        how, remedy = WORDS[name]
        were = "was" if counts[name] == 1 else "were"
        lines.append(f"{counts[name]} of {runs} runs {how.format(were=were, most=most)}: {remedy}")
    return lines


def why_failed(stop: StopReason, reason: str, most_tokens: int = 0) -> str:
    """The reason of a failure, behind what ended the work where that was not the agent."""
    if stop not in SAYS_NOTHING:
        return reason
    how = WORDS[stop][0].format(were="was", most=f"{most_tokens:,}" if most_tokens else "the most")
    return f"the work {how}; {reason}"


def of_each(evaluations: Iterable[Evaluation], only: frozenset[StopReason] | None = None) -> list[str]:
    """The lines of several evaluations, each behind the name of its condition; `only` of these ends."""
    lines = []
    for item in evaluations:
        counts = ended(cell for cell in item.cells if only is None or (cell.stop in only and undecided(cell)))
        lines += [f"{item.condition}: {line}" for line in in_words(counts, len(item.cells), item.most_tokens)]
    return lines


def short(evaluation: Evaluation) -> str:
    """The same for a cell of a table: '4 output limit, 1 refused'."""
    counts = ended(evaluation.cells)
    return ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in WORDS if counts[name])


def without_undecided(*evaluations: Evaluation) -> list[Evaluation]:
    """The evaluations without the pairs of task and seed of which one of them has no end of its own."""
    gone = {(cell.task_id, cell.seed) for item in evaluations for cell in item.cells if undecided(cell)}
    return [
        item.model_copy(update={"cells": tuple(cell for cell in item.cells if (cell.task_id, cell.seed) not in gone)})
        for item in evaluations
    ]


def coverage(evaluation: Evaluation) -> float:
    """Share of the matrix that says something of the skill, 0 to 1: with a score, and with an end of its own."""
    says = sum(not undecided(cell) for cell in evaluation.scored)
    return says / len(evaluation.cells) if evaluation.cells else 0.0
