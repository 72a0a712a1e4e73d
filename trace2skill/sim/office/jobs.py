"""The kinds of office task, each with the ways a person words it; a wording can be read back into its parameters."""

import re

from pydantic import Field

from trace2skill.core.record import Record

FORMS: dict[str, tuple[str, ...]] = {
    "totals": (
        "On the sheet '{target}', fill column B from row 2 on with the total of column {value} of the sheet '{sheet}' "
        "for each {what} named in column A. The {what} of each row of '{sheet}' stands in column {key}.",
        "I keep our records in '{sheet}': column {key} holds the {what}, column {value} the amount. Please complete "
        "'{target}', where column A lists every {what}, by writing the sum of its amounts into column B, row 2 downwards.",
    ),
    "lookup": (
        "In the sheet '{sheet}', fill column {value} with the price of the article in column {key}. The prices stand in "
        "the sheet '{target}', article in column A and price in column B. Row 1 is the header.",
        "Column {value} of '{sheet}' is still empty. Each row names an article in column {key}; look its price up in "
        "'{target}' (article in A, price in B) and put it there, for every row below the header.",
    ),
    "balance": (
        "The sheet '{sheet}' lists bookings with the amount in column {key}. Fill column {value} with the running "
        "balance: the sum of all amounts up to and with that row. The data start in row 2.",
        "Please add a running balance to '{sheet}': in column {value}, each row from 2 on shows the total of column "
        "{key} from the first booking down to that row.",
    ),
    "remove": (
        "Delete every row of the sheet '{sheet}' whose status in column {key} is '{what}'. The other rows move up and "
        "keep their order; the header in row 1 stays.",
        "Please clean '{sheet}' up: all rows with '{what}' in column {key} have to go, the rest closes the gaps in the "
        "same order. Leave the header.",
    ),
    "due": (
        "In the sheet '{sheet}', column {key} holds the invoice date. Write the due date, {what} days later, into "
        "column {value} for every row below the header, as a date.",
        "Every invoice of '{sheet}' is due {what} days after its date in column {key}. Fill column {value} with the due "
        "dates, as dates, from row 2 on.",
    ),
    "names": (
        "The names in column {key} of '{sheet}' were typed carelessly. Write them into column {value} without spaces "
        "around or doubled inside, each word with a capital letter, for every row below the header.",
        "Please tidy the names of '{sheet}': take column {key}, remove surplus spaces, capitalise each word, and put "
        "the result into column {value}, row 2 downwards.",
    ),
    "share": (
        "In the sheet '{sheet}', write into column {value} what share of the total of column {key} each row has, in "
        "percent (so that the column adds up to 100), from row 2 on.",
        "Fill column {value} of '{sheet}' with each row's percentage of the sum of column {key}; the data begin in row 2 "
        "and the percentages add up to 100.",
    ),
    "month": (
        "On the sheet '{target}', column A lists months as the first day of each month. Fill column B from row 2 on with "
        "the sum of column {value} of '{sheet}' over the rows whose date in column {key} falls into that month.",
        "Please complete the monthly overview '{target}': for each month in column A (given as its first day) write into "
        "column B the sum of column {value} of '{sheet}' for the dates in column {key} of that month, from row 2 on.",
    ),
}


class Job(Record):
    """A task as understood: its kind and parameters. Columns are letters; unused parameters are empty."""

    kind: str
    sheet: str
    target: str = Field(default="", description="A second sheet.")
    key: str = ""
    value: str = ""
    what: str = ""

    @property
    def written(self) -> str:
        """The sheet that is written to."""
        return self.target if self.kind in ("totals", "month") else self.sheet


def instruction(job: Job, form: int) -> str:
    """The task in words. Forms are counted from 0 and repeat."""
    forms = FORMS[job.kind]
    return forms[form % len(forms)].format(**job.model_dump(exclude={"kind"}))


def parse(description: str) -> Job | None:
    """The job that a prompt's text asks for, None where it is none of these."""
    text = " ".join(description.split())
    for kind, patterns in _PATTERNS.items():
        for pattern in patterns:
            found = pattern.search(text)
            if found:
                return Job(kind=kind, **found.groupdict())
    return None


def _pattern(form: str) -> re.Pattern[str]:
    parts, seen = [], set()
    for piece in re.split(r"(\{\w+\})", form):
        name = piece.strip("{}")
        if piece != f"{{{name}}}":
            parts.append(re.escape(piece))
        elif name in seen:
            parts.append(f"(?P={name})")
        else:
            seen.add(name)
            parts.append(f"(?P<{name}>[^'.,]+?)")
    return re.compile("".join(parts))


_PATTERNS = {kind: tuple(_pattern(form) for form in forms) for kind, forms in FORMS.items()}
