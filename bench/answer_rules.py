"""The rules of the domain `questions` against inspect_ai's own scorers, on generated pairs of an output and a target.

inspect_ai is no dependency of the project: run it with a Python that has it, from the project's directory:

    python3 -m venv /tmp/inspect && /tmp/inspect/bin/pip install inspect_ai==0.3.285
    PYTHONPATH=. /tmp/inspect/bin/python bench/answer_rules.py

Two things are compared with the scorer: the rule on the whole output, and the domain's grader, which reads what stands
behind `Answer:`. Half of the outputs are made of the target, so that they are right or nearly so.
"""

import argparse
import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from inspect_ai.model import ModelName, ModelOutput  # type: ignore[import-not-found]
from inspect_ai.scorer import Target, answer, choice, exact, includes, match  # type: ignore[import-not-found]
from inspect_ai.solver import TaskState  # type: ignore[import-not-found]
from inspect_ai.solver._multiple_choice import (  # type: ignore[import-not-found]
    parse_answers,
    set_choices_based_on_generated_response,
)

from trace2skill.domains.base import ANSWER
from trace2skill.domains.questions import Questions
from trace2skill.domains.questions.rules import AnswerRule
from trace2skill.types.task import Task

WORDS = (
    "yes no Yes NO Paris paris the a an The cat's x-ray -5 5 5.0 05 25 1,000 $1000 1000.0 3.14159 3.141592653 42 42. "
    "(42) **42** 1e3 60% \u00bd \u22125 Stra\u00dfe STRASSE A B C D and , . ! ? : ; \" ' ( ) [ ] don't well-known U.S. "
    "US nan inf \u00e9 \u00c9 1_000 \\$20 \u00a320 \u20ac20 0 -0 +5 it is not answer 7/8 2x 10^5 1.5.2 .5 5."
)
BETWEEN = [" ", " ", " ", "\n", "", "  ", ". ", ", "]
SCORERS = {"match": match, "includes": includes, "exact": exact, "answer": answer}
LOCATIONS = ("begin", "end", "any", "exact")


