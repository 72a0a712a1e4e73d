"""How often a guess at how a session ended is right, on labelled logs.

    python bench/outcomes.py ../shared/data/traces/tau_bench ../shared/data/traces/mini_swe_agent ...

Every session whose log or report says how it ended is guessed at as if nobody had said so. Printed are the cases of
each guess, how many were right, and whether it may set outcomes (`trace2skill.traces.guesses`). Exits 1 where a guess
is trusted that is not measured as right often enough.
"""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trace2skill.traces import ReadFile, read_paths
from trace2skill.traces.guesses import LEAST_CASES, LEAST_PRECISION, TRUSTED, guesses_of
from trace2skill.traces.verdicts import verdicts_for
from trace2skill.types.trajectory import Trajectory

NAMES = (
    "the user was content",
    "the user complained",
    "the user had it undone",
    "the work was undone",
    "the last tests passed",
    "the last tests failed",
    "the last command failed",
)


def measured(paths: list[Path]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Cases and hits of every guess, and the known outcomes."""
    verdicts = verdicts_for(paths)
    cases: Counter[str] = Counter()
    right: Counter[str] = Counter()
    known: Counter[str] = Counter()

    def take(trajectory: Trajectory, file: ReadFile) -> None:
        outcome = trajectory.outcome
        if outcome.kind == "unknown":
            outcome = verdicts.verdict_of(trajectory, file.path) or outcome
        if outcome.kind in ("passed", "failed"):
            known[outcome.kind] += 1
            for name, guess in guesses_of(trajectory.steps):
                cases[name] += 1
                right[name] += guess.kind == outcome.kind

    read_paths(paths, take, aside=verdicts.files)
    return cases, right, known


def main(paths: list[Path]) -> int:
    """Print the table."""
    cases, right, known = measured(paths)
    print(f"sessions with a known outcome: {dict(known)}")
    print("| guess | cases | right | sets an outcome |")
    print("|---|---|---|---|")
    wrong = False
    for name in dict.fromkeys([*NAMES, *cases]):
        good = cases[name] >= LEAST_CASES and right[name] > LEAST_PRECISION * cases[name]
        share = f"{right[name]} ({right[name] / cases[name]:.0%})" if cases[name] else "not measured"
        print(f"| {name} | {cases[name]} | {share} | {'yes' if name in TRUSTED else 'no'} |")
        wrong = wrong or (name in TRUSTED and not good)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main([Path(path) for path in sys.argv[1:]]))
