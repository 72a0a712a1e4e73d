"""The formats, and which one a file has. The first reader that claims a file reads it."""

from collections.abc import Iterable, Iterator, Sequence

from pydantic import ValidationError

from trace2skill.core.errors import BadInput
from trace2skill.traces.atif import Atif
from trace2skill.traces.base import Notes, Reader, Source
from trace2skill.traces.claude_code import ClaudeCode
from trace2skill.traces.codex import Codex
from trace2skill.traces.gemini import Gemini
from trace2skill.traces.inspect_logs import Inspect
from trace2skill.traces.langsmith import LangSmith
from trace2skill.traces.mini_swe_agent import MiniSweAgent
from trace2skill.traces.openai_messages import OpenAIMessages
from trace2skill.traces.opencode import OpenCode
from trace2skill.traces.otlp import Otlp
from trace2skill.traces.session import trajectory_id
from trace2skill.traces.swe_agent import SweAgent
from trace2skill.traces.tau_bench import Tau2Bench, TauBench
from trace2skill.types.trajectory import Trajectory

READERS: tuple[Reader, ...] = (
    Atif(), Inspect(), Otlp(), LangSmith(), Codex(), ClaudeCode(), Gemini(), TauBench(), Tau2Bench(), MiniSweAgent(),
    SweAgent(), OpenCode(), OpenAIMessages(),
)  # fmt: skip
"""In the order of asking: what names itself first, bare chat messages last."""


def reader_named(name: str, readers: Sequence[Reader] = READERS) -> Reader:
    """The reader of that name.

    Raises:
        BadInput: there is none; names those there are.
    """
    found = next((reader for reader in readers if reader.name == name), None)
    if found is None:
        raise BadInput(f"no format '{name}': use one of {', '.join(sorted(reader.name for reader in readers))}")
    return found


def detect(source: Source, readers: Sequence[Reader] = READERS) -> Reader | None:
    """The reader for a file by its content, None where none knows it."""
    return next((reader for reader in readers if reader.claims(source)), None)


def read_source(source: Source, notes: Notes, reader: Reader | None = None) -> Iterator[Trajectory]:
    """The trajectories of one file. A file that cannot be read (further) is noted, and what was read stays."""
    try:
        used = reader or detect(source)
    except (OSError, ValueError, RecursionError) as error:
        notes.problem(source, 0, f"cannot be read: {error}")
        return
    if used is None:
        notes.problem(source, 0, "no format that is known (--format forces one)")
        return
    for place, part in enumerate(source.parts(getattr(used, "header_lines", 0)), start=1):
        for trajectory in _guarded(used.read(part, notes), source, notes):
            yield trajectory if place == 1 else _continued(trajectory, place)


def _continued(trajectory: Trajectory, part: int) -> Trajectory:
    """A trajectory of a later part of a large file: it may be the same session, and links to where that began."""
    whole = {"of": trajectory.id, "number": part}
    made = {"id": trajectory_id(trajectory.id, "part", part), "parent": trajectory.parent or trajectory.id}
    return trajectory.model_copy(update={**made, "extra": {**trajectory.extra, "part": whole}})


def _guarded(found: Iterable[Trajectory], source: Source, notes: Notes) -> Iterator[Trajectory]:
    """What a hostile file can still break ends that file, not the run."""
    walk = iter(found)
    while True:
        try:
            trajectory = next(walk)
        except StopIteration:
            return
        except (ValueError, OSError, RecursionError, ValidationError, KeyError, TypeError, AttributeError) as error:
            notes.problem(source, 0, f"cannot be read further: {' '.join(str(error).split())[:200]}")
            return
        yield trajectory
