"""Make shell tasks: one JSONL file with prompt, files, check and reference solution of each.

    python examples/make_shell.py                                  # the committed set, examples/shell
    python examples/make_shell.py --tasks 200 --seed 7 --out DIR   # a larger set

The same arguments give the same bytes. What a check expects is computed here, from the data as they are made, and not
by the reference solutions.
"""

import argparse
import json
import random
import shlex
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# fmt: off
WORDS = [
    "amber", "basil", "cedar", "dune", "ember", "fjord", "grove", "heath", "islet",
    "jetty", "knoll", "ledge", "mesa", "nook", "oasis", "pond", "quay", "reef",
]
# fmt: on
ERRORS = ("error", "Error", "ERROR")
TODOS = ("todo", "TODO", "Todo")
MADE = "mkdir -p result\n"

Made = tuple[str, dict[str, str], str, str]
"""Prompt, files, check, solution."""


def result_is(name: str, lines: list[str]) -> str:
    """A check that compares result/NAME byte for byte and does not say what it wants."""
    wanted = "".join(f"{line}\n" for line in lines)
    return (
        f"want=$(mktemp); printf '%s' {shlex.quote(wanted)} > \"$want\"\n"
        f"[ -f result/{name} ] || {{ echo 'there is no file result/{name}'; exit 1; }}\n"
        f'cmp -s "$want" result/{name} && exit 0\n'
        f'same=$(comm -12 <(sort "$want") <(sort result/{name}) | wc -l)\n'
        f"found=$(wc -l < result/{name})\n"
        f'echo "result/{name} is not right: $found newlines, {len(lines)} wanted, $same lines shared"\n'
        f'echo "score: $(awk -v s="$same" \'BEGIN {{printf "%.2f", s / {2 * len(lines)}}}\')"\n'
        "exit 1\n"
    )


def files_are(folders: str, paths: list[str]) -> str:
    """A check that the files in folders are these, by name."""
    wanted = "".join(f"{path}\n" for path in sorted(paths))
    return (
        f"found=$(find {folders} -type f 2>/dev/null | LC_ALL=C sort)\n"
        f'[ "$found" = {shlex.quote(wanted.rstrip())} ] && exit 0\n'
        f'echo "these are not the files that should be there: $(echo "$found" | wc -l) found, {len(paths)} wanted"\n'
        "exit 1\n"
    )


def names(rng: random.Random, count: int, *, blanks: bool) -> list[str]:
    """File names without their ending, from both halves of the alphabet; one with a blank where asked for."""
    low, high = [w for w in WORDS if w < "n"], [w for w in WORDS if w >= "n"]
    some = rng.sample(low, count - 2) + rng.sample(high, 2)
    if blanks:
        some[0] = f"{some[0]} {rng.choice(['one', 'two', 'new'])}"
    return sorted(some)


def errors(rng: random.Random) -> Made:
    """Count lines with a word in any spelling."""
    files, count = {}, 0
    for name in names(rng, 5, blanks=False):
        lines = []
        for number in range(rng.randint(20, 40)):
            bad = rng.random() < 0.4
            count += bad
            lines.append(f"{number:03} {rng.choice(ERRORS) if bad else 'fine'}: {rng.choice(WORDS)}")
        files[f"logs/{name}.log"] = "\n".join(lines) + "\n"
    prompt = "Count the lines in all files of `logs/` that hold the word error, however it is spelled. "
    solution = f"{MADE}n=$(cat logs/*.log | grep -i error | wc -l)\nprintf '%s\\n' \"$n\" > result/errors.txt\n"
    return (
        f"{prompt}Write the number alone into `result/errors.txt`.",
        files,
        result_is("errors.txt", [str(count)]),
        solution,
    )


