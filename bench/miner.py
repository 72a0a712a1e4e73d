"""What the miner finds: every rule of some logs with its odds; or of planted causes in synthetic logs the share found.

    python bench/miner.py ../shared/data/traces/tau_bench ../shared/data/traces/mini_swe_agent [--labels labels.csv]
    python bench/miner.py --planted
    python bench/miner.py --ceiling --sessions 20 --seeds 400

The second writes sessions of three kinds of work, each in a format of its own (chat messages, Claude Code, ATIF), with
11 planted causes among noise and a file of labels, and reads them as any other logs. It exits 1 where fewer than 80% of
the causes of one of them are found, or more than 20% of the lines state none; 32 sessions of each, the default, are the
fewest with which that holds. With `--shuffled` the labels are dealt out by chance:
then no rule about outcomes should come at all. `--ceiling` computes what so many sessions can show to one who knows the
causes: each is held alone against the outcomes of its kind of work, at 5% and without any correction, and an error that
was put right counts from two sessions on.
"""

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.planted_logs.formats import FORMATS
from bench.planted_logs.worlds import WORLDS, Planted
from trace2skill.analysts.mining import Mining
from trace2skill.analysts.mining.exact import fisher
from trace2skill.analysts.rules import mined
from trace2skill.traces import ReadFile, read_paths
from trace2skill.traces.outcomes import labelled, read_labels
from trace2skill.traces.segments import segmented
from trace2skill.traces.verdicts import verdicts_for
from trace2skill.types.trajectory import Trajectory

LEAST_FOUND, MOST_NOISE = 0.8, 0.2


def main() -> int:
    """Print the rules."""
    parser = argparse.ArgumentParser(description="What the miner finds.")
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--ceiling", action="store_true")
    parser.add_argument("--sessions", type=int, default=32, help="of each of the three kinds of work: 32 are enough")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--shuffled", action="store_true")
    parser.add_argument("--quiet", action="store_true")
    given = parser.parse_args()
    if given.ceiling:
        return ceiling(given.sessions, given.seeds)
    if given.planted:
        return planted(given.sessions, given.seeds, shuffled=given.shuffled, quiet=given.quiet)
    show(mining_of(given.paths, given.labels))
    return 0


def mining_of(paths: list[Path], labels: Path | None = None) -> Mining:
    """Read logs as an import does, and mine them."""
    verdicts = verdicts_for(paths, read_labels(labels) if labels else None)
    found: list[Trajectory] = []

    def take(trajectory: Trajectory, file: ReadFile) -> None:
        found.extend(labelled(part, verdicts, file.path) for part in segmented(trajectory))

    read_paths(paths, take, aside=verdicts.files)
    return mined(found)[1]


def show(found: Mining) -> None:
    """Every rule with its odds, and what was looked at."""
    for rule in found.rules:
        odds = f"odds {rule.odds:g}, p {rule.p:.2g}, " if rule.odds is not None and rule.p is not None else ""
        print(
            f"- {rule.content}\n    {rule.kind}: {odds}{rule.evidence}; {rule.sessions} sessions of {rule.tasks} tasks"
        )
    for line in found.as_lines():
        print(line)


def planted(sessions: int, seeds: int, *, shuffled: bool, quiet: bool) -> int:
    """Synthetic logs, once a seed; the shares over all seeds."""
    causes = [cause for world in WORLDS for cause in world.causes]
    hits: Counter[str] = Counter()
    lines = noise = 0
    for seed in range(1, seeds + 1):
        with tempfile.TemporaryDirectory(prefix="t2s-miner-") as folder:
            labels = write(Path(folder), sessions, seed, shuffled=shuffled)
            found = mining_of([Path(folder) / "logs"], labels)
        if not quiet:
            print(f"\nseed {seed}")
            show(found)
        rules = [rule for rule in found.rules if rule.kind == "association" or not shuffled]
        lines += len(rules)
        for rule in rules:
            stated = [cause for cause in causes if cause.stated_in(rule.content)]
            noise += not stated
            if not stated and not quiet:
                print(f"  states no planted cause: {rule.content}")
        for cause in causes:
            hits[cause.name] += any(cause.stated_in(rule.content) for rule in rules)
    return told(causes, hits, seeds, lines, noise, shuffled=shuffled)


def told(causes: list[Planted], hits: Counter[str], seeds: int, lines: int, noise: int, *, shuffled: bool) -> int:
    """The figures."""
    if shuffled:
        print(f"labels dealt out by chance, {seeds} times: {lines} lines about outcomes")
        return int(lines > max(1, 0.1 * seeds))
    for cause in causes:
        print(f"{cause.name}: found {hits[cause.name]} of {seeds} times")
    shares = []
    for world in WORLDS:
        shares.append(sum(hits[cause.name] for cause in world.causes) / (len(world.causes) * seeds))
        print(f"{world.name}: {shares[-1]:.0%} of its {len(world.causes)} planted causes found")
    share, other = sum(hits.values()) / (len(causes) * seeds), noise / max(1, lines)
    print(f"planted causes found: {share:.0%}; lines {lines}, of them stating none: {noise} ({other:.0%})")
    return int(min(shares) < LEAST_FOUND or other > MOST_NOISE)


def ceiling(sessions: int, seeds: int) -> int:
    """What the sessions of so many seeds can show to one who knows the causes."""
    shown = {True: [0, 0], False: [0, 0]}
    for seed in range(1, seeds + 1):
        chance = random.Random(seed)
        for world in WORLDS:
            told = [world.session(number, chance) for number in range(sessions)]
            for place, cause in enumerate(world.causes):
                there = [one.shows[place] for one in told]
                counts = Counter((one.shows[place], one.passed) for one in told)
                table = (counts[True, False], counts[True, True], counts[False, False], counts[False, True])
                shown[cause.by_outcome][0] += fisher(table).p <= 0.05 if cause.by_outcome else sum(there) >= 2
                shown[cause.by_outcome][1] += 1
    for by_outcome, (good, of) in shown.items():
        print(f"{'causes that show in outcomes' if by_outcome else 'errors put right'}: {good / of:.0%} can be shown")
    good, of = (sum(pair[at] for pair in shown.values()) for at in (0, 1))
    print(f"of all planted causes {good / of:.0%} can be shown by {sessions * len(WORLDS)} sessions")
    return 0


def write(folder: Path, sessions: int, seed: int, *, shuffled: bool) -> Path:
    """The logs, and their labels."""
    chance, logs = random.Random(seed), folder / "logs"
    ends: dict[str, bool] = {}
    for world in WORLDS:
        place = logs / world.name
        place.mkdir(parents=True)
        for number in range(sessions):
            told = world.session(number, chance)
            FORMATS[world.name](told, place)
            ends[told.id] = told.passed
    passed = list(ends.values())
    if shuffled:
        chance.shuffle(passed)
    labels = folder / "labels.csv"
    rows = (f"{id},{int(well)}\n" for id, well in zip(ends, passed, strict=True))
    labels.write_text("id,score\n" + "".join(rows))
    return labels


if __name__ == "__main__":
    sys.exit(main())
