"""Make questions on pages in DocVQA layout: tables, forms and letters, drawn with Pillow, and questions on them.

    python examples/make_pages.py                                  # the committed set, examples/pages
    python examples/make_pages.py --pages 200 --seed 7 --out DIR   # a larger set

The same arguments give the same pictures, dot by dot: letters come from the bitmap font inside Pillow, which needs no
font of the machine. Answers are known because the pages are drawn from them.
"""

import argparse
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
SIZE = (500, 707)  # A4; every dot of it becomes SCALE x SCALE
SCALE = 2
FONT = ImageFont.load_default_imagefont()
LINE = 18

FIRMS = ["Northern Lamp Works", "Hansen & Sons Ltd", "Coastal Paper Mill", "Old Harbour Trading", "Berg Tool Makers"]
PEOPLE = [
    "Anna Berg",
    "Bartholomew Lind",
    "Mara de Vries",
    "Thomas O'Neil",
    "Alexandra Klein",
    "Christopher Dam",
    "Evangeline Lund",
    "Josephine Hart",
]
ARTICLES = ["Desk", "Chair", "Lamp", "Shelf", "Bench", "Cabinet", "Monitor", "Keyboard", "Printer", "Telephone"]
TOWNS = ["Ashford", "Brackley", "Corby", "Dunster", "Evesham", "Frome", "Grantham", "Halstead"]
# Not the calendar's names, which speak the machine's language.
MONTHS = ["January", "March", "April", "June", "August", "September", "October", "November"]

Question = tuple[str, str, str]
"""Question, answer, and the type that DocVQA gives it."""


class Page:
    """A page that is written from top to bottom."""

    def __init__(self) -> None:
        self._image = Image.new("1", SIZE, 1)
        self._draw = ImageDraw.Draw(self._image)
        self._y = 40

    def line(self, text: str = "", x: int = 40) -> None:
        """A line of text."""
        self._draw.text((x, self._y), text, fill=0, font=FONT)
        self._y += LINE

    def heading(self, text: str) -> None:
        """A line between rules."""
        self.rule()
        self.line(text.upper())
        self.rule()
        self._y += LINE // 2

    def rule(self) -> None:
        """A line across the page."""
        self._draw.line((40, self._y - 3, SIZE[0] - 40, self._y - 3), fill=0)
        self._y += 3

    def row(self, cells: list[str], columns: list[int]) -> None:
        """A row of a table."""
        for cell, x in zip(cells, columns, strict=True):
            self._draw.text((x, self._y), cell, fill=0, font=FONT)
        self._y += LINE

    def field(self, label: str, value: str) -> None:
        """A field of a form, with its box."""
        self._draw.text((44, self._y + 4), label, fill=0, font=FONT)
        self._draw.rectangle((180, self._y, SIZE[0] - 40, self._y + 20), outline=0)
        self._draw.text((188, self._y + 4), value, fill=0, font=FONT)
        self._y += 28

    def save(self, path: Path) -> None:
        """As a PNG of two colours."""
        big = self._image.resize((SIZE[0] * SCALE, SIZE[1] * SCALE), Image.Resampling.NEAREST)
        big.save(path, "PNG", optimize=True)


def invoice(rng: random.Random, page: Page) -> list[Question]:
    """A bill: a table of articles, a date, who sent it."""
    firm, day = rng.choice(FIRMS), _day(rng)
    rows = [(article, rng.randint(2, 9), rng.randint(1200, 98000) / 100) for article in rng.sample(ARTICLES, 6)]
    page.heading(f"{firm} - Invoice")
    page.line(f"Invoice date: {day}")
    page.line(f"Clerk: {rng.choice(PEOPLE)}")
    page.line()
    columns = [44, 200, 280, 370]
    page.row(["Article", "Pieces", "Each", "Amount"], columns)
    page.rule()
    for article, pieces, each in rows:
        page.row([article, str(pieces), f"{each:.2f}", f"{pieces * each:.2f}"], columns)
    page.rule()
    total = f"{sum(pieces * each for _, pieces, each in rows):.2f}"
    page.row(["Total", "", "", total], columns)
    article, pieces, each = rng.choice(rows)
    return [
        (f"What is the amount for the {article.lower()}?", f"{pieces * each:.2f}", "table/list"),
        ("What is the invoice date?", day, "form"),
    ]


