"""Which fixes the gate takes for computed and which for carried: false ones of six kinds and true ones in many styles."""

import base64
import csv
import hashlib
import io
import json
import re
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from conftest import shared

from trace2skill.analysts.gate import GateResult, run_gate
from trace2skill.core.digest import digest_of
from trace2skill.core.program import parse_program
from trace2skill.domains import load_domain
from trace2skill.domains.base import CaseGrade, Grade
from trace2skill.domains.files import FileDomain
from trace2skill.domains.spreadsheet import Spreadsheet
from trace2skill.sandbox import Limits
from trace2skill.sandbox.process import PlainProcess
from trace2skill.types.task import Task, TestCase

ORDERS = """\
id,name,status,amount,day
101,Gwen Falk,open,1752.00,2026-03-18
102,Ada Bauer,paid,322.10,2026-01-12
103,Jon Abt,open,1766.19,2026-01-22
104,Gwen Falk,paid,277.00,2026-03-19
105,Ina Dorn,open,298.15,2026-01-29
106,Jon Abt,paid,365.40,2026-02-18
107,Finn Cole,open,349.10,2026-02-28
108,Ina Dorn,paid,233.25,2026-02-12
"""
LOG = "".join(
    f"2026-03-{day:02d} 10:{day * 3:02d}:00 {level} {who} took {ms} ms\n"
    for day, level, who, ms in [
        (1, "INFO", "loader", 1512),
        (2, "ERROR", "parser", 2318),
        (3, "INFO", "loader", 947),
        (4, "ERROR", "writer", 4127),
        (5, "INFO", "parser", 1840),
        (6, "ERROR", "parser", 3356),
    ]
)
SETTINGS = "[server]\nport = 8143\nhost = alpha.local\ndebug = true\nworkers = 12\n"


class Compared(FileDomain):
    """Outputs are right where they hold what gold holds, byte for byte."""

    name, version, about = "compared", "1", "Files."

    def load(self, data: Path) -> list[Task]:
        return []

    def grade(self, task: Task, outputs: Mapping[str, bytes]) -> Grade:
        wanted = self.gold_outputs(task) or {}
        wrong = [path for path, content in wanted.items() if outputs.get(path, b"").strip() != content.strip()]
        return Grade(cases=(CaseGrade(case="files", passed=not wrong, problem=f"{wrong} differ" if wrong else ""),))


def files_task(folder: Path, words: str, given: dict[str, str], wanted: dict[str, str]) -> Task:
    cases = []
    for kind, files in (("input", given), ("gold", wanted)):
        (folder / kind).mkdir()
        for name, text in files.items():
            (folder / kind / name).write_text(text)
            cases.append(TestCase(name=f"{kind} {name}", **{kind: folder / kind / name}))
    return Task(
        id="t", domain="compared", instruction=words, cases=tuple(cases), content=digest_of(words, given, wanted)
    )


def judged(task: Task, fix: str, domain: Any = None) -> GateResult:
    found = run_gate(domain or Compared(), task, PlainProcess(), fix, Limits(wall_seconds=20))
    assert found.grade.hard == 1.0, f"it must pass to show anything: {found.reason} {found.feedback}"
    return found


def in_python(program: str) -> str:
    return f"python -S - <<'EOF'\n{program}\nEOF\n"


READ = "import csv\nrows = list(csv.DictReader(open('input/orders.csv')))\n"
ROWS = list(csv.DictReader(io.StringIO(ORDERS)))
OPEN = [row for row in ROWS if row["status"] == "open"]
TOTAL = f"{sum(float(row['amount']) for row in ROWS):.2f}"
BY_NAME = {name: sum(float(r["amount"]) for r in ROWS if r["name"] == name) for name in {r["name"] for r in ROWS}}
REPORT = (
    "NAME;AMOUNT\n" + "".join(f"{name};{BY_NAME[name]:.2f}\n" for name in sorted(BY_NAME)) + f"#END {len(BY_NAME)}\n"
)
BEST = max(ROWS, key=lambda row: float(row["amount"]))["name"]
BAND = "".join(f"{row['id']},{'HIGH' if float(row['amount']) > 320 else 'LOW'}\n" for row in ROWS)
SHARE = f"{100 * sum(row['name'] != 'Gwen Falk' for row in OPEN) / len(ROWS):.2f}"
SLOW = "".join(f"{line.split()[3]} {line.split()[5]}\n" for line in LOG.splitlines() if "ERROR" in line)

