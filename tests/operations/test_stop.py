"""Stop means stop: at whatever moment of a run, Ctrl-C and SIGTERM end the command within seconds, and say what was kept."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from product import run, started
from strange_server import StrangeServer, said

from trace2skill.store import open_store

SOON = 8.0
"""Seconds: 4 are promised, and a machine may be busy."""
LIMITED = (429, {"error": {"message": "slow down"}}, {"retry-after": "60"})
BUSY = (503, {"error": {"message": "busy"}}, {"retry-after": "60"})
MOMENTS: dict[str, tuple[StrangeServer | None, int]] = {
    "a rate limit": (LIMITED, signal.SIGTERM),
    "a busy server": (BUSY, signal.SIGINT),
    "a slow answer": ((200, said("Answer: 3"), {}), signal.SIGTERM),
    "an answer by hand": (None, signal.SIGHUP),
    "a store that another holds": (None, signal.SIGTERM),
}  # type: ignore[dict-item]


def tasks(folder: Path) -> Path:
    folder.mkdir()
    rows = [
        {"id": f"t{n}", "prompt": f"Count {n}.", "check": "test -f count.txt", "files": {"names.txt": "a\n"}}
        for n in range(6)
    ]
    (folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def until(holds: Callable[[], bool], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_ends_a_run_whatever_it_waits_for(
    tmp_path: Path, prefect_home: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    reply, number = MOMENTS[moment]
    seconds = 120.0 if moment == "a slow answer" else 0.0
    with StrangeServer(reply or (200, said(), {}), seconds=seconds) as server:
        model = ["--model", f"handoff/{tmp_path}/hand"] if moment == "an answer by hand" else [
            "--model", "openai/mine", "--api-base", server.url, "--price", "1,1"
        ]  # fmt: skip
        data = tasks(tmp_path / "data")
        held = open_store(tmp_path / "s.duckdb") if moment == "a store that another holds" else None
        command = [
            "rollout",
            "--domain",
            "shell",
            "--data",
            data,
            "--sandbox",
            "process",
            *model,
            "--store",
            "s.duckdb",
        ]
        child = started(tmp_path, prefect_home, *command)
        try:
            if held:
                time.sleep(8)
            elif moment == "an answer by hand":
                until(lambda: bool(list((tmp_path / "hand").glob("waiting/*"))))
            else:
                until(lambda: len(server.requests) >= 2)
            assert child.poll() is None, child.stderr.read() if child.stderr else ""
            before = time.monotonic()
            child.send_signal(number)
            _, words = child.communicate(timeout=60)
            took = time.monotonic() - before
        finally:
            child.kill()
            if held:
                held.close()
    assert child.returncode == 130, words
    assert "interrupted; everything finished is kept: run the same command to go on: trace2skill rollout" in words
    assert took < SOON
    if not held:
        assert (
            json.loads(run(tmp_path, prefect_home, "show", "--store", "s.duckdb", "--json").stdout)[0]["state"]
            == "interrupted"
        )
