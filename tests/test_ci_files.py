"""The files for GitHub Actions and GitLab CI: pinned, and their shell does what they say, night after night."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from ruamel.yaml import YAML

PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
SESSION = [{"role": "user", "content": "Count the rows."}, {"role": "assistant", "content": "Seven."}]


def loaded(name: str) -> Any:
    return YAML(typ="safe").load((ROOT / "deployments" / name).read_text())


def steps() -> list[dict[str, Any]]:
    return list(loaded("github/action.yml")["runs"]["steps"])


def test_everything_that_the_action_uses_is_pinned_to_a_commit_and_no_input_is_text_of_a_script() -> None:
    text = (ROOT / "docs" / "ci.md").read_text()
    used = [step["uses"] for step in steps() if "uses" in step] + re.findall(r"uses: (actions/\S+)", text)
    assert len(used) >= 5
    assert all(PINNED.fullmatch(name) for name in used)
    scripts = [step["run"] for step in steps() if "run" in step]
    assert scripts
    assert all("${{" not in script for script in scripts)
    assert all(step["shell"] == "bash" for step in steps() if "run" in step)


def test_the_store_is_kept_whatever_became_of_the_night() -> None:
    saved = next(step for step in steps() if "cache/save" in step.get("uses", ""))
    restored = next(step for step in steps() if "cache/restore" in step.get("uses", ""))
    assert saved["if"] == "always()"
    assert saved["with"]["path"] == restored["with"]["path"] == ".trace2skill"
    assert saved["with"]["key"] == restored["with"]["key"]
    assert restored["with"]["restore-keys"].strip() in saved["with"]["key"]
    job = loaded("gitlab/refresh.gitlab-ci.yml")["trace2skill"]
    assert (job["cache"]["paths"], job["cache"]["when"]) == ([".trace2skill"], "always")


@pytest.fixture
def project(tmp_path: Path, prefect_home: Path) -> tuple[Path, dict[str, str]]:
    """A repository with settings and logs, and the environment of a job in it."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.jsonl").write_text(json.dumps({"messages": SESSION}))
    (tmp_path / "night.yaml").write_text("operation: {promote: stage}\n")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return tmp_path, {
        **os.environ,
        "PATH": path,
        "PREFECT_HOME": str(prefect_home),
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "1",
    }


def run(
    shell: list[str], script: str, project: tuple[Path, dict[str, str]], **more: str
) -> subprocess.CompletedProcess[str]:
    folder, environment = project
    (folder / "step.sh").write_text(script)
    command = [*shell, "step.sh"]
    return subprocess.run(command, cwd=folder, env={**environment, **more}, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_shell_of_both_runs_a_night_and_the_next_one_reads_nothing_again(
    project: tuple[Path, dict[str, str]],
) -> None:
    folder, _ = project
    script = next(step["run"] for step in steps() if step.get("id") == "refresh")
    arguments = "logs\n--analyst\nrules\n"
    told = {"RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(folder / "out"), "SETTINGS": "night.yaml"}
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
    done = run(bash, script, project, **told, COMMAND="ingest", ARGUMENTS=arguments)
    assert done.returncode == 0, done.stderr
    first = json.loads((folder / "trace2skill.json").read_text())
    assert (folder / "out").read_text().startswith("verdict=")
    assert first["sources"]["unchanged"] == 0
    gitlab = loaded("gitlab/refresh.gitlab-ci.yml")["trace2skill"]["script"][-1]
    again = run(
        ["sh", "-e"],
        gitlab,
        project,
        T2S_COMMAND="ingest",
        T2S_SETTINGS="night.yaml",
        T2S_ARGUMENTS=f"{arguments}--json",
    )
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["sources"]["unchanged"] == 1
    refused = run(bash, script, project, **told, COMMAND="rm -rf /", ARGUMENTS="")
    assert refused.returncode == 2
    assert "'run' or 'ingest'" in refused.stderr
