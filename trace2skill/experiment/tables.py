"""The tables of an experiment, made of its result alone (docs/experiments.md explains each)."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.evaluation.compare import compare, interval
from trace2skill.experiment.conditions import Condition
from trace2skill.experiment.grid import Arm, condition_of, references_of
from trace2skill.experiment.result import ExperimentResult, MeasuredArm
from trace2skill.types.comparison import Comparison, Interval, Score
from trace2skill.types.evaluation import Evaluation

Value = str | int | float | Interval | None
LEARNED = ("evolve", "sequential", "rewrite", "reasoning_bank")


class Table(Record):
    """One table. An interval is a share between -1 and 1; `signed` columns hold differences."""

    name: str = Field(description="Name of its CSV file.")
    title: str
    about: str
    columns: tuple[str, ...]
    signed: tuple[str, ...] = ()
    rows: tuple[tuple[Value, ...], ...]


def tables_of(result: ExperimentResult) -> list[Table]:
    """Every table that has a row. Soft scores have tables of their own where they are not the hard ones."""
    made = [scores(result), deltas(result)]
    if any(cell.soft != cell.hard for item in result.measured for cell in item.evaluation.scored):
        made += [scores(result, "soft"), deltas(result, "soft")]
    made += [transfer(result), distributions(result), ablations(result), effort(result)]
    return [table for table in made if table.rows]


def scores(result: ExperimentResult, measure: Score = "hard") -> Table:
    """Conditions by models: mean score of each arm, for every user and set."""
    columns = _columns(result)
    rows: list[tuple[Value, ...]] = []
    for arm in (item.arm for item in result.arms):
        found = [_find(result, arm, user, tested) for user, tested in columns]
        values = [_score(item.evaluation, measure) if item else None for item in found]
        runs = sum(len(item.evaluation.scored) for item in found if item)
        broken = sum(len(item.evaluation.cells) for item in found if item) - runs
        rows.append((arm.condition, arm.author or "-", *values, runs, broken))
    return Table(
        name=_named("scores", measure),
        title="Conditions by models" + (", soft scores" if measure == "soft" else ""),
        about=f"Mean {measure} score over tasks, with its 95% interval. A column is a model that uses the skill, on "
        "a set.",
        columns=("condition", "author", *(f"{user} on {tested}" for user, tested in columns), "runs", "broken"),
        rows=tuple(rows),
    )


def deltas(result: ExperimentResult, measure: Score = "hard") -> Table:
    """Every arm against each of its references, by the same user on the same tasks."""
    rows: list[tuple[Value, ...]] = []
    for item in result.measured:
        for reference in references_of(result.experiment, condition_of(result.experiment, item.arm)):
            against = _reference(result, item, reference)
            if against is not None and item.evaluation.scored and against.evaluation.scored:
                rows.append((*_who(item), reference, *_difference(against.evaluation, item.evaluation, measure)))
    return Table(
        name=_named("deltas", measure),
        title="Differences to the references" + (", soft scores" if measure == "soft" else ""),
        about="Paired by task. p is one-sided: how likely so high a lift is if both were equally good.",
        columns=("condition", "author", "user", "set", "against", "delta", "p", "better", "worse", "test"),
        signed=("delta",),
        rows=tuple(rows),
    )


def transfer(result: ExperimentResult) -> Table:
    """Each learned condition: who wrote it by who uses it, as a difference to its first reference."""
    rows: list[tuple[Value, ...]] = []
    if len(result.experiment.user_names) > 1 or len(result.experiment.author_names) > 1:
        for condition in result.experiment.conditions:
            if condition.kind in LEARNED or condition.kind == "parametric":
                rows += _transfer_rows(result, condition)
    return Table(
        name="transfer",
        title="Transfer: author by user",
        about="Score and difference to the first reference, for a skill's author and for the models it is handed to.",
        columns=("condition", "set", "author", "user", "used by", "score", "delta"),
        signed=("delta",),
        rows=tuple(rows),
    )


def _transfer_rows(result: ExperimentResult, condition: Condition) -> list[tuple[Value, ...]]:
    rows: list[tuple[Value, ...]] = []
    reference = next(iter(references_of(result.experiment, condition)), "")
    for item in result.measured:
        if item.arm.condition != condition.label:
            continue
        against = _reference(result, item, reference)
        delta = compare(against.evaluation, item.evaluation).lift if against and item.evaluation.scored else None
        whose = "its author" if item.user == item.arm.author else "another model"
        rows.append((condition.label, item.set, item.arm.author, item.user, whose, _score(item.evaluation), delta))
    return rows


def distributions(result: ExperimentResult) -> Table:
    """In- and out-of-distribution sets side by side: means over the sets of each sort."""
    kinds = {item.name: item.distribution for item in result.experiment.sets}
    rows: list[tuple[Value, ...]] = []
    if set(kinds.values()) == {"in", "out"}:
        for arm in (item.arm for item in result.arms):
            for user in result.experiment.user_names:
                rows += _distribution_row(result, arm, user, kinds)
    return Table(
        name="distributions",
        title="In and out of distribution",
        about="Tasks of all sets of a sort together, each task once. The difference is to the condition's first "
        "reference.",
        columns=("condition", "author", "user", "in: score", "in: delta", "out: score", "out: delta"),
        signed=("in: delta", "out: delta"),
        rows=tuple(rows),
    )


def _distribution_row(
    result: ExperimentResult, arm: Arm, user: str, kinds: Mapping[str, str]
) -> list[tuple[Value, ...]]:
    reference = next(iter(references_of(result.experiment, condition_of(result.experiment, arm))), "")
    values: list[Value] = []
    for sort in ("in", "out"):
        found = [item for item in result.measured if (item.arm, item.user) == (arm, user) and kinds[item.set] == sort]
        against = [_reference(result, item, reference) for item in found]
        if not found:
            return []
        whole = _united(found)
        delta = compare(_united([item for item in against if item]), whole).lift if all(against) else None
        values += [_score(whole), delta]
    return [(arm.condition, arm.author or "-", user, *values)]


def ablations(result: ExperimentResult) -> Table:
    """The pairs that the file states: what one thing is worth."""
    rows: list[tuple[Value, ...]] = []
    for ablation in result.experiment.ablations:
        for item in result.measured:
            if item.arm.condition != ablation.whole:
                continue
            without = _reference(result, item, ablation.without)
            if without is not None and without.evaluation.scored and item.evaluation.scored:
                pair = (_score(item.evaluation), _score(without.evaluation))
                both = _difference(without.evaluation, item.evaluation)
                rows.append((ablation.name, item.arm.author or "-", item.user, item.set, *pair, *both))
    return Table(
        name="ablations",
        title="Ablations",
        about="Two conditions that differ in one thing. The difference is what that thing adds.",
        columns=("what", "author", "user", "set", "with", "without", "delta", "p", "better", "worse", "test"),
        signed=("delta",),
        rows=tuple(rows),
    )


def effort(result: ExperimentResult) -> Table:
    """What it took to get to each arm, and what its agents use."""
    rows: list[tuple[Value, ...]] = []
    for item in result.arms:
        cells = [cell for found in result.measured if found.arm == item.arm for cell in found.evaluation.scored]
        used = [round(fmean(values), 1) if values else None for values in _use(cells)]
        made = (item.trajectories, item.lessons, item.left_out, item.rounds, item.tokens, item.failed)
        rows.append((item.arm.condition, item.arm.author or "-", *made, *used))
    return Table(
        name="effort",
        title="Effort",
        about="Trajectories and lessons behind each arm, rounds that had to wait for each other, the size of SKILL.md, "
        "and the means of a scored run.",
        columns=(
            *("condition", "author", "trajectories", "lessons", "not seen", "rounds", "skill tokens", "failed"),
            *("turns", "tokens", "US dollars in 1000 runs"),
        ),
        rows=tuple(rows),
    )


def _use(cells: Sequence[object]) -> list[list[float]]:
    scale = {"turns": 1.0, "tokens": 1.0, "cost": 1000.0}
    return [[float(getattr(cell, name)) * by for cell in cells] for name, by in scale.items()]


def _columns(result: ExperimentResult) -> list[tuple[str, str]]:
    return [(user, item.name) for item in result.experiment.sets for user in result.experiment.user_names]


def _find(result: ExperimentResult, arm: Arm, user: str, tested: str) -> MeasuredArm | None:
    wanted = (arm, user, tested)
    return next((item for item in result.measured if (item.arm, item.user, item.set) == wanted), None)


def _reference(result: ExperimentResult, item: MeasuredArm, condition: str) -> MeasuredArm | None:
    """The condition by the same author, or by nobody, measured with the same user on the same set."""
    arms = (Arm(condition=condition, author=item.arm.author), Arm(condition=condition))
    found = (_find(result, arm, item.user, item.set) for arm in arms)
    return next((one for one in found if one is not None), None)


def _who(item: MeasuredArm) -> tuple[str, str, str, str]:
    return item.arm.condition, item.arm.author or "-", item.user, item.set


def _named(table: str, measure: Score) -> str:
    return table if measure == "hard" else f"{table}-{measure}"


def _difference(before: Evaluation, after: Evaluation, measure: Score = "hard") -> tuple[Value, ...]:
    found: Comparison = compare(before, after, score=measure)
    return found.lift, round(found.p_value, 4), len(found.better), len(found.worse), found.test


def _score(evaluation: Evaluation, measure: Score = "hard") -> Interval | None:
    by_task: dict[str, list[float]] = {}
    for cell in evaluation.scored:
        by_task.setdefault(cell.task_id, []).append(cell.hard if measure == "hard" else cell.soft)
    return interval([fmean(values) for values in by_task.values()], (0.0, 1.0)) if by_task else None


def _united(items: Sequence[MeasuredArm]) -> Evaluation:
    """The cells of several sets as one matrix; a task is named with its set."""
    first = items[0].evaluation
    cells = [
        cell.model_copy(update={"task_id": f"{item.set}/{cell.task_id}"})
        for item in items
        for cell in item.evaluation.cells
    ]
    return Evaluation.of(first.condition, first.skill, cells, first.bank)
