"""docs/python.md, followed to the letter: its blocks are one program."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from conftest import ROOT, environment

import trace2skill

PAGE = ROOT / "docs" / "python.md"
SESSION = """\
{"role": "user", "content": "Sort the names in a.txt."}
{"role": "assistant", "content": "", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "bash", \
"arguments": "{\\"command\\": \\"sort a.txt\\"}"}}]}
{"role": "tool", "tool_call_id": "1", "content": "Ann\\nBob"}
{"role": "assistant", "content": "Done: Ann, Bob."}
"""


def test_the_page_is_a_program_that_runs(tmp_path: Path, prefect_home: Path) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "session.jsonl").write_text(SESSION)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    program = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL))
    said, known = io.StringIO(), environment(prefect_home)
    with (
        patch.dict(os.environ, known, clear=True),
        temporary_settings({PREFECT_API_URL: known["PREFECT_API_URL"]}),
        contextlib.chdir(tmp_path),
        contextlib.redirect_stdout(said),
    ):
        exec(compile(program, str(PAGE), "exec"), {})
    lines = said.getvalue().splitlines()
    assert lines[0].startswith("about $0.")
    assert lines[1].split()[0] in ("promote", "reject", "not_enough_evidence")
    assert (tmp_path / lines[2] / "SKILL.md").is_file()
    assert any(line.startswith("SKILL.md ") for line in lines)
    assert lines[-2].startswith("no skill ")
    assert (tmp_path / "runs").is_dir()


def test_every_name_that_is_offered_is_there_and_others_are_refused_with_a_word() -> None:
    assert all(getattr(trace2skill, name) is not None for name in trace2skill.__all__)
    assert dir(trace2skill) == sorted(trace2skill.__all__)
    with pytest.raises(AttributeError, match="what it offers"):
        _ = trace2skill.refreshed


def test_importing_the_package_imports_none_of_what_it_offers() -> None:
    told = "import sys, trace2skill; print(sorted(name for name in sys.modules if name.startswith('trace2skill.')))"
    done = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
