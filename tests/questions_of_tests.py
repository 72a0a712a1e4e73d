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