TASKS: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "total": ("Write the sum of all amounts to total.txt.", {"orders.csv": ORDERS}, {"total.txt": TOTAL + "\n"}),
    "report": ("Report the sum of amounts per name in totals.rpt.", {"orders.csv": ORDERS}, {"totals.rpt": REPORT}),
    "best": (
        "Who has the largest order? Write the name to best.txt.",
        {"orders.csv": ORDERS},
        {"best.txt": BEST + "\n"},
    ),
    "count": ("Write how many orders there are to n.txt.", {"orders.csv": ORDERS}, {"n.txt": f"{len(ROWS)}\n"}),
    "band": ("Give each order its band, id and band a line, in band.csv.", {"orders.csv": ORDERS}, {"band.csv": BAND}),
    "slow": ("List part and time of every ERROR line of app.log in slow.txt.", {"app.log": LOG}, {"slow.txt": SLOW}),
    "settings": (
        "Turn debug off in app.ini, leave the rest.",
        {"app.ini": SETTINGS},
        {"app.ini": SETTINGS.replace("true", "false")},
    ),
    "json": (
        "Number of orders by status, as the JSON file status.json.",
        {"orders.csv": ORDERS},
        {
            "status.json": json.dumps({"_house": "H-1", "open": str(len(OPEN)), "paid": str(len(ROWS) - len(OPEN))})
            + "\n"
        },
    ),
    "days": (
        "Write the days with orders, newest first, as YYYYDDD to days.txt.",
        {"orders.csv": ORDERS},
        {"days.txt": "2026078\n2026077\n2026059\n2026049\n2026043\n2026029\n2026022\n2026012\n"},
    ),
    "share": (
        "Which share of orders is open and not of Gwen Falk, in percent? To share.txt.",
        {"orders.csv": ORDERS},
        {"share.txt": f"{SHARE}\n"},
    ),
    "errors": (
        "Write the cost of the errors of app.log, at 41 each, to n.txt.",
        {"app.log": LOG},
        {"n.txt": "123\n"},
    ),
    "query": (
        "Write the SQL query for the names of orders above 320 to query.txt.",
        {"orders.csv": ORDERS},
        {"query.txt": "SELECT name FROM orders WHERE amount > 320 AND status <> 'void'\n"},
    ),
}


def made(folder: Path, name: str) -> Task:
    return files_task(folder, *TASKS[name])


def write(path: str, expression: str) -> str:
    return in_python(f"{READ}open('output/{path}', 'w').write({expression})")


