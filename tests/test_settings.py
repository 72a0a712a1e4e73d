"""`RunSettings`: nested by question, the flat form of earlier versions still read, and the identity of a run."""

import json
import logging
from typing import Any

import pytest
from prefect.utilities.schema_tools.validation import validate
from pydantic import ValidationError

from trace2skill.core.record import Record
from trace2skill.runs import flat_settings
from trace2skill.runs.settings import FLAT, PLACES, SECTIONS, WHAT, RunSettings

SIM = {"name": "sim/office", "price": (1, 2)}
ROLES = {"agent": SIM, "analyst": SIM, "merger": SIM}
PLAIN = {"data": "examples/office", "roles": ROLES, "store": "/tmp/s"}
MUCH: dict[str, Any] = {
    **PLAIN,
    "domain_options": {"a": "b"},
    "skill": "s",
    "tasks": 12,
    "seeds": (1, 2),
    "held_out_seeds": (3,),
    "sources": {"paths": ["logs"]},
    "polish": True,
    "gate": {"level": 0.1, "no_regression": ["x"]},
    "no_skill": True,
    "candidates": 2,
    "select": "validation",
    "max_cost": 3,
    "promote": "auto",
    "agent": {"loop": {"turns": 5}},
    "analyst": {"turns": 7},
    "edits": {"allow_scripts": True},
}
NESTED = {
    "data": {
        "path": "examples/office",
        "domain_options": {"a": "b"},
        "skill": "s",
        "tasks": 12,
        "sources": {"paths": ["logs"]},
    },
    "models": ROLES,
    "learning": {
        "seeds": [1, 2],
        "polish": True,
        "candidates": 2,
        "select": "validation",
        "agent": {"loop": {"turns": 5}},
        "analyst": {"turns": 7},
        "edits": {"allow_scripts": True},
    },
    "gate": {"level": 0.1, "no_regression": ["x"], "no_skill": True, "held_out_seeds": [3]},
    "money": {"max_cost": 3},
    "operation": {"store": "/tmp/s", "promote": "auto"},
}


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flat_settings, "_said", set())


def test_a_name_stands_in_one_section_only() -> None:
    names = [name for key, section in SECTIONS.items() if key != "models" for name in section.model_fields]
    assert len(names) == len(set(names))
    assert set(RunSettings.model_fields) == set(SECTIONS)


