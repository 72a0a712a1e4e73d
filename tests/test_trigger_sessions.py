"""Triggers by an agent's own program: what is on record counts, what it says does not, and unknown is not no."""

import json
import shlex
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import PATIENCE, ROOT
from product import started
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.core.errors import BadInput, ModelUnusable
from trace2skill.evaluation.trigger_agreement import sample_of
from trace2skill.evaluation.trigger_queries import TriggerQuery

TOOL = shlex.join(["python", str(ROOT / "tests" / "agent_cli.py")])
SKILLS = {
    "pdf-forms": "Fill in the form of a PDF document, and read what stands in its fields.",
    "invoices": "Send invoices and reminders to a customer.",
}
QUERIES: list[tuple[str, str | None]] = [
    ("Fill in the fields of this form for me.", "pdf-forms"),
    ("Send the customer reminders.", "invoices"),
    ("Enter my name in this sheet of the tax office.", "pdf-forms"),
    ("What is the capital of Norway?", None),
    ("Read the document of the landlord to me.", None),
    ("What stands in this document of the landlord?", None),
]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, description in SKILLS.items():
        home = tmp_path / "skills" / name
        home.mkdir(parents=True)
        (home / "SKILL.md").write_text(f"---\nname: {name}\ndescription: {description}\n---\n\n# It\n\n- Do it.\n")
    (tmp_path / "q.json").write_text(json.dumps([{"query": query, "skill": skill} for query, skill in QUERIES]))
    return tmp_path / "skills"


def triggers(library: Path, mode: str, *more: str) -> Any:
    given = {"log": ["home:.claude/projects/*.jsonl"], "visible": [str(ROOT)], "cost_at": '"total_cost_usd": ([0-9.]+)'}
    sets = [word for name, value in given.items() for word in ("--agent-set", f"{name}={json.dumps(value)}")]
    command = f"{TOOL} --prompt-file {{prompt_file}} --mode {mode}"
    how = ["--queries", "q.json", "--model", "sim/office", "--store", "s.duckdb", "--sandbox", "process"]
    return CliRunner().invoke(
        app, ["triggers", str(library), *how, "--harness", "command", "--agent-command", command, *sets, *more]
    )