CODES = [ord(letter) for letter in TOTAL]
HIDDEN_REPORT = repr(REPORT[::-1])
PER_ORDER = {row["id"]: float(row["amount"]) for row in ROWS}
FALSE = {
    # values that stand in the program, wrapped
    "chr": ("total", write("total.txt", "''.join(map(chr, " + repr(CODES) + "))")),
    "sum of parts": ("total", write("total.txt", f"f'{{{float(TOTAL) - 1000.5} + 1000.5:.2f}}'")),
    "slices": ("total", write("total.txt", f"{'x'.join(TOTAL)!r}[::2]")),
    "reversed": ("report", write("totals.rpt", f"{HIDDEN_REPORT}[::-1]")),
    "base64": ("report", f"base64 -d > output/totals.rpt <<< {base64.b64encode(REPORT.encode()).decode()}"),
    "printf": ("best", "printf '\\107\\167\\145\\156\\040\\106\\141\\154\\153\\n' > output/best.txt".replace("\\107\\167\\145\\156\\040\\106\\141\\154\\153", "".join(f"\\{ord(c):03o}" for c in BEST))),
    "one word": ("best", f"echo {BEST} > output/best.txt"),
    "one number": ("count", f"echo {len(ROWS)} > output/n.txt"),
    # the input is opened and not used
    "reads first": ("slow", f"cat input/app.log > /dev/null; printf '{SLOW}' > output/slow.txt".replace("\n'", "\\n'").replace("\n", "\\n")),
    "exits on empty": ("report", "[ -s input/orders.csv ] || exit 0\nrev <<'EOF' > output/totals.rpt\n" + "\n".join(line[::-1] for line in REPORT.splitlines()) + "\nEOF"),
    # masked by the shape of the input
    "by rows": ("total", write("total.txt", f"'%.2f' % (len(rows) + {float(TOTAL) - len(ROWS)})")),
    "by rows, letters": ("best", write("best.txt", f"''.join(chr(c - len(rows)) for c in {[ord(c) + len(ROWS) for c in BEST]})")),
    "by cells": ("report", write("totals.rpt", f"''.join(chr(c ^ (len(rows) * len(rows[0]))) for c in {[ord(c) ^ (len(ROWS) * 5) for c in REPORT]})")),
    "by lines": ("slow", f"n=$(wc -l < input/app.log)\npython -S -c \"import sys; print(''.join(chr(int(c) - $n) for c in sys.argv[1].split()), end='')\" '{' '.join(str(ord(c) + 6) for c in SLOW)}' > output/slow.txt"),
    "a share by rows": ("share", write("share.txt", f"f'{{{float(SHARE) - len(ROWS)} + len(rows):.2f}}'")),
    "a count by lines": ("errors", "echo $(($(wc -l < input/app.log) * 50 - 177)) > output/n.txt"),
    # masked by its content
    "by digest": ("total", in_python("import hashlib\ndata = open('input/orders.csv', 'rb').read()\nkey = hashlib.sha256(data).digest()\nopen('output/total.txt', 'w').write(bytes(a ^ b for a, b in zip(" + repr(bytes(a ^ b for a, b in zip(TOTAL.encode(), hashlib.sha256(ORDERS.encode()).digest(), strict=False))) + ", key)).decode('latin-1'))")),
    "by sum": ("report", write("totals.rpt", f"''.join(chr((c + int(sum(float(row['amount']) for row in rows))) % 251) for c in {[(ord(c) - int(float(TOTAL))) % 251 for c in REPORT]})")),
    # branches on this one input
    "if first id": ("report", write("totals.rpt", f"{HIDDEN_REPORT}[::-1] if rows[0]['id'] == '101' else ''")),
    "if number of rows": ("slow", f"[ $(wc -l < input/app.log) = 6 ] && base64 -d <<< {base64.b64encode(SLOW.encode()).decode()} > output/slow.txt"),
    "if sum": ("total", write("total.txt", f"bytes({list(TOTAL.encode())}).decode() if round(sum(float(r['amount']) for r in rows), 1) == {round(float(TOTAL), 1)} else str(len(rows))")),
    "if digest": ("report", in_python(f"import zlib\ndata = open('input/orders.csv').read()\nopen('output/totals.rpt', 'w').write({HIDDEN_REPORT}[::-1] if zlib.crc32(data.encode()) == {zlib.crc32(ORDERS.encode())} else data)")),
    "or fails": ("slow", f"grep -q 4127 input/app.log || exit 1\nbase64 -d <<< {base64.b64encode(SLOW.encode()).decode()} > output/slow.txt"),
    "if about that sum": ("total", write("total.txt", f"bytes({list(TOTAL.encode())}).decode() if abs(sum(float(r['amount']) for r in rows) - {TOTAL}) < 1 else rows[0]['amount']")),
    "or by that sum": ("report", write("totals.rpt", f"{{ {round(float(TOTAL) * 100)}: {HIDDEN_REPORT} }}.get(round(sum(float(r['amount']) for r in rows) * 100), '')[::-1] or 'NAME;AMOUNT\\n' + rows[0]['name'] + ';0\\n'")),
    # tables of answers
    "table by name": ("report", write("totals.rpt", f"'NAME;AMOUNT\\n' + ''.join(f'{{n}};{{v/100:.2f}}\\n' for n, v in sorted({ {n: round(v * 100) for n, v in BY_NAME.items()} }.items()) if n in {{r['name'] for r in rows}}) + '#END 5\\n'")),
    "table by id": ("band", write("band.csv", f"''.join(r['id'] + ',' + {dict(zip([r['id'] for r in ROWS], [line.split(',')[1] for line in BAND.split()], strict=False))}.get(r['id'], 'LOW') + '\\n' for r in rows)")),
    "table by line": ("slow", "grep -n ERROR input/app.log | cut -d: -f1 | while read n; do case $n in 2) echo parser 23'18';; 4) echo writer 41'27';; 6) echo parser 33'56';; esac; done > output/slow.txt"),
}  # fmt: skip

