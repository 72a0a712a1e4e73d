"""What an agent that is not ours did: its log, found and read back, cleaned, as the steps of a conversation.

Nothing it left is trusted: files are copied without following links before a reader of logs sees them.
"""

import fnmatch
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trace2skill.agents.loop import cut
from trace2skill.safety.redaction import Redactor
from trace2skill.sandbox import safe_read
from trace2skill.sandbox.tree import MOST_LOOKED_AT, Walk
from trace2skill.traces.base import Notes, Source
from trace2skill.traces.formats import read_source, reader_named
from trace2skill.types.trajectory import Step, Trajectory, Usage

LARGEST_LOG = 64 * 2**20
LONGEST_TEXT = 100_000
MOST_FILES = 200
LONGEST_PATH = 1_000
TEXT = "text"


@dataclass(frozen=True)
class AgentLog:
    """What a log says. `usage` is None where it says nothing; `problem` says why a log was not read as one."""

    steps: tuple[Step, ...]
    usage: Usage | None
    format: str
    problem: str = ""

    @property
    def spoke(self) -> bool:
        """Did the agent say or do anything?"""
        return any(step.source == "agent" for step in self.steps)


def read_log(places: Sequence[str], format: str, roots: Mapping[str, Path], stdout: bytes, prompt: str) -> AgentLog:
    """The first log found at the places: 'stdout', or 'ROOT:GLOB' with the root 'home' or 'workspace'.

    What no reader knows is taken as plain text: the task and what the agent printed.
    """
    problem = ""
    for place in places if format != TEXT else ():
        contents = [stdout] if place == "stdout" else _matching(roots, place)
        found, said = _trajectories(contents, format)
        if found:
            return _as_log(found, format, prompt)
        if place != "stdout" or format:  # plain text printed is nothing wrong
            problem = problem or f"{place}: {said or 'no such file'}"
    text = stdout.decode("utf-8", "replace").replace("\0", "\N{SYMBOL FOR NULL}").strip()
    spoken = [Step(number=2, source="agent", message=text)] if text else []
    return AgentLog((Step(number=1, source="user", message=prompt), *spoken), None, TEXT, problem)


def matching_paths(root: Path, pattern: str) -> list[str]:
    """Files below a directory whose relative path matches a glob, in order; links are not followed.

    `*` matches across folders, too, so that `.codex/sessions/*.jsonl` finds what lies by date.
    """
    found = []
    for inside, _, entries in Walk(root, MOST_LOOKED_AT, force=True):
        names = [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
        paths = ["/".join((*inside, name)) for name in names]
        found += [path for path in paths if len(path) <= LONGEST_PATH and fnmatch.fnmatchcase(path, pattern)]
    return sorted(found)


def cleaned(
    steps: Sequence[Step], secrets: Mapping[str, str], names: Mapping[str, str], observation_chars: int
) -> tuple[Step, ...]:
    """The steps as they are kept: without secrets, times and chance.

    Args:
        steps: as the log has them.
        secrets: values that must not be kept, by name.
        names: host paths, and what they are called instead.
        observation_chars: most characters of one observation.
    """
    replaced = {**{value: f"[{name}]" for name, value in secrets.items() if len(value) >= 4}, **names}
    numbers: dict[str, str] = {}
    redactor = Redactor()

    def clean(value: Any) -> Any:
        for found in sorted(replaced, key=len, reverse=True):
            value = _replaced(value, found, replaced[found])
        return redactor.value(value)

    kept = []
    for number, step in enumerate(steps, start=1):
        calls = []
        for call in step.tool_calls:
            numbers.setdefault(call.id, f"call_{len(numbers) + 1}")
            calls.append({"id": numbers[call.id], "name": call.name, "arguments": clean(call.arguments)})
        observations = [
            {
                "call_id": numbers.get(item.call_id, ""),
                "content": cut(clean(item.content), observation_chars),
                "exit_code": item.exit_code,
                "error": item.error,
                "not_run": item.not_run,
                "harmless": item.harmless,
            }
            for item in step.observations
        ]
        said = {name: cut(clean(getattr(step, name)), LONGEST_TEXT) for name in ("message", "reasoning")}
        values = {"number": number, "source": step.source, "tool_calls": calls, "observations": observations}
        kept.append(Step.model_validate({**values, **said, "model": step.model}))
    return tuple(kept)


def tail(text: str, secrets: Mapping[str, str], limit: int = 300) -> str:
    """The end of what a tool printed, for a message, without secrets."""
    for name, value in secrets.items():
        text = text.replace(value, f"[{name}]") if len(value) >= 4 else text
    words = " ".join(Redactor().text(text).split())
    return words if len(words) <= limit else f"...{words[-limit:]}"


def cost_in(text: str, pattern: str) -> float | None:
    """US dollars as the last match of an expression has them; None where there is none."""
    found = re.findall(pattern, text) if pattern else []
    try:
        return max(0.0, float(found[-1])) if found else None
    except (TypeError, ValueError):
        return None


def _matching(roots: Mapping[str, Path], place: str) -> list[bytes]:
    root, _, pattern = place.partition(":")
    paths = matching_paths(roots[root], pattern)[:MOST_FILES]
    contents = [safe_read(roots[root], path, LARGEST_LOG) for path in paths]
    return [content for content in contents if content is not None]


def _trajectories(contents: Sequence[bytes], format: str) -> tuple[list[Trajectory], str]:
    notes = Notes()
    reader = reader_named(format) if format else None
    found: list[Trajectory] = []
    with tempfile.TemporaryDirectory(prefix="t2s-log-") as directory:
        for number, content in enumerate(contents):
            path = Path(directory) / f"log-{number}.jsonl"
            path.write_bytes(content)
            found += read_source(Source(path), notes, reader)
    spoken = [item for item in found if item.turns]
    return spoken, "; ".join(problem.message for problem in notes.problems[:2])


def _as_log(found: Sequence[Trajectory], format: str, prompt: str) -> AgentLog:
    """The longest session that is nobody's part is what the agent did; sub-agents follow it, all usage counts."""
    main = max(found, key=lambda item: (not item.parent, item.turns))
    others = [item for item in found if item is not main]
    steps = [*main.steps]
    if not any(step.source == "user" for step in steps):
        steps = [Step(number=1, source="user", message=prompt), *steps]
    for other in others:
        steps += other.steps
    usage = sum((item.usage for item in found), Usage())
    known = usage.prompt or usage.completion or usage.cost
    return AgentLog(tuple(steps), usage if known else None, format or main.agent or "detected")


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {_replaced(key, old, new): _replaced(item, old, new) for key, item in value.items()}
    return [_replaced(item, old, new) for item in value] if isinstance(value, list) else value
