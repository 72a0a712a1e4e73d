"""What consolidation makes of patches as models write them, against labels that people gave them.

    python bench/real_text.py --corpus DIR [--mistakes SHARE] [--json]

DIR holds `patches.jsonl`, `themes.json` and `skill/NAME/`. A simulated reader that knows the labels of the texts it is
shown answers every prompt over the real path of model calls and errs in the given share of its judgements; the rest is
the product's own. Exits 1 where a figure is missed: those without mistakes, or those at up to 5% of mistakes.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from labelled_corpus import Corpus, load, multiplied
from real_run import Run, consolidated, in_store

from trace2skill.consolidate.bounded import Bounds
from trace2skill.consolidate.cut import cut
from trace2skill.consolidate.groups import EditGroup
from trace2skill.core.errors import BadInput
from trace2skill.sim.profile import chance
from trace2skill.skills.form import in_form
from trace2skill.skills.place import place
from trace2skill.store import Store
from trace2skill.types.patch import Patch, Unplaced

CHOICES = 20
SIZES = (1_000, 5_000)
PAIRWISE = {"989c7f922acf077c08f1f11a525488707a7328cefc8d31f600bc9fa9c71b4e86": 226_483}
"""Prompt tokens of the pairwise merge of edits, the design before this one, by digest of patches.jsonl."""


def main() -> None:
    """Run the benchmark and print its table."""
    arguments = argparse.ArgumentParser(description="Consolidation of real texts against their labels.")
    arguments.add_argument("--corpus", type=Path, required=True)
    arguments.add_argument("--mistakes", type=float, default=0.0)
    arguments.add_argument("--seed", type=int, default=0, help="another seed makes other mistakes")
    arguments.add_argument("--tokens", type=int, default=Bounds().tokens)
    arguments.add_argument("--quick", action="store_true", help="without the larger sizes and the added patches")
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    try:
        corpus = load(given.corpus)
    except BadInput as error:
        sys.exit(str(error))
    figures = measure(corpus, given.mistakes, given.seed, Bounds(tokens=given.tokens), quick=given.quick)
    if given.json:
        print(json.dumps(figures, indent=2))
    else:
        show(figures)
    sys.exit(0 if all(row["reached"] for row in figures["rows"]) else 1)


def measure(corpus: Corpus, mistakes: float, seed: int, bounds: Bounds, *, quick: bool) -> dict[str, Any]:
    """All figures of the table."""
    with tempfile.TemporaryDirectory(prefix="t2s-real-") as directory:
        run = in_store(
            directory, "all", lambda store: consolidated(corpus, corpus.patches, store, bounds, mistakes, seed)
        )
        rows = quality(corpus, run, mistakes)
        rows += cost(corpus, run, mistakes)
        if not quick and not mistakes:
            rows += added(corpus, directory, bounds, seed)
        if not quick:
            rows += bounded(corpus, run, directory, bounds, mistakes, seed)
    return {"corpus": str(corpus.directory), "mistakes": mistakes, "rows": rows, "rounds": run.by_round}


def row(name: str, value: Any, wanted: str, reached: bool) -> dict[str, Any]:
    """One figure."""
    return {"figure": name, "value": value, "wanted": wanted, "reached": bool(reached)}


def quality(corpus: Corpus, run: Run, mistakes: float) -> list[dict[str, Any]]:
    """What the skill says, and whom it credits for it."""
    truth = {theme: tasks for theme, tasks in corpus.truth(corpus.patches).items() if len(tasks) >= 3}
    places: dict[str, list[EditGroup]] = defaultdict(list)
    for group in [*run.written, *(side for sides in run.conflicts for side in sides)]:
        for theme in meant(corpus, group):
            places[theme].append(group)
    once = [theme for theme in truth if len(places[theme]) == 1]
    off = {theme: deviation(corpus, theme, places[theme], tasks) for theme, tasks in truth.items()}
    credits = [
        (theme, id) for theme, groups in places.items() for group in groups for id in credited(corpus, group, theme)
    ]
    false = [(theme, id) for theme, id in credits if theme not in corpus.stated[id]]
    foreign = [group.text for group in run.written if not meant(corpus, group)]
    pairs = {tuple(sorted((theme, corpus.reader.opposite(theme)))) for theme in truth if corpus.reader.opposite(theme)}
    surfaced = [pair for pair in sorted(pairs) if is_surfaced(corpus, run, pair)]
    most = 0.15 if mistakes else 0.0
    share = len(false) / max(1, len(credits))
    lost = lost_for_form(corpus)
    worst = max(off.values(), default=0.0)
    missing = sorted(set(truth) - set(once))
    return [
        row(
            "themes with exactly one rule",
            f"{len(once)} of {len(truth)} {' '.join(missing)}".strip(),
            "all",
            not missing,
        ),
        row("worst deviation of a support", f"{worst:.1%}", f"{most:.0%}", worst <= most),
        row(
            "credits to who does not say it",
            f"{len(false)} of {len(credits)}",
            "below 5%" if mistakes else "0",
            share < 0.05 if mistakes else not false,
        ),
        row("rules of one repository in the skill", len(foreign), "0", not foreign),
        row("opposed pairs surfaced", f"{len(surfaced)} of {len(pairs)}", "all", len(surfaced) == len(pairs)),
        row("edits lost for their form", len(lost), "0", not lost),
    ]


def meant(corpus: Corpus, group: EditGroup) -> set[str]:
    """The themes that the words of a group state, as the labels have it."""
    return {
        theme for theme in corpus.reader.themes(group.edits[0].content.removeprefix("- ")) if theme in corpus.themes
    }


def credited(corpus: Corpus, group: EditGroup, theme: str) -> list[str]:
    """The trajectories credited for a theme; in a conditional rule, those of the other side are not asked about it."""
    both = meant(corpus, group)
    other = corpus.reader.opposite(theme)
    ids = group.support.trajectories
    if other not in both:
        return list(ids)
    return [id for id in ids if theme in corpus.stated[id] or other not in corpus.stated[id]]


def deviation(corpus: Corpus, theme: str, groups: Sequence[EditGroup], tasks: set[str]) -> float:
    """How far the number of tasks credited is from those that state a theme, as a share of these."""
    task_of = {patch.trajectory_id: patch.task_id for patch in corpus.patches}
    have = {task_of[id] for group in groups for id in credited(corpus, group, theme)}
    return abs(len(have) - len(tasks)) / len(tasks) if have else 1.0


def is_surfaced(corpus: Corpus, run: Run, pair: Sequence[str]) -> bool:
    """Do both sides stand in one conditional rule, or in one open conflict?"""
    if any(set(pair) <= meant(corpus, group) for group in run.written):
        return True
    return any(
        all(any(theme in meant(corpus, side) for side in sides) for theme in pair) and len(sides) > 1
        for sides in run.conflicts
    )


def lost_for_form(corpus: Corpus) -> list[str]:
    """Edits with a label that no rule holds, or that find no place."""
    lost = []
    for patch in corpus.patches:
        for number, edit in enumerate(patch.edits):
            one = patch.model_copy(update={"edits": (edit,)})
            texts = [" ".join(rule.text.split()) for rule in cut(one, "error", corpus.base).rules]
            labels = [text for at, text in corpus.labels[patch.trajectory_id] if at == number]
            held = all(any(" ".join(label.split()) in text for text in texts) for label in labels)
            pieces = [place(corpus.base, formed.edit) for formed in in_form(corpus.base, edit)]
            if not held or any(isinstance(piece, Unplaced) for piece in pieces):
                lost.append(f"{patch.trajectory_id} {number}")
    return lost


def cost(corpus: Corpus, run: Run, mistakes: float) -> list[dict[str, Any]]:
    """Calls, rounds and tokens of the whole consolidation."""
    calls, rounds = (50, 7) if mistakes else (40, 6)
    calls = round(calls * max(1.0, len(corpus.patches) / 120))
    found = [
        row(f"model calls for {len(corpus.patches)} patches", run.calls, f"at most {calls}", run.calls <= calls),
        row("rounds of latency", run.rounds, f"at most {rounds}", run.rounds <= rounds),
    ]
    pairwise = PAIRWISE.get(corpus.digest)
    if pairwise:
        wanted = f"at most {pairwise // 3:,}, a third of {pairwise:,}"
        found.append(row("prompt tokens in all", f"{run.tokens:,}", wanted, run.tokens <= pairwise / 3))
    else:
        found.append(row("prompt tokens in all", f"{run.tokens:,}", "(no older figure)", True))
    return found


def added(corpus: Corpus, directory: str, bounds: Bounds, seed: int) -> list[dict[str, Any]]:
    """What one patch more costs, and ten: median over choices."""
    found = []
    for many, wanted in ((1, 4), (10, 20)):
        calls = []
        for choice in range(CHOICES):
            order = sorted(corpus.patches, key=lambda patch: chance("more", many, choice, patch.trajectory_id))

            def grown(store: Store, order: list[Patch] = order, many: int = many) -> int:
                consolidated(corpus, order[many:], store, bounds, 0.0, seed)
                return consolidated(corpus, order, store, bounds, 0.0, seed).calls

            calls.append(in_store(directory, f"more-{many}-{choice}", grown))
        middle = statistics.median(calls)
        name = f"calls for {many} more, median of {CHOICES} ({min(calls)} to {max(calls)})"
        found.append(row(name, middle, f"at most {wanted}", middle <= wanted))
    return found


def bounded(
    corpus: Corpus, run: Run, directory: str, bounds: Bounds, mistakes: float, seed: int
) -> list[dict[str, Any]]:
    """The largest prompt, also of many more patches: the same texts, each with a mark of its own."""
    found = [
        row(
            f"largest prompt at {len(corpus.patches)}",
            run.largest,
            f"at most {bounds.tokens}",
            run.largest <= bounds.tokens,
        )
    ]
    for size in SIZES:
        many = multiplied(corpus, size)
        large = in_store(
            directory,
            f"size-{size}",
            lambda store, many=many: consolidated(many, many.patches, store, bounds, mistakes, seed),
        )
        name = f"largest prompt at {size:,} ({large.calls} calls, {large.rounds} rounds)"
        found.append(row(name, large.largest, f"at most {bounds.tokens}", large.largest <= bounds.tokens))
    return found


def show(figures: Mapping[str, Any]) -> None:
    """The table for people."""
    table = Table(title=f"{figures['corpus']}, mistakes {figures['mistakes']:.0%}")
    for name in ("figure", "measured", "wanted", ""):
        table.add_column(name)
    for item in figures["rows"]:
        table.add_row(item["figure"], str(item["value"]), item["wanted"], "yes" if item["reached"] else "[red]no[/]")
    console = Console()
    console.print(table)
    console.print("calls by round: " + ", ".join(f"{kind} {calls}" for kind, calls in figures["rounds"]))


if __name__ == "__main__":
    main()