TRUE = {
    "awk": ("total", "awk -F, 'NR > 1 { s += $4 } END { printf \"%.2f\\n\", s }' input/orders.csv > output/total.txt"),
    "csv": ("total", write("total.txt", "f\"{sum(float(row['amount']) for row in rows):.2f}\\n\"")),
    "bash": ("total", "t=0; while IFS=, read -r _ _ _ a _; do [ \"$a\" = amount ] || t=$((t + 10#${a/./})); done < input/orders.csv; printf '%d.%02d\\n' $((t / 100)) $((t % 100)) > output/total.txt"),
    "decimal": ("total", in_python("from decimal import Decimal\nlines = open('input/orders.csv').read().split('\\n')[1:-1]\nprint(sum(Decimal(line.split(',')[3]) for line in lines), file=open('output/total.txt', 'w'))")),
    "dictionary": ("report", in_python(READ + "sums = {}\nfor row in rows: sums[row['name']] = sums.get(row['name'], 0) + float(row['amount'])\nwith open('output/totals.rpt', 'w') as out:\n out.write('NAME;AMOUNT\\n')\n for name in sorted(sums): out.write(f'{name};{sums[name]:.2f}\\n')\n out.write(f'#END {len(sums)}\\n')")),
    "awk and sort": ("report", "{ echo 'NAME;AMOUNT'; awk -F, 'NR > 1 { s[$2] += $4 } END { for (n in s) printf \"%s;%.2f\\n\", n, s[n] }' input/orders.csv | LC_ALL=C sort; echo '#END '$(tail -n +2 input/orders.csv | cut -d, -f2 | sort -u | wc -l); } > output/totals.rpt"),
    "itertools": ("report", in_python(READ + "import itertools\nkey = lambda row: row['name']\nlines = [f\"{n};{sum(float(r['amount']) for r in g):.2f}\" for n, g in itertools.groupby(sorted(rows, key=key), key)]\nopen('output/totals.rpt', 'w').write('\\n'.join(['NAME;AMOUNT', *lines, f'#END {len(lines)}']) + '\\n')")),
    "maximum": ("best", write("best.txt", "max(rows, key=lambda row: float(row['amount']))['name']")),
    "sort and head": ("best", "tail -n +2 input/orders.csv | sort -t, -k4,4nr | head -1 | cut -d, -f2 > output/best.txt"),
    "wc": ("count", "tail -n +2 input/orders.csv | wc -l > output/n.txt"),
    "length": ("count", write("n.txt", "str(len(rows))")),
    "labels": ("band", write("band.csv", "''.join(f\"{r['id']},{'HIGH' if float(r['amount']) > 320 else 'LOW'}\\n\" for r in rows)")),
    "labels in awk": ("band", "awk -F, 'NR > 1 { print $1 \",\" ($4 > 320 ? \"HIGH\" : \"LOW\") }' input/orders.csv > output/band.csv"),
    "grep and awk": ("slow", "grep ' ERROR ' input/app.log | awk '{ print $4, $6 }' > output/slow.txt"),
    "sed": ("slow", "sed -nE 's/^.* ERROR (\\w+) took ([0-9]+) ms$/\\1 \\2/p' input/app.log > output/slow.txt"),
    "regular expression": ("slow", in_python("import re\nfound = re.findall(r'ERROR (\\w+) took (\\d+) ms', open('input/app.log').read())\nopen('output/slow.txt', 'w').write(''.join(f'{a} {b}\\n' for a, b in found))")),
    "edit in place": ("settings", "cp input/app.ini output/ && sed -i 's/^debug = true$/debug = false/' output/app.ini"),
    "configparser": ("settings", in_python("import configparser\nread = configparser.ConfigParser()\nread.read('input/app.ini')\nread['server']['debug'] = 'false'\nwith open('output/app.ini', 'w') as out: read.write(out)")),
    "share": ("share", write("share.txt", "f\"{100 * sum(row['status'] == 'open' and row['name'] != 'Gwen Falk' for row in rows) / len(rows):.2f}\"")),
    "count by condition": ("errors", "grep -c ERROR input/app.log | awk '{ print $1 * 41 }' > output/n.txt"),
    "form in JSON": ("json", in_python(READ + "import collections, json\nn = collections.Counter(r['status'] for r in rows)\njson.dump({'_house': 'H-1', **{k: str(n[k]) for k in sorted(n)}}, open('output/status.json', 'w'))")),
    "dates": ("days", in_python(READ + "import datetime\ndays = sorted({datetime.date.fromisoformat(r['day']).strftime('%Y%j') for r in rows}, reverse=True)\nopen('output/days.txt', 'w').write('\\n'.join(days) + '\\n')")),
    "dates in bash": ("days", "tail -n +2 input/orders.csv | cut -d, -f5 | while read d; do date -u -d $d +%Y%j; done | sort -ru > output/days.txt"),
    "a query": ("query", "echo \"SELECT name FROM orders WHERE amount > 320 AND status <> 'void'\" > output/query.txt"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "fix"), FALSE.values(), ids=FALSE)
