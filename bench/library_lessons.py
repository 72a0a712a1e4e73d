"""Two hundred lessons for a library of five skills: in several words, with words of other skills in passing.

Of each rule there are four: in two wordings, with a mention of another skill's work, and as an event. A sixth kind of
work has no skill yet; twenty lessons belong nowhere.
"""

from collections.abc import Iterator
from typing import NamedTuple

SKILLS = {
    "pdf-forms": "Fills in forms in PDF documents, reads their fields and flattens what was filled in. Use when a user "
    "has a PDF form with text fields, checkboxes, signatures or scanned pages.",
    "csv-cleaning": "Cleans CSV files: delimiters, encodings, quoting, line breaks in cells, duplicate rows, missing "
    "values and numeric columns with zeros or decimal commas. Use when a table comes as CSV or TSV text.",
    "git-history": "Works with Git repositories: commits, branches, merges, rebases and their conflicts. Use when a "
    "user wants to commit, split, move or undo changes of a repository.",
    "sql-reports": "Writes SQL queries for reports: joins, NULL, GROUP BY and aggregates, window functions, division, "
    "months and days in a database. Use when figures come from tables of a database by SQL.",
    "email-replies": "Drafts replies to email of customers: tone, apology, greeting, quoting, attachments and what "
    "happens next. Use when an email message has to be answered or a thread summed up.",
}
NEW = "container-images"

