"""A domain of one's own: docs/domains.md followed to the letter, the skeleton, and a domain of an installed package."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PATIENCE, ROOT, environment
from domains_of_tests import SUMS, sums_rows
from product import run

from trace2skill.core.errors import BadInput
from trace2skill.domains.skeleton import FILES, write_skeleton

SHELL = frozenset("|&;<>$`*?~")
BLOCK = re.compile(r'^```(?P<kind>sh|python title="(?P<file>[\w./]+)")\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)


def typed(command: str, cwd: Path, home: Path) -> None:
    """A command as a reader types it: ours in this process, any other in a new shell that finds our programs."""
    words = shlex.split(command, comments=True)
    if words[0] == "trace2skill" and not SHELL.intersection(command):
        run(cwd, home, *words[1:])
        return
    known = environment(home) | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-ec", command], cwd=cwd, env=known, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_the_page_followed_to_the_letter_ends_in_a_report(tmp_path: Path, prefect_home: Path) -> None:
    blocks = list(BLOCK.finditer((ROOT / "docs" / "domains.md").read_text()))
    assert [block["file"] for block in blocks if block["file"]] == ["make_data.py", "lists.py"]
    for block in blocks:
        if block["file"]:
            (tmp_path / block["file"]).write_text(block["text"])
            continue
        for command in block["text"].strip().splitlines():
            typed(command, tmp_path, prefect_home)
    made = next(
        found
        for path in tmp_path.glob(".trace2skill/runs/*/summary.json")
        if (found := json.loads(path.read_text()))["domain"] == "lists"
    )
    assert made["failures"] == []
    assert made["candidate"]["applied"]
    analyses = json.loads(run(tmp_path, prefect_home, "lessons", made["run_id"], "--json").stdout)
    assert "verified" in {lesson["proof"] for item in analyses for lesson in item["lessons"]}
    assert (tmp_path / made["candidate_directory"]).parents[1].joinpath("report.html").is_file()


@pytest.mark.slow  # a type checker over a new project
def test_the_skeleton_works_as_it_stands_and_overwrites_nothing(tmp_path: Path, prefect_home: Path) -> None:
    run(tmp_path, prefect_home, "new-domain", "invoices")
    folder = tmp_path / "invoices"
    made = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert made.keys() == {path.format(name="invoices") for path in FILES}
    (_, readme) = (folder / "README.md").read_text().split("```sh\n")
    for command in readme.split("```")[0].strip().splitlines():
        typed(command, folder, prefect_home)
    # By our configuration, which leaves out the types of LiteLLM and OpenAI: six seconds of CPU in place of half a minute.
    mypy = shlex.join(["mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"), "invoices.py"])
    typed(f"ruff check --select E,F,I,UP,B --line-length 120 invoices.py && {mypy}", folder, prefect_home)
    report = next(path for path in folder.glob(".trace2skill/runs/run-*/summary.json"))
    assert json.loads(report.read_text())["domain"] == "invoices"
    (folder / "invoices.py").write_text("mine\n")
    again = run(tmp_path, prefect_home, "new-domain", "invoices", code=2)
    assert "is there already and is left as it is" in again.complaint
    assert (folder / "invoices.py").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [("My-Sums", "lower-case"), ("class", "lower-case"), ("math", "already"), ("json", "Python's own")],
)
def test_a_name_that_cannot_be_is_refused(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said):
        write_skeleton(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_package_registers_its_domain_by_entry_point(tmp_path: Path) -> None:
    site, data = tmp_path / "site", tmp_path / "data"
    (site / "shop-1.0.dist-info").mkdir(parents=True)
    (site / "shop-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    points = "[trace2skill.domains]\nsums = shop:Sums\nbroken = shop:Nothing\n"
    (site / "shop-1.0.dist-info" / "entry_points.txt").write_text(points)
    (site / "shop.py").write_text(SUMS)
    data.mkdir()
    (data / "sums.jsonl").write_text("\n".join(map(json.dumps, sums_rows(8))))
    known = environment(tmp_path / "home") | {"PYTHONPATH": str(site)}
    command = [str(Path(sys.executable).parent / "trace2skill"), "domains", "--json"]
    listed = subprocess.run(command, env=known, capture_output=True, text=True, timeout=120)
    rows = {row["name"]: row for row in json.loads(listed.stdout)}
    assert {"math", "shell", "spreadsheet", "sums", "broken"} <= rows.keys()
    assert rows["sums"]["what"].startswith("Each task gives a few numbers")
    assert "no class Nothing" in rows["broken"]["what"]
    assert {item["name"] for item in rows["shell"]["options"]} == {"check_seconds", "show_check"}
    source = (
        "import sys; from pathlib import Path; from trace2skill.domains import load_domain\n"
        "domain = load_domain('sums'); print(domain.version, len(domain.load(Path(sys.argv[1]))))"
    )
    found = subprocess.run([sys.executable, "-c", source, str(data)], env=known, capture_output=True, text=True)
    assert found.stdout.strip() == "sums 1 8", found.stderr
