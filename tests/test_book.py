"""The rule book: the set decides, support is exact, nothing is lost, whoever answers and however badly."""

import random
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trace2skill.consolidate.book import leaves_of
from trace2skill.consolidate.bounded import Asker, Bounds
from trace2skill.consolidate.cut import Place, Rule
from trace2skill.consolidate.reading import read_book
from trace2skill.consolidate.runner import ThreadRunner
from trace2skill.consolidate.settle import RuleBook
from trace2skill.consolidate.worded import worded
from trace2skill.core.errors import BadAnswer, ContextFull
from trace2skill.skills.skill import Skill, SkillFile

SMALL = Bounds(tokens=4_000, fan_in=2)
LINE = re.compile(r'^([rbk]\d+): "(.*)"$', re.MULTILINE)
BASE = Skill(
    files=(
        SkillFile(
            path="SKILL.md",
            content=b"---\nname: small\ndescription: A small skill.\n---\n\n# Small\n\n## Work\n\n- Read first.\n\n## End\n\n- Stop.\n",
        ),
    )
)


def rule(trajectory: int, theme: int, wording: int) -> Rule:
    """A rule whose first word is what it means. It is long, so that few fit one prompt."""
    return Rule(
        text=f"theme{theme} is said in wording number {wording} " + "with many words of no weight " * 20,
        place=Place(section=("Small", "Work" if theme % 2 else "End")),
        trajectory_id=f"t{trajectory}",
        task_id=f"task{trajectory}",
        kind="error",
        lessons=(f"L{trajectory}",),
    )


RULES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 6), st.integers(0, 40)), min_size=1, max_size=60, unique=True
).map(lambda drawn: list({item.id: item for item in (rule(*one) for one in drawn)}.values()))


class Truthful:
    """Answers every prompt rightly, by the first word of a text, and keeps the prompts it saw."""

    def __init__(self) -> None:
        self.asked: Counter[tuple[str, str]] = Counter()

    def __call__(self, prompt: str, wanted: Any, values: dict[str, Any], said: Sequence[str]) -> Any:
        self.asked[prompt, str(values)] += 1
        if prompt == "book_write":
            drafts = {item["id"]: item["says"].strip('"') for item in values["rules"]}
            return wanted(lines=[{"rule": id, "says": says[:200]} for id, says in drafts.items()])
        rules = dict(LINE.findall(values["rules"]))
        if prompt == "book_induce":
            groups: dict[str, list[str]] = {}
            for id, text in rules.items():
                groups.setdefault(text.split()[0], []).append(id)
            return wanted(rules=[{"cites": ids, "says": f"{theme} it is"} for theme, ids in groups.items()])
        book = {text.split()[0]: id for id, text in LINE.findall(values["book"])}
        codes = [
            {"rule": id, "same": [book[t]] if (t := text.split()[0]) in book else []} for id, text in rules.items()
        ]
        return wanted(codes=codes)


