"""Questions out of logs of evaluations: what our rules say of the recorded answers against the logs' own verdicts.

Of real logs (`../shared/data/traces/inspect`), of logs that inspect_ai itself wrote (`inspect_logs.py`, where their
folder is named), and of made-up ones in its layout, whose verdicts say how each was made to be answered.
"""

import random
from collections import Counter
from pathlib import Path

from asked_logs import Sample, write_eval
from mine_leaks import leaks
from rich.console import Console
from rich.table import Table

from trace2skill.runs.mined_tasks import MinedTasks, mine
from trace2skill.runs.sources import Sources
from trace2skill.sandbox import choose_sandbox

LEAST_AGREEMENT = 0.9
KINDS = ("match", "includes", "exact", "choice", "numeric", "model_graded_fact")
OPTIONS = ["red", "blue", "green", "grey"]


def questions(console: Console, folder: Path, data: Path, evaluations: Path | None, seed: int) -> bool:
    """What becomes of the samples of evaluations. Returns whether checks agree and nothing held out is learned from."""
    table = Table("evaluations", "samples", "with a verdict", "checks tried", "agree on passes", "on failures")
    table.add_column("tasks")
    table.add_column("groups")
    table.add_column("tasks of failed samples")
    table.add_column("held-out samples learned from")
    real = data / "traces" / "inspect"
    logs = {"real logs": real, "written by inspect_ai": evaluations, "made up": made_up(folder / "made-up", seed)}
    kept = []
    for name, place in logs.items():
        if place is None or not place.is_dir():
            console.print(f"{name}: there is no folder {place or 'named (--evaluations)'}, so that they are left out")
            continue
        tasks = folder / f"questions of {name}"
        found = mine(Sources(paths=(place,)), choose_sandbox("auto", simulated_model=False), tasks)
        told = leaks(tasks, place, folder / f"leaks of {name}", "questions")
        kept.append(row(table, name, found, told))
        whys = Counter(item.why for item in found.segments if item.why and "it asks what" not in item.why)
        console.print(f"{name}: {dict(sorted(whys.items()))}", highlight=False)
    console.print(table)
    return all(kept)


def row(table: Table, name: str, found: MinedTasks, told: int) -> bool:
    """A line of the table. Returns whether it is as it should be."""
    agree, both = found.agreement
    verdicts = sum(item.outcome in ("passed", "failed") for item in found.segments)
    failed = sum(item.outcome == "failed" for item in found.tasks)
    apart = ("{} of {}".format(*found.agreement_on(outcome)) for outcome in ("passed", "failed"))
    counts = (len(found.segments), verdicts, found.tried, *apart, len(found.tasks), found.groups)
    table.add_row(name, *map(str, counts), str(failed), str(told))
    return bool(both) and agree >= LEAST_AGREEMENT * both and not told


def made_up(folder: Path, seed: int) -> Path:
    """Logs of 200 samples of 100 questions in two epochs: a quarter answered wrong, a tenth without an answer.

    Of twelve questions a scorer that is not known is the judge, of two another log wants another answer.
    """
    rng = random.Random(seed)
    by_kind: dict[str, list[Sample]] = {kind: [] for kind in KINDS}
    for number in range(100):
        kind = "model_graded_fact" if number % 8 == 7 else KINDS[number % 5]
        by_kind[kind] += [_sample(rng, kind, number, epoch) for epoch in (1, 2)]
    for kind, samples in by_kind.items():
        scorer = "match" if kind == "numeric" else kind
        write_eval(folder / f"{kind}.eval", samples, scorer, {"numeric": True} if kind == "numeric" else {}, kind)
    for number in (0, 5):
        (first, *_) = (one for one in by_kind["match"] if one.id == number)
        again = Sample(number, first.question, "nowhere", "nowhere")
        write_eval(folder / f"again-{number}.eval", [again], "match", {}, "again")
    return folder


def _sample(rng: random.Random, kind: str, number: int, epoch: int) -> Sample:
    right = rng.random() >= 0.25
    if kind == "choice":
        letter = "ABCD"[number % 4]
        output = f"{rng.choice(['', 'Let me see.'])}\nANSWER: {letter if right else 'ABCD'[(number + 1) % 4]}"
        return Sample(number, f"Which colour has thing {number}?", letter, output, right, OPTIONS, epoch)
    target = str(number * 1_013) if kind == "numeric" else f"quay {number}"
    said = target if right else "I do not know"
    dressed = {
        "match": rng.choice([f"It is {said}.", said.upper(), f"**{said}**"]),
        "includes": f"It is {said}, or so I think.",
        "exact": rng.choice([said, f"The {said}!", said.title()]),
        "numeric": rng.choice([f"So ${number * 1_013:,}.", f"= {said}"]) if right else said,
    }
    broken = {"error": {"message": "the provider is overloaded"}} if rng.random() < 0.1 else {}
    output = dressed.get(kind, said)
    return Sample(number, f"What is the name of place {number}?", target, output, right, epoch=epoch, more=broken)
