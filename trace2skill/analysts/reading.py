"""How a trajectory is shown to an analyst: an index with a line per step, and each step in full or cut."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from trace2skill.agents.loop import cut
from trace2skill.core.errors import ContextFull
from trace2skill.llm import ModelSettings
from trace2skill.llm.transport import context_tokens
from trace2skill.types.lesson import Extraction, LessonKind
from trace2skill.types.picture import USUAL_TOKENS
from trace2skill.types.trajectory import Step, Trajectory

R = TypeVar("R")
STEP_CHARS = 4_000
LEAST_ROOM = 1_000
INDEX_CHARS = 24_000
SHORTEST = 200
MOST_CHARS = 160_000
CHARS_PER_TOKEN = 2.5  # low on purpose: code and numbers have short tokens
ASSUMED_CONTEXT = 32_000
FOR_THE_PROMPT = 6_000
WRITES = re.compile(
    r">{1,2}\s*[\w./\"'$]|\b(?:tee|mv|cp|rm|patch|sed\s+-i)\b|\.save\(|\.write\w*\(|open\([^)]*['\"][wax]"
)


def index(trajectory: Trajectory, limit: int = INDEX_CHARS) -> str:
    """One line per step of the agent: number, first words, commands, exit codes; the middle is cut where it is long."""
    return cut("\n".join(_index_line(step) for step in trajectory.steps if step.source == "agent"), limit)


def nothing_to_read(trajectory: Trajectory, kind: LessonKind) -> Extraction:
    """What an analyst makes of a trajectory in which the agent never spoke."""
    return Extraction(
        trajectory_id=trajectory.id,
        task_id=trajectory.task_id,
        kind=kind,
        verdict="nothing_learned",
        reason="the trajectory is empty: the agent took no step",
    )


def room_for_trajectory(model: ModelSettings, pictures: int = 0) -> int:
    """How many characters of a trajectory fit a model's context, as LiteLLM reports it; 160,000 at most."""
    context = context_tokens(model) or ASSUMED_CONTEXT
    room = context - min(model.max_tokens, context // 4) - FOR_THE_PROMPT - pictures * USUAL_TOKENS
    return max(2_000, min(int(room * CHARS_PER_TOKEN), MOST_CHARS))


def fitting(room: int, attempt: Callable[[int], R]) -> R:
    """What `attempt` makes with so many characters of a trajectory, or with half where the model takes less.

    How many characters a token has is a guess, and a server of one's own may hold less than anybody said.
    """
    while True:
        try:
            return attempt(room)
        except ContextFull:
            if room <= LEAST_ROOM:
                raise
            room //= 2


def step_text(step: Step, limit: int = STEP_CHARS) -> str:
    """One step in Markdown; the message, each call and each observation cut to `limit` characters."""
    parts = [f"## Step {step.number} ({step.source})"]
    if step.reasoning:
        parts.append(f"Reasoning: {cut(step.reasoning, limit)}")
    if step.message:
        parts.append(cut(step.message, limit))
    said = {observation.call_id: observation for observation in step.observations}
    for call in step.tool_calls:
        arguments = "\n".join(f"{name}: {value}" for name, value in call.arguments.items())
        parts.append(f"Call of {call.name}:\n{cut(arguments, limit)}")
        if call.id in said:
            code = said[call.id].exit_code
            parts.append(f"Observation (exit code {code}):\n{cut(said[call.id].content, limit)}")
    return "\n\n".join(parts)


def whole(trajectory: Trajectory, limit: int, *, everyone: bool = False) -> str:
    """Every step of the agent, and with `everyone` what was said to it, within `limit` characters.

    What is long is shortened by a stated rule: first the texts of the ordinary steps are cut, head and tail kept, to
    half and half again until all fits or 200 characters are left of each; then those of the steps that matter most -
    the first two, the last three, those with an error, those that write; then the middle of the whole is cut.
    """
    steps = [step for step in trajectory.steps if step.source == "agent" or (everyone and step.source == "user")]
    telling = {step.number for step in steps[:2] + steps[-3:]} | {step.number for step in steps if _tells(step)}
    ordinary, special = STEP_CHARS, STEP_CHARS
    while True:
        text = "\n\n".join(step_text(step, special if step.number in telling else ordinary) for step in steps)
        if len(text) <= limit or special <= SHORTEST:
            return cut(text, limit)
        if ordinary > SHORTEST:
            ordinary = max(SHORTEST, ordinary // 2)
        else:
            special = max(SHORTEST, special // 2)


def _tells(step: Step) -> bool:
    failed = any(item.error or item.exit_code not in (None, 0) for item in step.observations)
    return failed or any(WRITES.search(str(value)) for call in step.tool_calls for value in call.arguments.values())


def write_trace(trajectory: Trajectory, directory: Path) -> None:
    """Lay the trajectory out as files: `index.md` and `steps/NNN.md`."""
    steps = directory / "steps"
    steps.mkdir(parents=True)
    (directory / "index.md").write_text(index(trajectory, MOST_CHARS) + "\n", encoding="utf-8", errors="replace")
    for step in trajectory.steps:
        text = step_text(step, limit=100_000)
        (steps / f"{step.number:03d}.md").write_text(text + "\n", encoding="utf-8", errors="replace")


def _index_line(step: Step) -> str:
    calls = "; ".join(_first_words(" ".join(map(str, call.arguments.values()))) for call in step.tool_calls)
    codes = ",".join(str(item.exit_code) for item in step.observations if item.exit_code is not None)
    parts = [
        f"{step.number}",
        _first_words(step.message),
        f"$ {calls}" if calls else "",
        f"exit {codes}" if codes else "",
    ]
    return " | ".join(part for part in parts if part)


def _first_words(text: str, limit: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
