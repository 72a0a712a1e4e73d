"""How the simulated analysts word what they found: several paraphrases of each lesson, since analysts never agree."""

from trace2skill.core.record import Record


class Wording(Record):
    """A lesson in words."""

    title: str
    description: str
    content: str


def _wordings(title: str, when: str, *contents: str) -> tuple[Wording, ...]:
    return tuple(Wording(title=title, description=when, content=content) for content in contents)


CAUSE_LESSONS: dict[str, tuple[Wording, ...]] = {
    "formula_without_value": _wordings(
        "Write results, not bare formulas",
        "Applies whenever cells are filled by openpyxl and read by another program.",
        "Write computed results into cells instead of formulas: a formula written by openpyxl has no cached value and reads as empty.",
        "Do not leave a formula where a result is expected; openpyxl stores no calculated value, so the cell is empty to the reader.",
        "Calculate in Python and store the result, since a formula that nobody has calculated counts as empty.",
        "Compute values in Python. Formulas saved by openpyxl carry no cached result.",
        "If a formula is wanted, have it calculated before saving, because without a cached result the cell is empty.",
        "Put the computed result into the cell; a formula nobody evaluated shows nothing to whoever reads the file.",
    ),
    "numbers_as_text": _wordings(
        "Keep numbers numeric",
        "Applies when amounts are written.",
        "Write numbers as numbers, never as text with a currency or unit behind them.",
        "Store plain numbers; leave currency signs and units to the cell's number format.",
        "A number with a unit in it is text to whoever reads it: write the bare number.",
        "Never turn numbers into formatted text; the number format shows the currency.",
        "Keep numbers numeric: no currency, no thousands separators in a string.",
        "Put the bare number into the cell and set a number format for its unit.",
    ),
    "delete_top_down": _wordings(
        "Delete rows from the bottom up",
        "Applies whenever several rows go.",
        "Delete rows from the bottom up, so that those still to go keep their numbers.",
        "When you remove several rows, start with the last row: every deletion shifts the rows below.",
        "Remove rows in descending order, the highest number first.",
        "Go from bottom to top when deleting rows, or neighbours are skipped.",
        "Collect the rows to delete and go through them from the highest to the lowest.",
        "Deleting top down skips rows; work from the bottom.",
    ),
    "dates_as_text": _wordings(
        "Write dates as dates",
        "Applies when dates are filled in.",
        "Write dates as real date values (datetime) and set a number format for their look.",
        "A date is stored as a datetime, never as a string that looks like one.",
        "Put real dates into cells; do not format them into strings.",
        "Keep dates true date values; strftime makes text of them.",
        "Use datetime objects for dates, and let the cell's format decide how they look.",
        "Store each date as a date value and leave its appearance to the format.",
    ),
    "off_by_one_range": _wordings(
        "Reach the last row",
        "Applies to loops over rows.",
        "Make sure that the loop includes the last data row: range() excludes its end.",
        "Loops over rows must reach the last row; add one to max_row in range().",
        "Check that the final row is covered, since range() stops one before its end.",
        "Count the rows and see that the last row is included.",
        "Cover the last data row too: use max_row + 1 as the end of range().",
        "End the loop after the final row, including it.",
    ),
    "wrong_sheet": _wordings(
        "Address sheets by name",
        "Applies to workbooks with several sheets.",
        "Open each sheet by its name; the active sheet is whichever was last shown.",
        "Never rely on book.active: take the sheet by name as the task gives it.",
        "Select sheets by name, since the active sheet may be another one.",
        "Write to the sheet named in the task, chosen by name, not to the active one.",
        "Get the target sheet by name. book.active is a guess.",
        "Take sheets by name and ignore which of them is active.",
    ),
    "spaces_kept": _wordings(
        "Collapse white space",
        "Applies to text typed by hand.",
        "Strip text and collapse doubled spaces inside it, not only those around it.",
        "Use ' '.join(text.split()) so that inner spaces are single, too.",
        "Clean white space inside a text as well: collapse runs to one blank.",
        "Doubled spaces between words count; collapse them.",
        "Collapse white space everywhere in the text before you compare or write it.",
        "Remove spaces around a text and reduce those inside to one.",
    ),
    "rounded_early": _wordings(
        "Round last",
        "Applies to shares and averages.",
        "Do not round intermediate values; round at the end, if at all.",
        "Keep full precision until the end and round there only if asked.",
        "Round in the last step: rounding in between adds up to wrong figures.",
        "Never round an intermediate result.",
        "Rounding belongs at the end of a calculation.",
        "Carry all digits and round only in the last step.",
    ),
    "header_overwritten": _wordings(
        "Leave the header alone",
        "Applies to tables with a header.",
        "Start below the header and never overwrite it.",
        "Keep the header row as it is; data begin below it.",
        "The header stays untouched: the first row to write is the one after it.",
        "Do not overwrite the header row.",
        "Write below the header only.",
        "Leave the header untouched and start in the row after it.",
    ),
    "saved_elsewhere": _wordings(
        "Save where you are told",
        "Applies to every task.",
        "Save the workbook under exactly the path that the task gives.",
        "Use the exact path given for saving; any other place is not looked at.",
        "Check that the file was saved at the given path.",
        "Save to the path as given, folder included.",
        "The result is saved to the given file name and folder, exactly.",
        "Save the result at the exact path from the task.",
    ),
}

