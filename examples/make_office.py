"""Make office tasks in SpreadsheetBench layout: workbooks, golden workbooks, dataset.json.

    python examples/make_office.py                                  # the committed demo set, examples/office
    python examples/make_office.py --tasks 200 --seed 7 --out DIR   # a larger set, for benchmarks

The same arguments give the same bytes. Golden answers are computed here, from the data as they are generated, and not
by the programs that the simulated model writes.
"""

import argparse
import datetime
import io
import json
import random
import shutil
import sys
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import openpyxl
from openpyxl.workbook import Workbook

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from trace2skill.sim.office import Job, instruction  # noqa: E402

REGIONS = ["North", "South", "East", "West", "Centre", "Coast", "Hills", "Islands"]
PEOPLE = [
    "anna berg",
    "LOUIS meyer",
    "Mara de vries",
    "tom o'neil",
    "Ivo HANSEN",
    "zoe klein",
    "Piet van dam",
    "eva lund",
]
ARTICLES = [
    "Desk",
    "Chair",
    "Lamp",
    "Shelf",
    "Table",
    "Cabinet",
    "Monitor",
    "Keyboard",
    "Mouse",
    "Cable",
    "Printer",
    "Phone",
]
STATUSES = ["open", "cancelled", "done", "on hold", "duplicate"]
FIXED_TIME = (2024, 1, 1, 0, 0, 0)

Change = dict[str, object]
"""Cell -> golden value."""


def totals(rng: random.Random, book: Workbook) -> tuple[Job, Callable[[Workbook], None], str]:
    """Sums per group on a second sheet."""
    sheet, names = _sheet(book, rng, ["Sales", "Orders", "Bookings"]), rng.sample(REGIONS, rng.randint(4, 7))
    sheet.append(["Date", "Region", "Note", "Amount"])
    sums: dict[str, float] = defaultdict(float)
    for number in range(rng.randint(14, 40)):
        # The last row always counts, so that leaving it out shows.
        name, amount = rng.choice(names), round(rng.uniform(5, 900), 2)
        sums[name] += amount
        sheet.append([_day(rng), name, f"n{number}", amount])
    overview = book.create_sheet("Overview" if rng.random() < 0.5 else "Summary")
    overview.append(["Region", "Total"])
    present = [name for name in names if name in sums]
    for name in present:
        overview.append([name])

    def solve(golden: Workbook) -> None:
        for row, name in enumerate(present, start=2):
            golden[overview.title].cell(row, 2).value = sums[name]

    job = Job(kind="totals", sheet=sheet.title, target=overview.title, key="B", value="D", what="region")
    return job, solve, f"'{overview.title}'!A1:B{len(present) + 1}"


def lookup(rng: random.Random, book: Workbook) -> tuple[Job, Callable[[Workbook], None], str]:
    """Prices from another sheet."""
    sheet = _sheet(book, rng, ["Orders", "Basket", "Delivery"])
    sheet.append(["No", "Article", "Pieces", "Price"])
    prices = {article: round(rng.uniform(3, 400), 2) for article in rng.sample(ARTICLES, 9)}
    rows = [[n, rng.choice(list(prices)), rng.randint(1, 12)] for n in range(1, rng.randint(13, 40))]
    for row in rows:
        sheet.append(row)
    table = book.create_sheet("Prices" if rng.random() < 0.5 else "Catalogue")
    table.append(["Article", "Price"])
    for item in prices.items():
        table.append(item)

    def solve(golden: Workbook) -> None:
        for number, row in enumerate(rows, start=2):
            golden[sheet.title].cell(number, 4).value = prices[str(row[1])]

    job = Job(kind="lookup", sheet=sheet.title, target=table.title, key="B", value="D")
    return job, solve, f"'{sheet.title}'!A1:D{len(rows) + 1}"


def balance(rng: random.Random, book: Workbook) -> tuple[Job, Callable[[Workbook], None], str]:
    """A running balance."""
    sheet = _sheet(book, rng, ["Account", "Cash", "Journal"])
    sheet.append(["Date", "Text", "Amount", "Balance"])
    amounts = [round(rng.uniform(-300, 500), 2) for _ in range(rng.randint(12, 45))]
    for number, amount in enumerate(amounts):
        sheet.append([_day(rng), f"booking {number}", amount])

    def solve(golden: Workbook) -> None:
        running = 0.0
        for number, amount in enumerate(amounts, start=2):
            running += amount
            golden[sheet.title].cell(number, 4).value = running

    job = Job(kind="balance", sheet=sheet.title, key="C", value="D")
    return job, solve, f"'{sheet.title}'!A1:D{len(amounts) + 1}"


