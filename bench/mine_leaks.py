"""What would be learned from of the sessions of held-out tasks, where tasks are mined: nothing."""

from pathlib import Path

from trace2skill.domains import load_domain
from trace2skill.domains.splits import split_tasks
from trace2skill.runs.intake import take_in
from trace2skill.runs.sources import Sources
from trace2skill.store import open_store


def held_out_sessions(tasks: Path, seed: int, domain: str = "shell") -> set[str]:
    """Ids of all sessions that may show how a held-out task is done, in the division of that seed."""
    loaded = load_domain(domain).load(tasks)
    splits = split_tasks(loaded, seed=seed)
    return {id for task in loaded if task.id not in splits.evolve for id in task.sessions}


def leaks(tasks: Path, logs: Path, stores: Path, domain: str = "shell") -> int:
    """Sessions of held-out tasks that would be learned from, in three divisions."""
    found = 0
    stores.mkdir()
    for seed in (1, 2, 3):
        sessions = held_out_sessions(tasks, seed, domain)
        store = open_store(stores / f"{seed}.duckdb")
        taken = take_in(store, Sources(paths=(logs,), analyst="rules"), sorted(sessions)).taken
        found += sum(bool({item.id, item.task_id} & sessions) for item in taken)
        store.close()
    return found
