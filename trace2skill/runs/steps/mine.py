"""Step `mine`: the rules of all imported trajectories together, as lessons of those that show them."""

import logging
from collections.abc import Iterator, Sequence

from trace2skill.analysts import rules
from trace2skill.analysts.mining import MinedRule, Mining, Signs, SignsRead, extractions, mining
from trace2skill.consolidate.quarantine import Allowed
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.judge import trajectory_of
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import keep_extraction, stored
from trace2skill.runs.watermarks import Taken, Withheld
from trace2skill.safety.screening import screened
from trace2skill.types.references import Extracted, MinedRules, SignsKept
from trace2skill.types.trajectory import Trajectory

log = logging.getLogger(__name__)
INSTALLS = "dangerous command"


def _parts(rt: Runtime, read: Sequence[SignsKept]) -> tuple[object, ...]:
    del rt
    return rules.VERSION, [item.content for item in read]


def mine_all(rt: Runtime, read: Sequence[SignsKept]) -> MinedRules:
    """Find the rules, and hand them on as lessons of the sessions that show them.

    Raises:
        BadInput: the store does not hold a trajectory any more.
    """

    def every() -> Iterator[Signs]:
        for item in read:
            yield from stored(rt, "signs", item.content, SignsRead).signs

    found = mining(every)
    wanted = {witness.id for rule in found.rules for witness in rule.witnesses}
    taken = {
        item.id: Taken(id=item.id, content=item.content, task_id=item.task, outcome=item.outcome, source=item.source)
        for item in every()
        if item.id in wanted
    }

    def look(id: str) -> tuple[Trajectory, Sequence[str]]:
        withheld = rt.store.get("withheld", id, Withheld)
        return trajectory_of(rt, taken[id]), withheld.gold if withheld else ()

    made, found = extractions(found, look)
    allow_installs(rt, found.rules)
    step = StepLabel("observe", "all", part="rules")
    kept = [keep_extraction(rt, extraction, 0, step, "rules") for extraction in made]
    rt.store.put("mining", found.digest, found)
    log.info("%s mine: %d sessions, %d rules", rt.run_id, found.sessions, len(found.rules))
    return MinedRules(content=found.digest, extracted=tuple(kept))


def allow_installs(rt: Runtime, found: Sequence[MinedRule]) -> None:
    """A package that several tasks of the logs installed by its name is no danger: it may be named with its command."""
    for rule in found:
        for command in rule.installs:
            for finding in screened(rule.content):
                if finding.reason == INSTALLS and finding.fragment.rstrip("`).") in command:
                    why = f"installed in the logs of {rule.tasks} tasks, where it worked: {command}"
                    rt.store.put("allowance", finding.id, Allowed(finding=finding, why=why[:300]))


def taken_over(rt: Runtime, mined: MinedRules) -> list[Extracted]:
    """The extractions of a mining, whose account becomes the run's."""
    rt.store.put("mining", rt.run_id, stored(rt, "mining", mined.content, Mining))
    return list(mined.extracted)


MINE = RunStep(
    name="mine",
    version=2,
    parts=_parts,
    do=mine_all,
    gives=MinedRules,
    shown="mine",
)