def remove(rng: random.Random, book: Workbook) -> tuple[Job, Callable[[Workbook], None], str]:
    """Rows to delete, some of them neighbours."""
    sheet = _sheet(book, rng, ["Tickets", "Requests", "Visits"])
    sheet.append(["No", "Customer", "Status"])
    doomed = rng.choice(STATUSES)
    statuses = [rng.choice(STATUSES) for _ in range(rng.randint(14, 40))]
    middle = len(statuses) // 2
    statuses[middle : middle + 2] = [doomed, doomed]
    rows = [[100 + n, rng.choice(PEOPLE).title(), status] for n, status in enumerate(statuses)]
    for row in rows:
        sheet.append(row)

    def solve(golden: Workbook) -> None:
        target = golden[sheet.title]
        kept = [row for row in rows if row[2] != doomed]
        for number in range(len(rows)):
            for column in range(3):
                value = kept[number][column] if number < len(kept) else None
                target.cell(number + 2, column + 1).value = value

    job = Job(kind="remove", sheet=sheet.title, key="C", what=doomed)
    return job, solve, f"'{sheet.title}'!A1:C{len(rows) + 1}"


def due(rng: random.Random, book: Workbook) -> tuple[Job, Callable[[Workbook], None], str]:
    """Due dates some days after invoice dates."""
    sheet = _sheet(book, rng, ["Invoices", "Bills"])
    sheet.append(["Invoice", "Date", "Amount", "Due"])
    days, dates = rng.choice([10, 14, 21, 30, 45]), [_day(rng) for _ in range(rng.randint(12, 35))]
    for number, day in enumerate(dates):
        sheet.append([f"R{number:03d}", day, round(rng.uniform(20, 2000), 2)])

    def solve(golden: Workbook) -> None:
        for number, day in enumerate(dates, start=2):
            golden[sheet.title].cell(number, 4).value = day + datetime.timedelta(days=days)

    job = Job(kind="due", sheet=sheet.title, key="B", value="D", what=str(days))
    return job, solve, f"'{sheet.title}'!A1:D{len(dates) + 1}"


def names(rng: random.Random, book: Workbook) -> tuple[Job, Callable[[Workbook], None], str]:
    """Carelessly typed names."""
    sheet = _sheet(book, rng, ["Members", "Guests", "Staff"])
    sheet.append(["No", "Name", "Clean name"])
    clean = [rng.choice(PEOPLE).title() for _ in range(rng.randint(12, 35))]
    for number, name in enumerate(clean):
        first, _, rest = name.partition(" ")
        typed = f"{' ' * rng.randint(0, 2)}{first.upper() if rng.random() < 0.4 else first.lower()}"
        typed += f"{' ' * (2 if number % 3 == 0 else 1)}{rest.lower()}{' ' * rng.randint(0, 2)}"
        sheet.append([number + 1, typed])

    def solve(golden: Workbook) -> None:
        for number, name in enumerate(clean, start=2):
            golden[sheet.title].cell(number, 3).value = name

    job = Job(kind="names", sheet=sheet.title, key="B", value="C")
    return job, solve, f"'{sheet.title}'!A1:C{len(clean) + 1}"


def share(rng: random.Random, book: Workbook) -> tuple[Job, Callable[[Workbook], None], str]:
    """Shares of a total, in percent."""
    sheet = _sheet(book, rng, ["Budget", "Costs", "Votes"])
    sheet.append(["Item", "Amount", "Percent"])
    amounts = [rng.randint(3, 997) for _ in range(rng.randint(12, 30))]
    for number, amount in enumerate(amounts):
        sheet.append([f"{rng.choice(ARTICLES)} {number}", amount])

    def solve(golden: Workbook) -> None:
        for number, amount in enumerate(amounts, start=2):
            golden[sheet.title].cell(number, 3).value = amount * 100 / sum(amounts)

    job = Job(kind="share", sheet=sheet.title, key="B", value="C")
    return job, solve, f"'{sheet.title}'!A1:C{len(amounts) + 1}"


