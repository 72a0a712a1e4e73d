"""Assertions about work that cannot be done again: who writes them, who judges, and who says what it would do.

The writer sees the log, its end and the person's next words; a judge sees assertions beside the log, or beside two
answers of which it knows nothing; the agent sees the request alone. Everything shown to them was redacted before.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.core.errors import BadAnswer
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request, ask
from trace2skill.llm.settings import Role
from trace2skill.prompts import render

LEAST, MOST = 2, 6
"""Assertions that are asked for of one segment."""
WORDS = 500
"""Words of what an agent says it would do, at most."""
Judged = Literal["holds", "does_not_hold", "cannot_be_told"]
JudgedPlaces = Mapping[int, Judged]
"""By the place of an assertion, from 0. What a judge left out is not in it."""


class WrittenAssertion(BaseModel):
    """One assertion as the writer hands it in."""

    model_config = ConfigDict(extra="ignore")
    says: str = Field(description="One that is too long is left out, and spoils no other.")
    steps: list[int] = Field(default_factory=list, description="Numbers of the steps that show it.")


class WrittenAssertions(BaseModel):
    """What the writer answers."""

    model_config = ConfigDict(extra="ignore")
    assertions: list[WrittenAssertion]


class JudgedAssertion(BaseModel):
    """One verdict of a judge."""

    model_config = ConfigDict(extra="ignore")
    number: int
    verdict: Judged


class JudgedSession(BaseModel):
    """What a judge answers over a session."""

    model_config = ConfigDict(extra="ignore")
    verdicts: list[JudgedAssertion]


class JudgedAnswers(BaseModel):
    """What a judge answers over two answers."""

    model_config = ConfigDict(extra="ignore")
    first: list[JudgedAssertion]
    second: list[JudgedAssertion]


def writing_request(
    model: ModelSettings, *, request: str, before: str, steps: str, outcome: str, after: str, seed: int
) -> Request:
    """What the writer is asked over one segment.

    Args:
        model: the writer.
        request: what the person asked for.
        before: what else was known before the work began.
        steps: the log as text.
        outcome: how it ended.
        after: what the person said next.
        seed: goes with the request.
    """
    told = {"request": request, "before": before, "steps": steps, "outcome": outcome, "after": after or "(nothing)"}
    system = render("assertion_writer", least=LEAST, most=MOST)
    return _request("analyst", model, system, render("assertion_writer_task", **told), seed)


def written_assertions(client: Client, request: Request, *, step: StepLabel) -> list[WrittenAssertion] | None:
    """What the writer hands in; None where no answer can be used.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    try:
        return ask(client, request, WrittenAssertions, step=step).assertions
    except BadAnswer:
        return None


def session_request(model: ModelSettings, *, request: str, assertions: Sequence[str], steps: str, seed: int) -> Request:
    """What a judge is asked over a recorded session."""
    told = {"request": request, "assertions": _numbered(assertions), "steps": steps, "recorded": True}
    system = render("assertion_judge", recorded=True)
    return _request("analyst", model, system, render("assertion_judge_task", **told), seed)


def answers_request(
    model: ModelSettings, *, request: str, assertions: Sequence[str], first: str, second: str, seed: int
) -> Request:
    """What a judge is asked over two answers, of which it is not told where they come from."""
    told = {"request": request, "assertions": _numbered(assertions), "first": first, "second": second}
    system = render("assertion_judge", recorded=False)
    return _request("analyst", model, system, render("assertion_judge_task", **told, recorded=False), seed)


def judged_session(client: Client, request: Request, *, step: StepLabel) -> JudgedPlaces:
    """The verdicts of a judge over a session, none where no answer can be used. Raises as `written_assertions`."""
    try:
        return _by_place(ask(client, request, JudgedSession, step=step).verdicts)
    except BadAnswer:
        return {}


def judged_answers(client: Client, request: Request, *, step: StepLabel) -> tuple[JudgedPlaces, JudgedPlaces]:
    """The verdicts over the first and the second answer, likewise."""
    try:
        said = ask(client, request, JudgedAnswers, step=step)
    except BadAnswer:
        return {}, {}
    return _by_place(said.first), _by_place(said.second)


def plan_request(model: ModelSettings, *, request: str, before: str, skill: str, name: str, seed: int) -> Request:
    """What the agent is asked: the request, what the log shows before the work began, and a skill's text or ''."""
    system = render("audit_agent", skill=skill, name=name, words=WORDS)
    return _request("agent", model, system, render("audit_agent_task", request=request, before=before), seed)


def planned(client: Client, request: Request, *, step: StepLabel) -> str:
    """What the agent says it would do; '' where it said nothing that can be judged. Raises as `written_assertions`."""
    answer = client.complete(request, step=step)
    client.ended(request, answer)
    return answer.text.strip() if answer.end == "answered" else ""


def _request(role: Role, model: ModelSettings, system: str, user: str, seed: int) -> Request:
    messages = ({"role": "system", "content": system}, {"role": "user", "content": user})
    return Request(role=role, settings=model, messages=messages, seed=seed)


def _numbered(assertions: Sequence[str]) -> str:
    return "\n".join(f"{number}. {text}" for number, text in enumerate(assertions, start=1))


def _by_place(said: Sequence[JudgedAssertion]) -> JudgedPlaces:
    """A number that is said twice with different verdicts tells nothing."""
    found: dict[int, Judged] = {}
    for item in said:
        if found.setdefault(item.number - 1, item.verdict) != item.verdict:
            found[item.number - 1] = "cannot_be_told"
    return found
