"""Stop means stop: at whatever moment, Ctrl-C and SIGTERM end a command within seconds, and say what was kept."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from product import run
from questions_of_tests import write_math, write_skill_for_sums
from stopping import UNDER_WAY, Command, Stopped, stage_of
from strange_server import StrangeServer, said

from trace2skill.runs.run_progress import ProgressFile, RunProgress
from trace2skill.store import open_store

pytestmark = pytest.mark.slow  # a process for every moment

SOON = 8.0
"""Seconds: 5 are promised, and a machine may be busy."""
LIMITED = (429, {"error": {"message": "slow down"}}, {"retry-after": "60"})
BUSY = (503, {"error": {"message": "busy"}}, {"retry-after": "60"})
KEPT = "interrupted; everything finished is kept: run the same command to go on: trace2skill"
AGAIN = "interrupted: run the same command again: trace2skill"


def tasks(folder: Path, check: str = "test -f count.txt") -> Path:
    folder.mkdir()
    rows = [{"id": f"t{n}", "prompt": f"Count {n}.", "check": check, "files": {"names.txt": "a\n"}} for n in range(6)]
    (folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def logs(folder: Path) -> Path:
    folder.mkdir()
    talk = [{"role": "user", "content": "Count."}, {"role": "assistant", "content": "It is 3."}]
    (folder / "one.jsonl").write_text(json.dumps({"messages": talk}) + "\n")
    return folder


def ended(stopped: Stopped, words: str) -> None:
    print(f"{stopped.seconds:.1f} s")
    assert stopped.code == 130, stopped.words
    assert words in stopped.words
    assert stopped.words.count("interrupted") == 1
    assert "Traceback" not in stopped.words
    assert not stopped.left
    assert stopped.seconds < SOON


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


def over(server: StrangeServer) -> list[object]:
    return ["--model", "openai/mine", "--api-base", server.url, "--price", "1,1"]


def state_of(cwd: Path, home: Path) -> str:
    state: str = json.loads(run(cwd, home, "show", "--store", "s.duckdb", "--json").stdout)[0]["state"]
    return state


ROLLOUT: list[object] = [
    "rollout",
    "--domain",
    "shell",
    "--data",
    "data",
    "--sandbox",
    "process",
    "--store",
    "s.duckdb",
]
WAITS = {
    "a rate limit": (LIMITED, 0.0, signal.SIGTERM),
    "a busy server": (BUSY, 0.0, signal.SIGINT),
    "a slow answer": ((200, said("Answer: 3"), {}), 120.0, signal.SIGTERM),
}


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("moment", WAITS)
def test_while_a_rollout_waits_for_its_model(tmp_path: Path, warm_home: Path, moment: str) -> None:
    reply, seconds, number = WAITS[moment]
    tasks(tmp_path / "data")
    with StrangeServer(reply, seconds=seconds) as server:
        command = Command(tmp_path, warm_home, *ROLLOUT, *over(server))
        ended(command.reaches(lambda: len(server.requests) >= 2).stop(number), KEPT)
    assert state_of(tmp_path, warm_home) == "interrupted"


def test_while_people_are_to_answer(tmp_path: Path, warm_home: Path) -> None:
    tasks(tmp_path / "data")
    command = Command(tmp_path, warm_home, *ROLLOUT, "--model", "handoff/hand")
    ended(command.reaches(lambda: any((tmp_path / "hand").glob("waiting/*"))).stop(signal.SIGHUP), KEPT)
    assert state_of(tmp_path, warm_home) == "interrupted"
    reader = ["handoff", "next", "hand", "--as", "me", "--wait", "600", "--role", "merger"]
    mark = tmp_path / "reached"
    reading = Command(tmp_path, warm_home, *reader, hold=("trace2skill.cli.handoff_next", "+_look", mark))
    reading.reaches(mark.exists)
    time.sleep(1)
    ended(reading.stop(signal.SIGTERM), f"{AGAIN} handoff next hand")


def test_while_another_holds_the_store(tmp_path: Path, warm_home: Path) -> None:
    tasks(tmp_path / "data")
    held = open_store(tmp_path / "s.duckdb")
    try:
        command = Command(tmp_path, warm_home, *ROLLOUT, "--model", "sim/office")
        ended(command.reaches(lambda: "waiting" in command.said).stop(signal.SIGTERM), KEPT)
    finally:
        held.close()


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("sandbox", ["process", "bwrap"])
def test_while_a_command_of_the_agent_runs(tmp_path: Path, warm_home: Path, sandbox: str) -> None:
    tasks(tmp_path / "data")
    with StrangeServer((200, said("```bash\nsleep 971\n```"), {})) as server:
        command = Command(tmp_path, warm_home, *ROLLOUT, "--sandbox", sandbox, *over(server))
        command.reaches(lambda: command.runs("sleep 971"))
        ended(command.stop(signal.SIGINT), KEPT)


def test_while_tasks_are_audited(tmp_path: Path, warm_home: Path) -> None:
    data = tasks(tmp_path / "data", "sleep 972; test -f count.txt")
    audit: list[object] = ["run", "--domain", "shell", "--data", data, "--sandbox", "process", "--model", "sim/office"]
    command = Command(tmp_path, warm_home, *audit)
    command.reaches(lambda: command.runs("sleep 972"))
    ended(command.stop(signal.SIGTERM), KEPT)


@pytest.fixture
def refresh(tmp_path: Path) -> list[object]:
    data, skill = write_math(tmp_path / "data", 12), write_skill_for_sums(tmp_path / "sums")
    return ["run", "--domain", "math", "--data", data, "--skill", skill, "--sandbox", "process"]


def test_at_each_stage_in_turn_and_each_time_it_goes_on(
    tmp_path: Path, warm_home: Path, refresh: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = tmp_path / "calls"
    monkeypatch.setenv("TRACE2SKILL_SIM_CALLS", str(calls))
    slow = [*refresh, "--model", "sim/office?latency=6"]
    numbers = (signal.SIGINT, signal.SIGTERM)
    for place, stage in enumerate(("rollout", "extract", "propose", "induce", "assign", "write", "evaluate")):
        command = Command(tmp_path, warm_home, *slow, calls=calls, start=stage == "rollout")
        command.reaches(lambda stage=stage: stage_of(tmp_path) == stage)  # type: ignore[misc]
        time.sleep(1)
        print(f"{stage}: ", end="")
        ended(command.stop(numbers[place % 2]), KEPT)
        (tmp_path / "stderr").unlink()
    made = json.loads(run(tmp_path, warm_home, *slow, "--json", calls=calls).stdout)
    assert made["candidate"]["skill"] != made["base"]
    assert not made["failures"]
    keys = calls.read_text().split()
    assert len(keys) == len(set(keys)), "an answer that was given is not asked for again"


WORK = {
    "cutting": ("trace2skill.consolidate.proposals", "Cutter._cut"),
    "grading": ("trace2skill.domains.math.domain", "Math.judge"),
    "the end": ("trace2skill.runs.closing", "finish"),
}


@pytest.mark.parametrize("moment", WORK)
def test_while_a_run_computes(tmp_path: Path, warm_home: Path, refresh: list[object], moment: str) -> None:
    mark = tmp_path / "reached"
    command = Command(tmp_path, warm_home, *refresh, "--model", "sim/office", hold=(*WORK[moment], mark))
    ended(command.reaches(mark.exists).stop(signal.SIGINT), KEPT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_logs_are_read(tmp_path: Path, warm_home: Path, number: int) -> None:
    mark = tmp_path / "reached"
    held = ("trace2skill.runs.taking", "Taking.take", mark)
    command = Command(tmp_path, warm_home, "ingest", logs(tmp_path / "logs"), hold=held)
    ended(command.reaches(mark.exists).stop(number), KEPT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_an_estimate_is_made(tmp_path: Path, warm_home: Path, refresh: list[object], number: int) -> None:
    mark = tmp_path / "reached"
    held = ("trace2skill.cli.estimate", "count", mark)
    command = Command(tmp_path, warm_home, "estimate", *refresh[1:], "--model", "sim/office", hold=held)
    ended(command.reaches(mark.exists).stop(number), f"{AGAIN} estimate")


def test_while_its_server_starts(tmp_path: Path, refresh: list[object]) -> None:
    command = Command(tmp_path, tmp_path / "home", *refresh, "--model", "sim/office")  # no server is known there
    command.reaches(lambda: command.runs("uvicorn"))
    ended(command.stop(signal.SIGTERM), KEPT)


def test_ctrl_c_of_a_terminal_while_tasks_run_on_a_server_of_its_own(tmp_path: Path, refresh: list[object]) -> None:
    """It goes to all that the command has started, and a run whose server is gone would wait for it without end."""
    command = Command(tmp_path, tmp_path / "home", *refresh, "--model", "sim/office?latency=6")
    command.reaches(lambda: command.runs("uvicorn") and stage_of(tmp_path) == "rollout")
    time.sleep(1)
    ended(command.stop(signal.SIGINT, all_of_it=True), KEPT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_a_run_that_waits_for_approval_is_watched(tmp_path: Path, warm_home: Path, number: int) -> None:
    place = tmp_path / ".trace2skill" / "runs" / "run-1"
    ProgressFile(place, RunProgress(run_id="run-1", kind="run"), lambda: 0.0).end("waiting", "for a person")
    mark = tmp_path / "reached"
    command = Command(tmp_path, warm_home, "watch", "run-1", hold=("trace2skill.cli.operate", "+read_progress", mark))
    command.reaches(mark.exists)
    time.sleep(1)
    ended(command.stop(number), f"{AGAIN} watch run-1")


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    """What a test that failed has left running is ended, too."""
    yield
    while UNDER_WAY:
        UNDER_WAY.pop().end()
