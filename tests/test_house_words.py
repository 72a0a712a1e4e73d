"""The benchmark of the house's conventions: what a text is taken to state, by the words of the checks and of anybody."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, shared
from house_model import script
from house_words import CONVENTIONS, UNTRUE, HouseReader, is_untrue, stated


@pytest.mark.parametrize("name", CONVENTIONS)
def test_each_wording_states_its_convention_and_no_other(name: str) -> None:
    for wording in CONVENTIONS[name].wordings:
        text = wording.replace("{letter}", "T")
        assert stated(text) == {name: "T" if "{letter}" in wording else ""}
        assert not is_untrue(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Never separate the fields by semicolons.", set()),
        ("Write amounts with two decimals, not in cents.", set()),
        ("Sort by the first column, ascending, not from the highest down.", set()),
        ("Keep lines of status T, and never drop one.", set()),
        ("Do not write `.rpt` files.", set()),
        ("Write people by their last name.", set()),
        ("Put the number of each order into the JSON object.", set()),
        ("Fields apart by semicolons. Sort by the first column, the largest first.", {"separator", "order"}),
        ("- Amounts are cents; days are written YYYYDDD", {"cents", "days"}),
    ],
)
def test_what_denies_or_only_touches_a_convention_does_not_state_it(text: str, found: set[str]) -> None:
    assert set(stated(text)) == found


def test_the_checks_own_words_name_all_conventions_and_the_requests_none() -> None:
    data = shared("house_rules")
    said = "\n".join(re.findall(r'"((?:[^"\\]|\\.)*)"', "".join(p.read_text() for p in (data / "checks").glob("*.py"))))
    assert set(stated(said)) == set(CONVENTIONS)
    assert not stated(re.sub(r'"files".*', "", (data / "tasks.jsonl").read_text()))
    assert not stated((ROOT / "examples" / "skills" / "shell-files" / "SKILL.md").read_text())


def test_a_skill_that_was_learned_by_hand_states_them_all() -> None:
    learned = (ROOT / "docs" / "examples" / "house-reports" / "SKILL.md").read_text()
    assert set(stated(learned)) == set(CONVENTIONS)


def test_the_untrue_ones_state_nothing_and_are_known() -> None:
    assert not [text for text in UNTRUE if stated(text) or not is_untrue(f"- {text}")]
    (theme,) = HouseReader().themes(UNTRUE[0])
    assert HouseReader().words(theme) == ""


def test_the_agent_follows_what_is_stated_and_nothing_else(tmp_path: Path) -> None:
    """One task of each kind: with all conventions the check is content, with none it is not."""
    data = shared("house_rules")
    tasks = [json.loads(line) for line in (data / "tasks.jsonl").read_text().splitlines()[:5]]
    assert len({task["kind"] for task in tasks}) == 5
    everything = dict.fromkeys(CONVENTIONS, "") | {"test_lines": "T"}
    for number, (task, known) in enumerate((task, known) for task in tasks for known in (everything, {})):
        place = tmp_path / str(number)
        place.mkdir()
        (place / "orders.csv").write_text(task["files"]["orders.csv"])
        subprocess.run(["bash", "-c", script(task["prompt"], known)], cwd=place, check=True)
        checked = subprocess.run(
            [sys.executable, data / task["check"]], cwd=place, capture_output=True, text=True, check=False
        )
        assert (checked.returncode == 0) == bool(known), checked.stdout
        assert bool(stated(checked.stdout)) != bool(known)