def month(rng: random.Random, book: Workbook) -> tuple[Job, Callable[[Workbook], None], str]:
    """Sums per month on a second sheet."""
    sheet = _sheet(book, rng, ["Expenses", "Meter", "Trips"])
    sheet.append(["Date", "Text", "Amount"])
    year = rng.choice([2023, 2024, 2025])
    sums = dict.fromkeys(range(1, rng.randint(5, 9)), 0.0)
    for number in range(rng.randint(20, 50)):
        which = len(sums) if number % 7 == 0 else rng.randint(1, len(sums))
        amount = round(rng.uniform(4, 300), 2)
        sums[which] += amount
        sheet.append([datetime.datetime(year, which, rng.randint(1, 28)), f"entry {number}", amount])
    overview = book.create_sheet("Months" if rng.random() < 0.5 else "Per month")
    overview.append(["Month", "Sum"])
    for which in sums:
        overview.append([datetime.datetime(year, which, 1)])

    def solve(golden: Workbook) -> None:
        for row, value in enumerate(sums.values(), start=2):
            golden[overview.title].cell(row, 2).value = value

    job = Job(kind="month", sheet=sheet.title, target=overview.title, key="A", value="C")
    return job, solve, f"'{overview.title}'!A1:B{len(sums) + 1}"


KINDS = {
    "totals": totals,
    "lookup": lookup,
    "balance": balance,
    "remove": remove,
    "due": due,
    "names": names,
    "share": share,
    "month": month,
}
SHEET_LEVEL = {"remove", "totals", "month"}


def make(out: Path, tasks: int, seed: int) -> None:
    """Write a data set of so many tasks into `out`, which is replaced."""
    shutil.rmtree(out, ignore_errors=True)
    rows = []
    for number in range(tasks):
        kind = list(KINDS)[number % len(KINDS)]
        task_id = f"office-{number + 1:03d}"
        rng = random.Random(f"{seed}/{task_id}")
        book = openpyxl.Workbook()
        job, solve, position = KINDS[kind](rng, book)
        if rng.random() < 0.5:
            book.active = len(book.worksheets) - 1 if job.written != book.worksheets[-1].title else 0
        folder = out / "spreadsheet" / task_id
        folder.mkdir(parents=True)
        content = _bytes(book)
        (folder / f"1_{task_id}_init.xlsx").write_bytes(content)
        golden = openpyxl.load_workbook(io.BytesIO(content))
        solve(golden)
        (folder / f"1_{task_id}_golden.xlsx").write_bytes(_bytes(golden))
        rows.append(
            {
                "id": task_id,
                "instruction": instruction(job, rng.randrange(4)),
                "spreadsheet_path": f"spreadsheet/{task_id}",
                "instruction_type": f"{'Sheet' if kind in SHEET_LEVEL else 'Cell'}-Level Manipulation",
                "answer_position": position,
            }
        )
    (out / "dataset.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _sheet(book: Workbook, rng: random.Random, titles: list[str]) -> openpyxl.worksheet.worksheet.Worksheet:
    sheet = book.active
    sheet.title = rng.choice(titles)
    return sheet


def _day(rng: random.Random) -> datetime.datetime:
    return datetime.datetime(rng.choice([2023, 2024, 2025]), rng.randint(1, 12), rng.randint(1, 28))


def _bytes(book: Workbook) -> bytes:
    """The workbook with every time in it fixed."""
    book.properties.creator = "office"
    book.properties.created = book.properties.modified = datetime.datetime(*FIXED_TIME)
    raw, fixed = io.BytesIO(), io.BytesIO()
    book.save(raw)
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
        for item in sorted(source.infolist(), key=lambda entry: entry.filename):
            content = source.read(item.filename)
            if item.filename == "docProps/core.xml":
                content = _without_save_time(content)
            info = zipfile.ZipInfo(item.filename, FIXED_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, content)
    return fixed.getvalue()


def _without_save_time(xml: bytes) -> bytes:
    """openpyxl stamps the time of saving into `modified`."""
    head, mark, rest = xml.partition(b"<dcterms:modified")
    _, close, tail = rest.partition(b"</dcterms:modified>")
    stamp = b' xsi:type="dcterms:W3CDTF">2024-01-01T00:00:00Z'
    return head + mark + stamp + close + tail if mark and close else xml


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Make office tasks in SpreadsheetBench layout.")
    arguments.add_argument("--tasks", type=int, default=64)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--out", type=Path, default=ROOT / "examples" / "office")
    given = arguments.parse_args()
    make(given.out, given.tasks, given.seed)
