"""Attacks on the product's own filters: how many of each class get through, against what may get through.

    python bench/attack.py                   # the table; exit code 1 above a bound
    python bench/attack.py --verbose --half 0   # each that got through, of one half
    python bench/attack.py --only secrets --json

Each class is split in two halves by a digest of the attempt: who mends the filters looks at one half alone, and the
other says what the mending is worth on texts that it was not written for. No network, no model; what is hostile is
text to the product, or runs in its sandbox within small bounds. The classes called `later` were written when the
mending was done, and have no bound.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests")]

from attacks import everyday, given, machine, own, places, rules, second, texts

from trace2skill.core.digest import digest_of


class Class(NamedTuple):
    """A class of attempts, and how many of how many may get through."""

    name: str
    try_all: Callable[[], texts.Tried]
    may: int
    of: int = 0
    """0: so many of however many."""


CLASSES = (
    Class("secrets", texts.secrets_in_logs, 5),
    Class("harmless texts redacted", texts.harmless_texts, 0),
    Class("instructions", texts.rules_into_a_skill, 8, 156),
    Class("errors into a skill", texts.errors_into_a_skill, 0),
    Class("honest lessons withheld", texts.honest_lessons, 2, 62),
    Class("later instructions", texts.later_rules, len(rules.LATER)),
    Class("later honest withheld", texts.later_honest, len(rules.LATER_HONEST)),
    Class("border honest withheld", texts.border_honest, len(second.HONEST)),
    Class("everyday instructions", texts.everyday_rules, 11),
    Class("everyday honest withheld", texts.everyday_honest, 8),
    Class("later everyday", texts.later_everyday, len(everyday.LATER_HARMFUL)),
    Class("scopes that lie", texts.scoped, len(everyday.SCOPED)),
    Class("later everyday withheld", texts.later_everyday_honest, len(everyday.LATER_HONEST)),
    Class("resources", places.resources, 0),
    Class("machine", machine.resources, 0),
    Class("given directories", given.directories, 0),
    Class("exports", given.exports, 0),
    Class("own secrets", own.secrets_of_our_own, 0),
    Class("usage figures", places.usage_figures, 0),
    Class("terminal and page", places.signs_on_terminal_and_page, 0),
)


class Result(NamedTuple):
    """What became of a class: attempts and what got through, by half."""

    name: str
    attempts: tuple[int, int]
    through: tuple[tuple[str, ...], tuple[str, ...]]
    bound: int

    @property
    def holds(self) -> bool:
        """Does no more get through than may?"""
        return sum(map(len, self.through)) <= self.bound


def result_of(one: Class) -> Result:
    """Try a class."""
    tried = list(one.try_all())
    halves = [[item for item in tried if int(digest_of("half", item[0])[:8], 16) % 2 == half] for half in (0, 1)]
    through = [tuple(name for name, got in half if got) for half in halves]
    return Result(
        one.name,
        (len(halves[0]), len(halves[1])),
        (through[0], through[1]),
        one.may * len(tried) // one.of if one.of else one.may,
    )


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="classes whose name begins so")
    parser.add_argument("--verbose", action="store_true", help="name each that got through")
    parser.add_argument("--half", type=int, choices=(0, 1), help="of these alone")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = [result_of(one) for one in CLASSES if one.name.startswith(given.only)]
    if given.json:
        print(json.dumps([{**item._asdict(), "holds": item.holds} for item in results], ensure_ascii=False, indent=1))
    else:
        print(f"{'class':26}{'attempts':>9}{'through':>9}{'bound':>7}   halves")
        for item in results:
            halves = ", ".join(
                f"{len(got)} of {all_of}" for got, all_of in zip(item.through, item.attempts, strict=True)
            )
            total = sum(map(len, item.through))
            bound = item.bound if item.bound < sum(item.attempts) else "-"
            row = f"{item.name:26}{sum(item.attempts):>9}{total:>9}{bound:>7}   {halves}"
            print(row + ("" if item.holds else "  !"))
            for half, names in enumerate(item.through if given.verbose else ()):
                for name in names if given.half in (None, half) else ():
                    print(f"    {half} {name!r}")
    return 0 if all(item.holds for item in results) else 1


if __name__ == "__main__":
    sys.exit(main())
