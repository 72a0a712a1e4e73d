"""Every way in which a person runs a failed refresh again, on a real server with a real worker.

What is counted is what the simulated provider was asked: a finished step is never asked for again.
"""

import shutil
import time
from collections import Counter
from pathlib import Path

from conftest import PATIENCE
from prefect_project import OPERATED, Project, kill_all, options, settings

from trace2skill.store import open_store

pytestmark = OPERATED


def test_what_failed_is_run_again_by_button_command_and_deployment(project: Project, tmp_path: Path) -> None:
    given = settings(tmp_path, max_failed_share=0.0)
    with project.worker():
        # Two things break: first half of all requests go unanswered, then fewer, then none.
        project.outage.write_text("0.5")
        run = project.start("refresh/nightly-refresh", {"settings": given})
        project.wait(run, "RUNNING")
        second = project.start("refresh/nightly-refresh", {"settings": given})
        assert project.wait(second, "CANCELLED", "COMPLETED", "FAILED")["type"] == "CANCELLED", "no two at once"
        failed = project.wait(run, "FAILED", "COMPLETED")
        assert failed["type"] == "FAILED"
        assert "rollout: " in failed["message"]
        assert " of 4 failed: " in failed["message"]
        listed = project.told("status", "--output", given["output"])
        (name,) = [item["run_id"] for item in listed]
        assert listed[0]["state"] == "failed"
        broken = project.told("failures", name, "--output", given["output"])
        assert {item["kind"] for item in broken} == {"InfrastructureFault"}
        assert all(item["name"] in failed["message"] for item in broken[:5])

        project.outage.write_text("0.1")
        project.run("prefect", "flow-run", "retry", run)
        time.sleep(2)
        project.wait(run, "FAILED", "COMPLETED")

        project.outage.unlink()
        project.press_retry(run)
        project.wait(run, "COMPLETED")
        calls = project.calls_made()
        assert set(Counter(calls).values()) == {1}, "each distinct call was made once over all attempts"
        # Where a second run is to wait for the first instead, it does.
        with project.a_second_run_waits("refresh/nightly-refresh"):
            both = [project.start("refresh/nightly-refresh", {"settings": given}) for _ in range(2)]
            for one in both:
                assert project.wait(one, "FAILED", "COMPLETED")["type"] == "COMPLETED"
            waited = [one for one in both if "AwaitingConcurrencySlot" in project.states_of(one)]
            assert len(waited) == 1, "whichever the worker took first"
    project.told("retry", name, "--output", given["output"])
    backup = tmp_path / "restored"
    backup.mkdir()
    shutil.copy(given["store"], backup / "store.duckdb")
    elsewhere = {**given, "store": backup / "store.duckdb", "output": backup / "runs"}
    restored = project.told("run", *options(elsewhere, "store", "output"), "--model", "sim/office")
    assert restored["run_id"] == name
    assert project.calls_made() == calls, "nothing was asked for again"


def test_a_worker_that_is_killed_loses_only_what_it_had_in_hand(project: Project, tmp_path: Path) -> None:
    sim = {"name": "sim/office?latency=0.15&seed=3"}
    given = settings(tmp_path, roles={"agent": sim, "analyst": sim, "merger": sim}, workers=4)
    with project.worker() as worker:
        run = project.start("refresh/nightly-refresh", {"settings": given}, forked=False)
        deadline = time.monotonic() + PATIENCE
        while len(project.calls_made()) < 8:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        kill_all(worker)
    finished = Counter(project.calls_made())
    store = open_store(Path(given["store"]))
    kept = {key for (key,) in store.query("SELECT call_key FROM ledger WHERE outcome = 'answered'")}
    store.close()
    assert len(finished) - len(kept) <= 4, "at most the calls under way are lost"
    with project.worker():
        project.press_retry(run)
        assert project.wait(run, "COMPLETED", "FAILED")["type"] == "COMPLETED"
    repeated = sum(count - 1 for count in Counter(project.calls_made()).values())
    assert repeated <= 4
    store = open_store(Path(given["store"]))
    again = Counter(key for (key,) in store.query("SELECT call_key FROM ledger WHERE outcome = 'answered'"))
    store.close()
    assert set(again.values()) == {1}, "no answer that was kept was paid for again"
    assert kept <= set(again)
