"""A refresh with a real model on this machine: real and bad text breaks nothing, and nothing is promoted on noise."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, environment

from trace2skill.core import errors
from trace2skill.sandbox import bubblewrap
from trace2skill.skills.skill import problems, read_skill

SCRIPT = ROOT / "examples" / "local_model.py"
FEWER = ("--tasks", "3", "--max-tokens", "40")
"""Less of the same: the fewest tasks, and shorter answers."""


@pytest.mark.slow
@pytest.mark.skipif(bool(bubblewrap.works()), reason=f"no working bwrap: {bubblewrap.works()}")
def test_a_real_model_without_a_key(tmp_path: Path, prefect_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SCRIPT.parent)
    local_model = importlib.import_module("local_model")
    home = tmp_path / "local"
    try:
        local_model.installed(home)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the model and its server cannot be installed here: {error}")
    command = [sys.executable, str(SCRIPT), "--home", str(home), *FEWER, "--json"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(prefect_home), capture_output=True, text=True, timeout=1800
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = json.loads(done.stdout)
    assert made["spent"]["calls"] > 0
    assert not made["promoted"]
    assert made["decision"]["verdict"] != "promote"
    assert problems(read_skill(Path(made["candidate_directory"]))) == []
    rolled_out = sum(made["trajectories"].values()) + sum(item["stage"] == "rollout" for item in made["failures"])
    assert rolled_out == made["tasks"]["evolve"] > 0
    for failure in made["failures"]:  # what failed says what it is
        assert issubclass(getattr(errors, failure["kind"], object), errors.Trace2SkillError), failure
    assert "Traceback" not in done.stderr