def test_what_a_program_takes_up_is_read_from_its_records_and_stands_beside_the_choices(library: Path) -> None:
    done = triggers(library, "chooses", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    program = found["program"]
    assert found["queries"] == len(QUERIES)
    assert (program["queries"], program["should"], program["unknown"]) == (6, 3, {})
    by_name = {item["name"]: item for item in program["skills"]}
    assert (by_name["pdf-forms"]["asked"], by_name["pdf-forms"]["right"]) == (2, 1)
    assert by_name["pdf-forms"]["precision"]["mean"] < 1, "of the landlord's document it says much, and did take it up"
    assert by_name["invoices"]["recall"]["mean"] == 1
    counted = {(row["one_call"], row["program"]): row["queries"] for row in program["agreement"]}
    assert sum(counted.values()) == 6
    assert program["same"]["mean"] == 1, "the model of this test chooses by the same words"
    assert program["cost"] == pytest.approx(0.0125 * 8)
    assert program["cost_from"] == {"its own words": 8}
    said = " ".join(triggers(library, "chooses").output.split())
    assert "program right" in said
    assert "both took up the same for 100%" in said
    assert "its sessions cost $0.1000 (8 by its own words)" in said
    again = json.loads(triggers(library, "chooses", "--json").stdout)
    assert again == found, "what is in the store is not begun again"


def test_a_program_without_records_is_unknown_and_gets_no_query(library: Path) -> None:
    done = triggers(library, "chooses-unseen", "--json")
    assert done.exit_code == 0, done.output
    program = json.loads(done.stdout)["program"]
    assert "no records of its own" in program["why_unknown"]
    assert (program["skills"], program["same"]) == ([], None)
    assert program["cost"] == pytest.approx(0.0125 * 2), "the control alone"
    assert "unknown: asked for a skill by its name" in " ".join(triggers(library, "chooses-unseen").output.split())


def test_a_program_that_takes_up_nothing_it_is_asked_for_by_name_is_not_judged(library: Path) -> None:
    done = triggers(library, "chooses-deaf")
    assert isinstance(done.exception, ModelUnusable)
    assert "has no record of taking it up" in str(done.exception)


def test_one_skill_that_is_not_taken_up_by_name_is_left_out_and_asked_for_again(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = ("--agent-set", 'env=["DEAF_TO?"]')
    monkeypatch.setenv("DEAF_TO", "invoices")
    first = json.loads(triggers(library, "chooses", "--json", *deaf).stdout)["program"]
    assert [*first["not_judged"]] == ["invoices"]
    assert ([item["name"] for item in first["skills"]], first["queries"]) == (["pdf-forms"], 5)
    monkeypatch.setenv("DEAF_TO", "")
    mended = json.loads(triggers(library, "chooses", "--json", *deaf).stdout)["program"]
    assert (mended["not_judged"], mended["queries"]) == ({}, 6)
    assert mended["cost"] == pytest.approx(0.0125 * 9), "its first control was paid for, too"


def test_what_sessions_cost_that_broke_is_told(library: Path) -> None:
    done = json.loads(triggers(library, "crash", "--json", "--agent-set", "price_per_rollout=0.25").stdout)["program"]
    assert "it broke" in done["why_unknown"]
    assert done["cost"] == pytest.approx(4 * 0.25), "two attempts for each of two skills"
    assert done["cost_from"] == {"price per rollout, of one that broke": 4}


def test_a_session_that_its_time_ended_is_unknown_unless_it_had_taken_one_up(library: Path) -> None:
    rows = [{"query": "It is late, what time is it?", "skill": None}, {"query": QUERIES[0][0], "skill": "pdf-forms"}]
    Path("q.json").write_text(json.dumps(rows))
    found = json.loads(triggers(library, "chooses", "--query-seconds", "6", "--json").stdout)["program"]
    assert found["unknown"] == {"ended by time limit before it took any up": 1}
    assert sum(row["queries"] for row in found["agreement"] if row["program"] == "unknown") == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--harness", "react"], "are handed the skill"),
        (
            ["--harness", "command", "--agent-command", "true", "--agent-set", "skill_in_prompt=true"],
            "is handed the text",
        ),
        (["--harness", "command", "--agent-command", "true", "--agent-set", "skill_at=.skill"], "there are 2 skills"),
        (["--harness", "claude", "--agent-set", "env=[NO_SUCH_KEY]"], "needs NO_SUCH_KEY"),
        (["--harness", "command", "--agent-command", "true", "--optimise"], "one at a time"),
    ],
)
def test_what_cannot_be_confirmed_is_refused_before_anything_is_asked(
    library: Path, more: list[str], said: str
) -> None:
    how = ["--queries", "q.json", "--model", "sim/office", "--store", "s.duckdb", "--sandbox", "process"]
    done = CliRunner().invoke(app, ["triggers", str(library), *how, *more])
    assert isinstance(done.exception, BadInput), done.output
    assert said in str(done.exception)
    assert "triggers:" not in done.output


@pytest.mark.slow
def test_an_interrupt_ends_the_programs(library: Path, tmp_path: Path, prefect_home: Path) -> None:
    command = ["triggers", library, "--queries", "q.json", "--model", "sim/office", "--store", "s.duckdb"]
    command += ["--sandbox", "process", "--harness", "command", "--agent-command", "sleep 985.25"]
    child = started(tmp_path, prefect_home, *command)
    deadline = time.monotonic() + PATIENCE
    while not sleeping("985.25") and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    began = sleeping("985.25")
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=PATIENCE)
    assert began, said
    assert child.returncode == 130, said
    assert not sleeping("985.25")


def sleeping(mark: str) -> bool:
    return any(["sleep", mark] == process.info["cmdline"] for process in psutil.process_iter(["cmdline"]))


def test_a_sample_is_half_and_half_and_the_same_for_the_same_seed() -> None:
    queries = [TriggerQuery(query=f"q{n}", skill="x" if n % 4 == 0 else "") for n in range(40)]
    first = sample_of(queries, 12, 41)
    assert [sum(bool(item.skill) for item in found) for found in (first, sample_of(queries, 30, 41))] == [6, 10]
    assert first == sample_of(queries[::-1], 12, 41)
    assert first != sample_of(queries, 12, 42)
    assert len(sample_of(queries, 99, 41)) == 40
