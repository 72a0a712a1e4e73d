"""How a trajectory is shown to an analyst: an index with a line per step, and each step in full or cut."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from trace2skill.agents.loop import cut
from trace2skill.analysts.excerpt import excerpt, label_of, of_no_call
from trace2skill.core.errors import ContextFull
from trace2skill.llm import ModelSettings
from trace2skill.llm.transport import context_tokens
from trace2skill.types.lesson import Extraction, LessonKind
from trace2skill.types.picture import USUAL_TOKENS
from trace2skill.types.trajectory import Step, Trajectory

R = TypeVar("R")
LEAST_ROOM = 1_000
INDEX_CHARS = 60_000
CHARS_PER_TOKEN = 2.5  # low on purpose: code and numbers have short tokens
ASSUMED_CONTEXT = 32_000
FOR_THE_PROMPT = 6_000


def index(trajectory: Trajectory, limit: int | None = INDEX_CHARS) -> str:
    """One line per step of the agent: number, first words, commands, exit codes.

    Where that is longer than `limit`, each line says fewer words; every number stays.
    """
    steps = [step for step in trajectory.steps if step.source == "agent"]
    for words in (120, 60, 30, 12):
        text = "\n".join([_index_line(step, words) for step in steps] + ended(trajectory))
        if limit is None or len(text) <= limit:
            break
    return text


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
    """How many characters of a trajectory fit a model's context, as given (`--context`) or as LiteLLM reports it."""
    context = context_tokens(model) or ASSUMED_CONTEXT
    room = context - min(model.max_tokens, context // 4) - FOR_THE_PROMPT - pictures * USUAL_TOKENS
    return max(2_000, int(room * CHARS_PER_TOKEN))


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


def step_text(step: Step, limit: int | None) -> str:
    """One step in Markdown; the message, each call and each observation cut to `limit` characters, or whole."""

    def shown(text: str) -> str:
        return text if limit is None else cut(text, limit)

    parts = [f"## Step {step.number} ({step.source})"]
    if step.reasoning:
        parts.append(f"Reasoning: {shown(step.reasoning)}")
    if step.message:
        parts.append(shown(step.message))
    for call in step.tool_calls:
        arguments = "\n".join(f"{name}: {value}" for name, value in call.arguments.items())
        parts.append(f"Call of {call.name}:\n{shown(arguments)}")
        answers = (item for item in step.observations if item.call_id == call.id)
        parts += [f"{label_of(item)}{shown(item.content)}" for item in answers]
    parts += [f"{label_of(item)}{shown(item.content)}" for item in of_no_call(step)]
    return "\n\n".join(parts)


def whole(trajectory: Trajectory, limit: int, *, everyone: bool = False) -> str:
    """Every step of the agent, and with `everyone` what was said to it, within `limit` characters.

    Whole where there is room; else `trace2skill.analysts.excerpt` says what is left out first.
    """
    steps = [step for step in trajectory.steps if step.source == "agent" or (everyone and step.source == "user")]
    said = "".join(f"\n\n{line}" for line in ended(trajectory))
    return excerpt(trajectory, steps, limit - len(said)) + said


def ended(trajectory: Trajectory) -> list[str]:
    """A line that says what ended the work, where that was not the agent: a failure may be that of a limit."""
    how = trajectory.stop.replace("_", " ")
    return [] if trajectory.stop == "answered" else [f"(The work did not end with an answer of the agent: {how}.)"]


def write_trace(trajectory: Trajectory, directory: Path) -> None:
    """Lay the trajectory out as files: `index.md` and `steps/NNN.md`."""
    steps = directory / "steps"
    steps.mkdir(parents=True)
    (directory / "index.md").write_text(index(trajectory, None) + "\n", encoding="utf-8", errors="replace")
    for step in trajectory.steps:
        text = step_text(step, limit=None)
        (steps / f"{step.number:03d}.md").write_text(text + "\n", encoding="utf-8", errors="replace")


def _index_line(step: Step, words: int) -> str:
    calls = "; ".join(_first_words(" ".join(map(str, call.arguments.values())), words) for call in step.tool_calls)
    codes = ",".join(str(item.exit_code) for item in step.observations if item.exit_code is not None)
    parts = [
        f"{step.number}",
        _first_words(step.message, words),
        f"$ {calls}" if calls else "",
        f"exit {codes}" if codes else "",
    ]
    return " | ".join(part for part in parts if part)


def _first_words(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
