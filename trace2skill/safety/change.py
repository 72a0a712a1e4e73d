"""Another input like the one there is: a consistent change of its values that keeps their types, for checks of a fix.

The same value becomes the same other value wherever it stands, so that keys still meet; numbers keep their order, sign
and decimals, dates their month, words their length, case and vowels. What the task's words name is kept, titles are
kept, and so are 0, 1 and words that programs ask for (`true`, `ERROR`, names of months). A program that computes runs
on it as on the original and gives another result.
"""

import calendar
import datetime
import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Literal, TypeVar

from trace2skill.safety.leaks import canonical

Cell = TypeVar("Cell")
RowsKept = Literal["all", "fewer", "drawn"]
PIECE = re.compile(
    r"(?P<date>\b\d{4}-\d{2}-\d{2}(?!\d))"
    r"|(?P<other_date>\b\d{1,2}[./]\d{1,2}[./]\d{4}\b)"
    r"|(?P<clock>\b\d{1,2}:\d{2}(?!\d))"
    r"|(?P<address>\b\d{1,3}(?:\.\d{1,3}){3}\b)"
    r"|(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z]{3,})"
)
WORD = re.compile(r"[^\W\d_]{3,}")
DIGITS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?")
KEPT = frozenset(
    re.findall(
        r"\w+",
        "http https www com org net html true false yes none null nan get post put delete head error errors warn "
        "warning info debug trace fatal critical notice total totals sum subtotal grand average mean count number name "
        "date amount utc gmt usd eur and the for not",
    )
).union(*({name.lower(), name[:3].lower()} for name in (*calendar.month_name, *calendar.day_name)))
VOWELS, CONSONANTS = "aeiou", "bcdfghjklmnpqrstvwxyz"
SMALL, AVOIDS = 31, 6
NOISE, MOST_DECIMALS = Decimal("1e-9"), 20
"""Below it a number is what is left of 0 where floats were added, and stays as 0 does."""
LONGEST_WHOLE = 80
YEARS = 28
"""After so many years the days of the week are the same again, and 29 February is there, but for whole centuries."""
SHARE_KEPT = 0.6


def tokens(value: object) -> set[str]:
    """The words of three letters and more, in lower case, and the numbers and dates of a value, as text."""
    if isinstance(value, (bool, int, float)) or value is None:
        return {canonical(abs(value)) if value is not None else ""} - {""}
    if isinstance(value, (datetime.datetime, datetime.date)):
        return {value.strftime("%Y-%m-%d"), str(value.year)}
    text = str(value)
    found = {word.lower() for word in WORD.findall(text)}
    found |= {match["date"] for match in PIECE.finditer(text) if match["date"]}
    return found | {canonical(float(digits.replace(",", ""))) for digits in DIGITS.findall(text)} - {""}


def whole(value: object) -> str:
    """A value as one text, '' where it is long."""
    text = canonical(value).lower()
    return text if len(text) <= LONGEST_WHOLE else ""


