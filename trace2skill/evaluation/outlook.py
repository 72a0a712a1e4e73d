"""What a look at the held-out tasks can show at best, known before anything is spent on it.

The test is one-sided and the task its unit: if all n tasks turned for the better, one in 2^n of the signs that chance
could have given is as good. More seeds make the mean of a task steadier and do not lower that.
"""

from operator import not_

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.evaluation.acceptance import GateSettings, passes
from trace2skill.evaluation.compare import RESAMPLES, as_integers
from trace2skill.types.comparison import Score
from trace2skill.types.decision import Look

MOST_TASKS = 60
"""Beyond so many tasks p no longer falls where any level would notice."""


class GateOutlook(Record):
    """Can any result of a run promote its candidate? p-values and levels are one-sided, lifts from 0 to 1."""

    tasks: int = Field(description="Held-out tasks.")
    seeds: int
    settled: int = Field(default=0, exclude_if=not_, description="Of the tasks, those the champion always passes.")
    look: int = Field(description="The look at this champion that the run would take.")
    level: float = Field(description="The level of that look.")
    best_p: float = Field(description="p if every task turned for the better that can.")
    can_promote: bool
    tasks_needed: int | None = Field(
        default=None,
        description="So many tasks that can turn would do; none where no number does, or enough are there.",
    )

    @property
    def in_words(self) -> str:
        """Why no result can promote, and what would do; '' where one can."""
        if self.can_promote:
            return ""
        open_tasks = self.tasks - self.settled
        which = f"all {open_tasks}" if open_tasks != 1 else "the one"
        passed = f" that the champion does not always pass (it passes {self.settled})" if self.settled else ""
        said = (
            f"no result of this run can promote: if {which} held-out tasks{passed} turned for the better, the "
            f"one-sided p would be {self.best_p:.4f}, and look {self.look} has level {self.level:.4f}"
        )
        if self.tasks_needed is None:
            return f"{said}; more tasks would not change that (--level, --margin, --score)"
        kind = " that the champion fails" if self.settled else ""
        return f"{said}; {self.tasks_needed} held-out tasks{kind} would do. More seeds would not: the task is the unit"


def outlook(tasks: int, seeds: int, settings: GateSettings, look: Look, settled: int = 0) -> GateOutlook:
    """What the gate can say at best.

    Args:
        tasks: held-out tasks.
        seeds: runs of each.
        settings: what a promotion needs.
        look: the look that the run would take.
        settled: tasks that the champion passes at every seed: a candidate cannot be better there.
    """
    best = best_p_value(tasks - settled, seeds, settings.score)
    can = tasks > 0 and passes((tasks - settled) / tasks, best, look, settings.margin)
    return GateOutlook(
        tasks=tasks,
        seeds=seeds,
        settled=settled,
        look=look.number,
        level=look.level,
        best_p=best,
        can_promote=can,
        tasks_needed=None if can else _needed(tasks, seeds, settings, look, settled),
    )


def best_p_value(tasks: int, seeds: int, score: Score) -> float:
    """The smallest p that `compare` can find with so many tasks; with resamples it finds none below one of them."""
    whole = score == "hard" and as_integers([1 / seeds]) is not None
    return max(0.5**tasks, 0.0 if whole else 1 / (RESAMPLES + 1))


def _needed(tasks: int, seeds: int, settings: GateSettings, look: Look, settled: int) -> int | None:
    for more in range(tasks - settled + 1, MOST_TASKS + 1):
        if passes(more / (more + settled), best_p_value(more, seeds, settings.score), look, settings.margin):
            return more
    return None