class Adversary:
    """Answers at random: invents ids, drops, swaps, credits all, says too much or nothing, or has no room."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.calls = 0

    def __call__(self, prompt: str, wanted: Any, values: dict[str, Any], said: Sequence[str]) -> Any:
        self.calls += 1
        draw = self._random
        if draw.random() < 0.1:
            raise BadAnswer("x", "no JSON", "raw")
        if draw.random() < 0.1:
            raise ContextFull("too long")
        says = draw.choice(["", "short", "Then it", "x" * 2_000, "theme1 it is", "# head", "never if [a](b.md)"])
        if prompt == "book_write":
            ids = [item["id"] for item in values["rules"]]
            lines = [{"rule": draw.choice([*ids, "k999"]), "says": says} for _ in ids]
            pairs = [{"pair": draw.choice(["p1", "p7"]), "says": says, "evidence": ["q1.1"]}]
            return wanted(lines=lines, conditional=pairs)
        rules = [id for id, _ in LINE.findall(values["rules"])]
        if prompt == "book_induce":
            shape = draw.random()
            if shape < 0.3:
                return wanted(rules=[{"cites": rules, "says": says}])
            if shape < 0.6:
                return wanted(rules=[{"cites": [id], "says": says} for id in rules])
            return wanted(rules=[{"cites": ["r999"], "says": says}], no_rule=rules[: draw.randint(0, len(rules))])
        book = [id for id, _ in LINE.findall(values["book"])] + ["b999"] * draw.randint(0, 1)
        pick = lambda: draw.sample(book, min(len(book), draw.randint(0, 3)))  # noqa: E731
        codes = [{"rule": id, "same": pick(), "opposed": pick()} for id in rules if draw.random() < 0.95]
        extra = {"new": [{"cites": rules, "says": says}]} if prompt == "book_again" else {}
        return wanted(codes=codes, **extra)


def read(rules: Sequence[Rule], asker: Asker) -> RuleBook:
    return read_book(rules, ThreadRunner(lambda step: asker, SMALL, workers=1), SMALL)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RULES, st.randoms(use_true_random=False))
def test_the_set_decides_and_not_the_order(rules: list[Rule], shuffled: random.Random) -> None:
    one, other = Truthful(), Truthful()
    first = read(rules, one)
    again = list(rules)
    shuffled.shuffle(again)
    assert read(again, other).digest == first.digest
    assert one.asked == other.asked


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RULES)
def test_support_is_who_says_it_and_a_meaning_is_one_rule(rules: list[Rule]) -> None:
    book = read(rules, Truthful())
    truth: dict[str, set[str]] = {}
    for item in rules:
        truth.setdefault(item.text.split()[0], set()).add(item.trajectory_id)
    found = [(item.says.split()[0], set(item.support.trajectories)) for item in book.rules]
    strong = [(theme, ids) for theme, ids in found if len(ids) > 1]
    assert dict(strong) == {theme: ids for theme, ids in truth.items() if len(ids) > 1}
    assert len(strong) == len(dict(strong))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RULES, st.integers(0, 6))
def test_one_more_trajectory_changes_its_leaf_only(rules: list[Rule], theme: int) -> None:
    def grouped(some: Sequence[Rule]) -> dict[str, list[Rule]]:
        found: dict[str, list[Rule]] = {}
        for item in some:
            found.setdefault(item.trajectory_id, []).append(item)
        return found

    before = {leaf.prefix: leaf for leaf in leaves_of(grouped(rules), SMALL.leaf_room)}
    after = {leaf.prefix: leaf for leaf in leaves_of(grouped([*rules, rule(99, theme, 0)]), SMALL.leaf_room)}
    changed = [leaf for prefix, leaf in before.items() if after.get(prefix) != leaf]
    assert len(changed) <= 1
    new = [leaf for prefix, leaf in after.items() if before.get(prefix) != leaf]
    assert {id for leaf in new for id in leaf.trajectories} == {
        "t99",
        *(id for leaf in changed for id in leaf.trajectories),
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RULES, st.integers(0, 10_000))
def test_nothing_is_lost_or_made_up_whoever_answers(rules: list[Rule], seed: int) -> None:
    adversary = Adversary(seed)
    book = read(rules, adversary)
    given_ids = {item.id for item in rules}
    said = [{one.rule.id for one in item.said} for item in book.rules]
    left = {item.rule.id for item in book.left_out}
    assert set().union(left, *said) == given_ids
    assert all(not ids & left for ids in said)
    for item in book.rules:
        assert set(item.support.trajectories) == {one.rule.trajectory_id for one in item.said}
    assert len({item.id for item in book.rules}) == len(book.rules)
    assert adversary.calls <= 8 * len(rules) + 40
    groups = worded(BASE, book, (), 1, ThreadRunner(lambda step: adversary, SMALL, workers=1))
    sides = [side for conflict in groups.open for side in conflict.sides]
    kept = {id for group in [*groups.groups, *sides] for id in (saying.trajectory_id for saying in group.said)}
    dropped = {saying.trajectory_id for item in groups.dropped for saying in item.group.said}
    assert kept | dropped == {item.trajectory_id for item in rules}
    assert all(not group.edits[0].content.startswith("- Then it") for group in groups.groups)


class Slipping(Truthful):
    """Takes what says theme 0 for theme 1, the first time it compares it with the book."""

    def __call__(self, prompt: str, wanted: Any, values: dict[str, Any], said: Sequence[str]) -> Any:
        if prompt == "book_assign":
            values = {**values, "rules": values["rules"].replace("theme0 ", "theme1 ")}
        return super().__call__(prompt, wanted, values, said)


def test_one_mistaken_answer_on_words_that_many_share_unites_nothing() -> None:
    """Four say theme 0 in the same words: that is one text, read once, and not four votes against it."""
    rules = [rule(trajectory, 0, 0) for trajectory in range(4)]
    rules += [rule(trajectory, 1, trajectory) for trajectory in range(4, 8)]
    book = read(rules, Slipping())
    assert {made.says: len(made.support.tasks) for made in book.rules} == {"theme0 it is": 4, "theme1 it is": 4}
    both = [rule(trajectory, 0, trajectory) for trajectory in range(4)] + rules[4:]
    (united,) = read(both, Slipping()).rules
    assert len(united.support.tasks) == 8, "four readings of four texts say that two rules are one"


@pytest.mark.parametrize("most", [1, 3, 50])
def test_every_prompt_keeps_its_budget(most: int) -> None:
    seen: list[int] = []

    class Measuring(Truthful):
        def __call__(self, prompt: str, wanted: Any, values: dict[str, Any], said: Sequence[str]) -> Any:
            seen.append(sum(len(str(value)) for value in values.values()) // 4)
            return super().__call__(prompt, wanted, values, said)

    read([rule(n, n % 40, n) for n in range(most * 3)], Measuring())
    assert seen
    assert max(seen) <= SMALL.tokens