class Pairs:
    """Outputs and targets, by a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def words(self, most: int) -> str:
        """A few words."""
        return "".join(
            self.rng.choice(WORDS.split()) + self.rng.choice(BETWEEN) for _ in range(self.rng.randint(1, most))
        ).strip()

    def pair(self) -> tuple[str, list[str]]:
        """An output, and the answers that are accepted."""
        rng, words = self.rng, self.rng.choice([1, 1, 1, 2, 3])
        target = self.words(words)
        how = rng.random()
        near = rng.choice([target.upper(), target.lower(), f"{target}.", f"**{target}**", f"({target})", f"${target}$"])
        if how < 0.3:
            output = self.words(8)
        elif how < 0.5:
            output = f"{self.words(6)} {target}"
        elif how < 0.6:
            output = f"{target} {self.words(4)}"
        elif how < 0.75:
            output = f"{self.words(3)} {near}{rng.choice(['', '!', ' ok'])}"
        else:
            mark = rng.choice(["ANSWER: ", "Answer:", "answer : ", "The answer: ", "**Answer:** "])
            output = f"{self.words(5)}\n" * rng.randint(0, 2) + mark + rng.choice([target, near, self.words(2)])
        return output, [target] if rng.random() < 0.8 else [target, self.words(1)]

    def chosen(self, *, several: bool) -> tuple[str, list[str], int]:
        """An output that names options, the letters of the right ones, and how many options there are."""
        rng, count = self.rng, self.rng.randint(2, 6)
        letters = "ABCDEF"[:count]
        right = rng.sample(letters, rng.randint(2, count) if several else 1)
        said = right if rng.random() < 0.5 else rng.sample(f"{letters}G", rng.randint(1, 2) if several else 1)
        body = rng.choice([", ", ",", " ", "", " and "]).join(said)
        body = rng.choice([body, body.lower(), f"**{body}**", f"({body})", f"${body}$", f"{body})", f"{body}."])
        mark = rng.choice(["ANSWER: ", "Answer: ", "So the answer: ", "ANSWER : ", "", "It is "])
        return rng.choice(["", "Let me think. A or B?\n"]) + mark + body, right, count


def main() -> None:
    """Compare, and print a line for each rule."""
    arguments = argparse.ArgumentParser(description="The rules of `questions` against inspect_ai's scorers.")
    arguments.add_argument("--pairs", type=int, default=2500, help="for each rule with each of its arguments")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--odd", type=int, default=0, help="pairs to show that are judged otherwise")
    given = arguments.parse_args()
    counts, odd = asyncio.run(compared(given.pairs, given.seed))
    for name in sorted({name for name, _ in counts}):
        pairs, right = counts[name, "pairs"], counts[name, "right"]
        by_rule = f"rule {counts[name, 'rule']} the same, " if (name, "rule") in counts else ""
        print(f"{name}: {pairs} pairs, {right} right; {by_rule}grader {counts[name, 'grader']} the same")
    for one in odd[: given.odd]:
        print(*one)


async def compared(pairs: int, seed: int) -> tuple[Counter[tuple[str, str]], list[tuple[Any, ...]]]:
    """How often they say the same, by rule, and where they do not."""
    made, domain = Pairs(seed), Questions()
    counts, odd = Counter[tuple[str, str]](), list[tuple[Any, ...]]()
    for name, rule in rules():
        scorer = SCORERS[rule.name](**rule.model_dump(exclude_unset=True, exclude={"name"}))
        for _ in range(pairs):
            output, accepted = made.pair()
            if any(map(rule.decides_nothing, accepted)):
                continue  # such a target is refused
            theirs = (await scorer(state(output), Target(accepted))).value == "C"
            said = {"grader": domain.grade(task(rule, accepted), {ANSWER: output.encode()}).hard == 1.0}
            said |= {"rule": rule.is_right(output, accepted)} if rule.name != "answer" else {}
            counted(counts, name, theirs, said)
            odd += [(name, kind, theirs, output, accepted) for kind, ours in said.items() if ours != theirs]
    for several in (False, True):
        for _ in range(pairs):
            output, right, count = made.chosen(several=several)
            at = state(output, [f"option {n}" for n in range(count)])
            set_choices_based_on_generated_response(at, parse_answers(at, several))
            theirs = (await choice()(at, Target(right))).value == "C"
            asked = task(AnswerRule(name="choice"), right, count)
            ours = domain.grade(asked, {ANSWER: output.encode()}).hard == 1.0
            counted(counts, "choice", theirs, {"grader": ours})
            odd += [("choice", "grader", theirs, output, right)] if ours != theirs else []
    return counts, odd


def rules() -> Iterator[tuple[str, AnswerRule]]:
    """Every rule that judges a text, with each of its arguments."""
    for location in LOCATIONS:
        for ignore in (True, False):
            for numeric in (True, False):
                told = {"location": location, "ignore_case": ignore, "numeric": numeric}
                yield "match, numeric" if numeric else "match", AnswerRule.model_validate({"name": "match", **told})
    yield from (("includes", AnswerRule(name="includes", ignore_case=ignore)) for ignore in (True, False))
    yield "exact", AnswerRule(name="exact")
    for pattern in ("letter", "word", "line"):
        yield "answer", AnswerRule.model_validate({"name": "answer", "pattern": pattern})


def counted(counts: Counter[tuple[str, str]], name: str, theirs: bool, said: dict[str, bool]) -> None:
    """Count a pair."""
    counts[name, "pairs"] += 1
    counts[name, "right"] += theirs
    for kind, ours in said.items():
        counts[name, kind] += ours == theirs


def state(output: str, choices: list[str] | None = None) -> Any:
    """What a scorer of theirs is given."""
    given = {"model": ModelName("mockllm/model"), "sample_id": 1, "epoch": 1, "input": "?", "messages": []}
    return TaskState(**given, output=ModelOutput.from_content("model", output), choices=choices)


def task(rule: AnswerRule, accepted: list[str], choices: int = 0) -> Task:
    """What the grader of ours is given."""
    detail = {"rule": rule.model_dump_json(exclude_defaults=True), "accepted": json.dumps(accepted)}
    detail |= {"choices": json.dumps([f"option {n}" for n in range(choices)])}
    return Task(id="q", domain="questions", instruction="?", detail=detail, content="q")


if __name__ == "__main__":
    main()
