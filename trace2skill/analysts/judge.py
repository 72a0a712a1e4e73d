"""The outcome judge: a model says how an imported trajectory ended, where nothing else does, and how sure it is."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.analysts.asking import one_call_request
from trace2skill.analysts.reading import room_for_trajectory, whole
from trace2skill.core.errors import BadAnswer
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, ask
from trace2skill.prompts import prompt_digest, render
from trace2skill.types.trajectory import Outcome, Trajectory

PROMPTS = ("outcome_judge", "judge_task")
SURE_ENOUGH = 0.6


class Judgement(BaseModel):
    """What the judge answers."""

    model_config = ConfigDict(extra="ignore")
    verdict: Literal["passed", "failed", "unclear"]
    confidence: float = Field(ge=0, le=1)
    steps: list[int] = Field(default_factory=list, description="Numbers of the steps that show it.")
    reason: str = Field(default="", max_length=1000)


def judge_identity(model: ModelSettings) -> dict[str, object]:
    """What a judgement's key holds of the judge."""
    return {"judge": 1, "model": model.identity, "prompts": prompt_digest(*PROMPTS)}


def judged(client: Client, model: ModelSettings, trajectory: Trajectory, *, step: StepLabel) -> Outcome:
    """How the trajectory ended, in the eyes of a model. Below `SURE_ENOUGH`, or with no step to show, it is unknown.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    steps = whole(trajectory, room_for_trajectory(model), everyone=True)
    request = one_call_request(model, render("outcome_judge"), render("judge_task", steps=steps), trajectory.seed)
    try:
        said = ask(client, request, Judgement, step=step)
    except BadAnswer as error:
        return Outcome(kind="unknown", reason=f"the judge's answer was no answer: {error}"[:300], source="judge")
    shown = [number for number in said.steps if 1 <= number <= len(trajectory.steps)]
    common = {"source": "judge", "confidence": said.confidence}
    if said.verdict == "unclear" or said.confidence < SURE_ENOUGH or not shown:
        return Outcome(kind="unknown", reason=f"the judge is not sure: {said.reason}"[:300], **common)
    reason = f"judged by steps {', '.join(map(str, shown[:5]))}: {said.reason}"[:300]
    score = float(said.verdict == "passed")
    return Outcome(kind=said.verdict, hard=score, soft=score, reason=reason, **common)
