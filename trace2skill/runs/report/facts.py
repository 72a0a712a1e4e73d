"""What the report shows, gathered from the store: nothing is computed anew, and nothing asks a model."""

from typing import Literal

from pydantic import Field

from trace2skill.analysts.reading import step_text
from trace2skill.consolidate.ledger import SupportLedger, SupportRow
from trace2skill.consolidate.node import Groups
from trace2skill.consolidate.settle import RuleBook
from trace2skill.core.record import Record
from trace2skill.evaluation.compare import interval
from trace2skill.evaluation.ends import short
from trace2skill.runs.summary import RunSummary
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.store.costs import totals_by_stage
from trace2skill.types.comparison import Interval
from trace2skill.types.evaluation import Evaluation
from trace2skill.types.references import MergeTree
from trace2skill.types.trajectory import Timing, Trajectory

STEP_CHARS, EVIDENCE_CHARS = 1_200, 400
LESSONS_SHOWN, EVIDENCE_STEPS = 6, 3


class Scored(Record):
    """A condition's row. Seconds are of the rollouts when they were made, None where the store has forgotten."""

    name: str
    hard: Interval
    soft: float
    scored: int
    cells: int
    turns: float
    tokens: float
    cost: float
    seconds: float | None
    ended: str
    """How runs ended, where not with an answer."""


class Flip(Record):
    """A task that ended differently, with a trajectory of each side."""

    task: str
    better: bool
    before: str
    after: str


class DiffLine(Record):
    """A line of the diff; `row` says who asked for it, where a group wrote it."""

    kind: str = Field(description="'+', '-', ' ' or '@' for a heading of the diff.")
    text: str
    number: int = Field(default=0, description="Line number in the new file, 0 for lines that are not in it.")
    row: int = Field(default=-1, description="Index into the page's evidence, -1 where there is none.")


class LessonShown(Record):
    """One lesson behind a line, with the steps that show it."""

    title: str
    content: str
    trajectory: str
    task: str
    proof: str
    steps: tuple[str, ...]


class Behind(Record):
    """Everything behind one range of lines."""

    row: SupportRow
    lessons: tuple[LessonShown, ...]
    more: int


class StageCost(Record):
    """What one stage used of one model."""

    stage: str
    model: str
    calls: int
    from_memory: int
    failed: int
    tokens: int
    cost: float
    seconds: float = Field(description="Sum over calls, which run side by side.")
    cached: float | None = Field(description="Share of the tokens in from the provider's cache; none where unknown.")


class MergeNode(Record):
    """A rule with the words behind it, or a node of an earlier version's merge tree; a leaf is one proposal."""

    text: str = ""
    tasks: int
    how: Literal["same", "narrower", "opposed"] = "same"
    inside: tuple["MergeNode", ...] = ()
    leaves: int = 1


def scores_of(store: Store, evaluations: tuple[Evaluation, ...]) -> list[Scored]:
    """A row for each condition."""
    rows = []
    for item in evaluations:
        runs = max(1, len(item.scored))
        timings = [store.get("timing", cell.trajectory_id, Timing) for cell in item.scored]
        seconds = [timing.seconds for timing in timings if timing]
        rows.append(
            Scored(
                name=item.condition,
                hard=interval(list(item.by_task().values()), (0.0, 1.0)),
                soft=item.soft,
                scored=len(item.scored),
                cells=len(item.cells),
                turns=sum(cell.turns for cell in item.scored) / runs,
                tokens=sum(cell.tokens for cell in item.scored) / runs,
                cost=sum(cell.cost for cell in item.scored),
                seconds=sum(seconds) / len(seconds) if seconds else None,
                ended=short(item),
            )
        )
    return rows


def flips_of(summary: RunSummary) -> list[Flip]:
    """The tasks that turned, better ones first."""
    found = summary.decision.comparison
    if found is None or len(summary.evaluations) < 2:
        return []
    before, after = ({(c.task_id, c.seed): c for c in e.scored} for e in summary.evaluations[:2])
    flips = []
    for task in (*found.better, *found.worse):
        both = sorted(key for key in before.keys() & after.keys() if key[0] == task)
        key = next((k for k in both if before[k].hard != after[k].hard), both[0])
        trajectories = {"before": before[key].trajectory_id, "after": after[key].trajectory_id}
        flips.append(Flip(task=task, better=task in found.better, **trajectories))
    return flips


def steps_of(store: Store, trajectory_id: str) -> tuple[Trajectory, list[str]] | None:
    """A trajectory with its steps as text, cut where they are long; None where the store has forgotten it."""
    found = store.get("trajectory", trajectory_id, Trajectory)
    return (found, [step_text(step, STEP_CHARS) for step in found.steps]) if found else None