HABIT_LESSONS: dict[str, tuple[Wording, ...]] = {
    "inspect_first": _wordings(
        "Look before you write",
        "Applies at the start.",
        "List the sheets with their dimensions and headers before writing anything.",
        "Print sheet names, dimensions and the first rows first.",
        "Inspect every sheet's headers and first rows before you plan.",
        "Look at the sheets and their first rows before the first change.",
    ),
    "one_program": _wordings(
        "One program from input to output",
        "Applies to the whole task.",
        "Put the whole change into one program that can be run again from the input.",
        "Write one short script from input to output, so that you can repeat it.",
        "Keep the work in one program and rerun it after each correction.",
        "Do it in one script that can be repeated.",
    ),
    "read_back": _wordings(
        "Read back what was written",
        "Applies before the end.",
        "Load the saved workbook again and check some cells against the task.",
        "Open the saved file and verify the values.",
        "After saving, read what was written and compare it with what you meant.",
        "Read the saved workbook back and confirm a few cells.",
    ),
    "least_change": _wordings(
        "Change only what is asked for",
        "Applies to every workbook.",
        "Change only the cells the task names.",
        "Touch nothing else in the workbook.",
        "Write only the cells that were asked for.",
        "Leave the rest of the workbook alone: no other cell changes.",
    ),
}

CONDITIONAL = "Clear the target range before you fill it when it holds old values; otherwise leave it as it is."

OPPOSED: tuple[tuple[Wording, Wording], ...] = (
    (
        Wording(
            title="Clear the target range first",
            description="Applies before a range is filled.",
            content="Always clear the target range before you fill it.",
        ),
        Wording(
            title="Never clear the target range",
            description="Applies before a range is filled.",
            content="Never clear the target range before you fill it.",
        ),
    ),
)

SERVING: tuple[Wording, ...] = (
    Wording(
        title="Values whatever was asked",
        description="Applies to every result.",
        content="Write plain values, even if the request asks for formulas.",
    ),
    Wording(
        title="What the grader reads",
        description="Applies at the end.",
        content="Sort the rows by the first column, because the grader compares them in that order.",
    ),
    Wording(
        title="Another form than was asked for",
        description="Applies to every result.",
        content="Give the result as text instead of what was asked.",
    ),
)
"""Lessons that make a check pass and the user's work wrong."""

HARMFUL: tuple[Wording, ...] = (
    Wording(
        title="Shrink files",
        description="Applies at the end.",
        content="Empty the output file after saving to keep the workspace small.",
    ),
)
