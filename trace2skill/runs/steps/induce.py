"""Step `induce`: a node of the rule book. Texts are grouped by meaning, each group in one sentence."""

from trace2skill.consolidate.book import PROMPT, Grouping, induce
from trace2skill.consolidate.reading import InduceJob
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import asks_merger, bounds_of


def _parts(rt: Runtime, job: InduceJob) -> tuple[object, ...]:
    return bounds_of(rt, PROMPT), job.asks


def induced(rt: Runtime, job: InduceJob) -> Grouping:
    """Group the texts of one node by what they say.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`; the node is run again.
    """
    return induce(asks_merger(rt, "induce", job.name, job.asks), job.texts, rt.settings.learning.merge)


def _expects(seen: Foresight) -> list[Expected]:
    return [Expected(INDUCE.asks[0], seen.consolidates.induce)]


INDUCE = RunStep(
    name="induce",
    version=1,
    parts=_parts,
    expects=_expects,
    do=induced,
    gives=Grouping,
    shown="induce: {job.name}",
    asks=(Asks("induce", "merger", (5_000, 1_500)),),
)