def people(rng: random.Random) -> Made:
    """Everybody once, in order."""
    files, everybody = {}, set()
    for name in names(rng, 4, blanks=False):
        some = [f"{rng.choice(WORDS)}.{rng.choice(WORDS)}" for _ in range(rng.randint(8, 14))]
        everybody |= set(some)
        files[f"lists/{name}.txt"] = "\n".join(some) + "\n"
    prompt = "The files of `lists/` hold a name a line. Write every name once into `result/names.txt`, in byte order."
    solution = f"{MADE}cat lists/*.txt | awk '!seen[$0]++' | LC_ALL=C sort > result/names.txt\n"
    return prompt, files, result_is("names.txt", sorted(everybody)), solution


def amounts(rng: random.Random) -> Made:
    """A column in numeric order."""
    values = rng.sample(range(2, 5000), rng.randint(15, 25))
    rows = [f"{rng.choice(WORDS)},{value}" for value in values]
    prompt = "Write the amounts of `data/amounts.csv`, its second column, into `result/amounts.txt`, smallest first."
    solution = f"{MADE}tail -n +2 data/amounts.csv | cut -d, -f2 | sort -n > result/amounts.txt\n"
    files = {"data/amounts.csv": "\n".join(["article,amount", *rows]) + "\n"}
    return prompt, files, result_is("amounts.txt", [str(value) for value in sorted(values)]), solution


def orders(rng: random.Random) -> Made:
    """How many rows a table has."""
    rows = [f"{number},{rng.choice(WORDS)},{rng.randint(1, 90)}" for number in range(rng.randint(104, 190))]
    prompt = "How many orders are in `data/orders.csv`? Write the number alone into `result/orders.txt`."
    solution = f"{MADE}n=$(tail -n +2 data/orders.csv | wc -l)\nprintf '%s\\n' \"$n\" > result/orders.txt\n"
    files = {"data/orders.csv": "\n".join(["order,article,count", *rows]) + "\n"}
    return prompt, files, result_is("orders.txt", [str(len(rows))]), solution


def notes(rng: random.Random) -> Made:
    """Words of each file."""
    files, lines = {}, []
    for name in names(rng, 5, blanks=True):
        count = rng.randint(101, 160)
        files[f"notes/{name}.txt"] = " ".join(rng.choice(WORDS) for _ in range(count)) + "\n"
        lines.append(f"{name}: {count}")
    prompt = (
        "For each file of `notes/` write a line `NAME: WORDS` into `result/words.txt`, in the byte order of the names: "
        "its name without `.txt`, and how many words it holds."
    )
    loop = (
        f'{MADE}for f in notes/*.txt; do\n  n=$(wc -w < "$f")\n'
        '  printf \'%s\\n\' "$(basename "$f" .txt): $n" >> result/words.txt\ndone\n'
    )
    return prompt, files, result_is("words.txt", lines), loop


def converted(rng: random.Random) -> Made:
    """Results of a program that fails on some inputs."""
    convert = (
        '#!/bin/bash\nread -r n < "$1"\necho "$(basename "$1" .txt)=$((n * 7 + 3))"\n'
        'if [ $((n % 3)) -eq 0 ]; then echo "$1 is of the old kind" >&2; exit 3; fi\n'
    )
    files, lines = {"bin/convert.sh": convert}, []
    for place, name in enumerate(names(rng, 6, blanks=True)):
        value = rng.randint(100, 900) * 3 + ((place + 1) % 3)
        files[f"items/{name}.txt"] = f"{value}\n"
        if value % 3:
            lines.append(f"{name}={value * 7 + 3}")
    prompt = (
        "Call `bash bin/convert.sh FILE` on each file of `items/`, in the byte order of their names, and gather what "
        "it prints in `result/converted.txt`, a line for each. It fails on items of the old kind; those are left out."
    )
    loop = (
        f'{MADE}for f in items/*.txt; do\n  line=$(bash bin/convert.sh "$f" 2>/dev/null) || continue\n'
        "  printf '%s\\n' \"$line\" >> result/converted.txt\ndone\n"
    )
    return prompt, files, result_is("converted.txt", lines), loop