def test_the_flat_form_is_read_with_one_warning_that_says_the_new_names(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        first, second = RunSettings.model_validate(MUCH), RunSettings.model_validate(MUCH)
    assert first == second == RunSettings.model_validate(NESTED)
    (record,) = caplog.records
    assert "'max_cost' is 'money.max_cost'" in record.message
    assert "'data' is 'data.path'" in record.message
    assert "'roles' is 'models'" in record.message


def test_every_flat_name_has_a_place_that_exists() -> None:
    for name, place in FLAT.items():
        section, _, field = place.partition(".")
        assert name not in ("path", "level")
        assert not field or field in SECTIONS[section].model_fields, place


def test_what_a_store_kept_is_read_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert RunSettings.kept(json.dumps(MUCH)) == RunSettings.model_validate(NESTED)
        assert RunSettings.kept(RunSettings.model_validate(NESTED).model_dump_json()).learning.polish
    assert not caplog.records


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({**PLAIN, "worker": 3}, "worker"),
        ({**PLAIN, "level": 0.1}, "level"),
        ({**NESTED, "operation": {"worker": 3}}, "operation.worker"),
        ({**NESTED, "workers": 3, "operation": {"worker": 3}}, "operation.worker"),
    ],
)
def test_unknown_names_are_refused(given: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RunSettings.model_validate(given)
    assert place in [".".join(map(str, error["loc"])) for error in refused.value.errors()]


def test_a_run_of_an_earlier_version_goes_on_under_its_own_id() -> None:
    """The digests are those of the version before the settings were nested."""
    plain, much = RunSettings.model_validate(PLAIN), RunSettings.model_validate(MUCH)
    assert plain.identity == "6614c31ce64fd1cec6ecd85d0ba19f9a80670849b5892d699292f29546a915c6"
    assert much.identity == "98420e2b570c894780a64ac29c2381d9e4de16a56d73db71b0f7896f2b8cfbb4"


OTHER: dict[str, Any] = {
    "scripts": {"make": True},
    "domain": "math",
    "domain_options": {"x": "y"},
    "splits": "paper",
    "sources": {"paths": ["elsewhere"]},
    "recalculate": "never",
    "analysts": "+error",
    "error_analyst": "one_call",
    "edits": {"allow_description": True},
    "sandbox": "docker",
    "environment": "/opt/env",
    "agent": {"loop": {"turns": 9}},
    "analyst": {"turns": 9},
    "merge": {"fan_in": 5},
    "thresholds": {"main": 4},
    "limits": {"lines": 400},
    "select": "validation",
    "score": "soft",
    "no_regression": ("t",),
    "spend": "at_once",
    "spread": {"by": "telling"},
    "store": "/tmp/other",
    "output": "/tmp/out",
    "promote": "auto",
    "max_failed_shares": {"rollout": 0.2},
    "limits_held": ("a",),
    "reports_at": "http://x",
    "forge": "github",
    "forge_api": "https://forge.example/api",
    "part_of": "e",
    "of_library": "l",
    "library_read_by": "l",
    "skill_commit": "a" * 40,
    "batch_rest": "fail",
    "skill": "other",
    "seeds": (7,),
    "night_of": "2026-03-01",
    "held_out_seeds": (7,),
    "data": "elsewhere",
    "most_skill_tokens": 900,
    "shrink": {"of": "learned"},
}


@pytest.mark.parametrize("name", sorted(set(PLACES) - {"roles", "runner"}))
def test_what_a_run_computes_is_its_identity_and_nothing_else(name: str) -> None:
    """Every field of the sections that say what is computed changes the identity, and no field of the others does."""
    section, _, field = PLACES[name].partition(".")
    base = RunSettings.model_validate(PLAIN)
    value = OTHER.get(name)
    if value is None:
        before = getattr(getattr(base, section), field)
        value = not before if isinstance(before, bool) else (before or 0) + (0.01 if isinstance(before, float) else 5)
        value = 0.5 if name == "coverage" else value
    given = base.model_dump()
    given[section][field] = value
    changed = RunSettings.model_validate(given)
    assert changed != base
    assert (changed.identity != base.identity) == (section in WHAT)


def test_a_copy_with_other_values_takes_names_of_fields_and_no_others() -> None:
    base = RunSettings.model_validate(PLAIN)
    made = base.changed(workers=2, max_cost=None, tasks=9)
    assert (made.operation.workers, made.money.max_cost, made.data.tasks) == (2, None, 9)
    assert made.operation.store == base.operation.store
    with pytest.raises(KeyError):
        base.changed(worker=2)
    with pytest.raises(KeyError):
        base.model_copy(update={"workers": 2})


@pytest.mark.parametrize("given", [PLAIN, MUCH, NESTED])
def test_prefects_server_lets_both_forms_through(given: dict[str, Any]) -> None:
    schema = {
        "type": "object",
        "properties": {"settings": RunSettings.model_json_schema(ref_template="#/definitions/{model}")},
    }
    schema["definitions"] = schema["properties"]["settings"].pop("$defs")
    plain = json.loads(json.dumps({"settings": given}))
    assert validate(plain, schema, raise_on_error=False, ignore_required=False) == []


def test_the_form_of_the_ui_explains_every_setting() -> None:
    found = RunSettings.model_json_schema()
    for part in [found, *found["$defs"].values()]:
        for name, field in part.get("properties", {}).items():
            if part.get("title") in {section.__name__ for section in SECTIONS.values() if issubclass(section, Record)}:
                assert field.get("description"), f"{part['title']}.{name}"


def test_when_groups_of_edits_were_shown_to_the_merger_is_read_and_means_nothing() -> None:
    base = {"data": {"path": "x"}, "models": ROLES}
    old = RunSettings.model_validate({**base, "learning": {"merge": {"ask": "always", "fan_in": 4}}})
    assert old == RunSettings.model_validate({**base, "learning": {"merge": {"fan_in": 4}}})
