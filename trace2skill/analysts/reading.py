"""How a trajectory is shown to an analyst: an index with a line per step, and each step in full or cut."""

from pathlib import Path

from trace2skill.agents.loop import cut
from trace2skill.trajectory import Step, Trajectory

STEP_CHARS = 4_000
WHOLE_CHARS = 60_000


def index(trajectory: Trajectory) -> str:
    """One line per step: number, source, first words, commands, exit codes."""
    return "\n".join(_index_line(step) for step in trajectory.steps if step.source == "agent")


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


def whole(trajectory: Trajectory, limit: int = WHOLE_CHARS) -> str:
    """Every step of the agent, within `limit` characters.

    What is long is shortened by a stated rule: each step's texts are cut to the same length, head and tail kept, halved
    until all fit; should that not be enough at 200 characters, the middle of the whole is cut.
    """
    steps = [step for step in trajectory.steps if step.source == "agent"]
    length = STEP_CHARS
    while True:
        text = "\n\n".join(step_text(step, length) for step in steps)
        if len(text) <= limit or length <= 200:
            return cut(text, limit)
        length //= 2


def write_trace(trajectory: Trajectory, directory: Path) -> None:
    """Lay the trajectory out as files: `index.md` and `steps/NNN.md`."""
    steps = directory / "steps"
    steps.mkdir(parents=True)
    (directory / "index.md").write_text(index(trajectory) + "\n", encoding="utf-8", errors="replace")
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
