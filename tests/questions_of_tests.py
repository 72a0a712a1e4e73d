"""Problems and tables of our own, in the layouts of the real data sets."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any


def problems(count: int) -> list[tuple[str, str, str]]:
    """(problem, answer, subject), of four kinds in turn."""
    found = []
    for number in range(count):
        place = number // 4
        gaps, part = 7 + 3 * place, Fraction(2 * place + 5, 7 if place % 2 else 9)
        people, percent = 5 + place, 12 + 4 * place % 80
        found.append(
            (
                (
                    f"A lane of {4 * gaps} metres is fenced, a post every 4 metres and one at either end. How many posts?",
                    str(gaps + 1),
                    "counting",
                ),
                (
                    f"{people} guests shake hands, everyone with everyone. How many handshakes are there?",
                    str(people * (people - 1) // 2),
                    "pairs",
                ),
                (
                    f"{2 * place + 5} litres fill {7 if place % 2 else 9} jars evenly. How many litres are in a jar?",
                    str(part) if part.denominator == 1 else rf"\frac{{{part.numerator}}}{{{part.denominator}}}",
                    "fractions",
                ),
                (f"Of 50 seats {percent / 2:g} are taken. How many per cent is that?", str(percent), "percent"),
            )[number % 4]
        )
    return found


def write_math(folder: Path, count: int) -> Path:
    """A directory with problems in the layout of MATH-500."""
    folder.mkdir()
    rows: list[dict[str, Any]] = [
        {
            "problem": problem,
            "solution": rf"It is $\boxed{{{answer}}}$.",
            "answer": answer,
            "subject": subject,
            "level": 1,
            "unique_id": f"test/{subject}/{number}.json",
        }
        for number, (problem, answer, subject) in enumerate(problems(count))
    ]
    (folder / "problems.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    return folder


SUMS = """\
---
name: sums
description: "Solves problems of arithmetic."
---

# Sums

Read the problem twice, and answer with the number alone.

## Steps

- Write down what is asked for.
"""


def write_skill_for_sums(folder: Path, name: str = "sums") -> Path:
    """A skill that says nothing that helps yet."""
    folder.mkdir()
    (folder / "SKILL.md").write_text(SUMS.replace("name: sums", f"name: {name}"))
    return folder


TOWNS = ("Old Harbour", "Mill Hill", "Saint Anne", "Long Reach")
FIRST = ("Blue", "Iron", "Silver", "North", "Quiet", "Lower", "Amber", "Stone")
SECOND = ("River Rovers", 'Bridge "B" Club', "Lake Rowers", "Field Players")


def clubs(number: int) -> list[tuple[str, str, int, int]]:
    """(club, town, year, members) of a table of our own."""
    return [
        (
            f"{FIRST[(place + number) % 8]} {SECOND[(place + number // 2) % 4]}",
            TOWNS[(place * 3 + number) % 4],
            1890 + (place * 17 + number * 5) % 60,
            1000 + (place * 7919 + number * 104729) % 8000,
        )
        for place in range(6 + number % 4)
    ]


def write_tables(folder: Path, count: int) -> Path:
    """A directory in the layout of WikiTableQuestions: so many tables, with four questions each."""
    (folder / "csv" / "200-csv").mkdir(parents=True)
    lines = ["\t".join(("id", "utterance", "context", "targetValue", "targetCanon", "targetCanonType"))]
    for number in range(count):
        rows = clubs(number)
        table = [("Club", "Town", "Founded", "Members"), *rows]
        escaped = [",".join('"' + str(cell).replace('"', '\\"') + '"' for cell in row) for row in table]
        (folder / "csv" / "200-csv" / f"{number}.csv").write_text("\n".join(escaped) + "\n")
        town, year = rows[0][1], sorted(row[2] for row in rows)[3]
        largest, last = max(rows, key=lambda row: row[3]), rows[-1]
        early = "|".join(row[0] for row in rows if row[2] < year)
        asked = (
            (f"how many clubs are from {town.lower()}?", str(sum(row[1] == town for row in rows)), "number"),
            ("which club has the most members?", largest[0], "string"),
            (f"which clubs were founded before {year}?", early, "string"),
            (f"how many members does {last[0].lower()} have?", str(last[3]), "number"),
        )
        for place, (question, answer, kind) in enumerate(asked):
            canon = f"{answer}.0" if kind == "number" else answer
            where = f"csv/200-csv/{number}.csv"
            lines.append("\t".join((f"nt-{number * 4 + place}", question, where, answer, canon, kind)))
    (folder / "questions.tsv").write_text("\n".join(lines) + "\n")
    return folder
