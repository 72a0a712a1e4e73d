"""The tasks on which a skill that was learned from logs is tried: mined from these logs, where they hold enough."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.domains import load_domain
from trace2skill.mined.repository import RepositoryAddress
from trace2skill.runs.mined_tasks import FILES, mine
from trace2skill.runs.settings import RunSettings
from trace2skill.sandbox import choose_sandbox
from trace2skill.sandbox.environment import with_environment
from trace2skill.store.address import directory_beside

log = logging.getLogger(__name__)
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
    domain = _of_more(found.groups_of, str(sources.paths[0]))
    if found.groups_of[domain] < LEAST_GROUPS:
        return None, (
            f"{len(found.tasks)} tasks could be mined from {len(found.segments)} segments, and "
            f"{found.groups_of[domain]} groups of tasks are too few to divide (`trace2skill mine` says why the others "
            f"are none)"
        )
    return folder / FILES[domain], ""


def tasks_in(data: Path) -> tuple[Path, str]:
    """The data set that a folder or file holds, and its domain.

    The names of the files say the domain; of another file its first row, which is a question or one of `shell`.
    Of a folder with mined tasks of both, those with more groups; a warning says so.

    Raises:
        BadInput: a file of tasks cannot be read.
    """
    there = {domain: data / name for domain, name in FILES.items() if data.is_dir() and (data / name).is_file()}
    if len(there) == len(FILES):
        domain = _of_more({domain: _groups_in(path) for domain, path in there.items()}, str(data))
        return there[domain], domain
    if there:
        return data, next(iter(there))
    files = [data] if data.is_file() else sorted(data.glob("*.jsonl"))
    return data, "questions" if len(files) == 1 and _holds_questions(files[0]) else "shell"


def _of_more(groups: Mapping[str, int], where: str) -> str:
    """The domain with more groups, `shell` where they are as many."""
    domain, other = sorted(groups, key=lambda domain: (-groups[domain], domain != "shell"))
    if groups[other]:
        log.warning(
            "%s: %d groups of tasks are of the domain %s and %d of %s: a run has one domain, and takes %s",
            *(where, groups[domain], domain, groups[other], other, domain),
        )
    return domain


def _groups_in(path: Path) -> int:
    tasks = load_domain(next(domain for domain, name in FILES.items() if name == path.name)).load(path)
    return len({task.group or task.id for task in tasks})


def _holds_questions(path: Path) -> bool:
    """Is its first row a question? What is wrong with a row the domain says that loads it."""
    try:
        with path.open(encoding="utf-8") as file:
            first = next((line for line in file if line.strip()), "")
        row = json.loads(first)
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(row, dict) and "question" in row and "prompt" not in row
