"""What a pass over a champion asks the store: which files runs opened, which headings people wrote, the next level."""

from collections.abc import Iterable

from trace2skill.evaluation.acceptance import GateSettings
from trace2skill.evaluation.no_worse import tasks_needed
from trace2skill.evaluation.usage import usage_of
from trace2skill.skills.markdown import sections, split_lines
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.trajectory import Trajectory
from trace2skill.versions.registry import Registry


def opened_in(store: Store, skill: Skill, ids: Iterable[str]) -> tuple[dict[str, int], int]:
    """In how many runs with a skill each file was opened, of how many with calls of tools.

    Args:
        store: where trajectories are.
        skill: the champion.
        ids: trajectories that were analysed or rolled out for the pass, so that held-out tasks have no part in it.
    """
    if all(file.path == "SKILL.md" for file in skill.files):
        return {}, 0
    found = [store.get("trajectory", id, Trajectory) for id in sorted(ids)]
    runs = [
        run
        for run in found
        if run is not None and run.skill == skill.digest and any(step.tool_calls for step in run.steps)
    ]
    return {item.path: item.runs for item in usage_of(skill, runs, []).files}, len(runs)


def level_of_next(registry: Registry, gate: GateSettings, skill: Skill) -> float:
    """The level of the next look at a skill."""
    if gate.spend == "at_once":
        return gate.level
    return registry.next_look(skill.name, skill.digest, gate.level, earns=gate.spend == "over_nights").level


def too_few_tasks(level: float, loss: float, tasks: int) -> str:
    """Why so many held-out tasks cannot show that no more than that is lost, '' where they can."""
    needed = tasks_needed(level, loss)
    if needed <= tasks:
        return ""
    return (
        f"that no more than {loss:.1%} is lost takes {needed} held-out tasks at level {level:.4f} of the next look, "
        f"and there are {tasks}: add tasks, or allow a larger loss (--shrink-loss)"
    )


def headings_of_people(store: Store, registry: Registry, name: str) -> frozenset[tuple[str, str]]:
    """Files and headings in them, as they stand there, of versions that people put in use."""
    found = set()
    for change in registry.history(name):
        skill = store.get("skill", change.skill, Skill) if change.kind == "adopt" else None
        for file in skill.files if skill else ():
            text = (skill.text(file.path) if skill else "") or ""
            lines = split_lines(text)
            found |= {(file.path, lines[section.heading_start].strip()) for section in sections(text)}
    return frozenset(found)
