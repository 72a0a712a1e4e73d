"""What is installed from a wheel, far from any checkout, does what needs no deployment: demo, ingest, run, why, report."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from conftest import ROOT, environment
from sessions_of_tests import sessions


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of a fresh environment with our wheel in it, and the dependencies of this one within sight.

    A line of a .pth file is a place to import from, and no place whose own .pth files count: the checkout stays unseen.
    """
    folder = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).parent / "uv"
    built = subprocess.run(
        [uv, "build", "--wheel", "--quiet", "--out-dir", folder, ROOT], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    venv.create(folder / "env", symlinks=True)
    python = folder / "env" / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    subprocess.run([uv, "pip", "install", "--quiet", "--no-deps", "--python", python, wheel], check=True)
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "empty").mkdir()
    return folder


@pytest.mark.slow
def test_an_installed_package_needs_no_checkout(installed: Path, prefect_home: Path) -> None:
    """Nor do packages named `flows` and `tasks`, which lie where it is called, come in its way."""
    empty = installed / "empty"
    for name in ("flows", "tasks"):
        (empty / name).mkdir()
        (empty / name / "__init__.py").write_text("raise SystemExit('somebody else')\n")

    def said(*arguments: str) -> str:
        done = subprocess.run(
            [installed / "env" / "bin" / "trace2skill", *arguments],
            cwd=empty,
            env=environment(prefect_home) | {"PYTHONPATH": ""},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (empty / "few.yaml").write_text("data:\n  tasks: 4\n")
    summary = json.loads(said("demo", "--settings", "few.yaml", "--json"))
    assert summary["decision"]["verdict"]
    (project,) = (installed / "env" / "lib").glob("python*/site-packages/trace2skill/project")
    again = said(
        "run", "--settings", str(Path(".trace2skill") / "runs" / summary["run_id"] / "settings.yaml"), "--json"
    )
    assert json.loads(again)["run_id"] == summary["run_id"], "the demo's data is found where it was installed"
    assert str(project) in (empty / ".trace2skill" / "runs" / summary["run_id"] / "settings.yaml").read_text()
    assert said("report", summary["run_id"])
    learned = json.loads(said("ingest", str(sessions(empty / "logs")), "--analyst", "rules", "--json"))
    assert "asked by 6 tasks" in said("why", learned["candidate_directory"])
    assert not {"flows", "tasks"} & set(os.listdir(project.parents[1]))
