"""Programs for office tasks: right ones, and ones with planted mistakes, each as an agent would plausibly write it."""

from trace2skill.sim.office.jobs import Job

HEAD = """\
import sys
import datetime
import openpyxl
from openpyxl.utils import column_index_from_string as col

book = openpyxl.load_workbook(sys.argv[1])
source = book[{sheet!r}]
sheet = {written}
"""

BODIES = {
    "totals": """\
totals = {{}}
for row in range(2, {last_source}):
    name = source.cell(row, col({key!r})).value
    totals[name] = totals.get(name, 0) + (source.cell(row, col({value!r})).value or 0)
lookup = book[{target!r}]
for row in range({first}, {last_target}):
    write(row, 2, totals.get(lookup.cell(row, 1).value, 0), "=SUMIF('" + source.title + "'!{key}:{key},A" + str(row) + ",'" + source.title + "'!{value}:{value})")
""",
    "lookup": """\
prices = {{row[0].value: row[1].value for row in book[{target!r}].iter_rows(min_row=2, max_col=2)}}
for row in range({first}, {last_source}):
    write(row, col({value!r}), prices.get(source.cell(row, col({key!r})).value), "=VLOOKUP({key}" + str(row) + ",'{target}'!A:B,2,FALSE)")
""",
    "balance": """\
balance = 0
for row in range({first}, {last_source}):
    amount = source.cell(row, col({key!r})).value
    balance += amount if isinstance(amount, (int, float)) else 0
    write(row, col({value!r}), balance, "=SUM({key}$2:{key}" + str(row) + ")")
""",
    "remove": """\
doomed = [row for row in range(2, {last_source}) if source.cell(row, col({key!r})).value == {what!r}]
for row in {order}:
    sheet.delete_rows(row)
""",
    "due": """\
for row in range({first}, {last_source}):
    start = source.cell(row, col({key!r})).value
    if isinstance(start, datetime.datetime):
        write(row, col({value!r}), {date}, "={key}" + str(row) + "+{what}")
""",
    "names": """\
for row in range({first}, {last_source}):
    name = str(source.cell(row, col({key!r})).value)
    write(row, col({value!r}), {clean}, "=PROPER(TRIM({key}" + str(row) + "))")
""",
    "share": """\
total = sum(source.cell(row, col({key!r})).value for row in range(2, {last_source_true}))
for row in range({first}, {last_source}):
    amount = source.cell(row, col({key!r})).value
    share = {share}
    write(row, col({value!r}), share, "={key}" + str(row) + "/SUM({key}:{key})*100")
""",
    "month": """\
totals = {{}}
for row in range(2, {last_source}):
    day = source.cell(row, col({key!r})).value
    totals[(day.year, day.month)] = totals.get((day.year, day.month), 0) + source.cell(row, col({value!r})).value
lookup = book[{target!r}]
for row in range({first}, {last_target}):
    day = lookup.cell(row, 1).value
    write(row, 2, totals.get((day.year, day.month), 0) if isinstance(day, datetime.datetime) else None, "=SUMIFS('" + source.title + "'!{value}:{value},'" + source.title + "'!{key}:{key},\\">=\\"&A" + str(row) + ")")
""",
}

WRITERS = {
    "plain": """\

def write(row, column, value, formula):
    sheet.cell(row, column).value = value

""",
    "formula": """\

def write(row, column, value, formula):
    sheet.cell(row, column).value = formula

""",
    "text": """\

def write(row, column, value, formula):
    sheet.cell(row, column).value = f"{value:,.2f} EUR" if isinstance(value, (int, float)) else value

""",
}
FORMULA_KINDS = ("totals", "lookup", "balance", "due", "share", "month")
NUMBER_KINDS = ("totals", "lookup", "balance", "share", "month")


def program(job: Job, mistakes: frozenset[str]) -> str:
    """The source of a program, called with INPUT and OUTPUT. Without mistakes it is right for every workbook."""
    short = "- 1" if "off_by_one_range" in mistakes else ""
    values = {
        **job.model_dump(),
        "written": "book.active" if "wrong_sheet" in mistakes else f"book[{job.written!r}]",
        "first": 1 if "header_overwritten" in mistakes else 2,
        "last_source": f"source.max_row + 1 {short}".rstrip(),
        "last_source_true": "source.max_row + 1",
        "last_target": f"lookup.max_row + 1 {short}".rstrip(),
        "order": "doomed" if "delete_top_down" in mistakes else "reversed(doomed)",
        "date": _date(job, "dates_as_text" in mistakes),
        "clean": "name.title()" if "spaces_kept" in mistakes else '" ".join(name.split()).title()',
        "share": "round(amount / total, 2) * 100" if "rounded_early" in mistakes else "amount / total * 100",
    }
    style = "formula" if "formula_without_value" in mistakes else "text" if "numbers_as_text" in mistakes else "plain"
    writer = WRITERS[style if job.kind != "remove" else "plain"]
    target = 'sys.argv[2].replace("output/", "")' if "saved_elsewhere" in mistakes else "sys.argv[2]"
    body = BODIES[job.kind].format(**values)
    return HEAD.format(**values) + writer + body + f"book.save({target})\n"


def _date(job: Job, as_text: bool) -> str:
    due = f"start + datetime.timedelta(days={job.what})"
    return f'({due}).strftime("%d.%m.%Y")' if as_text else due
