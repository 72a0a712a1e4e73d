"""The pace at which a model is asked: quick to slow down, steady to recover, never beyond a quota, never stuck."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trace2skill.core.budget import Budget
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request
from trace2skill.llm.pace import WIDEST, Pace
from trace2skill.store import open_store


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def refused(pace: Pace, wait: float | None = None) -> None:
    with pace.admitted(10) as going:
        going.rate_limited(wait)


def answered(pace: Pace, tokens: int = 10) -> None:
    with pace.admitted(10) as going:
        going.answered(tokens)


def test_a_refusal_halves_the_window_and_closes_the_door_for_as_long_as_asked() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    refused(pace, 7.0)
    assert pace.window == 1.0, "one call was under way, so more than one is too many"
    assert pace.pause_seconds() == 7.0
    clock.now += 7
    assert pace.pause_seconds() == 0


def test_refusals_in_a_row_wait_longer_each_time_and_an_answer_ends_the_row() -> None:
    clock = Clock()
    pace = Pace(clock=clock, draw=lambda: 1.0)
    pauses = []
    for _ in range(9):
        refused(pace)
        pauses.append(pace.pause_seconds())
        clock.now += pauses[-1] + 1
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    answered(pace)
    refused(pace)
    assert pace.pause_seconds() == 0.5


def test_calls_sent_before_a_cut_say_nothing_about_the_new_window() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    holding = [pace.admitted(1) for _ in range(16)]
    tries = [context.__enter__() for context in holding]
    clock.now += 1
    windows = []
    for context, going in zip(holding, tries, strict=True):
        going.rate_limited(0.0)
        context.__exit__(None, None, None)
        windows.append(pace.window)
    assert windows == [8.0] * 16, "one storm is one cut"


def test_the_window_recovers_by_one_for_each_window_of_answers() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    refused(pace, 0.0)
    seen = []
    for _ in range(60):
        answered(pace)
        seen.append(int(pace.window))
    assert seen == sorted(seen)
    assert 9 <= seen[-1] <= 12, "about the root of twice the answers"


@pytest.mark.parametrize(("requests", "tokens"), [(60, None), (None, 600)])
def test_a_quota_is_kept_over_any_minute(requests: float | None, tokens: float | None) -> None:
    clock = Clock()
    pace = Pace(requests, tokens, clock=clock)
    times = []
    while clock.now < 400:
        pause = pace.pause_seconds()
        assert math.isfinite(pause)
        clock.now += pause
        answered(pace, tokens=10)
        times.append(clock.now)
    for start in times:
        within = sum(start <= moment < start + 60 for moment in times)
        assert within <= 60 + 7, "a minute's quota, and the burst of six seconds"
    assert len(times) >= 300 - 1, "and what the quota allows is used"


@given(st.lists(st.sampled_from(["answered", "refused", "broken"]), max_size=60), st.integers(2, 12))
def test_no_order_of_outcomes_leaves_anybody_waiting(outcomes: list[str], workers: int) -> None:
    pace = Pace(draw=lambda: 0.0)
    left, guard = list(outcomes), threading.Lock()
    most = [0, 0]

    def call(_: int) -> None:
        with pace.admitted(5) as going:
            with guard:
                most[0] += 1
                most[1] = max(most)
                outcome = left.pop() if left else "answered"
            if outcome == "answered":
                going.answered(5)
            elif outcome == "refused":
                going.rate_limited(0.0)
            with guard:
                most[0] -= 1

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(call, range(len(outcomes) + workers)))
    assert not left
    assert most[0] == 0
    assert 1 <= pace.window <= WIDEST


def test_a_storm_of_refusals_slows_a_fleet_down_and_fails_nobody(tmp_path: Path) -> None:
    """Half of all tries refused for 3 s, 5% answered with 503, 2% hung: over the real path, as bench/storm.py at length."""
    storm = "sim/office?seed=91&storm_seconds=3&retry_after=0.3&server_error=0.05&hangs=0.02&latency=0.02"
    settings = ModelSettings(name=storm, timeout_seconds=1, max_tokens=100)
    store = open_store(tmp_path / "store.duckdb")
    client = Client(store, Budget(1.0), "r")

    def ask(number: int) -> str:
        messages = ({"role": "user", "content": f"Question {number}"},)
        return client.complete(Request(role="agent", settings=settings, messages=messages), step=StepLabel("s")).text

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, range(150)))
    rows = store.ledger("r")
    store.close()
    assert len(answers) == len(rows) == 150
    assert {row.outcome for row in rows} == {"answered"}
    assert sum(row.attempts for row in rows) > 160, "there was a storm"