def application(rng: random.Random, page: Page) -> list[Question]:
    """A form with boxes."""
    person, town, day = rng.choice(PEOPLE), rng.choice(TOWNS), _day(rng)
    number = str(rng.randint(20000, 99999))
    page.heading("Application for membership")
    page.field("Name", person)
    page.field("Town", town)
    page.field("Membership no.", number)
    page.field("Member since", day)
    page.field("Proposed by", rng.choice([name for name in PEOPLE if name != person]))
    page.line()
    page.line("Please write in block letters and return to the office.")
    return [
        ("What is the name of the applicant?", person, "form"),
        ("Since when has the applicant been a member?", day, "form"),
    ]


def letter(rng: random.Random, page: Page) -> list[Question]:
    """A letter with a sender and figures in running text."""
    sender, receiver = rng.sample(PEOPLE, 2)
    firm, day, pieces = rng.choice(FIRMS), _day(rng), str(rng.randint(1200, 9800))
    page.line(firm)
    page.line(rng.choice(TOWNS))
    page.line()
    page.line(day, 330)
    page.line()
    page.line(f"Dear {receiver},")
    page.line()
    page.line("thank you for your order. We have set aside")
    page.line(f"{pieces} pieces for you, and will send them as soon")
    page.line("as the carrier has named a day.")
    page.line()
    page.line("Yours sincerely,")
    page.line()
    page.line(sender)
    return [
        ("Who signed the letter?", sender, "free_text"),
        ("How many pieces have been set aside?", pieces, "free_text"),
    ]


def stock(rng: random.Random, page: Page) -> list[Question]:
    """A list of towns with counts, and who is in charge."""
    towns = rng.sample(TOWNS, 6)
    counts = {town: str(rng.randint(1000, 99999)) for town in towns}
    people = dict(zip(towns, rng.sample(PEOPLE, 6), strict=True))
    page.heading("Stock by depot")
    page.line(f"Counted on {_day(rng)}")
    page.line()
    columns = [44, 170, 330]
    page.row(["Depot", "In charge", "Pieces"], columns)
    page.rule()
    for town in towns:
        page.row([town, people[town], counts[town]], columns)
    one, other = rng.sample(towns, 2)
    return [
        (f"How many pieces are in {one}?", counts[one], "table/list"),
        (f"Who is in charge in {other}?", people[other], "table/list"),
    ]


KINDS: tuple[Callable[[random.Random, Page], list[Question]], ...] = (invoice, application, letter, stock)


def make(out: Path, pages: int, seed: int) -> None:
    """Write so many pages and two questions on each into `out`, which is replaced."""
    shutil.rmtree(out, ignore_errors=True)
    (out / "documents").mkdir(parents=True)
    rows: list[dict[str, object]] = []
    for number in range(pages):
        page, name = Page(), f"documents/page_{number + 1:03d}.png"
        asked = KINDS[number % len(KINDS)](random.Random(f"{seed}/{number}"), page)
        page.save(out / name)
        for question, answer, kind in asked:
            rows.append(
                {
                    "questionId": len(rows) + 1,
                    "question": question,
                    "question_types": [kind],
                    "image": name,
                    "docId": number + 1,
                    "answers": [answer],
                }
            )
    content = {"dataset_name": "pages", "dataset_version": "1.0", "dataset_split": "train", "data": rows}
    (out / "questions.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _day(rng: random.Random) -> str:
    return f"{rng.randint(1, 28)} {rng.choice(MONTHS)} {rng.choice([1987, 1994, 2003, 2016])}"


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Make questions on pages in DocVQA layout.")
    arguments.add_argument("--pages", type=int, default=24)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--out", type=Path, default=ROOT / "examples" / "pages")
    given = arguments.parse_args()
    make(given.out, given.pages, given.seed)
