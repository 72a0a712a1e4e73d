"""What consolidation makes of real patches when a capable reader plays every role, blind to the labels.

    python bench/real_reader.py --corpus DIR --model handoff/questions [--keep DIR] [--least 8]

The corpus is that of bench/real_text.py; the model is any LiteLLM name, or a model that is answered by hand
(docs/handoff.md). What a rule of the result means is read from its supporters' own words: the theme that most of them
are labelled with. Everything asked is kept in the store (--store), so that the run goes on where it stopped. Exits 1
where a theme of at least `--least` tasks has not exactly one rule, or its support is off by more than 20%.
"""

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path

from labelled_corpus import Corpus, load
from real_run import Run, consolidated
from rich.console import Console
from rich.table import Table

from trace2skill.consolidate.bounded import Bounds
from trace2skill.consolidate.groups import EditGroup, Saying
from trace2skill.llm import ModelSettings
from trace2skill.skills.skill import write_skill
from trace2skill.store import open_store

MOST_OFF = 0.2
QUOTED = 3


def main() -> None:
    """Run it and print the table."""
    arguments = argparse.ArgumentParser(description="Consolidation of real texts by a capable reader.")
    arguments.add_argument("--corpus", type=Path, required=True)
    arguments.add_argument("--model", required=True)
    arguments.add_argument("--store", type=Path, default=Path("real-reader.duckdb"))
    arguments.add_argument("--keep", type=Path, help="write the skill and who asked for its lines here")
    arguments.add_argument("--least", type=int, default=8)
    given = arguments.parse_args()
    corpus, store = load(given.corpus), open_store(given.store)
    try:
        run = consolidated(corpus, corpus.patches, store, Bounds(), 0.0, 0, ModelSettings(name=given.model))
    finally:
        store.close()
    if given.keep:
        write_skill(run.skill, given.keep / run.skill.name)
        (given.keep / "why.md").write_text(as_page(run), encoding="utf-8")
    sys.exit(0 if show(corpus, run, given.least) else 1)


def themes_of(corpus: Corpus, said: Saying) -> set[str]:
    """What one supporter's words are labelled with."""
    return corpus.reader.themes(said.text) - {"ONE"}


def meaning(corpus: Corpus, group: EditGroup) -> dict[str, set[str]]:
    """Theme -> tasks: what most of a rule's supporters are labelled with, or both sides of a conditional rule.

    A line that stood in S0 already means nothing new: who repeats it votes for it, whatever else they said beside it.
    """
    text = group.edits[0].content.removeprefix("- ").strip()
    counts = Counter(theme for said in group.said for theme in sorted(themes_of(corpus, said)))
    if not counts or any(text in (corpus.base.text(file.path) or "") for file in corpus.base.files):
        return {}
    first = min(counts, key=lambda theme: (-counts[theme], theme))
    other = corpus.reader.opposite(first)
    against = {said.task_id for said in group.said if other in themes_of(corpus, said)} if counts[other] > 1 else set()
    found = {first: {said.task_id for said in group.said} - against}
    return {**found, other: against} if against else found


def show(corpus: Corpus, run: Run, least: int) -> bool:
    """Print a line for each theme that many tasks state. Did all of them come out?"""
    truth = corpus.truth(corpus.patches)
    rules: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for group in [*run.written, *(side for sides in run.conflicts for side in sides)]:
        for theme, tasks in meaning(corpus, group).items():
            rules[theme][group.id] = tasks
    stated = {patch.task_id: corpus.stated[patch.trajectory_id] for patch in corpus.patches}
    table = Table("theme", "tasks", "rules", "support", "off", "not said by")
    reached = True
    for theme, tasks in sorted(truth.items(), key=lambda item: (-len(item[1]), item[0])):
        mine = rules[theme]
        have = {task for credited in mine.values() for task in credited}
        false = sum(theme not in stated[task] for task in have)
        off = abs(len(have) - len(tasks)) / len(tasks)
        fine = len(mine) == 1 and off <= MOST_OFF
        reached = reached and (fine or len(tasks) < least)
        mark = "" if fine else "[red]" if len(tasks) >= least else "[yellow]"
        table.add_row(f"{mark}{theme}", *map(str, (len(tasks), len(mine), len(have), f"{off:.0%}", false)))
    console = Console()
    console.print(table)
    console.print(
        f"{len(run.written)} rules, {len(run.conflicts)} open conflicts, {run.calls} calls, {run.rounds} rounds"
    )
    return reached


def as_page(run: Run) -> str:
    """Who asked for each rule, in the words of the first few."""
    parts = ["# Who asked for each rule"]
    for group in sorted(run.written, key=lambda group: (-len(group.support.tasks), group.id)):
        parts.append(f"## {group.edits[0].content.removeprefix('- ').strip()}")
        against = f"; {len(group.against)} trajectories say the opposite" if group.against else ""
        parts.append(f"{len(group.support.tasks)} tasks{against}.")
        shown = group.said[:QUOTED]
        parts += [f"- {said.trajectory_id} ({said.how}): {' '.join(said.text.split())}" for said in shown]
        parts += [f"- and {len(group.said) - QUOTED} more"] if len(group.said) > QUOTED else []
    for sides in run.conflicts:
        parts.append("## Open conflict")
        parts += [
            f"- {len(side.support.tasks)} tasks: {side.edits[0].content.removeprefix('- ').strip()}" for side in sides
        ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
