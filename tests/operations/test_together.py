"""Several runs and several workers in one store: nothing is computed twice, nobody sees a lock error."""

import uuid
from collections import Counter
from pathlib import Path

import databases
from prefect_project import OPERATED, Project, options, settings

pytestmark = OPERATED


def test_runs_side_by_side_and_shards_on_two_workers_share_what_is_done(
    tmp_path: Path, project: Project, postgres: str
) -> None:
    database = databases.fresh(postgres, f"t{uuid.uuid4().hex}")

    # Two runs of the same settings at once, each a process of its own.
    given = settings(tmp_path, store=database)
    words = options(given, "store")
    command = ["trace2skill", "run", *words, "--model", "sim/office?seed=21", "--workers", "4", "--json"]
    told = project.at_once([[*command, "--output", str(tmp_path / f"runs{number}")] for number in range(2)])
    assert [code for code, _, _ in told] == [0, 0], [error[-2000:] for _, _, error in told]
    assert not any("lock" in error.lower() for _, _, error in told)
    assert set(Counter(project.calls_made()).values()) == {1}, "no call was made twice"

    # One run over two workers, which do its rollouts and analyses.
    before = len(project.calls_made())
    sim = {"name": "sim/office?seed=22"}
    roles = {"agent": sim, "analyst": sim, "merger": sim}
    given = settings(tmp_path, roles=roles, store=database, shards=2, workers=2)
    with project.worker(), project.worker():
        run = project.start("refresh/nightly-refresh", {"settings": given})
        state = project.wait(run, "COMPLETED", "FAILED")
    assert state["type"] == "COMPLETED", state["message"]
    calls = Counter(project.calls_made())
    assert len(project.calls_made()) > before
    assert set(calls.values()) == {1}
    (name,) = [item["run_id"] for item in project.told("status", "--output", given["output"])]
    stages = {item["stage"]: item for item in project.told("status", name, "--output", given["output"])["stages"]}
    assert stages["rollout shards"]["done"] == stages["extract shards"]["done"] == 2
    assert stages["rollout"]["cached"] == 4, "the shards did them all"


def test_a_duckdb_store_is_waited_for_with_a_word(tmp_path: Path, project: Project) -> None:
    given = settings(tmp_path)
    command = ["trace2skill", "run", *options(given, "store", "output"), "--model", "sim/office?seed=23"]
    told = project.at_once([command, command])
    assert [code for code, _, _ in told] == [0, 0], [error[-2000:] for _, _, error in told]
    assert sum("waiting up to 12 h for the store" in error for _, _, error in told) == 1
    assert set(Counter(project.calls_made()).values()) == {1}
