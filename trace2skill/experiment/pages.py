"""The tables of an experiment as files: Markdown, CSV, JSON and one HTML page."""

import csv
import io
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from trace2skill.experiment.conditions import Condition
from trace2skill.experiment.result import ExperimentResult
from trace2skill.experiment.tables import Table, Value, tables_of
from trace2skill.runs.report.charts import score_chart
from trace2skill.runs.report.facts import StageCost, costs_of
from trace2skill.runs.summary import SIMULATED_NOTE
from trace2skill.store import Store
from trace2skill.types.comparison import Interval


def write_pages(store: Store, result: ExperimentResult) -> None:
    """Write `tables.md`, a CSV file for each table, `experiment.json` and `report.html`. Equal results, equal bytes."""
    directory, tables = result.directory, tables_of(result)
    costs = costs_of(store, result.run_id)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "tables.md").write_text(as_markdown(result, tables, costs), encoding="utf-8")
    (directory / "experiment.json").write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for table in tables:
        (directory / f"{table.name}.csv").write_text(as_csv(table), encoding="utf-8")
    (directory / "report.html").write_text(_page(result, tables, costs), encoding="utf-8")


def as_markdown(result: ExperimentResult, tables: list[Table], costs: list[StageCost]) -> str:
    """The whole as a page of Markdown."""
    parts = [f"# Experiment {result.experiment.name}", result.experiment.about.strip(), "\n".join(_facts(result))]
    parts += [f"## {table.title}\n\n{table.about}\n\n{_markdown(table)}" for table in tables]
    parts.append("## Conditions\n\n" + "\n".join(f"- {item.label}: {made_how(item)}" for item in _conditions(result)))
    parts.append(f"## Spent\n\n{_spent(result, costs)}")
    if result.failures:
        listed = "\n".join(f"- {item.stage}: {item.name}: {item.kind}: {item.message}" for item in result.failures)
        parts.append(f"## What failed\n\n{listed}\n\nRun the same command again: only these are run.")
    if result.simulated:
        parts.append(f"> {SIMULATED_NOTE}")
    return "\n\n".join(part for part in parts if part) + "\n"


def as_csv(table: Table) -> str:
    """The table for a script: an interval is three columns."""
    spread = {
        column
        for place, column in enumerate(table.columns)
        if any(isinstance(row[place], Interval) for row in table.rows)
    }
    head = [name for column in table.columns for name in (_three(column) if column in spread else (column,))]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for row in table.rows:
        cells: list[object] = []
        for column, value in zip(table.columns, row, strict=True):
            if column not in spread:
                cells.append("" if value is None else value)
            elif isinstance(value, Interval):
                cells += [round(value.mean, 6), round(value.low, 6), round(value.high, 6)]
            else:
                cells += ["", "", ""]
        writer.writerow(cells)
    return out.getvalue()


def in_words(value: Value, *, signed: bool = False, short: bool = False) -> str:
    """A value as a person reads it; in short, without its interval."""
    if isinstance(value, Interval):
        form = "+.1%" if signed else ".1%"
        if short:
            return f"{value.mean:{form}}"
        return f"{value.mean:{form}} ({value.low:{form}} to {value.high:{form}})"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return "" if value is None else str(value)


def made_how(condition: Condition) -> str:
    """The definition of a condition in a line, without what is usual."""
    given = condition.model_dump(mode="json", exclude={"name", "against", "users"}, exclude_defaults=True)
    more = ", ".join(f"{key} {value}" for key, value in given.items() if key not in ("kind", "bank"))
    bank = getattr(condition, "bank", None)
    found = f", {bank.embedding.name if bank.embedding else 'BM25'}" if bank else ""
    return f"`{condition.kind}`{found}" + (f", {more}" if more else "")


def _three(column: str) -> tuple[str, str, str]:
    return column, f"{column} low", f"{column} high"


def _facts(result: ExperimentResult) -> list[str]:
    tasks = ", ".join(f"{name} {count}" for name, count in result.tasks.items())
    seeds = ", ".join(f"{name} {count}" for name, count in result.seeds.items())
    models = ", ".join(f"{name} is {cast.agent.name}" for name, cast in result.experiment.models.items())
    lines = [f"- run: `{result.run_id}`", f"- models: {models}", f"- tasks: {tasks}", f"- seeds: {seeds}"]
    lines += [f"- the sealed tasks of {o.set} were opened, for time {o.number}: {o.why}" for o in result.openings]
    return lines


def _markdown(table: Table) -> str:
    rows = [
        [in_words(value, signed=column in table.signed) for column, value in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]
    lines = [table.columns, ["---"] * len(table.columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _conditions(result: ExperimentResult) -> list[Condition]:
    return list(result.experiment.conditions)


def _spent(result: ExperimentResult, costs: list[StageCost]) -> str:
    spent = result.spent
    lines = ["| stage | model | calls | tokens | US dollars |", "|---|---|---|---|---|"]
    lines += [f"| {row.stage} | {row.model} | {row.calls} | {row.tokens} | {row.cost:.4f} |" for row in costs]
    return f"{spent.calls} model calls, ${spent.cost:.4f}. Steps that arms share were paid for once.\n\n" + "\n".join(
        lines
    )


def _page(result: ExperimentResult, tables: list[Table], costs: list[StageCost]) -> str:
    charts = []
    for tested in result.experiment.sets:
        for user in result.experiment.user_names:
            column = f"{user} on {tested.name}"
            place = tables[0].columns.index(column) if tables else 0
            rows = [row for table in tables[:1] for row in table.rows if isinstance(row[place], Interval)]
            names = [f"{row[0]}, by {row[1]}" if row[1] != "-" else str(row[0]) for row in rows]
            found = [value for row in rows if isinstance(value := row[place], Interval)]
            if found:
                charts.append((column, Markup(score_chart(names, found))))
    return _template().render(
        result=result,
        facts=[line.removeprefix("- ") for line in _facts(result)],
        tables=tables,
        charts=charts,
        conditions=[(item.label, made_how(item)) for item in _conditions(result)],
        costs=costs,
        in_words=in_words,
        note=SIMULATED_NOTE if result.simulated else "",
    )


@cache
def _template() -> Template:
    source = (files(__package__) / "page.html").read_text(encoding="utf-8")
    return Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )
