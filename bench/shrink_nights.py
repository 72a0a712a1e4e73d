"""Ten nights that shrink a skill with planted dead weight, beside ten nights that do not.

    python bench/shrink_nights.py [--nights 10] [--good 12] [--idle 18] [--harmful 2] [--each 70] [--shorten] [--json]

The world of bench/replay_world.py: a share of the patches asks to leave a field empty. Some of these fields stand on
slips, and their rules break every slip that has them; the others stand on none, and their rules are dead weight. Replay
is off, so that both get into the skill beside the rules that are needed, and shrinking has to find them. The first
night learns; the later ones have seeds of their own. Models are scripted, steps run without Prefect
(bench/in_process.py): this measures the program and says nothing of models.

Exits 1 unless the skill has at least 30% fewer tokens after the last night than without shrinking, its loss on all
tasks of the world but those it learned from is surely (95%) below 2 points, each rule that harms is gone, and none that
is needed.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from replay import settings_of  # first: it sets up Prefect's home

from in_process import Done, refresh  # isort: skip
from replay_world import IN_FEWER_WORDS, NOUNS, meant, script, write_world
from rich.console import Console
from rich.table import Table

from trace2skill.consolidate.less import tokens_of
from trace2skill.evaluation.conditions import Condition
from trace2skill.evaluation.no_worse import no_worse
from trace2skill.runs.night import tonight
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.sim.scripted import scripted
from trace2skill.skills.skill import Skill, read_skill

FEWER, LOSS, SURE = 0.3, 0.02, 0.05
KNOWN = 8
"""Three times so many fields are known to the skill from the start."""


def main() -> None:
    """Run both lives and print them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=10)
    parser.add_argument("--good", type=int, default=12, help="Rules that are needed.")
    parser.add_argument("--idle", type=int, default=18, help="Rules that do nothing.")
    parser.add_argument("--harmful", type=int, default=2, help="Rules that break slips.")
    parser.add_argument("--poisoned", type=float, default=0.65, help="Share of the patches that ask for these.")
    parser.add_argument("--each", type=int, default=70, help="Slips with each field that is to be learned.")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=96, help="Most tasks of a trial.")
    parser.add_argument("--flaky", type=float, default=0.0, help="Share of the runs that go wrong by chance.")
    parser.add_argument("--shorten", action="store_true", help="Say lines in fewer words, too.")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="t2s-bench-") as directory:
        found = benchmark(Path(directory), given)
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)
    sys.exit(0 if kept(found) else 1)


def benchmark(where: Path, given: argparse.Namespace) -> dict[str, Any]:
    """The nights with shrinking, the same without, and what the first life's skill loses beside the other's."""
    rules = {"harmful": NOUNS[: given.harmful], "idle": NOUNS[-given.idle :]}
    with scripted(
        script(frozenset({*rules["harmful"], *rules["idle"]}), given.poisoned, given.flaky, IN_FEWER_WORDS), "shrink"
    ) as name:
        lives = {of: life(where / of, given, name, of, rules) for of in ("nothing", "learned")}
        before, after = (read_skill(where / of / "slips") for of in lives)
        loss = measured(where / "learned", given, name, before, after)
    return {"nights": lives["learned"], "without": lives["nothing"][-1], **loss}


def life(
    where: Path, given: argparse.Namespace, model: str, of: str, rules: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """A row a night."""
    write_world(where, given.good, KNOWN, given.seed, given.each)
    rows = []
    for night in range(1, given.nights + 1):
        shrink = {"of": of, "tasks": given.tasks, "shorten": given.shorten}
        how = {"shrink": shrink, "spread": {"by": "telling"}, "moving_seeds": True}
        settings = settings_of(where, given, model, given.seed, 0, night=night, **how)
        settings = settings.changed(promote="auto")
        done = refresh(tonight(settings, runtime(settings).store, f"2026-05-{night:02}"), given.workers)
        rows.append(_row(done, read_skill(where / "slips"), rules))
        forget_runtimes()
    return rows


def measured(where: Path, given: argparse.Namespace, model: str, before: Skill, after: Skill) -> dict[str, Any]:
    """Both skills on every task that no run has learned from, the sealed ones among them."""
    settings = settings_of(where, given, model, given.seed, 0)
    rt = runtime(settings)
    done, tasks = Done(rt, given.workers), [*rt.splits.validation, *rt.splits.test]
    named = {"unshrunk": before, "shrunk": after}
    for skill in named.values():
        rt.store.put("skill", skill.digest, skill)
    conditions = [Condition(name=name, skill=skill.digest) for name, skill in named.items()]
    old, new = done.evaluate(conditions, tasks, settings.gate.held_out_seeds)
    forget_runtimes()
    tested = no_worse([old], new, LOSS)
    return {"tasks": len(tasks), "unshrunk": old.hard, "shrunk": new.hard, "p of a loss of 2 points": tested.p_value}


def _row(done: Done, skill: Skill, rules: dict[str, list[str]]) -> dict[str, Any]:
    summary = done.summary
    assert summary is not None
    known, one = meant(skill.text("SKILL.md") or ""), summary.shrunk
    return {
        "outcome": summary.outcome,
        "calls": summary.spent.calls,
        "tokens": tokens_of(skill),
        "needed": len({theme for theme in known if not theme.startswith("empty")}),
        **{name: sum(f"empty {field}" in known for field in fields) for name, fields in rules.items()},
        "trial runs": sum(scored for item in one.scores for _, scored in item.tasks.values()) if one else 0,
        "may go": sum(not part.says for part in one.parts) if one else 0,
        "shortened": sum(bool(part.says) for part in one.parts) if one else 0,
        "unknown": one.unknown if one else 0,
        "shrinking": one.in_words.rpartition("; ")[2].split(":")[0] if one else "-",
        "score": round(summary.evaluations[-1].hard, 3) if summary.evaluations else None,
    }


def kept(found: dict[str, Any]) -> bool:
    """Is it enough smaller, with nothing lost but what is to be lost?"""
    last, other = found["nights"][-1], found["without"]
    small = last["tokens"] <= (1 - FEWER) * other["tokens"]
    sure = found["p of a loss of 2 points"] <= SURE
    return small and sure and other["harmful"] > last["harmful"] == 0 and last["needed"] == other["needed"]


def show(found: dict[str, Any]) -> None:
    """Print the table."""
    names = list(found["without"])
    table = Table("night", *names)
    rows = [*((str(number), row) for number, row in enumerate(found["nights"], 1)), ("unshrunk", found["without"])]
    for name, row in rows:
        table.add_row(name, *(str(row[key]) for key in names))
    Console(width=160).print(table)
    last, other = found["nights"][-1], found["without"]
    fewer = last["tokens"] / other["tokens"] - 1
    print(f"tokens {other['tokens']} without shrinking, {last['tokens']} with it: {fewer:+.1%}")
    print(", ".join(f"{name} {found[name]:.4g}" for name in ("tasks", "unshrunk", "shrunk", "p of a loss of 2 points")))


if __name__ == "__main__":
    main()
