"""A library of small skills and shell tasks that exercise them, each with mistakes that one of the skills can prevent."""

import json
from pathlib import Path

ABOUT = {
    "csv-tables": "Counts and adds up the rows of CSV tables in a shell. Use for requests about a CSV table and its titles.",
    "note-search": "Searches notes that people wrote for a word. Use for requests to find a word in letters of either case.",
    "amount-order": "Puts amounts in numeric order. Use for requests to order amounts by their digits.",
    "folder-counts": "Counts the entries of a folder. Use for requests about how many entries a folder has.",
    "holiday-letters": "Writes letters to guests. Use for requests about invitations and thanks.",
}
KINDS = ("csv-tables", "note-search", "amount-order", "folder-counts")
"""The skills that tasks exercise. Of the last no mistake can be made."""
PARTS = ("Before you start", "Reading files", "Writing results", "Loops and commands")


def library(folder: Path, names: tuple[str, ...] = tuple(ABOUT)) -> Path:
    """Write the skills into a folder, and return it."""
    for name in names:
        (folder / name).mkdir(parents=True)
        body = "\n\n".join(f"## {part}\n\n- Keep to what was asked for." for part in PARTS)
        head = f"---\nname: {name}\ndescription: {ABOUT[name]}\n---\n"
        (folder / name / "SKILL.md").write_text(f"{head}\n# {name}\n\n{body}\n")
    return folder


def used_skill(log: Path, name: str) -> None:
    """Let the session of a log (`sessions_of_tests`) read a skill before anything else."""
    told = json.loads(log.read_text())
    call = {"name": "bash", "arguments": json.dumps({"command": f"cat skills/{name}/SKILL.md"})}
    told["messages"][1:1] = [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "s", "type": "function", "function": call}]},
        {"role": "tool", "tool_call_id": "s", "content": "# it"},
    ]
    log.write_text(json.dumps(told))


def tasks(path: Path, each: int, of: tuple[str, ...] = KINDS, *, named: bool = True) -> Path:
    """Write a file of so many tasks for each of these skills; `named` says of each which skill it exercises."""
    kinds = dict(zip(KINDS, (_csv, _notes, _amounts, _folder), strict=True))
    rows: list[dict[str, object]] = []
    for number in range(each):
        rows += [kinds[name](number) for name in of]
    if not named:
        rows = [{name: value for name, value in row.items() if name != "skills"} for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _csv(number: int) -> dict[str, object]:
    table = "name,amount\n" + "".join(f"{row}{number},{row}\n" for row in "cab")
    return {
        "id": f"csv-{number}",
        "kind": "csv",
        "prompt": f"Write the rows of the CSV table t{number}.csv without its titles to rows.txt, in order.",
        "check": f"[ \"$(tr '\\n' ' ' < rows.txt)\" = 'a{number},a b{number},b c{number},c ' ]",
        "solution": f"tail -n +2 t{number}.csv | LC_ALL=C sort > rows.txt",
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
        "prompt": f"Write the amounts of all files of a{number} in numeric order to up.txt, and how many amounts to n.txt.",
        "check": "[ \"$(tr '\\n' ' ' < up.txt)$(od -An -c n.txt | tr -d ' ')\" = '9 101 200 3\\n' ]",
        "solution": f"cat a{number}/*.txt | sort -n > up.txt\nprintf '%s\\n' 3 > n.txt",
        "files": {f"a{number}/b.txt": "101\n9\n", f"a{number}/z.txt": "200\n"},
        "skills": ["amount-order"],
    }


def _folder(number: int) -> dict[str, object]:
    return {
        "id": f"folder-{number}",
        "kind": "folder",
        "prompt": f"Write how many entries the folder f{number} has to count.txt.",
        "check": '[ "$(tr -d " \\n" < count.txt)" = 2 ]',
        "solution": f"ls f{number} | wc -l > count.txt",
        "files": {f"f{number}/a": "a", f"f{number}/b": "b"},
        "skills": ["folder-counts"],
    }
