"""The rules that earlier runs over a skill have brought up: a run begins with them, and leaves its own for the next.

So a meaning that one trajectory a night states is known as one that many state, also where no candidate was promoted.
"""

from collections.abc import Iterable
from typing import NamedTuple

from trace2skill.consolidate.cut import Rule
from trace2skill.consolidate.memory import MemoryMark, RuleMemory
from trace2skill.consolidate.proposals import Proposals
from trace2skill.core import clock
from trace2skill.runs.runtime import Runtime
from trace2skill.skills.skill import Skill


class Recalled(NamedTuple):
    """The proposals of a run with those of earlier ones, and the tasks that only earlier ones analysed."""

    proposals: Proposals
    tasks: int


def recalled(rt: Runtime, found: Proposals, skill: Skill, tasks: Iterable[str]) -> Recalled:
    """Add what earlier runs over the skill learned, and keep what this one did.

    An attempt to go on with a run sees what its first attempt saw. Rules of tasks that are held out now take no part.

    Args:
        rt: the run. One of an experiment, or one told so, neither sees earlier rules nor leaves any.
        found: what the patches of this run propose.
        skill: S0; the memory is that of its name.
        tasks: those that were analysed.
    """
    if rt.settings.operation.part_of or not rt.settings.learning.memory:
        return Recalled(found, 0)
    analysed = frozenset(tasks)
    before = _remembered(rt, found, skill, analysed)
    held_out = {*rt.splits.validation, *rt.splits.test}
    earlier = [rule for rule in before.rules if rule.task_id not in held_out]
    rules: dict[str, Rule] = {rule.id: rule for rule in (*earlier, *found.rules)}
    return Recalled(
        found.model_copy(update={"rules": tuple(rules.values())}), len(set(before.tasks) - analysed - held_out)
    )


def memory_of(rt: Runtime, name: str) -> RuleMemory:
    """All that is remembered of a skill of that name."""
    return rt.store.get("memory", name, RuleMemory) or RuleMemory(skill=name)


def _remembered(rt: Runtime, found: Proposals, skill: Skill, analysed: frozenset[str]) -> RuleMemory:
    """The memory as it was when the run began. What the run brings is added to it for those that come."""
    with rt.store.alone(f"memory/{skill.name}"):
        memory = memory_of(rt, skill.name)
        mark = rt.store.get("memory", rt.run_id, MemoryMark)
        if mark is None:
            mark = MemoryMark(rules=len(memory.rules), tasks=len(memory.tasks))
        more = memory.with_more(found.rules, analysed, clock.today())
        rt.store.put_all([("memory", skill.name, more), ("memory", rt.run_id, mark)])
        return memory.until(mark)
