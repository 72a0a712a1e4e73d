"""The nights of a skill, a line each: what was tried, what came of it, what it cost, which rules came, went and wait.

It is read out of the runs that the store holds, and nothing is computed anew.
"""

from collections.abc import Iterable, Sequence
from operator import not_

from pydantic import Field

from trace2skill.consolidate.cut import MARK
from trace2skill.consolidate.settle import RuleBook
from trace2skill.core.record import Record
from trace2skill.evaluation.compare import interval
from trace2skill.runs.past import Past, past_of
from trace2skill.runs.refutation import refutations_of
from trace2skill.runs.rule_verdict import RuleVerdict
from trace2skill.runs.summary import RunSummary
from trace2skill.safety.shown import shown
from trace2skill.skills.markdown import split_lines
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.comparison import Interval
from trace2skill.types.evaluation import Evaluation

MOST_CHARS = 480


class NightLine(Record):
    """One run over a skill. Scores are mean hard scores of held-out tasks, 0 to 1; cost is in US dollars."""

    run_id: str
    night: int | None = Field(default=None, description="None where nights are not counted.")
    day: str = Field(default="", description="Of the night (ISO 8601), '' where nights are not counted.")
    outcome: str = Field(description="As events name it: promoted, staged, rejected, not_enough_evidence, unfinished.")
    reason: str
    champion: Interval | None = Field(default=None, description="None where nothing was scored.")
    candidate: Interval | None = None
    calls: int
    from_memory: int
    cost: float
    lessons: int
    tried: int = Field(description="Rules that its candidate was to bring in.")
    came: tuple[str, ...] = Field(default=(), description="Rules that the skill has after it and had not before.")
    went: tuple[str, ...] = Field(
        default=(), description="Rules that the skill had after the run before and has no more."
    )
    unknown: bool = Field(
        default=False, exclude_if=not_, description="The store has lost a version: what came and went is not known."
    )
    refuted: tuple[str, ...] = Field(default=(), description="Rules that it refuted.")
    waiting: tuple[RuleVerdict, ...] = Field(default=(), description="Refuted before, and kept out of it.")
    returned: tuple[RuleVerdict, ...] = Field(default=(), description="Refuted before, and back with new evidence.")


class Nights(Record):
    """The nights of a skill, oldest first."""

    skill: str
    nights: tuple[NightLine, ...] = ()

    def as_table(self) -> str:
        """A line a night, as Markdown."""
        head = "| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD)
        return "\n".join([head, *("| " + " | ".join(cells(item)) + " |" for item in self.nights)])

    def as_markdown(self) -> str:
        """The page: the table, and of the last night what it tried, learned and gave up on."""
        parts = [f"# Nights of `{self.skill}`", self.as_table()]
        if self.nights:
            last = self.nights[-1]
            parts += [f"## The last: {name_of(last)}", f"{last.reason}.", *map(_listed, details(last))]
        return "\n\n".join(parts) + "\n"


HEAD = ("night", "outcome", "champion", "candidate", "spent", "tried", "in", "out", "refuted", "waiting", "returned")


def nights_of(store: Store, skill: str, last: RunSummary | None = None) -> Nights:
    """The nights that the store holds of the skill of that name.

    Args:
        store: where the runs are.
        skill: its name.
        last: the run with which they end, whether or not the store has it yet; all, unless given.
    """
    past = past_of(store, skill)
    runs = list(past.runs)
    if last is not None:
        before = next((n for n, (_, summary) in enumerate(runs) if summary.run_id == last.run_id), len(runs))
        at = runs[before][0] if before < len(runs) else (runs[-1][0] + 1 if runs else 0)
        past = past.until(at, last)
        runs = list(past.runs)
    by_run = _refuted_by_run(store, past)
    lines: list[NightLine] = []
    had: set[str] | None = None
    for _, summary in runs:
        base, after = (_rules_in(store, digest) for digest in (summary.base, _skill_after(summary)))
        before_it = base if had is None else had
        lines.append(_line(summary, before_it, after, by_run.get(summary.run_id, ())))
        had = after
    return Nights(skill=skill, nights=tuple(lines))


