"""Answers to approvals that their own flow run could not carry out.

Another run had its place when the answer came; or nobody answered, and the run that ends the wait was lost with the
worker that had taken it: Prefect starts no run again that a worker has taken.
"""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.input import keyset_from_paused_state
from prefect.input.actions import read_flow_run_input
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelled, Suspended

from tasks.events import tell
from trace2skill.core import clock
from trace2skill.core.errors import Trace2SkillError
from trace2skill.runs.approvals import WaitingRun, carry_out, waiting_runs
from trace2skill.runs.promotion import Approval
from trace2skill.store import open_store

log = logging.getLogger(__name__)

SLACK = timedelta(minutes=10)
"""How long after its hours a wait is left to the run that ends it: that one may have begun, and have an own reason."""


def settle(address: Path | str, wait_seconds: float) -> list[str]:
    """Carry out what was answered in a store's approvals whose flow runs have ended. Returns the ids of those runs.

    A run that waits is left alone while its hours last, and one that this server does not know.

    Raises:
        StoreUnavailable: another run holds the store for longer than that.
    """
    store, done = open_store(address, wait_seconds=wait_seconds), []
    for waiting in waiting_runs(store):
        approval = answer_of(waiting)
        if approval is None:
            continue
        try:
            summary = carry_out(store, waiting, approval)
        except Trace2SkillError as error:  # this run has its own work; the other one goes on waiting
            log.warning("the answer to %s cannot be carried out: %s", waiting.run_id, error)
            continue
        done.append(waiting.run_id)
        tell(f"skill.{summary.outcome}", summary.skill_name, summary.headline())
    return done


def answer_of(waiting: WaitingRun) -> Approval | None:
    """What a person said, where the flow run that asked has ended; None where it may still carry it out itself."""
    if not waiting.flow_run:
        return None
    id = UUID(waiting.flow_run)
    over, silence = False, f"nobody answered within {waiting.settings.operation.approval_hours:g} hours"
    with get_client(sync_client=True) as client:
        try:
            state = client.read_flow_run(id).state
            if state is not None and state.is_paused() and _is_over(state, waiting):
                withdraw(waiting.flow_run, silence)  # first: whoever answers later is told that it is too late
                over, state = True, client.read_flow_run(id).state
        except ObjectNotFound:
            return None
    if state is None or not state.is_final():
        return None
    asked: State[Any] = Suspended(pause_key=waiting.question)  # Prefect's name for the answer comes of it
    said: Any = read_flow_run_input(keyset_from_paused_state(asked)["response"], flow_run_id=id)
    if not said:
        return Approval(
            given=False, reason=silence if over else f"its flow run ended as {state.name} before anybody answered"
        )
    return Approval(given=bool(said.get("promote")), reason=str(said.get("reason") or ""))


def withdraw(flow_run: str, why: str = "answered by `trace2skill approve`") -> str:
    """End a flow run that waits for an answer which was given elsewhere.

    Returns what a person must know where that was not possible, '' where it was or nothing waits.
    """
    if not PREFECT_API_URL.value():
        return f"no Prefect server is named in PREFECT_API_URL: cancel flow run {flow_run} there, or it asks again"
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(UUID(flow_run)).state
            if state is not None and state.is_paused():
                ended: State[Any] = Cancelled(message=why)
                client.set_flow_run_state(UUID(flow_run), ended, force=True)
    except ObjectNotFound:
        return ""
    except (httpx.HTTPError, RuntimeError) as error:
        return f"the Prefect server does not answer ({error}): cancel flow run {flow_run} there, or it asks again"
    return ""


def _is_over(state: State[Any], waiting: WaitingRun) -> bool:
    """Have the hours passed in which somebody could answer?"""
    hours = waiting.settings.operation.approval_hours
    return clock.now() > state.timestamp + timedelta(hours=hours) + SLACK
