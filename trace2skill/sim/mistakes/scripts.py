"""The planted mistakes of shell scripts: what each makes of a right script, how it is mended, and what prevents it."""

import re
from dataclasses import dataclass

from trace2skill.sim.cause import Cause, Habit
from trace2skill.sim.lessons import Wording


@dataclass(frozen=True)
class ScriptMistake:
    """A cause, and two replacements: from right to wrong, and back."""

    cause: Cause
    spoiling: tuple[str, str]
    mending: tuple[str, str]

    def spoil(self, script: str) -> str:
        """The script with the mistake; the same text where it cannot be made, or could not be told afterwards."""
        spoiled = re.sub(*self.spoiling, script)
        return spoiled if self.mend(spoiled) == script else script

    def mend(self, script: str) -> str:
        """The script without the mistake."""
        return re.sub(*self.mending, script)


def _planted(
    name: str,
    spoiling: tuple[str, str],
    mending: tuple[str, str],
    prevalence: float,
    section: str,
    guidance: tuple[str, ...],
    title: str,
    when: str,
    *contents: str,
) -> ScriptMistake:
    wordings = tuple(Wording(title=title, description=when, content=content) for content in contents)
    cause = Cause(name=name, prevalence=prevalence, kinds=(), section=section, guidance=guidance, wordings=wordings)
    return ScriptMistake(cause, spoiling, mending)


READING, WRITING, LOOPS = "Reading files", "Writing results", "Loops and commands"

SCRIPT_MISTAKES: tuple[ScriptMistake, ...] = (
    _planted(
        "result_elsewhere",
        (r"(>>?) (\w+)/([\w.]+)", r"\1 ./\2-\3"),
        (r"(>>?|>\|) \./(\w+)-([\w.]+)", r"\1 \2/\3"),
        0.25,
        WRITING,
        (r"folder", r"request|asked", r"letter by letter|to the letter|literally"),
        "Use the name that was asked for",
        "Applies whenever a result gets a name.",
        "Take folder and name of the result from the request, letter by letter.",
        "Put the result into the folder that was asked for, under its name to the letter.",
        "The request names a folder for the result: take it literally.",
    ),
    _planted(
        "order_left_to_chance",
        (r"\| LC_ALL=C sort(?= *(?:[>|]|$))", "| cat"),
        (r"\| cat(?= *(?:[>|]|$))", "| LC_ALL=C sort"),
        0.5,
        WRITING,
        (r"\bsort", r"LC_ALL|byte order", r"lines"),
        "Sort what is a list",
        "Applies to results of many lines.",
        "Sort the lines of a list with LC_ALL=C before you write it.",
        "Lines come in byte order: pipe them through sort.",
        "Before a list is written, sort its lines (LC_ALL=C).",
    ),
    _planted(
        "numbers_sorted_as_words",
        (r"sort -n\b", "sort -d"),
        (r"sort -d\b", "sort -n"),
        0.5,
        WRITING,
        (r"sort -n|numeric(ally)? sort|sort numerically", r"10|digits|amounts"),
        "Numeric order",
        "Applies where numbers decide the order.",
        "Use sort -n where amounts decide the order, or 10 stands before 9.",
        "Where amounts give the order, sort numerically.",
        "Without sort -n digits are compared as letters.",
    ),
    _planted(
        "last_newline_lost",
        (r"printf '%s\\n' ", "printf '%s' "),
        (r"printf '%s' ", r"printf '%s\\n' "),
        0.4,
        WRITING,
        (r"newline|line feed", r"end|last|close"),
        "End with a newline",
        "Applies to results of one line, too.",
        "End every text with a newline, one of a single line included.",
        "The last line needs its newline as well.",
        "Close a one-line result with a line feed.",
    ),
    _planted(
        "names_unquoted",
        (r'"\$f"', "$f"),
        (r'(?<!")\$f\b(?!")', '"$f"'),
        0.6,
        LOOPS,
        (r"quote|quotation", r"variable|\$", r"blank|names"),
        "Quote variables",
        "Applies to loops over files.",
        "Quote every variable that holds a file name: names may hold a blank.",
        'Put quotation marks around "$f", since names can have blanks.',
        "An unquoted variable falls apart where names hold a blank; quote it.",
    ),
    _planted(
        "exit_code_ignored",
        (r"\|\| continue", "|| true"),
        (r"\|\| true", "|| continue"),
        0.6,
        LOOPS,
        (r"exit (code|status)", r"skip|leave out|fail"),
        "Mind exit codes",
        "Applies where a program is called for each of many inputs.",
        "Look at the exit code of each call, and skip what failed.",
        "A call that fails says so by its exit status: leave out what it printed.",
        "Do not swallow an exit code: what failed is no result.",
    ),
    _planted(
        "overwritten_in_loop",
        (r">> ", ">| "),
        (r">\| ", ">> "),
        0.5,
        LOOPS,
        (r"append|>>", r"loop|round"),
        "Append in a loop",
        "Applies to results gathered in a loop.",
        "Append with >> inside a loop; a single > keeps the last round only.",
        "What a loop gathers is appended, not written anew.",
        "Each round has to append to the result.",
    ),
    _planted(
        "titles_counted",
        (r"tail -n \+2", "tail -n +1"),
        (r"tail -n \+1", "tail -n +2"),
        0.6,
        READING,
        (r"tail -n \+2|column titles|first line", r"skip|without|drop"),
        "Column titles are no data",
        "Applies to CSV files.",
        "Skip the first line of a CSV file: it holds column titles.",
        "Drop column titles (tail -n +2) before you count or add.",
        "Work on CSV data without the first line.",
    ),
    _planted(
        "case_minded",
        (r"grep -i\b", "grep -e"),
        (r"grep -e\b", "grep -i"),
        0.6,
        READING,
        (r"grep -i|upper and lower|capital", r"case|letters|spell"),
        "Upper and lower case",
        "Applies to searches in text that people wrote.",
        "Search with grep -i where people may spell a word in either case.",
        "Words are spelled in upper and lower case: find them all.",
        "Capital letters must not decide a search.",
    ),
    _planted(
        "files_listed_by_hand",
        (r"/\*\.(\w+)", r"/[a-m]*.\1"),
        (r"/\[a-m\]\*\.(\w+)", r"/*.\1"),
        0.4,
        READING,
        (r"glob|pattern|wildcard|\*", r"every file|all files|each file"),
        "Every file there is",
        "Applies to folders of files.",
        "Take every file that is there by a wildcard, never a choice of them.",
        "Let a glob name all files of a folder.",
        "A pattern that covers each file, not only those you saw at first.",
    ),
)

SCRIPT_CAUSES: tuple[Cause, ...] = tuple(mistake.cause for mistake in SCRIPT_MISTAKES)
SCRIPT_HABITS: tuple[Habit, ...] = tuple(
    Habit(
        name=name,
        section=section,
        guidance=guidance,
        wordings=tuple(Wording(title=title, description="Applies to every task.", content=text) for text in texts),
    )
    for name, section, guidance, title, texts in (
        (
            "look_around",
            "Before you start",
            (r"\bls\b|\bhead\b", r"first|begin"),
            "Look around",
            (
                "Begin with ls and head, so that you know what the files look like.",
                "First run head on one of the inputs.",
                "Look at the directory with ls before the first command that writes.",
            ),
        ),
        (
            "strict_mode",
            LOOPS,
            (r"set -[eu]",),
            "Strict mode",
            (
                "Start scripts with set -eu so that they stop where something is wrong.",
                "Use set -eu at the top.",
                "Let set -eu end a script at its first mistake.",
            ),
        ),
    )
)
