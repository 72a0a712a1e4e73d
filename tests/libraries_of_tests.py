"""A library of small skills and shell tasks that exercise them, each with mistakes that one of the skills can prevent."""

import json
from pathlib import Path

ABOUT = {
    "csv-tables": "Counts and adds up the rows of CSV tables in a shell. Use for requests about a CSV table and its titles.",
    "note-search": "Searches notes that people wrote for a word. Use for requests to find a word in letters of either case.",
    "amount-order": "Puts amounts in numeric order. Use for requests to order amounts by their digits.",
    "holiday-letters": "Writes letters to guests. Use for requests about invitations and thanks.",
}
PARTS = ("Before you start", "Reading files", "Writing results", "Loops and commands")


def library(folder: Path, names: tuple[str, ...] = tuple(ABOUT)) -> Path:
    """Write the skills into a folder, and return it."""
    for name in names:
        (folder / name).mkdir(parents=True)
        body = "\n\n".join(f"## {part}\n\n- Keep to what was asked for." for part in PARTS)
        head = f"---\nname: {name}\ndescription: {ABOUT[name]}\n---\n"
        (folder / name / "SKILL.md").write_text(f"{head}\n# {name}\n\n{body}\n")
    return folder


def tasks(path: Path, each: int, *, named: bool = True) -> Path:
    """Write a file of so many tasks of each kind; `named` says of each which skill it exercises."""
    rows = []
    for number in range(each):
        rows += [_csv(number), _notes(number), _amounts(number)]
    if not named:
        rows = [{name: value for name, value in row.items() if name != "skills"} for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _csv(number: int) -> dict[str, object]:
    table = "name,amount\n" + "".join(f"n{row},{row}\n" for row in range(number + 3))
    return {
        "id": f"csv-{number}",
        "kind": "csv",
        "prompt": f"Count the rows of the CSV table t{number}.csv without its titles, and write the count to count.txt.",
        "check": f'[ "$(tr -d " \\n" < count.txt)" = {number + 3} ]',
        "solution": f"tail -n +2 t{number}.csv | wc -l > count.txt",
        "files": {f"t{number}.csv": table},
        "skills": ["csv-tables"],
    }


def _notes(number: int) -> dict[str, object]:
    notes = f"Pear {number}\nan apple\nAPPLE {number}\nplum\n"
    return {
        "id": f"notes-{number}",
        "kind": "notes",
        "prompt": f"Search the notes n{number}.txt for the word apple and write every line that has the word to hits.txt.",
        "check": "[ $(wc -l < hits.txt) = 2 ]",
        "solution": f"grep -i apple n{number}.txt > hits.txt",
        "files": {f"n{number}.txt": notes},
        "skills": ["note-search"],
    }


def _amounts(number: int) -> dict[str, object]:
    return {
        "id": f"amounts-{number}",
        "kind": "amounts",
        "prompt": f"Write the amounts of a{number}.txt in numeric order to up.txt.",
        "check": "[ $(head -n 1 up.txt) = 9 ]",
        "solution": f"sort -n a{number}.txt > up.txt",
        "files": {f"a{number}.txt": f"10{number}\n9\n200\n"},
        "skills": ["amount-order"],
    }