def moved(rng: random.Random) -> Made:
    """Files under another name in another folder."""
    some = names(rng, 5, blanks=True)
    files = {f"drafts/{name}.txt": f"{rng.choice(WORDS)}\n" for name in some} | {"drafts/index.csv": "name\n"}
    prompt = "Move every `.txt` file of `drafts/` to `done/`, where its name ends in `.md`. Other files stay."
    loop = 'mkdir -p done\nfor f in drafts/*.txt; do\n  mv "$f" "done/$(basename "$f" .txt).md"\ndone\n'
    return prompt, files, files_are("done drafts", [*(f"done/{name}.md" for name in some), "drafts/index.csv"]), loop


def tools(rng: random.Random) -> Made:
    """Scripts that can be executed."""
    some = names(rng, 4, blanks=True)
    files = {f"tools/{name}.sh": f"echo {rng.choice(WORDS)}\n" for name in some} | {"tools/notes.txt": "none\n"}
    prompt = "Make every `.sh` file of `tools/` executable, and nothing else."
    loop = 'for f in tools/*.sh; do\n  chmod +x "$f"\ndone\n'
    tests = "".join(
        f"[ -x {shlex.quote(f'tools/{name}.sh')} ] || {{ echo 'a script cannot be executed'; exit 1; }}\n"
        for name in some
    )
    check = f"{tests}[ ! -x tools/notes.txt ] || {{ echo 'a text was made executable'; exit 1; }}\n"
    return prompt, files, check, loop


def cleaned(rng: random.Random) -> Made:
    """Files that go."""
    some = names(rng, 5, blanks=True)
    kept = [f"cache/{name}.dat" for name in names(rng, 3, blanks=False)]
    files = {f"cache/{name}.tmp": "x\n" for name in some} | dict.fromkeys(kept, "y\n")
    prompt = "Delete every `.tmp` file of `cache/`. All other files stay."
    return prompt, files, files_are("cache", kept), 'for f in cache/*.tmp; do\n  rm -- "$f"\ndone\n'


def todo(rng: random.Random) -> Made:
    """Lines with a word in any spelling, in order."""
    files, found = {}, []
    for name in names(rng, 4, blanks=False):
        lines = []
        for number in range(rng.randint(10, 20)):
            open_ = rng.random() < 0.35
            lines.append(f"{rng.choice(WORDS)} {name[:2]}{number} {rng.choice(TODOS) if open_ else 'done'}")
            found += lines[-1:] if open_ else []
        files[f"plans/{name}.txt"] = "\n".join(lines) + "\n"
    prompt = (
        "Gather the lines of all files in `plans/` that hold the word todo, however it is spelled, in "
        "`result/todo.txt`, in byte order."
    )
    solution = f"{MADE}cat plans/*.txt | grep -i todo | LC_ALL=C sort > result/todo.txt\n"
    return prompt, files, result_is("todo.txt", sorted(found)), solution


KINDS: tuple[Callable[[random.Random], Made], ...] = (
    errors,
    people,
    amounts,
    orders,
    notes,
    converted,
    moved,
    tools,
    cleaned,
    todo,
)


def rows(count: int, seed: int) -> list[dict[str, object]]:
    """The tasks, the kinds in turn."""
    made = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        prompt, files, check, solution = kind(random.Random(f"{seed}/{number}"))
        made.append(
            {
                "id": f"sh-{number + 1:03}",
                "kind": kind.__name__,
                "prompt": prompt,
                "files": files,
                "check": check,
                "solution": solution,
            }
        )
    return made


def main() -> None:
    """Write the set."""
    arguments = argparse.ArgumentParser(description="Make shell tasks.")
    arguments.add_argument("--tasks", type=int, default=40)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--out", type=Path, default=ROOT / "examples" / "shell")
    given = arguments.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows(given.tasks, given.seed)]
    (given.out / "tasks.jsonl").write_text("".join(lines), encoding="utf-8")
    print(f"{given.tasks} tasks in {given.out}")


if __name__ == "__main__":
    main()
