"""An experiment through the command line: every kind of condition once, again for nothing, and what it says of itself."""

import csv
import json
from pathlib import Path

import pytest
from product import Said, run
from questions_of_tests import write_math, write_skill_for_sums

GRID = """\
name: everything
models:
  office: sim/office
learn:
  domain: math
  data: data
  skill: sums
sets:
  - name: validation
  - name: sealed
    split: test
    why: to see that it is recorded
    seeds: [43]
seeds:
  score: [41]
conditions:
  - no_skill
  - human
  - parametric
  - {kind: evolve}
  - {kind: rewrite}
  - {kind: sequential, every: 4, analysts: +error}
  - {kind: reasoning_bank, bank: {embedding: {name: sim/embedding}}}
  - {kind: padded, like: deepening +combined}
ablations:
  - {name: merging, whole: deepening +combined, without: one-shot rewrite}
learning:
  sandbox: process
money: {max_cost: 1}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with problems whose agent only speaks, a skill for them, and a file for the calls."""
    write_math(tmp_path / "data", 16)
    write_skill_for_sums(tmp_path / "sums")
    (tmp_path / "calls").touch()
    return tmp_path


def experiment(cwd: Path, home: Path, *arguments: str, code: int = 0) -> Said:
    return run(cwd, home, "experiment", "grid.yaml", *arguments, calls=cwd / "calls", code=code)


@pytest.mark.slow  # eight conditions; the next one is an experiment of three
def test_every_kind_of_condition_is_made_scored_and_told_and_a_second_run_asks_no_model(
    place: Path, prefect_home: Path
) -> None:
    (place / "grid.yaml").write_text(GRID)
    bill = json.loads(experiment(place, prefect_home, "--dry-run", "--json").stdout)
    assert [row["made"] for row in bill["rows"]] == [False] * 8
    assert not (place / "calls").read_text()
    assert not list(place.glob(".trace2skill/runs/*"))

    first = experiment(place, prefect_home)
    assert "opens sealed tasks" in " ".join(first.stderr.split())
    (directory,) = place.glob(".trace2skill/runs/experiment-*")
    made = json.loads((directory / "experiment.json").read_text())
    assert made["run_id"] == bill["run_id"] == directory.name
    assert made["failures"] == []
    assert [(item["set"], item["number"]) for item in made["openings"]] == [("sealed", 1)]
    arms = {item["arm"]["condition"]: item for item in made["arms"]}
    evolved, sequential = arms["deepening +combined"], arms["sequential 4, +error"]
    assert (evolved["rounds"], sequential["rounds"]) == (1, 2)
    assert evolved["trajectories"] == arms["one-shot rewrite"]["trajectories"] == sequential["trajectories"] == 8
    assert evolved["lessons"] == arms["one-shot rewrite"]["lessons"] > 0, "the same lessons, in one call"
    assert arms["ReasoningBank top-1"]["skill"] == arms["human-written"]["skill"]
    assert abs(arms["S0 as long as deepening +combined"]["tokens"] - evolved["tokens"]) < 25
    skills = {item["skill"] for name, item in arms.items() if not item["bank"] and not name.startswith("S0 as long")}
    assert len(skills) == 6, "no two conditions came out as the same"
    assert all(len(item["evaluation"]["cells"]) == made["tasks"][item["set"]] for item in made["measured"])
    with (directory / "deltas.csv").open(newline="") as opened:
        rows = {(row["condition"], row["against"], row["set"]): row for row in csv.DictReader(opened)}
    assert ("deepening +combined", "human-written", "sealed") in rows
    assert float(rows["ReasoningBank top-1", "human-written", "validation"]["delta low"]) >= -1
    for name in ("tables.md", "report.html", "scores.csv", "effort.csv"):
        assert "deepening +combined" in (directory / name).read_text()
    assert "merging,office,office,sealed" in (directory / "ablations.csv").read_text()

    calls = (place / "calls").read_text().split()
    assert len(calls) == len(set(calls)) == made["spent"]["calls"]
    pages = {
        path.name: path.read_bytes() for path in directory.iterdir() if path.name.endswith((".md", ".csv", ".html"))
    }
    # The same command again, by the run's id.
    again = run(place, prefect_home, "retry", made["run_id"], "--json", calls=place / "calls")
    assert (place / "calls").read_text().split() == calls
    assert json.loads(again.stdout) == made
    assert {name: (directory / name).read_bytes() for name in pages} == pages
    bill = json.loads(experiment(place, prefect_home, "--dry-run", "--json").stdout)
    assert all(row["made"] for row in bill["rows"])
    assert bill["estimate"]["stages"]
    assert sum(stage["steps"] for stage in bill["estimate"]["stages"]) == 0
    assert made["run_id"] in run(place, prefect_home, "status").stdout


def test_an_arm_that_cannot_be_made_is_named_and_the_others_are_scored(place: Path, prefect_home: Path) -> None:
    few = GRID[: GRID.index("  - parametric")] + "  - {kind: evolve}\n" + GRID[GRID.index("learning:") :]
    broken = few.replace(
        "office: sim/office",
        'office: {agent: {name: sim/office}, analyst: {name: "sim/office?server_error=0.9999&retry_after=0", attempts: 1}, merger: {name: sim/office}}',
    )
    (place / "grid.yaml").write_text(broken)
    done = experiment(place, prefect_home, code=1)
    (directory,) = place.glob(".trace2skill/runs/experiment-*")
    made = json.loads((directory / "experiment.json").read_text())
    assert [(item["stage"], item["name"]) for item in made["failures"]] == [("arms", "deepening +combined, by office")]
    assert [item["arm"]["condition"] for item in made["arms"]] == ["no skill", "human-written"]
    assert all(item["evaluation"]["cells"] for item in made["measured"])
    assert "Run the same command again" in (directory / "tables.md").read_text()
    assert "deepening +combined, by office" in done.stdout