RULES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "pdf-forms": (
        ("List the fields first", "Read the names and types of all form fields before the first is filled in.",
         "A PDF form tells which fields it has: have them listed, then fill."),
        ("Checkboxes have values of their own", "Set a checkbox to the value that the form gives it, not to true.",
         "Each checkbox of a form names its own on-value; any other leaves it unchecked."),
        ("Flatten at the end", "Flatten the document once all fields are filled in, so that viewers show the text.",
         "Fields that stay editable look empty in some viewers: flatten the filled form last."),
        ("Keep signatures valid", "Do not rewrite a PDF that was signed; append, or the signature breaks.",
         "A signature covers the bytes of the document, so save a signed form incrementally."),
        ("Long text in a field", "Set the font size of a text field to automatic where the text may be long.",
         "Text that is too long for its field is cut off in the form unless its size may shrink."),
        ("Fields with one name", "Fields of one name share one value: give each its own before you fill them in.",
         "Where two fields in a PDF are called the same, filling one fills the other."),
        ("Dates as the form wants them", "Take the format of a date field from its tooltip in the form.",
         "A date field of a form may refuse a date in another format; its tooltip says which."),
        ("Scans have no fields", "Where a PDF form is a scan it has no fields: lay text over the page.",
         "No fields are found in a scanned form, so place the text by coordinates on its page."),
    ),
    "csv-cleaning": (
        ("Sniff the delimiter", "Look at the first lines of a CSV file for its delimiter before it is parsed.",
         "Semicolons are as common as commas: find the delimiter of the CSV, and do not guess it."),
        ("Mind the byte order mark", "Read CSV text with utf-8-sig, or the first column has a strange name.",
         "A byte order mark sticks to the name of the first column: choose the encoding that drops it."),
        ("Duplicates after trimming", "Strip blanks of all columns before duplicate rows are dropped.",
         "Rows that differ in a blank are duplicates: normalise the columns, then compare rows."),
        ("Missing is not zero", "Keep missing values of a column empty; a zero changes every mean.",
         "An empty cell in CSV is a missing value, and filling in zeros falsifies the column."),
        ("Leading zeros", "Read columns of codes as text, or their leading zeros are gone.",
         "Postal codes in a CSV column lose zeros where the column is taken for numbers."),
        ("Quotes inside quotes", "Double the quotes within a quoted cell when CSV is written.",
         "Let a CSV writer do the quoting: a quote within a cell has to be doubled."),
        ("Line breaks within cells", "Count rows by a CSV parser, never by lines: cells may hold line breaks.",
         "A quoted cell can run over several lines, so lines of a CSV file are no rows."),
        ("Decimal commas", "Turn decimal commas of numeric columns into points before they are converted.",
         "A column such as 1,5 is numeric with decimal commas; regular tables have points."),
    ),
    "git-history": (
        ("Look at the status first", "Run git status and git diff --staged before each commit.",
         "See what is staged before you commit: strangers in a commit are hard to undo."),
        ("One change a commit", "Split unrelated changes into commits of their own with git add -p.",
         "A commit with two changes cannot be reverted in part: stage one change at a time."),
        ("Rebase only what is yours", "Never rebase a branch that others have pulled; merge instead.",
         "Rewriting commits which were pushed breaks the branches of everybody else."),
        ("Abort a merge that goes wrong", "Use git merge --abort when conflicts are not what you expected.",
         "In the middle of conflicts the way back is to abort the merge, and not to delete files."),
        ("Undo without losing work", "Undo the last commit by git reset --soft, which keeps its changes.",
         "To take a commit back and keep its changes, reset softly; hard resets throw them away."),
        ("Conflict markers", "Search the repository for conflict markers before a merge is committed.",
         "Leftover markers of conflicts are committed easily: grep for them after each merge."),
        ("Branch from what is current", "Fetch before you branch, or the branch begins at an old commit.",
         "A new branch of a stale main has conflicts from its first day: fetch, then branch."),
        ("Renames in their own commit", "Move files in one commit and change them in the next, so that git follows.",
         "Git loses the history of a file that is moved and rewritten in a single commit."),
    ),
    "sql-reports": (
        ("Joins that multiply", "Aggregate before the join where a table has several rows for each key.",
         "A join to a table with many rows a key counts sums several times: aggregate first."),
        ("Nulls in conditions", "Write IS NULL in SQL: a comparison with NULL is never true.",
         "NOT IN over a subquery with a NULL gives no rows in any database; use NOT EXISTS."),
        ("Half-open months", "Select a month of a report by >= its first and < the next month's first day.",
         "BETWEEN loses the last day's hours where the database keeps times with its dates."),
        ("Window functions for ranks", "Use row_number() over a partition to take the latest row of each customer.",
         "The first row of each group is a window function in SQL, not a join to a maximum."),
        ("Left joins and filters", "Put conditions on the right table of a left join into ON and not into WHERE.",
         "A filter in WHERE makes an inner join of a left one, and the report loses rows."),
        ("Group by what you select", "Name every column that is not aggregated in GROUP BY.",
         "A query with aggregates groups by all other columns, or the database picks any value."),
        ("Integer division", "Cast to numeric before you divide counts in a query.",
         "Shares are zero in SQL where two integers are divided: cast one of them."),
        ("Distinct is no cure", "Do not add DISTINCT against duplicates of a query: find the join that makes them.",
         "Duplicate rows of a report come from a join; DISTINCT hides it and keeps wrong aggregates."),
    ),
    "email-replies": (
        ("Answer every question", "List what the customer asks in the email, and answer each point in the reply.",
         "A reply that leaves one question of a message open brings another email."),
        ("Greet by name", "Take the name for the greeting from the customer's signature in the thread.",
         "The greeting of a reply has the customer's name as the message is signed."),
        ("Say what happens next", "End a reply with who does what by when.",
         "Customers write again where an email does not say what happens next."),
        ("Quote sparingly", "Quote the one sentence that is answered, not the whole thread.",
         "A reply above a long thread hides what is answered: quoting one line is enough."),
        ("Attachments that are named", "See that an attachment the reply mentions is attached before it is sent.",
         "Where a draft says attached, the message needs the attachment."),
        ("No blame in the tone", "Apologise once and plainly, and do not explain whose fault it was.",
         "The tone to an angry customer is calm: one apology, then the remedy."),
        ("Reply to all who were asked", "Keep those in copy of the thread in the reply unless told otherwise.",
         "Dropping people from an email thread looks as if something were hidden from them."),
        ("Sum up long threads", "Begin the reply to a long thread with its state in two sentences.",
         "Whoever reads a thread late needs its state on top of the message."),
    ),
    NEW: (
        ("Order of layers",
         "Copy the lock file and install packages before the source is copied into the container image.",
         "Layers of an image are cached from the top: what changes often comes last in the Dockerfile."),
        ("Small base images", "Build in one stage and copy the result into a slim container image.",
         "A build stage of its own keeps compilers out of the container image."),
        ("Not as root", "Create a user in the container image and switch to it.",
         "A container that runs as root owns files of the host: give the image a user."),
        ("Pin the base", "Pin the base of a container image by its digest.",
         "A tag moves, so an image that is built tomorrow is another container."),
        ("Leave rubbish out", "Write a .dockerignore, or the context sent to build a container image has everything.",
         "An image holds secrets of the folder where the container is built without an ignore file."),
    ),
}  # fmt: skip

