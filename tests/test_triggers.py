"""Do descriptions bring an agent to a skill? Measured by choices of a model, once a control has fired."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Plays
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.core.errors import BadInput, ModelUnusable
from trace2skill.evaluation.trigger_queries import TriggerQuery, read_queries
from trace2skill.evaluation.triggers import report_on, wilson
from trace2skill.sim.conversation import Heard, Spoken
from trace2skill.sim.roles import play

DESCRIPTIONS = {
    "pdf-forms": "Fill in the form of a PDF document, and read what stands in its fields.",
    "invoices": "Use it for any letter, landlord, tables, files, invoice or customer of a user.",
    "sheets": "Writes pivot tables.",
}
QUERIES: list[tuple[str, str | None]] = [
    ("Fill in the fields of this PDF form for me.", "pdf-forms"),
    ("Which fields does the PDF of the tax office have, and what stands in its form?", "pdf-forms"),
    ("Send the customer the invoice of May.", "invoices"),
    ("Add a column with totals to the workbook of sales.", "sheets"),
    ("Write a letter to my landlord about files and tables of the flat.", None),
    ("What is the capital of Norway?", None),
]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, description in DESCRIPTIONS.items():
        home = tmp_path / "skills" / name
        home.mkdir(parents=True)
        (home / "SKILL.md").write_text(f"---\nname: {name}\ndescription: {description}\n---\n\n# It\n\n- Do it.\n")
    (tmp_path / "q.json").write_text(json.dumps([{"query": query, "skill": skill} for query, skill in QUERIES]))
    return tmp_path / "skills"


def triggers(library: Path, *more: str, model: str = "sim/office") -> Any:
    how = ["--queries", "q.json", "--model", model, "--store", "s.duckdb"]
    return CliRunner().invoke(app, ["triggers", str(library), *how, *more])


def test_a_description_that_is_too_broad_takes_what_is_not_its_own_and_a_narrow_one_misses_its_own(
    library: Path,
) -> None:
    found = json.loads(triggers(library, "--json").stdout)
    by_name = {item["name"]: item for item in found["skills"]}
    assert by_name["pdf-forms"]["precision"]["mean"] == by_name["pdf-forms"]["recall"]["mean"] == 1
    assert by_name["invoices"]["precision"]["mean"] < 1, "too broad"
    assert by_name["sheets"]["recall"]["mean"] == 0, "too narrow"
    assert by_name["sheets"]["precision"] is None, "of nothing there is no share"
    assert found["unreadable"] == 0
    said = " ".join(triggers(library).output.split())
    assert "invoices and not none: Write a letter to my landlord" in said
    assert "too few queries to tell much of" in said
    assert f"{len(QUERIES) + len(DESCRIPTIONS)} model calls, $0.0" in said
    assert "A simulated model chose" in said


def test_what_was_asked_is_not_paid_for_again(library: Path, plays: Plays) -> None:
    asked: list[str] = []

    def speak(heard: Heard) -> Spoken:
        asked.append(heard.opening)
        return play(heard)

    plays(speak)
    first = triggers(library, "--json", model="sim/scripted")
    assert len(asked) == len(QUERIES) + len(DESCRIPTIONS)
    again = triggers(library, "--json", model="sim/scripted")
    assert len(asked) == len(QUERIES) + len(DESCRIPTIONS)
    assert first.stdout == again.stdout


def test_where_the_control_does_not_fire_nothing_is_judged(library: Path, plays: Plays) -> None:
    asked: list[str] = []

    def deaf(heard: Heard) -> Spoken:
        asked.append(heard.opening)
        return Spoken(text='{"skill": ""}')

    plays(deaf)
    done = triggers(library, model="sim/scripted")
    assert isinstance(done.exception, ModelUnusable)
    assert "says nothing of descriptions" in str(done.exception)
    assert len(asked) == len(DESCRIPTIONS), "and no query is paid for"


@pytest.mark.parametrize("said", ['{"skill": "no-such-skill"}', "I cannot say."])
def test_an_answer_that_names_no_skill_is_none(library: Path, plays: Plays, said: str) -> None:
    plays(lambda heard: play(heard) if "Use the skill" in heard.block("request") else Spoken(text=said))
    found = json.loads(triggers(library, "--json", model="sim/scripted").stdout)
    assert found["unreadable"] == len(QUERIES)
    assert found["misjudged"] == []


def test_an_answer_that_cannot_be_used_counts_for_nothing() -> None:
    queries = [TriggerQuery(query="a", skill="x"), TriggerQuery(query="b", skill="")]
    found = report_on("m", ["x"], queries, {"a": None, "b": ""})
    assert (found.unreadable, found.skills[0].asked, found.skills[0].recall) == (1, 0, None)


@pytest.mark.parametrize(
    ("right", "of", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634)]
)
def test_intervals_are_wilsons(right: int, of: int, low: float, high: float) -> None:
    found = wilson(right, of)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        ("- query: a\n  skill: other\n", ["x"], "names 'other', which is no skill here: there is x"),
        ("- query: a\n", ["x"], "does not say which"),
        ("- should_trigger: true\n  query: a\n", ["x", "y"], "does not say which"),
        ("- query: ''\n  skill: x\n", ["x"], "query 1 has no text"),
        ("- {query: a, skill: x}\n- {query: a, skill: null}\n", ["x"], "stands there twice"),
        ("[]", ["x"], "holds no query"),
        ("a: [", ["x"], "neither YAML nor JSON"),
    ],
)
def test_a_file_that_says_nothing_is_refused_with_the_place(
    tmp_path: Path, text: str, names: list[str], said: str
) -> None:
    (tmp_path / "q.yaml").write_text(text)
    with pytest.raises(BadInput, match=said):
        read_queries(tmp_path / "q.yaml", names)


def test_the_form_of_other_tools_is_read(tmp_path: Path) -> None:
    file = tmp_path / "eval_queries.json"
    file.write_text(
        json.dumps({"queries": [{"query": "a", "should_trigger": True}, {"query": "b", "should_trigger": False}]})
    )
    assert [(item.query, item.skill) for item in read_queries(file, ["x"])] == [("a", "x"), ("b", "")]
