"""The whole refresh, through the command line, as a user runs it: once, again, killed, broken, misused."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE, OFFICE_SKILL, PATIENCE, shared
from product import forked, process, run
from questions_of_tests import write_math, write_skill_for_sums

from trace2skill.sim.conversation import Heard
from trace2skill.sim.profile import Profile
from trace2skill.sim.roles import play
from trace2skill.skills.skill import problems, read_skill

SMALL = [
    "run",
    "--data",
    OFFICE,
    "--skill",
    OFFICE_SKILL,
    "--tasks",
    "10",
    "--recalculate",
    "never",
    "--sandbox",
    "process",
]
"""A refresh on workbooks: every command of the agent and of the analysts is a process."""


@pytest.fixture
def sums(tmp_path: Path) -> list[object]:
    """The command of a refresh whose agent only speaks: no processes but its own. For all that is not about workbooks."""
    data, skill = write_math(tmp_path / "data", 12), write_skill_for_sums(tmp_path / "sums")
    return ["run", "--domain", "math", "--data", data, "--skill", skill, "--sandbox", "process"]


def summary(cwd: Path) -> dict[str, Any]:
    (path,) = cwd.glob(".trace2skill/runs/*/summary.json")
    return json.loads(path.read_text())


def test_a_refresh_learns_scores_and_repeats_for_nothing(tmp_path: Path, prefect_home: Path) -> None:
    calls = tmp_path / "calls"
    first = process(tmp_path, tmp_path / "home", *SMALL, "--model", "sim/office", calls=calls)  # with its own server
    made = summary(tmp_path)
    assert made["candidate"]["skill"] != made["base"]
    assert sum(made["trajectories"].values()) == made["tasks"]["evolve"]
    assert made["evaluations"][1]["condition"] == "candidate"
    assert "simulated model" in first.stdout
    candidate = read_skill(Path(tmp_path / made["candidate_directory"]))
    assert problems(candidate) == []
    assert candidate.digest == made["candidate"]["skill"]
    official = [
        str(Path(sys.executable).parent / "agentskills"),
        "validate",
        str(tmp_path / made["candidate_directory"]),
    ]
    assert subprocess.run(official, capture_output=True).returncode == 0
    # Every supporting trajectory is a real one, and a rule counts distinct tasks.
    for group in made["candidate"]["applied"]:
        assert (
            len(set(group["support"]["tasks"])) == len(group["support"]["tasks"]) >= made["candidate"]["thresholds"][1]
        )
    count = len(calls.read_text().split())
    assert count == len(set(calls.read_text().split())) == made["spent"]["calls"]

    again = run(tmp_path, prefect_home, *SMALL, "--model", "sim/office", "--json", calls=calls)
    assert json.loads(again.stdout) == made
    assert len(calls.read_text().split()) == count

    shown = run(tmp_path, prefect_home, "show", made["run_id"])
    assert made["decision"]["reason"].split(" (")[0][:40] in " ".join(shown.stdout.split())
    analyses = json.loads(run(tmp_path, prefect_home, "lessons", made["run_id"], "--json").stdout)
    assert len(analyses) == len(made["analyses"]) == sum(made["trajectories"].values())
    proven = next(item for item in analyses if item["kind"] == "error" and item["lessons"])
    assert proven["lessons"][0]["proof"] == "verified"
    shown = run(tmp_path, prefect_home, "lessons", made["run_id"], "--trajectory", proven["trajectory_id"][:9])
    assert proven["lessons"][0]["title"] in shown.stdout
    assert f"## Step {proven['lessons'][0]['evidence'][0]['first']} (agent)" in shown.stdout
    asked = run(tmp_path, prefect_home, "patch", made["run_id"], proven["trajectory_id"])
    assert "+++ b/SKILL.md" in asked.stdout
    assert proven["lessons"][0]["trajectory_id"] == proven["trajectory_id"]
    ledger = json.loads(run(tmp_path, prefect_home, "why", made["candidate_directory"], "--json").stdout)
    known = {item["trajectory_id"] for item in analyses}
    for number, line in enumerate(
        (Path(tmp_path / made["candidate_directory"]) / "SKILL.md").read_text().split("\n"), 1
    ):
        if f"\n+{line}\n" not in made["candidate"]["diff"] or not line.strip() or line.startswith("#"):
            continue
        (row,) = (row for row in ledger if row["file"] == "SKILL.md" and row["first"] <= number <= row["last"])
        assert set(row["support"]["trajectories"]) <= known
        assert all(lesson["evidence"] for lesson in row["lessons"])
    ungrounded = run(tmp_path, prefect_home, "why", OFFICE_SKILL, code=2)
    assert "knows nothing of this version" in ungrounded.complaint
    beyond = run(tmp_path, prefect_home, "why", f"{made['candidate_directory']}:999", code=2)
    assert "has no line 999: it ends at" in beyond.complaint
    unknown = run(tmp_path, prefect_home, "patch", made["run_id"], "nobody", code=2)
    assert "no trajectory 'nobody' was analysed" in unknown.complaint

    listed = json.loads(run(tmp_path, prefect_home, "show", "--json").stdout)
    assert [(row["id"], row["state"], row["attempts"]) for row in listed] == [(made["run_id"], "completed", 2)]
    stats = json.loads(run(tmp_path, prefect_home, "store", "stats", "--json").stdout)
    assert stats["ledger"]["calls"] == count


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_as_if_undisturbed(
    tmp_path: Path, warm_home: Path, sums: list[object]
) -> None:
    command = [*sums, "--model", "sim/office?latency=0.02&jitter=0.5", "--workers", "4"]
    for name in ("calm", "killed"):
        (tmp_path / name).mkdir()
    run(tmp_path / "calm", warm_home, *command, calls=tmp_path / "calm.calls")
    calls = tmp_path / "killed.calls"
    calls.touch()
    whole = len((tmp_path / "calm.calls").read_text().split())
    rng = random.Random(11)
    kills = int(os.environ.get("KILLS", "2"))
    for number in range(kills):
        child = forked(tmp_path / "killed", warm_home, *command, calls=calls)
        goal = len(calls.read_text().split()) + rng.randint(5, max(6, whole // (kills + 1)))
        deadline = time.monotonic() + PATIENCE
        while len(calls.read_text().split()) < goal and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        assert number or calls.read_text(), "nothing was running when it was killed"
    run(tmp_path / "killed", warm_home, *command, calls=calls)
    calm, killed = summary(tmp_path / "calm"), summary(tmp_path / "killed")
    assert killed["candidate"] == calm["candidate"]
    assert killed["evaluations"] == calm["evaluations"]
    # A call under way when the process died is lost with it: at most one per worker and kill. No other is repeated.
    repeated = [key for key, times in Counter(calls.read_text().split()).items() if times > 1]
    assert len(repeated) <= kills * 4
    assert set(calls.read_text().split()) == set((tmp_path / "calm.calls").read_text().split())


def test_ctrl_c_keeps_what_is_finished_and_says_so(tmp_path: Path, warm_home: Path, sums: list[object]) -> None:
    calls = tmp_path / "calls"
    calls.touch()
    command = [*sums, "--model", "sim/office?latency=0.5"]
    words = tmp_path / "words"
    child = forked(tmp_path, warm_home, *command, calls=calls, said=words)
    deadline = time.monotonic() + PATIENCE
    while len(calls.read_text().split()) < 15 and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    ended = child.wait(PATIENCE)
    said = words.read_text()
    assert ended == 130, said
    assert "run the same command to go on" in " ".join(said.split())
    assert "Traceback" not in said
    rows = json.loads(run(tmp_path, warm_home, "show", "--json").stdout)
    assert rows[0]["state"] == "interrupted"
    run(tmp_path, warm_home, *command, calls=calls)
    keys = calls.read_text().split()
    assert len(keys) == len(set(keys))


@pytest.mark.slow
def test_real_tasks_are_rolled_out_graded_and_the_useless_ones_named(tmp_path: Path, prefect_home: Path) -> None:
    data = shared("spreadsheetbench_verified")
    command = [
        "run",
        "--data",
        data,
        "--tasks",
        "8",
        "--model",
        "sim/office",
        "--recalculate",
        "never",
        "--workers",
        "4",
    ]
    run(tmp_path, prefect_home, *command, "--json")
    made = summary(tmp_path)
    assert made["mode"] == "creation"
    assert sum(made["tasks"].values()) + len(made["left_out"]) == 8
    assert made["trajectories"].get("passed", 0) > 0
    assert made["trajectories"].get("failed", 0) > 0
    assert all(len(item["cells"]) == made["tasks"]["validation"] for item in made["evaluations"])


def test_flaky_and_malformed_answers_do_not_end_a_run(tmp_path: Path, prefect_home: Path, sums: list[object]) -> None:
    model = "sim/office?malformed=0.2&rate_limited=0.1&server_error=0.05&retry_after=0"
    run(tmp_path, prefect_home, *sums, "--model", model, "--candidates", "2", "--select", "validation")
    made = summary(tmp_path)
    assert sum(made["verdicts"].values()) == sum(made["trajectories"].values())
    assert made["candidate"]["applied"]
    assert [item["chosen"] for item in made["candidates"]].count(True) == 1
    assert made["decision"]["look"]["level"] < 0.0295 / 2 + 1e-9, "choosing by validation pays for the choice"


def test_a_provider_that_is_down_fails_the_stage_by_name_and_a_rerun_goes_on(
    tmp_path: Path, prefect_home: Path, sums: list[object]
) -> None:
    model = "sim/office?server_error=0.9999"
    done = run(tmp_path, prefect_home, *sums, "--model", model, "--workers", "16", code=2)  # they mostly wait
    text = done.complaint
    assert "rollout: 6 of 6 failed" in text
    assert "run the same command again" in text
    assert not list(tmp_path.glob(".trace2skill/runs/*/skill"))
    rows = json.loads(run(tmp_path, prefect_home, "show", "--json").stdout)
    assert rows[0]["state"] == "failed"


def test_contrast_and_one_call_analysts_run_where_they_are_asked_for(
    tmp_path: Path, prefect_home: Path, sums: list[object]
) -> None:
    more = ["--analysts", "+error+contrast", "--error-analyst", "one_call", "--seeds", "2", "--model", "sim/office"]
    run(tmp_path, prefect_home, *sums, *more)
    made = summary(tmp_path)
    analyses = json.loads(run(tmp_path, prefect_home, "lessons", made["run_id"], "--json").stdout)
    errors = [item for item in analyses if item["kind"] == "error"]
    pairs = [item for item in analyses if item["against"]]
    assert len(errors) == made["trajectories"]["failed"]
    assert {lesson["proof"] for item in errors for lesson in item["lessons"]} == {"ungated"}
    assert pairs, "at the default steadiness some task passes at one seed and fails at the other"
    assert len(errors) + len(pairs) == len(analyses)
    wrong = run(tmp_path, prefect_home, *sums, "--analysts", "+all", "--model", "sim/office", code=2)
    assert "analysts" in wrong.stderr


def test_the_cap_stops_the_run_and_a_higher_one_goes_on(tmp_path: Path, prefect_home: Path, sums: list[object]) -> None:
    calls = tmp_path / "calls"
    done = run(tmp_path, prefect_home, *sums, "--model", "sim/office", "--max-cost", "0.03", calls=calls, code=2)
    assert "--max-cost" in done.complaint
    stats = json.loads(run(tmp_path, prefect_home, "store", "stats", "--json").stdout)
    assert 0 < stats["ledger"]["cost"] <= 0.03
    run(tmp_path, prefect_home, *sums, "--model", "sim/office", calls=calls)
    keys = calls.read_text().split()
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--data", "nowhere", "--model", "sim/office"], "--data nowhere does not exist"),
        (
            ["run", "--data", str(OFFICE.parent / "shell"), "--model", "sim/office"],
            "has no dataset.json: name a directory in SpreadsheetBench layout with --data; or give --domain shell, which",
        ),
        (["run", "--data", OFFICE, "--model", "nosuch/model"], "unknown model 'nosuch/model'"),
        (["run", "--data", OFFICE, "--model", "anthropic/claude-sonnet-4-5"], "ANTHROPIC_API_KEY"),
        (["run", "--data", OFFICE, "--model", "sim/office?nosuch=1"], "its settings are"),
        (["run", "--data", OFFICE, "--model", "sim/office", "--skill", OFFICE], "no SKILL.md"),
        (["run", "--data", OFFICE, "--model", "sim/office", "--price", "cheap"], "give IN,OUT"),
        (["run", "--data", OFFICE, "--model", "sim/office", "--domain", "nosuch"], "unknown domain"),
        (["validate", "nowhere"], "is not a directory"),
        (["show", "run-x"], "there is no store"),
        (["store", "stats"], "there is no store"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_one_message_and_exit_code_2(
    tmp_path: Path, prefect_home: Path, arguments: list[object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    done = run(tmp_path, prefect_home, *arguments, code=2)
    assert said in done.complaint, done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob(".trace2skill/runs/*"))


def test_a_job_of_the_rule_book_that_fails_is_named_and_a_rerun_goes_on_from_it(
    tmp_path: Path, prefect_home: Path, sums: list[object]
) -> None:
    """The merger is a real HTTP server: it answers the first batch of rules with 500 until it is mended."""
    broken, asked = tmp_path / "broken", list[str]()
    guard = threading.Lock()

    class Merger(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            heard = Heard(profile=Profile(), messages=tuple(body["messages"]))
            with guard:
                if not broken.exists() and heard.system.startswith("You compare rules with"):
                    broken.write_text(heard.key)
                down = broken.exists() and broken.read_text() == heard.key
                if not down:
                    asked.append(heard.key)
            message = {"role": "assistant", "content": play(heard).text}
            answer = {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
            }
            content = json.dumps({"error": {"message": "down"}} if down else answer).encode()
            self.send_response(500 if down else 200)
            self.send_header("content-type", "application/json")
            self.send_header("retry-after", "0")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Merger)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    merger = ["--merger-model", "openai/merger", "--api-base", f"http://127.0.0.1:{server.server_port}/v1"]
    command = [*sums, "--model", "sim/office", *merger, "--price", "0,0"]
    try:
        failed = run(tmp_path, prefect_home, *command, code=2)
        said = failed.complaint
        assert re.search(r"assign: 1 of \d+ failed: batch \d+:", said), said
        assert not list(tmp_path.glob(".trace2skill/runs/*/skill"))
        first = list(asked)
        assert first, "the book had been induced"
        broken.write_text("mended")
        run(tmp_path, prefect_home, *command)
        second = asked[len(first) :]
        assert not set(first) & set(second)
        assert second
    finally:
        server.shutdown()
