"""How often a canary errs, and how long it takes: simulated histories of sessions, day by day harder or easier.

python bench/canary.py [--histories 2000]
"""

import argparse
import math
import random
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trace2skill.evaluation.canary import CanaryEnd, has_candidate, weighed

SESSIONS = 1000


def history(number: int, share: float, lift: float, sessions: int) -> list[CanaryEnd]:
    """Sessions whose tasks become harder and easier, some of them all of one kind; the candidate adds `lift`."""
    rng = random.Random(f"{number} {share} {lift}")
    base = rng.uniform(0.3, 0.8)
    found = []
    for at in range(sessions):
        chance = base + 0.15 * math.sin(at / 40 + number) + (0.1 if at // 25 % 3 == 0 else -0.05)
        candidate = has_candidate(f"c{number}", f"session {at}", share)
        chance = min(0.98, max(0.02, chance)) + lift * candidate
        found.append(CanaryEnd(f"session {at}", candidate, float(rng.random() < chance)))
    return found


def main(histories: int) -> None:
    print(f"{histories} histories of {SESSIONS} sessions each, level 0.05\n")
    print("| share | adds | better | worse | sessions, median of those that ended |\n|---|---|---|---|---|")
    for share in (0.1, 0.5):
        for lift in (0.0, 0.1, 0.2, -0.1, -0.2):
            count = histories if lift == 0 else max(50, histories // 10)
            found = [weighed(history(number, share, lift, SESSIONS), share) for number in range(count)]
            ends = [one.decided_at for one in found if one.decided_at]
            said = [sum(one.verdict == which for one in found) / count for which in ("better", "worse")]
            median = f"{statistics.median(ends):.0f}" if ends else "-"
            print(f"| {share:.0%} | {lift:+.0%} | {said[0]:.2%} | {said[1]:.2%} | {median} |", flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--histories", type=int, default=2000)
    main(options.parse_args().histories)
