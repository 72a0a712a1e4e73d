"""`Pruned`: what an ablation found, as its run keeps it."""

from pydantic import Field

from trace2skill.core.record import Record
from trace2skill.evaluation.ablation import Ablation
from trace2skill.types.decision import Decision
from trace2skill.types.evaluation import Evaluation


class Pruned(Record, form="Pruned", version=1):
    """The result of an ablation: the effects, and what the gate says of the skill without the groups to prune."""

    ablation: Ablation
    evaluations: tuple[Evaluation, ...] = ()
    decision: Decision
    directory: str = Field(default="", description="Where the pruned skill stands; '' where nothing is pruned.")