def diff_of(summary: RunSummary, ledger: SupportLedger | None) -> list[DiffLine]:
    """The skill diff line by line, each added line with the index of its row in the ledger."""
    rows = ledger.rows if ledger else ()
    lines: list[DiffLine] = []
    file, number = "", 0
    for text in summary.candidate.diff.splitlines():
        if text.startswith("+++ b/"):
            file = text.removeprefix("+++ b/")
        if text.startswith("@@"):
            number = int(text.split("+")[1].split(",")[0].split(" ")[0]) - 1
        if text.startswith(("diff ", "+++", "---", "new file", "deleted file", "@@", "Binary", "\\")):
            lines.append(DiffLine(kind="@", text=text))
            continue
        number += text[:1] != "-"
        row = -1
        if text[:1] == "+":
            found = (n for n, r in enumerate(rows) if r.file == file and r.first <= number <= r.last)
            row = next(found, -1) if text[1:].strip() else -1
        shown = number if text[:1] != "-" else 0
        lines.append(DiffLine(kind=text[:1] or " ", text=text[1:], number=shown, row=row))
    return lines


def behind(store: Store, ledger: SupportLedger | None) -> list[Behind]:
    """The evidence behind each row of the ledger."""
    found = []
    for row in ledger.rows if ledger else ():
        shown = row.lessons[:LESSONS_SHOWN]
        said = []
        for lesson in shown:
            trajectory = store.get("trajectory", lesson.trajectory_id, Trajectory)
            wanted = [n for e in lesson.evidence for n in range(e.first, e.last + 1)][:EVIDENCE_STEPS]
            steps = [step_text(s, EVIDENCE_CHARS) for s in trajectory.steps if s.number in wanted] if trajectory else []
            said.append(
                LessonShown(
                    title=lesson.title,
                    content=lesson.content,
                    trajectory=lesson.trajectory_id,
                    task=lesson.task_id,
                    proof=lesson.proof,
                    steps=tuple(steps),
                )
            )
        found.append(Behind(row=row, lessons=tuple(said), more=len(row.lessons) - len(shown)))
    return found


def costs_of(store: Store, run_id: str) -> list[StageCost]:
    """What each stage used, the most expensive first."""
    return [StageCost(**row._asdict()) for row in totals_by_stage(store, run_id)]


def tree_of(store: Store, summary: RunSummary) -> MergeNode | None:
    """The rule book: each rule with the words of those who say it. Of a run of an earlier version, its merge tree.

    None where nothing was merged or no record was kept.
    """
    book = store.get("book", summary.book, RuleBook) if summary.book else None
    return _book_of(book) if book and book.rules else _merges_of(store, summary)


def _book_of(book: RuleBook) -> MergeNode:
    rules = []
    for rule in book.rules:
        said = tuple(MergeNode(text=one.rule.text, tasks=1, how=one.how) for one in rule.said)
        opposed = tuple(MergeNode(text=other.text, tasks=1, how="opposed") for other in rule.against)
        inside = (*said, *opposed) if len(said) + len(opposed) > 1 else ()
        rules.append(MergeNode(text=rule.says, tasks=len(rule.support.tasks), inside=inside, leaves=len(said)))
    tasks = len({task for rule in book.rules for task in rule.support.tasks})
    return MergeNode(tasks=tasks, inside=tuple(rules), leaves=sum(rule.leaves for rule in rules))


def _merges_of(store: Store, summary: RunSummary) -> MergeNode | None:
    tree = store.get("tree", summary.tree, MergeTree) if summary.tree else None
    if tree is None:
        return None
    count = len(tree.nodes) - len(tree.merges)
    held = [store.get("groups", leaf.content, Groups) for leaf in tree.nodes[:count]]
    groups = [next(iter(item.groups), None) if item else None for item in held]
    tasks = [set(group.support.tasks) if group else set() for group in groups]
    nodes = [
        MergeNode(text=group.text if group else "(pruned from the store)", tasks=len(asked))
        for group, asked in zip(groups, tasks, strict=True)
    ]
    for inputs in tree.merges:
        inside = tuple(nodes[i] for i in inputs)
        tasks.append(set().union(*(tasks[i] for i in inputs)))
        nodes.append(MergeNode(tasks=len(tasks[-1]), inside=inside, leaves=sum(node.leaves for node in inside)))
    return nodes[-1]


def skill_of(store: Store, digest: str) -> Skill | None:
    """A version's files."""
    return store.get("skill", digest, Skill)