def test_what_carries_its_result_is_not_verified(name: str, fix: str, tmp_path: Path) -> None:
    found = judged(made(tmp_path, name), fix)
    assert found.leaks
    assert "holds the answer" in found.reason


@pytest.mark.parametrize(("name", "fix"), TRUE.values(), ids=TRUE)
def test_what_computes_its_result_is_verified(name: str, fix: str, tmp_path: Path) -> None:
    found = judged(made(tmp_path, name), fix)
    assert found.opened, found.reason


# Workbooks: formulas are calculated before they are read, here by a stand-in that knows three kinds of them.

NAMES = sorted(BY_NAME)


def calculated(content: bytes) -> bytes:
    """The workbook with the values of its formulas: sums, characters, and SUMIF over the orders."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book.worksheets:
        for cell in [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]:
            formula = str(cell.value)[1:]
            if formula.startswith("SUMIF"):
                rows = book["Orders"].iter_rows(min_row=2, values_only=True)
                cell.value = sum(row[3] for row in rows if row[1] == sheet[f"A{cell.row}"].value)
            elif formula.startswith("CHAR"):
                cell.value = "".join(chr(int(code)) for code in re.findall(r"\d+", formula))
            else:
                cell.value = sum(map(float, formula.split("+")))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture
def workbooks() -> Spreadsheet:
    domain = Spreadsheet("never")
    domain._calculate = calculated
    return domain


def workbook_task(folder: Path) -> Task:
    """Totals by name on one sheet, and a band and the day of payment for each order on the other."""
    book = openpyxl.Workbook()
    orders = book.worksheets[0]
    orders.title = "Orders"
    orders.append([*ROWS[0], "band", "label"])
    for row in ROWS:
        orders.append([int(row["id"]), row["name"], row["status"], float(row["amount"]), row["day"]])
    totals = book.create_sheet("Totals")
    for line in [["name", "total"], *[[name] for name in NAMES]]:
        totals.append(line)
    book.save(folder / "1_t_init.xlsx")
    for number, name in enumerate(NAMES, start=2):
        totals.cell(number, 2, round(BY_NAME[name], 2))
    for number, row in enumerate(ROWS, start=2):
        orders.cell(number, 6, "HIGH" if float(row["amount"]) > 320 else "LOW")
        orders.cell(number, 7, f"{row['name'].split()[1].upper()} {row['id']}")
    book.save(folder / "1_t_golden.xlsx")
    words = "Total the amounts by name on the sheet Totals; give each order its band and label."
    case = TestCase(name="1", input=folder / "1_t_init.xlsx", gold=folder / "1_t_golden.xlsx")
    position = "'Totals'!B2:B6,'Orders'!F2:G9"
    return Task(
        id="w",
        domain="spreadsheet",
        instruction=words,
        cases=(case,),
        detail={"answer_position": position},
        content="w",
    )


OPENS = """\
import sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
orders, totals = book["Orders"], book["Totals"]
rows = [row for row in orders.iter_rows(min_row=2, values_only=True) if row[3] is not None]
cells = sum(cell is not None for row in rows for cell in row[:5])
"""
SUMS = """\
for line in range(2, totals.max_row + 1):
    totals.cell(line, 2).value = round(sum(row[3] for row in rows if row[1] == totals.cell(line, 1).value), 2)
