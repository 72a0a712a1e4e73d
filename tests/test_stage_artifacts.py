"""The progress bars of stages in Prefect's UI, and what a consolidation does to the collector meanwhile."""

import gc
import time
from pathlib import Path
from uuid import uuid4

import pytest
from conftest import PATIENCE
from prefect import flow, get_client, task
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import ThreadPoolTaskRunner

from tasks import artifacts
from tasks.gather import gather
from trace2skill.core.garbage import no_full_collections


def bars(stage: str) -> list[object]:
    """How far the bars of a stage are."""
    wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[f"stage-{stage.replace(' ', '-')}"]))
    with get_client(sync_client=True) as client:
        return [item.data for item in client.read_artifacts(artifact_filter=wanted)]


def staged(stage: str, until_bar: bool) -> list[bool]:
    """Run a flow with a stage of two items, the second of which may wait until the stage has its bar."""

    @task
    def item(waits: bool) -> bool:
        deadline = time.monotonic() + PATIENCE
        while waits and not bars(stage):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return waits

    @flow(task_runner=ThreadPoolTaskRunner(max_workers=2))
    def run() -> list[bool]:
        return gather(None, stage, list(item.map([False, until_bar])), ["first", "second"], tolerated=0.0).results

    return run()


def test_a_stage_that_takes_long_has_a_bar_that_ends_full(prefect_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "PAUSE_SECONDS", 0.05)
    stage = f"slow shards-{uuid4()}"  # as the stage is called in which shards are waited for
    with temporary_settings({PREFECT_API_URL: (prefect_home / "api").read_text()}):
        assert staged(stage, until_bar=True) == [False, True]
        assert bars(stage) == [100.0]


def test_a_stage_that_is_done_at_once_asks_the_server_for_none(
    prefect_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "PAUSE_SECONDS", 3600.0)
    stage = f"quick-{uuid4()}"
    with temporary_settings({PREFECT_API_URL: (prefect_home / "api").read_text()}):
        assert staged(stage, until_bar=False) == [False, False]
        assert bars(stage) == []


def test_full_collections_begin_again_when_the_last_of_several_blocks_ends() -> None:
    usual = gc.get_threshold()
    first, second = no_full_collections(), no_full_collections()
    first.__enter__()
    second.__enter__()
    assert gc.get_threshold()[:2] == usual[:2]
    assert gc.get_threshold()[2] > usual[2] * 1000
    first.__exit__(None, None, None)
    assert gc.get_threshold()[2] > usual[2] * 1000
    second.__exit__(None, None, None)
    assert gc.get_threshold() == usual
