"""Who asks a model: the stage of a run, the item of it, and what of the item. The ledger holds all of them."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class StepLabel:
    """Names a step in the ledger, in logs and in spans: 'rollout: 13-1 seed 41'."""

    stage: str
    item: str = ""
    part: str = ""
    """What of the stage, where its steps differ in what they take: the analyst, or what the editor is asked for."""
    unit: str = ""
    """Tells items of equal names apart, e.g. the rollouts of a task with two skills. Their costs are added up by it."""

    def __str__(self) -> str:
        return f"{self.stage}: {self.item}" if self.item else self.stage

    def asking_for(self, part: str, about: str = "") -> "StepLabel":
        """The same step, as it asks for a part of its work: 'apply: wording'."""
        return replace(self, item=f"{part} {about}".rstrip(), part=part)