class Variation:
    """One change of one task's inputs. What it has met stands in `before`, what it has put there in `after`.

    Args:
        seed: the same seed, the same change.
        named: a text whose words and numbers stay as they are: the task's, and what a program asks for.
        mild: small whole numbers and words stay, too; for programs that the full change breaks.
        rows: "fewer" leaves some out, besides; "drawn" draws as many from those there are, some twice and some never.
    """

    def __init__(self, seed: str, named: str, *, mild: bool = False, rows: RowsKept = "all") -> None:
        self.name = f"{seed} {mild:d} {rows}"
        self.mild, self.fewer, self._rows = mild, rows == "fewer", rows
        self.before: set[str] = set()
        self.after: set[str] = set()
        self.whole_before: set[str] = set()
        self.whole_after: set[str] = set()
        self.size = 0
        self.counts: set[int] = set()
        self.did = False
        self._random = random.Random(self.name)
        self._named = tokens(named)
        self._stems = tuple(word for word in self._named if word.isalpha())
        self._numbers: dict[Decimal, Decimal] | None = None
        self._turns: dict[tuple[int, int], int] = {}
        self._dates: set[tuple[int, int, int]] = set()
        self._known: set[Decimal] = set()
        self._words: dict[str, str] = {}
        self._taken: set[str] = set()

    def learn(self, values: Iterable[object]) -> None:
        """Meet values before the first is changed: the order of numbers can only be kept among those that are known."""
        for value in values:
            self.size += len(str(value))
            self.before |= tokens(value)
            self.whole_before.add(whole(value))
            if isinstance(value, str):
                self._known |= {_decimal(match["number"]) for match in PIECE.finditer(value) if match["number"]}
                dates = (match["date"] for match in PIECE.finditer(value) if match["date"])
                self._dates |= {(int(date[:4]), int(date[5:7]), int(date[8:])) for date in dates}
            elif isinstance(value, (datetime.datetime, datetime.date)):
                self._dates.add((value.year, value.month, value.day))
            elif isinstance(value, (int, float)) and not isinstance(value, bool) and canonical(value):
                self._known.add(abs(Decimal(str(value))))

    def kept(self, value: Cell) -> Cell:
        """A value that stays, such as a title."""
        self.after |= tokens(value)
        self.whole_after.add(whole(value))
        return value

    def value(self, value: Cell) -> Cell:
        """Another value of the same type."""
        new = self._changed(value)
        self.did |= new != value
        self.after |= tokens(new)
        self.whole_after.add(whole(new))
        return new  # type: ignore[return-value]

    def rows(self, rows: Sequence[Sequence[Cell]]) -> list[list[Cell]]:
        """A table, whose first row holds titles, with other values in other rows."""
        body = [[self.value(cell) for cell in row] for row in rows[1:]]
        self.counts |= {len(body), len(rows), sum(cell not in ("", None) for row in rows[1:] for cell in row)}
        if self._rows == "drawn":
            self._draw(body)
        elif self._rows == "fewer":
            body = self.some(body)
        else:
            for column in range(max(map(len, rows), default=0)):
                self._mix(body, column, [row[column] if column < len(row) else None for row in rows[1:]])
        return [[self.kept(cell) for cell in rows[0]], *body] if rows else []

    def some(self, items: list[Cell]) -> list[Cell]:
        """The items, in their order: all, most of them, or as many with some twice and some left out."""
        self.counts.add(len(items))
        places = range(len(items))
        if self._rows == "all" or len(items) < 2:
            return items
        fewer = max(1, int(len(items) * SHARE_KEPT))
        chosen = sorted(
            self._random.sample(places, fewer) if self.fewer else self._random.choices(places, k=len(items))
        )
        self.did = True
        return [items[place] for place in chosen]

    def _draw(self, body: list[list[Cell]]) -> None:
        """Every filled cell gets the value of some filled cell of its column: as many are filled, with other values."""
        for column in range(max(map(len, body), default=0)):
            filled = [row for row in body if column < len(row) and row[column] not in ("", None)]
            values = [row[column] for row in filled]
            for row in filled:
                row[column] = self._random.choice(values)
            self.did |= len(set(map(str, values))) > 1

    def _mix(self, body: list[list[Cell]], column: int, before: Sequence[object]) -> None:
        """Values of a column change places: numbers and dates, and texts that stand there more than once."""
        seen = Counter(str(value) for value in before)
        for kind in (str, (int, float), datetime.date):
            places = [row for row, value in enumerate(before) if isinstance(value, kind) and self._moves(value, seen)]
            values = [body[row][column] for row in places]
            self._random.shuffle(values)
            for row, value in zip(places, values, strict=True):
                self.did |= body[row][column] != value
                body[row][column] = value

    def _moves(self, value: object, column: Mapping[str, int]) -> bool:
        """Numbers and dates that nobody names, and texts that stand in their column more than once."""
        if isinstance(value, bool) or value == "":
            return False
        if isinstance(value, str) and (not value[0].isdigit() or PIECE.fullmatch(value) is None):
            return column[value] > 1
        return not tokens(value) <= self._named

    def _changed(self, value: object) -> object:
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, (int, float)):
            return self._number(value)
        if isinstance(value, (datetime.datetime, datetime.date)):
            year, day = self._day(value.year, value.month, value.day)
            return value.replace(year=year, day=day)
        if isinstance(value, datetime.time):
            return value.replace(minute=(value.minute + 7) % 60)
        return PIECE.sub(self._piece, value) if isinstance(value, str) and not value.startswith("=") else value

    def _number(self, value: int | float) -> int | float:
        if not canonical(value):
            return value
        new = self._other(abs(Decimal(str(value))))
        signed = -new if value < 0 else new
        return int(signed) if isinstance(value, int) else float(signed)

    def _piece(self, found: "re.Match[str]") -> str:
        text = found[0]
        if text.lower() in self._named:
            return text
        if found["date"]:
            return self._date(text)
        if found["other_date"]:
            return re.sub(r"^\d+", lambda day: self._late_day(day[0]), text)
        if found["clock"]:
            hour, _, minute = text.partition(":")
            return f"{hour}:{(int(minute) + 7) % 60:02d}"
        if found["address"]:
            first, _, last = text.rpartition(".")
            return f"{first}.{(int(last) + 101) % 251}"
        return self._digits(text) if found["number"] else self._word(text)

    def _date(self, text: str) -> str:
        try:
            date = datetime.date.fromisoformat(text)
        except ValueError:
            return text
        year, day = self._day(date.year, date.month, date.day)
        return date.replace(year=year, day=day).isoformat()

    def _day(self, year: int, month: int, day: int) -> tuple[int, int]:
        """Year and day of another date in the same month, each date another one; with fewer rows, of another year."""
        if f"{year:04d}-{month:02d}-{day:02d}" in self._named:
            return year, day
        length = calendar.monthrange(year, month)[1]
        if (year, month) not in self._turns:
            known = {other for y, m, other in self._dates if (y, m) == (year, month)}
            turns = self._random.sample(range(1, length), length - 1)
            self._turns[year, month] = min(turns, key=lambda k: len(known & {(d - 1 + k) % length + 1 for d in known}))
        later = YEARS if self.fewer and str(year) not in self._named and year + YEARS <= datetime.MAXYEAR else 0
        turned = (day - 1 + self._turns[year, month]) % length + 1
        return year + later, min(turned, calendar.monthrange(year + later, month)[1])  # 2100 has no 29 February

    @staticmethod
    def _late_day(text: str) -> str:
        """A day that can be no month becomes another such day."""
        return f"{(int(text) - 13 + 5) % 16 + 13}" if 12 < int(text) <= 28 else text

    def _digits(self, text: str) -> str:
        new = self._other(_decimal(text))
        whole, _, decimals = text.replace(",", "").partition(".")
        if "," in text:
            return f"{new:,.{len(decimals)}f}"
        return f"{new:.{len(decimals)}f}".zfill(len(text)) if whole.startswith("0") else f"{new:.{len(decimals)}f}"

    def _other(self, number: Decimal) -> Decimal:
        """The number that stands for a number; numbers that were never met stay."""
        if self._numbers is None:
            self._numbers = self._mapped()
        return self._numbers.get(number, number)

    def _mapped(self) -> dict[Decimal, Decimal]:
        found: dict[Decimal, Decimal] = {}
        shift = 0
        for number in sorted(self._known):
            exponent = number.as_tuple().exponent
            decimals = -exponent if isinstance(exponent, int) and exponent < 0 else 0
            small = number <= 1 or (self.mild and number <= SMALL and number == int(number))
            if small and NOISE < number < 1 and not self.mild:
                places = min(max(decimals, 2), MOST_DECIMALS)
                found[number] = (number * 9 / 10 + Decimal("0.03")).quantize(Decimal(1).scaleb(-places))
            elif not small and canonical(float(number)) not in self._named:
                shift += self._random.randint(1, 2)
                shift += next((more for more in range(AVOIDS) if number + shift + more not in self._known), 0)
                digits = decimals if decimals <= 4 else 0
                found[number] = number + shift + Decimal(self._random.randrange(10**digits)).scaleb(-digits)
        return found

    def _word(self, text: str) -> str:
        low = text.lower()
        if self.mild or low in KEPT or low.startswith(self._stems):
            return text
        if low not in self._words:
            self._words[low] = self._coined(low)
        new = self._words[low]
        return "".join(made.upper() if old.isupper() else made for old, made in zip(text, new, strict=True))

    def _coined(self, word: str) -> str:
        for attempt in range(20):
            chosen = random.Random(f"{self.name} {word} {attempt}")
            made = "".join(chosen.choice(VOWELS if letter in VOWELS else CONSONANTS) for letter in word)
            if made != word and made not in self._taken and made not in self.before:
                break
        self._taken.add(made)
        return made


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return Decimal(0)