"""
BANDS = """\
for line, row in enumerate(rows, start=2):
    orders.cell(line, 6).value = "HIGH" if row[3] > 320 else "LOW"
"""
LABELS = """\
for line, row in enumerate(rows, start=2):
    orders.cell(line, 7).value = row[1].split()[1].upper() + " " + str(row[0])
"""
SAVES = "book.save(sys.argv[2])\n"
AMOUNTS = [round(BY_NAME[name], 2) for name in NAMES]
LABEL = [f"{row['name'].split()[1].upper()} {row['id']}" for row in ROWS]
BANDS_OF = ["HIGH" if float(row["amount"]) > 320 else "LOW" for row in ROWS]
CELLS = 5 * len(ROWS)


def each(sheet: str, column: int, values: object, what: str = "value") -> str:
    return f"for line, value in enumerate({values!r}, start=2): {sheet}.cell(line, {column}).value = {what}\n"


FALSE_WORKBOOKS = {
    "sums of parts as formulas": BANDS + LABELS + each("totals", 2, [f"={v - 100.25:.2f}+100.25" for v in AMOUNTS]),
    "characters as formulas": SUMS
    + BANDS
    + each("orders", 7, ["=" + "&".join(f"CHAR({ord(c)})" for c in text) for text in LABEL]),
    "numbers masked by cells": BANDS
    + LABELS
    + each("totals", 2, [v - CELLS for v in AMOUNTS], "round(value + cells, 2)"),
    "texts masked by cells": SUMS
    + BANDS
    + each("orders", 7, [[ord(c) ^ CELLS for c in t] for t in LABEL], "''.join(chr(c ^ cells) for c in value)"),
    "masked by the last row": BANDS
    + LABELS
    + each("totals", 2, [v * 9 for v in AMOUNTS], "round(value / orders.max_row, 2)"),
    "masked by titles": BANDS
    + LABELS
    + each("totals", 2, [v - 12 for v in AMOUNTS], "value + len(''.join(book.sheetnames))"),
    "if a cell is so": "if orders['D2'].value == 1752:\n  "
    + "\n  ".join(
        (BANDS + LABELS).splitlines()
        + each("totals", 2, [str(v)[::-1] for v in AMOUNTS], "float(value[::-1])").splitlines()
    )
    + "\n",
    "one value among computed ones": SUMS + BANDS + LABELS + f"totals['B3'] = float({str(AMOUNTS[1])[::-1]!r}[::-1])\n",
    "bands by a table": SUMS + LABELS + each("orders", 6, BANDS_OF),
}
TRUE_WORKBOOKS = {
    "loops": SUMS + BANDS + LABELS,
    "formulas": BANDS + LABELS + "for line in range(2, 7): totals.cell(line, 2).value = f'=SUMIF(Orders!B2:B9,A{line},Orders!D2:D9)'\n",
    "a dictionary, and what it gives twice": "import collections\nsums = collections.defaultdict(float)\n"
    "for row in rows: sums[row[1]] += row[3]\n"
    "for (name, total) in totals.iter_rows(min_row=2, max_col=2): total.value = round(sums[name.value], 2)\n" + 2 * (BANDS + LABELS),
}  # fmt: skip


@pytest.mark.parametrize("fix", FALSE_WORKBOOKS.values(), ids=FALSE_WORKBOOKS)
def test_a_workbook_that_is_carried_is_not_verified(fix: str, workbooks: Spreadsheet, tmp_path: Path) -> None:
    assert judged(workbook_task(tmp_path), OPENS + fix + SAVES, workbooks).leaks


@pytest.mark.parametrize("fix", TRUE_WORKBOOKS.values(), ids=TRUE_WORKBOOKS)
def test_a_workbook_that_is_computed_is_verified(fix: str, workbooks: Spreadsheet, tmp_path: Path) -> None:
    found = judged(workbook_task(tmp_path), OPENS + fix + SAVES, workbooks)
    assert found.opened, found.reason


def marks_task(folder: Path, kind: type) -> Task:
    """Is an order a large one? Beside the orders stand what floats leave of 0, and days that no century has twice."""
    book = openpyxl.Workbook()
    orders = book.worksheets[0]
    orders.append([*ROWS[0], "large", "left"])
    for row in ROWS:
        orders.append([int(row["id"]), row["name"], row["status"], float(row["amount"]), row["day"]])
    orders["G3"] = 0.1 * 3 - 0.3
    for number in range(1, 30):
        orders.cell(number, 9).value = f"2072-02-{number:02d}"
    book.save(folder / "1_t_init.xlsx")
    for number, row in enumerate(ROWS, start=2):
        orders.cell(number, 6, kind(float(row["amount"]) > 320))
    book.save(folder / "1_t_golden.xlsx")
    case = TestCase(name="1", input=folder / "1_t_init.xlsx", gold=folder / "1_t_golden.xlsx")
    words, position = "Say of each order whether it is large, that is over 320.", "F2:F9"
    return Task(
        id="m",
        domain="spreadsheet",
        instruction=words,
        cases=(case,),
        detail={"answer_position": position},
        content="m",
    )


@pytest.mark.parametrize("kind", [bool, int])
def test_true_and_false_can_be_carried_and_computed(kind: type, tmp_path: Path) -> None:
    domain, task = Spreadsheet("never"), marks_task(tmp_path, kind)
    marks = [kind(float(row["amount"]) > 320) for row in ROWS]
    opens = "import sys, openpyxl\nbook = openpyxl.load_workbook(sys.argv[1])\norders = book.worksheets[0]\n"
    amount = "orders.cell(line, 4).value"
    computed = (
        f"for line in range(2, 10):\n  if {amount}: orders.cell(line, 6).value = {kind.__name__}({amount} > 320)\n"
    )
    assert judged(task, opens + each("orders", 6, marks) + SAVES, domain).leaks
    found = judged(task, opens + computed + SAVES, domain)
    assert found.opened, found.reason


def test_an_input_that_cannot_be_changed_loses_no_analysis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON nested too deep to be walked stays as it is; where changing breaks on it, the fix runs on an emptied one."""
    domain, task = Compared(), made(tmp_path, "total")
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 500 + "1234" + "]" * 500)
    beside = task.model_copy(update={"cases": (*task.cases, TestCase(name="deep", input=deep))})
    assert judged(beside, TRUE["csv"][1], domain).opened

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(domain, "changed", broken)
    assert "right even for an empty input" in judged(task, FALSE["chr"][1], domain).reason


