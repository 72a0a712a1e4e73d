"""Where gold lies, told to the simulated model when it plays the agent on a benchmark it cannot solve.

That is how its competence is simulated on foreign tasks; nothing but the agent role asks here.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from trace2skill.core.digest import digest_of
from trace2skill.types.task import Task

Gold = Mapping[str, Mapping[str, Mapping[str, object]]]
"""Test case -> sheet -> cell -> value."""

_key: dict[str, Callable[[], Gold]] = {}
_answers: dict[str, tuple[str, Callable[[], str]]] = {}
_scripts: dict[str, Callable[[], str]] = {}
_guard = threading.Lock()


def teach(tasks: Iterable[Task], describe: Callable[[Task], str], gold: Callable[[Task], Gold]) -> None:
    """Tell the model the gold of tasks; it is looked up by what the agent reads, and loaded when first needed."""
    with _guard:
        for task in tasks:
            _key[digest_of(describe(task).strip())] = partial(gold, task)


def gold_for(description: str) -> Gold | None:
    """The gold of the task described so, or None."""
    with _guard:
        load = _key.get(digest_of(description.strip()))
    return load() if load else None


def teach_answers(
    kind: str, tasks: Iterable[Task], describe: Callable[[Task], str], gold: Callable[[Task], str]
) -> None:
    """The same for a domain whose outcome is an answer; `kind` is its name."""
    with _guard:
        for task in tasks:
            _answers[digest_of(describe(task).strip())] = (kind, partial(gold, task))


def answer_for(description: str) -> tuple[str, str] | None:
    """The kind and the gold answer of the task described so, or None."""
    with _guard:
        found = _answers.get(digest_of(description.strip()))
    return (found[0], found[1]()) if found else None


def teach_scripts(tasks: Iterable[Task], describe: Callable[[Task], str], solution: Callable[[Task], str]) -> None:
    """The same for a domain whose tasks are done by a shell script."""
    with _guard:
        for task in tasks:
            _scripts[digest_of(describe(task).strip())] = partial(solution, task)


def script_for(description: str) -> str | None:
    """The solution of the task described so, or None."""
    with _guard:
        load = _scripts.get(digest_of(description.strip()))
    return (load() or None) if load else None
