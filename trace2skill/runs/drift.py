"""Drift watch: does the champion still score what it scored when it was promoted?

Each watch has a label, such as the date: it gives fresh seeds, so that nothing is answered from the store, and makes a
watch that broke off go on where it was. False alarms are bounded over all watches of a champion by the spending
rule of promotions.
"""

from collections.abc import Sequence

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.forms import as_text
from trace2skill.core.record import Record
from trace2skill.evaluation.compare import compare
from trace2skill.evaluation.conditions import Condition
from trace2skill.evaluation.ends import SAYS_NOTHING, coverage, of_each
from trace2skill.runs.refresh import end
from trace2skill.runs.runtime import Runtime
from trace2skill.skills.skill import Skill
from trace2skill.types.comparison import Comparison
from trace2skill.types.decision import Look
from trace2skill.types.evaluation import Evaluation, Measured
from trace2skill.versions.registry import Registry

FRESH = 1_000_000


class DriftReport(Record, form="DriftReport", version=1):
    """What a watch found. Without a baseline it made one."""

    name: str
    skill: str = Field(description="Digest of the champion.")
    label: str
    dropped: bool
    reason: str
    comparison: Comparison | None = None
    look: Look | None = None
    evaluation: Evaluation
    rolled_back_to: str = Field(default="", description="Digest of the version put back, '' where none was.")


def champion_of(rt: Runtime) -> Skill:
    """The skill to watch: what stands in the directory, which is the champion from now on if people changed it.

    Raises:
        BadInput: no skill directory was given.
    """
    if rt.given_skill is None or rt.place is None:
        raise BadInput("a drift watch needs the directory of the skill in use (--skill)")
    return rt.given_skill


def condition(rt: Runtime) -> Condition:
    """What is scored: the champion."""
    return Condition(name="champion", skill=champion_of(rt).digest)


def seeds(rt: Runtime, label: str) -> tuple[int, ...]:
    """Seeds that no other watch uses."""
    offset = FRESH + int(digest_of("drift", label)[:6], 16) * 64
    return tuple(offset + number for number in range(len(rt.settings.gate.held_out_seeds)))


def baseline(rt: Runtime) -> Evaluation | None:
    """The first evaluation of the champion on these held-out tasks."""
    digest, tasks = champion_of(rt).digest, set(rt.splits.validation)
    for item in rt.store.all_of("evaluation", Measured):
        cells = {cell.task_id for cell in item.evaluation.cells}
        if item.evaluation.skill == digest and item.split == "validation" and cells <= tasks:
            return item.evaluation
    return None


def judge(
    rt: Runtime, label: str, before: Evaluation | None, scored: Sequence[Evaluation], *, roll_back: bool
) -> DriftReport:
    """Compare, say whether the score dropped, and put the version before back where that is wanted."""
    skill, (now,) = champion_of(rt), scored
    common = {"name": skill.name, "skill": skill.digest, "label": label, "evaluation": now}
    if before is None:
        return DriftReport(**common, dropped=False, reason="no earlier score of this version: this one is the baseline")
    found = compare(before, now, score=rt.settings.gate.score)
    if min(coverage(before), coverage(now)) < rt.settings.gate.coverage or not found.tasks:
        ends = "".join(f"; {line}" for line in of_each((before, now), SAYS_NOTHING))
        reason = f"only {min(coverage(before), coverage(now)):.0%} of the runs have a score: nothing can be said{ends}"
        return DriftReport(**common, dropped=False, reason=reason, comparison=found)
    look = Registry(rt.store).look(f"{skill.name} drift", skill.digest, label, rt.settings.gate.level)
    dropped = found.lift.mean < 0 and found.p_worse <= look.level
    seen = f"{found.before_score.mean:.1%} before, {found.after_score.mean:.1%} now (p = {found.p_worse:.4f}"
    reason = f"{'the score has dropped' if dropped else 'no significant drop'}: {seen}, level {look.level:.4f})"
    target = _roll_back(rt, skill, reason) if dropped and roll_back else ""
    return DriftReport(**common, dropped=dropped, reason=reason, comparison=found, look=look, rolled_back_to=target)


def keep(rt: Runtime, report: DriftReport) -> DriftReport:
    """Keep the report and close the run."""
    rt.store.put("drift", f"{report.skill} {report.label}", report)
    end(rt, "completed", as_text(report), report.reason)
    return report


def _roll_back(rt: Runtime, skill: Skill, reason: str) -> str:
    registry = Registry(rt.store)
    changes = registry.history(skill.name)
    if rt.place is None or not changes or not changes[-1].previous:
        return ""
    return registry.rollback(skill.name, rt.place, reason=f"drift: {reason}").skill