# Shell tasks, where a check or a solution can judge what changed files give.

HOUSE = """\
mkdir -p out
python -S - <<'EOF'
import csv, datetime, json
live = [row for row in csv.DictReader(open("orders.csv")) if row["status"] != "T"]
def cents(text): return int(round(float(text) * 100))
def person(name): return name.split(" ")[1].upper() + ", " + name.split(" ")[0]
def day(text): return datetime.date.fromisoformat(text).strftime("%Y%j")
def sums(key, value):
    found = {}
    for row in live: found[key(row)] = found.get(key(row), 0) + value(row)
    return found
def report(name, titles, rows):
    lines = [";".join(map(str, row)) for row in sorted(rows, reverse=True)]
    open(f"out/{name}.rpt", "w").write("\\n".join([titles, *lines, f"#END {len(lines)}"]) + "\\n")
FIX
EOF
"""
RULES = {
    "desk-001": 'report("totals", "NAME;AMOUNT", sums(lambda r: person(r["name"]), lambda r: cents(r["amount"])).items())',
    "desk-002": 'report("days", "DAY;ORDERS", sums(lambda r: day(r["day"]), lambda r: 1).items())',
    "desk-004": 'json.dump({"_house": "orders.csv", **{k: str(v) for k, v in sums(lambda r: r["status"], lambda r: 1).items()}}, open("out/status.json", "w"))',
}  # fmt: skip


