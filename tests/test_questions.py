"""Mathematics and questions on tables through the command line, from rollout to report, with planted truth."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from product import run
from questions_of_tests import write_math, write_tables

from trace2skill.sim.causes import guided
from trace2skill.sim.lessons import CAUSE_LESSONS
from trace2skill.sim.mistakes.answers import names_of
from trace2skill.skills.skill import read_skill
from trace2skill.types.evaluation import Evaluation

SIMULATED = ("--model", "sim/office", "--sandbox", "process", "--json")


@pytest.mark.parametrize(
    ("domain", "write", "size"), [("math", write_math, 32), ("table_qa", write_tables, 12)], ids=["math", "table_qa"]
)
def test_what_was_planted_is_learned_and_helps(
    domain: str, write: Callable[[Path, int], Path], size: int, tmp_path: Path, prefect_home: Path
) -> None:
    write(tmp_path / "data", size)
    made = json.loads(run(tmp_path, prefect_home, "run", "--domain", domain, "--data", "data", *SIMULATED).stdout)
    assert made["failures"] == []
    candidate = tmp_path / made["candidate_directory"]
    assert (candidate.parents[1] / "report.html").is_file()
    before, after = (Evaluation.model_validate(item).hard for item in made["evaluations"])
    assert after > before
    covered = guided("\n".join(file.content.decode() for file in read_skill(candidate).files)) & set(names_of(domain))
    assert len(covered) >= 3, covered
    # An analyst that never saw gold gave the right answer: without that, no failure supports a line.
    assert any(group["support"]["errors"] for group in made["candidate"]["applied"])


@pytest.mark.slow  # a process for every command on a workbook
def test_a_skill_for_spreadsheets_helps_on_tables_in_workbooks(tmp_path: Path, prefect_home: Path) -> None:
    skill = tmp_path / "spreadsheets"
    skill.mkdir()
    rules = [f"- {CAUSE_LESSONS[name][0].content}" for name in sorted(CAUSE_LESSONS)]
    head = '---\nname: spreadsheets\ndescription: "Works on workbooks."\n---\n\n# Spreadsheets\n\n'
    (skill / "SKILL.md").write_text(head + "\n".join(rules) + "\n")
    write_tables(tmp_path / "data", 8)
    asked = ("--domain", "table_qa", "--domain-option", "form=workbook", "--data", "data", "--recalculate", "never")
    done = run(tmp_path, prefect_home, "evaluate", "spreadsheets", *asked, *SIMULATED)
    scores = {item["condition"]: Evaluation.model_validate(item).hard for item in json.loads(done.stdout)}
    assert scores["spreadsheets"] > scores["no skill"]


def test_data_that_cannot_be_is_refused_at_the_door(tmp_path: Path, prefect_home: Path) -> None:
    write_math(tmp_path / "data", 8)
    path = tmp_path / "data" / "problems.jsonl"
    path.write_text(path.read_text() + '{"problem": "p"}\n')
    refused = run(tmp_path, prefect_home, "run", "--domain", "math", "--data", "data", *SIMULATED, code=2)
    assert "data/problems.jsonl:9: the row has problem; it needs" in refused.complaint