def cells(item: NightLine) -> list[str]:
    """The cells of a night's line, in the order of `HEAD`."""
    calls = f"{item.calls} calls, ${item.cost:.2f}"
    came, went = ("?", "?") if item.unknown else (str(len(item.came)), str(len(item.went)))
    scores = [_score(item.champion), _score(item.candidate)]
    counts = [str(len(some)) for some in (item.refuted, item.waiting, item.returned)]
    return [name_of(item), item.outcome.replace("_", " "), *scores, calls, str(item.tried), came, went, *counts]


def name_of(item: NightLine) -> str:
    """What a night is called."""
    return f"{item.night} ({item.day})" if item.night else item.run_id


def details(item: NightLine) -> list[tuple[str, list[str]]]:
    """What a night tried, learned and gave up on: a heading and its lines, where there is any of it."""
    found = [
        ("in", list(item.came)),
        ("out", list(item.went)),
        ("refuted", list(item.refuted)),
        ("waiting for evidence", [f"{one.says} ({one.in_words})" for one in item.waiting]),
        ("returned", [f"{one.says} ({one.in_words})" for one in item.returned]),
    ]
    return [(name, lines) for name, lines in found if lines]


def _listed(found: tuple[str, list[str]]) -> str:
    name, lines = found
    return f"**{name}**\n\n" + "\n".join(f"- {_one_line(line)}" for line in lines)


def _line(summary: RunSummary, before: set[str] | None, after: set[str] | None, refuted: Iterable[str]) -> NightLine:
    known = before is not None and after is not None
    scores: list[Evaluation | None] = [*summary.evaluations[:2], None, None]
    return NightLine(
        run_id=summary.run_id,
        night=summary.night,
        day=summary.night_of,
        outcome=summary.outcome,
        reason=summary.decision.reason,
        champion=_interval(scores[0]),
        candidate=_interval(scores[1]),
        calls=summary.spent.calls,
        from_memory=summary.spent.from_memory,
        cost=summary.spent.cost,
        lessons=summary.lessons,
        tried=len(summary.candidate.written),
        came=tuple(sorted(after - before)) if before is not None and after is not None else (),
        went=tuple(sorted(before - after)) if before is not None and after is not None else (),
        unknown=not known,
        refuted=tuple(refuted),
        waiting=tuple(item for item in summary.refuted if item.waits),
        returned=tuple(item for item in summary.refuted if not item.waits),
    )


def _interval(scored: Evaluation | None) -> Interval | None:
    values = list(scored.by_task().values()) if scored else []
    return interval(values, (0.0, 1.0)) if values else None


def _score(found: Interval | None) -> str:
    return f"{found.mean:.1%} ({found.low:.0%} to {found.high:.0%})" if found else "-"


def _skill_after(summary: RunSummary) -> str:
    if summary.shrunk and summary.shrunk.promoted:
        return summary.shrunk.skill
    return summary.candidate.skill if summary.promoted else summary.base


def _rules_in(store: Store, digest: str) -> set[str] | None:
    """The items of the lists in a skill's Markdown; None where the store has lost the skill."""
    skill = store.get("skill", digest, Skill)
    if skill is None:
        return None
    texts = [skill.text(file.path) or "" for file in skill.files if file.path.endswith(".md")]
    lines = [line for text in texts for line in split_lines(text)]
    return {MARK.sub("", line).strip() for line in lines if MARK.match(line)}


def _refuted_by_run(store: Store, past: Past) -> dict[str, Sequence[str]]:
    """The words of the rules that each run refuted, by the last book."""
    last = next((summary.book for _, summary in reversed(past.runs) if summary.book), "")
    book = store.get("book", last, RuleBook) if last else None
    found: dict[str, list[str]] = {}
    if book is not None:
        says = {rule.id: rule.says for rule in book.rules}
        for id, items in sorted(refutations_of(past, book.rules).items()):
            for run in dict.fromkeys(item.run_id for item in items):
                found.setdefault(run, []).append(says[id])
    return {run: tuple(words) for run, words in found.items()}


def _one_line(text: str) -> str:
    line = " ".join(shown(text).split()).replace("|", "\\|")
    return line if len(line) <= MOST_CHARS else line[: MOST_CHARS - 1] + "…"