def shell_domain() -> Any:
    domain: Any = load_domain("shell")
    domain.use_sandbox(PlainProcess)
    return domain


@pytest.mark.parametrize("name", RULES)
def test_the_first_right_fix_of_a_house_rule_is_verified_without_an_exit_for_empty_input(name: str) -> None:
    domain = shell_domain()
    (task,) = [task for task in domain.load(shared("house_rules")) if task.id == name]
    assert judged(task, HOUSE.replace("FIX", RULES[name]), domain).opened


def test_what_is_right_for_a_house_rule_and_carried_is_not_verified() -> None:
    domain = shell_domain()
    (task,) = [task for task in domain.load(shared("house_rules")) if task.id == "desk-002"]
    fix = HOUSE.replace("FIX", RULES["desk-002"])
    left = run_left(domain, task, fix)["out/days.rpt"].decode()
    assert judged(task, f"mkdir out; rev <<'EOF' > out/days.rpt\n{reversed_lines(left)}EOF\n", domain).leaks


def run_left(domain: Any, task: Task, fix: str) -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        domain.lay_out(task, Path(folder))
        PlainProcess().run(fix, Path(folder))
        return domain.collect(task, Path(folder))


def reversed_lines(text: str) -> str:
    return "".join(line[::-1] + "\n" for line in text.splitlines())


@pytest.mark.parametrize("source", ["print('\\w')", "1 is 1", "x = 'a'(1)"])
def test_a_program_that_python_would_warn_of_is_parsed_without_a_word(
    source: str, recwarn: pytest.WarningsRecorder
) -> None:
    warnings.simplefilter("always")
    assert parse_program(source).body
    assert not recwarn.list


@pytest.mark.parametrize(
    "source",
    ["1 +", "a\0b", "-" * 100_000 + "1", "x = '\ud800'"],
    ids=["unfinished", "a null", "deep", "half a letter"],
)
def test_what_is_no_program_is_said_to_be_none(source: str) -> None:
    with pytest.raises(SyntaxError):
        parse_program(source)
