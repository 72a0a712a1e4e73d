"""The tasks on which a skill that was learned from logs is tried: mined from these logs, where they hold enough."""

from collections.abc import Sequence
from pathlib import Path

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.mined.repository import RepositoryAddress
from trace2skill.runs.mined_tasks import TASKS, mine
from trace2skill.runs.settings import RunSettings
from trace2skill.sandbox import choose_sandbox
from trace2skill.sandbox.environment import with_environment
from trace2skill.store.address import directory_beside

MINED = "mined"
LEAST_GROUPS = 3
"""So many groups of tasks can be divided into evolve, validation and test."""
NO_AGENT = "nobody is named who could try them (--model or --agent-model, which may be handoff/DIR, or --harness)"


def tasks_to_gate_on(settings: RunSettings, repositories: Sequence[RepositoryAddress] = ()) -> tuple[Path | None, str]:
    """Mine tasks from the logs of a run, and the repositories that they began in, into a folder beside its store.

    Returns the data set, or None and in words why there is none.

    Raises:
        BadInput: the run has no logs, or nothing could be read of them.
        SandboxMissing: there is no sandbox to do the work of logs in.
    """
    sources = settings.data.sources
    if sources is None:
        raise BadInput("tasks are mined from logs, and this run has none")
    learning = settings.learning
    sandbox = with_environment(choose_sandbox(learning.sandbox, simulated_model=False), learning.environment)
    there = [f"{one.name}={one.folder.absolute()}" for one in repositories]
    paths = [str(path.absolute()) if isinstance(path, Path) else str(path) for path in sources.paths]
    named = digest_of(paths, sources.format, str(sources.labels), *([there] if there else []))[:12]
    folder = directory_beside(settings.operation.store) / MINED / named
    found = mine(sources, sandbox, folder, repositories)
    if found.groups < LEAST_GROUPS:
        return None, (
            f"{len(found.tasks)} tasks could be mined from {len(found.segments)} segments, and {found.groups} groups "
            f"of tasks are too few to divide (`trace2skill mine` says why the others are none)"
        )
    return folder / TASKS, ""
