"""What tests share: where the real data lie, small settings, and one Prefect server for the session."""

import atexit
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from trace2skill.cli.app import _nothing_more_to_say

atexit.register(_nothing_more_to_say)
ROOT = Path(__file__).resolve().parents[1]
OFFICE = ROOT / "examples" / "office"
OFFICE_SKILL = ROOT / "examples" / "skills" / "office-workbooks"


def shared(*parts: str) -> Path:
    """A folder of the real data, which lie outside the project; the test skips where they are missing."""
    path = Path(os.environ.get("TRACE2SKILL_SHARED_DATA", ROOT.parent / "shared" / "data")).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the real data are not at {path}")
    return path


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Prefect server of its own for all flow tests."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
