"""Logs of evaluations that inspect_ai writes itself, with a made-up model: for the last part of `bench/mine.py`.

inspect_ai is no dependency of the project: run it with a Python that has it (see `answer_rules.py`):

    /tmp/inspect/bin/python bench/inspect_logs.py /tmp/evaluations
    .venv/bin/python bench/mine.py --evaluations /tmp/evaluations

Eleven data sets in two epochs: each scorer whose rule is known, in templates and with system messages; one whose
options are shuffled; and what becomes no task: other scorers, a tool that is called, samples that end in an error. The
model answers three in four rightly, in many forms; which ones, inspect_ai's own scorers say.
"""

import random
import sys
from pathlib import Path
from typing import Any

from inspect_ai import Task, eval  # type: ignore[import-not-found]
from inspect_ai.dataset import MemoryDataset, Sample  # type: ignore[import-not-found]
from inspect_ai.model import ModelOutput, ModelUsage, get_model  # type: ignore[import-not-found]
from inspect_ai.scorer import answer, choice, exact, f1, includes, match, pattern  # type: ignore[import-not-found]
from inspect_ai.solver import (  # type: ignore[import-not-found]
    generate,
    multiple_choice,
    prompt_template,
    solver,
    system_message,
    use_tools,
)
from inspect_ai.tool import tool  # type: ignore[import-not-found]

SEED, EPOCHS = 1, 2
TEMPLATE = "{prompt}\n\nThe last line of your response should be ANSWER: $ANSWER (without quotes)."
PLACES = ["Lima", "Suva", "Muscat", "Bamako", "Vientiane", "Quito", "Accra", "Dhaka", "Hanoi", "Tunis", "Riga", "Oslo"]


def main() -> None:
    """Write the logs into the folder that is named."""
    rng = random.Random(SEED)
    places = [Sample(input=f"What is the capital of land {n}?", target=place, id=n) for n, place in enumerate(PLACES)]
    sums = [Sample(input=f"What is {n * 317} plus {n * 90}?", target=str(n * 407), id=n) for n in range(1, 19)]
    yes = [Sample(input=f"Is {n} a multiple of three?", target="yes" if n % 3 == 0 else "no", id=n) for n in range(12)]
    options = MemoryDataset([_options(rng, number) for number in range(18)])
    options.shuffle_choices(seed=SEED)
    several = [
        Sample(input=f"Which are even, of set {n}?", choices=[str(n), str(n + 1), str(n + 2)], target=["A", "C"], id=n)
        for n in range(0, 16, 2)
    ]
    tasks = [
        Task(name="places", dataset=places, solver=[system_message("Be brief."), generate()], scorer=match()),
        Task(name="sums", dataset=sums, solver=[prompt_template(TEMPLATE), generate()], scorer=match(numeric=True)),
        Task(name="mentions", dataset=places, solver=generate(), scorer=includes()),
        Task(name="words", dataset=places, solver=generate(), scorer=exact()),
        Task(name="threes", dataset=yes, solver=[prompt_template(TEMPLATE), generate()], scorer=answer("word")),
        Task(name="options", dataset=options, solver=multiple_choice(), scorer=choice()),
        Task(name="several", dataset=several, solver=multiple_choice(multiple_correct=True), scorer=choice()),
        Task(name="overlap", dataset=places, solver=generate(), scorer=f1()),
        Task(name="regex", dataset=sums[:6], solver=generate(), scorer=pattern(r"(\d+)\D*$")),
        Task(name="looked_up", dataset=sums[:6], solver=[use_tools(add()), generate()], scorer=match()),
        Task(name="broken", dataset=sums[:6], solver=[fails(), generate()], scorer=match()),
    ]
    model = get_model("mockllm/model", custom_outputs=_Answers(tasks, rng))
    eval(
        tasks,
        model=model,
        epochs=EPOCHS,
        log_dir=str(Path(sys.argv[1])),
        fail_on_error=False,
        display="none",
        max_connections=1,
        max_samples=1,
        max_tasks=1,
    )


def _options(rng: random.Random, number: int) -> Sample:
    given = [str(number * 7 + step) for step in (0, 3, 5, 9)]
    right = rng.randrange(4)
    return Sample(
        input=f"Which is {given[right]} of set {number}, in words nobody says?", choices=given, target="ABCD"[right]
    )


class _Answers:
    """The model: it knows what is right, and says so three times in four."""

    def __init__(self, tasks: list[Any], rng: random.Random) -> None:
        self.rng = rng
        self.samples = [sample for task in tasks for sample in task.dataset]

    def __call__(self, messages: Any, tools: Any, tool_choice: Any, config: Any) -> Any:
        asked = next(message.text for message in messages if message.role == "user")
        if tools and messages[-1].role != "tool":
            return _counted(ModelOutput.for_tool_call("mockllm/model", "add", {"one": 1, "other": 2}))
        # Questions of two data sets share their words, and their options tell them apart.
        fits = [one for one in self.samples if str(one.input) in asked and all(c in asked for c in one.choices or ())]
        sample = max(fits, key=lambda one: len(one.choices or ()) if "A) " in asked else -len(one.choices or ()))
        right = ", ".join(sample.target) if isinstance(sample.target, list) else str(sample.target)
        if self.rng.random() < 0.25:
            right = (
                "B" if sample.choices and right != "B" else "D" if sample.choices else self.rng.choice(["17", "Rome"])
            )
        if "ANSWER" in asked:
            said = self.rng.choice([f"ANSWER: {right}", f"Answer: {right}", f"I work it out.\n\nANSWER: {right}"])
        else:
            said = self.rng.choice([right, right.upper(), f"It is {right}.", f"**{right}**", f"{right}, I think"])
        return _counted(ModelOutput.from_content("mockllm/model", said))


def _counted(output: Any) -> Any:
    """With its tokens, which inspect_ai would count with a file out of the network."""
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output


@tool
def add() -> Any:
    """A tool that adds."""

    async def execute(one: int, other: int) -> str:
        """Add two numbers.

        Args:
            one: a number.
            other: another.
        """
        return str(one + other)

    return execute


@solver
def fails() -> Any:
    """What breaks a sample."""

    async def solve(state: Any, generate: Any) -> Any:
        raise RuntimeError("it broke")

    return solve


if __name__ == "__main__":
    main()