NOWHERE = (
    ("Boil water first", "Warm the teapot before the leaves go in."),
    ("Ask for the floor plan", "Measure doors before furniture is ordered."),
    ("Turn the compost", "Air gets into a heap that is turned every week."),
    ("Tune from below", "Bring a guitar string up to its pitch, never down."),
    ("Hot lenses fog", "Let a camera cool down in its bag."),
    ("Knead by feel", "Dough is ready when it springs back."),
    ("Chain before gears", "Replace a worn bicycle chain before it eats the sprockets."),
    ("Water in the morning", "Leaves that stay wet over night get mildew."),
    ("Two coats", "Thin paint twice covers better than thick paint once."),
    ("Sharpen wet", "A dry stone clogs under a knife."),
    ("Read the tide table", "Moorings need slack for spring tides."),
    ("Label the fuses", "Write rooms on a fuse box while somebody watches the lamps."),
    ("Weigh the yeast", "Spoons of yeast differ by half."),
    ("Rest the meat", "Cut a roast after ten minutes."),
    ("Walk the route", "Time a hike by climbs and not by miles."),
    ("Oil the hinge", "A drop at the top runs down by itself."),
    ("Stretch the canvas", "Pull from the middle to the corners."),
    ("Vent the radiator", "Air gathers in the highest one."),
    ("Prime the pump", "A dry pump draws nothing."),
    ("Cool the engine", "Never open a hot cap."),
)

PASSING = {
    "pdf-forms": ("The PDF form had been done by then.", "a PDF was being filled in for somebody"),
    "csv-cleaning": ("The CSV export went well.", "a CSV file of the same customer was waiting"),
    "git-history": ("It was committed on a branch later.", "the repository had just been merged"),
    "sql-reports": ("The database query was fine.", "a query was still running in the database"),
    "email-replies": ("The customer got an email about it.", "an email of a customer came in"),
}
"""What is said of a skill's work in a lesson that is not about it."""


class LabelledLesson(NamedTuple):
    """A lesson with the skill it belongs to, '' for none, and the task it is of."""

    title: str
    description: str
    content: str
    skill: str
    task: str


def lessons() -> Iterator[LabelledLesson]:
    """All of them, in a fixed order."""
    for skill, rules in RULES.items():
        others = [name for name in PASSING if name != skill]
        for number, (title, one, other) in enumerate(rules):
            said, event = PASSING[others[number % len(others)]][0], PASSING[others[(number + 1) % len(others)]][1]
            for kind, content in enumerate((one, other, f"{one} {said}", f"While {event}, this came up: {other}")):
                yield LabelledLesson(title, "Holds whenever it comes up.", content, skill, f"{skill}-{number}-{kind}")
    for number, (title, content) in enumerate(NOWHERE):
        yield LabelledLesson(title, "Holds whenever it comes up.", content, "", f"nowhere-{number}")
