"""Options of the command line: made from the fields of the settings, shared by the commands, and laid over a file."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import product
import pytest
from conftest import OFFICE, OFFICE_SKILL
from pydantic import BaseModel
from questions_of_tests import write_math, write_skill_for_sums
from ruamel.yaml import YAML
from typer.testing import CliRunner

from trace2skill.cli import evidence, ingest, run
from trace2skill.cli import settings_groups as group
from trace2skill.cli.app import app
from trace2skill.cli.settings_options import default_at, field_at
from trace2skill.cli.settings_table import BY_NAME, NOT_OPTIONS, OPTIONS, PANELS
from trace2skill.core.errors import BadInput
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.ingest import IngestSettings
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.settings_file import models_in, read_settings, write_settings

BASIC = ("--data", str(OFFICE), "--model", "sim/office")
RUNNER = CliRunner()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[RunSettings]:
    """The settings that a command would have run with."""
    found: list[RunSettings] = []

    class Enough(Exception):
        pass

    def keep(_: str, settings: RunSettings, *__: object, **___: object) -> None:
        found.append(settings)
        raise Enough

    for module in (run, evidence, ingest):
        monkeypatch.setattr(module, "run_flow", keep)
    return found


def settings_of(told: list[RunSettings], *words: str) -> RunSettings:
    done = RUNNER.invoke(app, list(words))
    assert told, done.output or done.exception
    return told.pop()


def refused(*words: str) -> str:
    done = RUNNER.invoke(app, list(words))
    assert isinstance(done.exception, BadInput), done.output
    return str(done.exception)


def fields_of(model: type[BaseModel], at: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        inner = models_in(field.annotation)
        found += fields_of(inner[0], f"{at}{name}.") if len(inner) == 1 else [f"{at}{name}"]
    return found


def test_every_field_is_an_option_or_is_listed_as_not_one() -> None:
    fields = set(fields_of(RunSettings))
    options = {place for option in BY_NAME.values() for place in option.places}
    assert fields - options == set(NOT_OPTIONS)
    assert options <= fields
    assert all(reason.strip() for reason in NOT_OPTIONS.values())


def test_run_and_estimate_have_every_option_and_no_group_names_what_is_not_there() -> None:
    assert set(BY_NAME) - set(group.RUN) == {"division"}  # --split, where another option has that name
    for name in vars(group):
        if name.isupper() and name != "BOTH_SEEDS":
            assert set(getattr(group, name)) <= set(BY_NAME), name


@pytest.mark.parametrize("command", ["run", "rollout", "distill", "evaluate", "estimate", "ingest", "drift", "ablate"])
def test_help_is_in_sections_that_fit_80_columns(command: str) -> None:
    done = RUNNER.invoke(app, [command, "--help"], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
    lines = done.output.splitlines()
    panels = re.findall(r"─ ([^─]+?) ─", done.output)
    assert "--settings" in done.output
    assert {"Models", "Money", "Operation"} <= set(panels) or command == "ablate"
    assert set(panels) <= {"Options", "Arguments", *PANELS.values()}
    assert max(map(len, lines)) <= 80
    texts = [line[38:-1].strip() for line in lines if line.startswith("│")]
    assert sum(len(text.split()) == 1 for text in texts) < len(texts) / 4  # no column of single words


def test_help_says_bounds_choices_and_defaults_of_the_fields() -> None:
    shown = " ".join(RUNNER.invoke(app, ["run", "--help"], env={"COLUMNS": "80"}).output.replace("│", " ").split())
    assert "(at least 1; at most 256; default 8)" in shown
    assert "(hard, soft; default hard)" in shown
    assert "--split-seed is that of the division" in shown
    for option in OPTIONS:
        if option.name != "division":
            off = default_at(option.places[0]) is True  # what is on is shown by the option that turns it off
            assert (f"--no-{option.flags[2:]}" if off else option.flags) in shown, option.name
            assert option.text or field_at(option.places[0]).description


def other(place: str) -> tuple[str, Any]:
    """(what is typed, what the setting is then), unlike the default and within the bounds."""
    special: dict[str, tuple[str, Any]] = {
        "data.path": ("elsewhere", Path("elsewhere")),
        "data.domain_options": ("a=b", {"a": "b"}),
        "data.sources.paths": ("logs", (Path("logs"),)),
        "learning.analysts": ("+error", "+error"),
        "models.agent.price": ("1,2", (1.0, 2.0)),
        "models.agent.batch_price": ("1,2", (1.0, 2.0)),
        "operation.store": ("postgresql://db/s", "postgresql://db/s"),
        "operation.max_failed_shares": ("rollout=0.5", {"rollout": 0.5}),
        "operation.runner": ("threads", "threads"),
        "gate.no_regression": ("t-1", ("t-1",)),
        "operation.limits_held": ("l", ("l",)),
        "learning.scripts.sources": ("4", 4),
    }
    if place in special:
        return special[place]
    info, default = field_at(place), default_at(place)
    choices = [choice for part in (info.annotation, *get_args(info.annotation)) for choice in get_args(part)]
    words = [choice for choice in choices if isinstance(choice, str) and choice != default]
    if words:
        return words[0], words[0]
    annotation = str(info.annotation)
    if "Path" in annotation:
        return "somewhere", Path("somewhere")
    if "str" in annotation:
        return "sim/office?noise=0" if place.endswith(".name") else "word", "sim/office?noise=0" if place.endswith(
            ".name"
        ) else "word"
    if "int" in annotation and "float" not in annotation:
        least = next((item.ge for item in info.metadata if hasattr(item, "ge")), 1)
        value = max(least, 7) if default != 7 else 8
        return str(value), value
    return "0.5", 0.5


def at(settings: RunSettings, place: str) -> Any:
    value: Any = settings
    for name in place.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize("name", [option.name for option in OPTIONS if option.name != "division"])
def test_each_option_sets_its_fields(name: str, told: list[RunSettings], tmp_path: Path) -> None:
    option = BY_NAME[name]
    basic = BASIC if name == "sources" else (*BASIC, "--sources", "some")
    default = default_at(option.places[0])
    if isinstance(default, bool):
        for flag, value in ((option.flags, True), (f"--no-{option.flags[2:]}", False)):
            settings = settings_of(told, "run", *basic, flag)
            assert [at(settings, place) for place in option.places] == [value] * len(option.places)
        return
    typed, value = other(option.places[0])
    settings = settings_of(told, "run", *basic, option.flags, typed)
    assert [at(settings, place) for place in option.places] == [value] * len(option.places)


def test_seed_is_the_first_rollout_and_split_seed_the_division(told: list[RunSettings]) -> None:
    plain = settings_of(told, "run", *BASIC)
    assert (plain.learning.seeds, plain.gate.held_out_seeds, plain.data.split_seed) == ((41,), (41,), 42)
    seeded = settings_of(
        told, "run", *BASIC, "--seed", "7", "--seeds", "2", "--held-out-seeds", "3", "--split-seed", "5"
    )
    assert seeded.learning.seeds == (7, 8)
    assert seeded.gate.held_out_seeds == (7, 8, 9)
    assert seeded.data.split_seed == 5
    scored = settings_of(told, "evaluate", *BASIC, "--seeds", "2")
    assert scored.gate.held_out_seeds == (41, 42)


def test_the_commands_share_the_options(told: list[RunSettings]) -> None:
    more = (*BASIC, "--temperature", "0.5", "--max-tokens", "99", "--workers", "3", "--step-seconds", "9")
    for command in ("run", "rollout", "distill", "evaluate", "drift"):
        skill = () if command == "evaluate" else ("--skill", str(OFFICE_SKILL))
        settings = settings_of(told, command, *more, *skill)
        assert (settings.models.merger.temperature, settings.models.agent.max_tokens) == (0.5, 99)
        assert (settings.operation.workers, settings.operation.step_seconds) == (3, 9)


def test_a_file_of_settings_is_laid_under_what_is_typed(told: list[RunSettings], tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "data: {path: elsewhere, tasks: 30}\n"
        "models: {agent: {name: sim/office, temperature: 0.5}, analyst: {name: sim/office}, merger: {name: sim/office}}\n"
        "learning: {polish: true, seeds: [3, 5], merge: {tokens: 8000}}\nmoney: {max_cost: null}\n"
    )
    plain = settings_of(told, "run", "--settings", str(file))
    assert (plain.data.path, plain.data.tasks, plain.money.max_cost) == (Path("elsewhere"), 30, None)
    assert plain.learning.seeds == (3, 5)
    typed = settings_of(told, "run", "--settings", str(file), "--data", str(OFFICE), "--no-polish", "--fan-in", "4", "--max-cost", "2", "--model", "sim/office?noise=0")  # fmt: skip
    assert (typed.data.path, typed.data.tasks, typed.money.max_cost) == (OFFICE, 30, 2)
    assert not typed.learning.polish
    assert (typed.learning.merge.tokens, typed.learning.merge.fan_in) == (8000, 4)
    assert (typed.models.agent.name, typed.models.agent.temperature) == ("sim/office?noise=0", 0.5)
    assert settings_of(told, "run", "--settings", str(file), "--seeds", "2").learning.seeds == (3, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("operation: {worker: 3}\n", "there is no setting 'operation.worker': did you mean 'operation.workers'?"),
        ("operatoin: {workers: 3}\n", "there is no setting 'operatoin': did you mean 'operation'?"),
        ("learning: {merge: {fanin: 3}}\n", "'learning.merge.fanin': did you mean 'learning.merge.fan_in'?"),
        (
            "operation: {worker: 3}\nmax_cots: 3\n",
            "there is no setting 'operation.worker': did you mean 'operation.workers'?; there is no setting 'max_cots'",
        ),
        ("max_cots: 3\n", "there is no setting 'max_cots': did you mean 'money.max_cost'?"),
        ("- 1\n", "settings are a mapping with the sections data, models"),
        ("data: [\n", "not YAML"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    message = refused("run", *BASIC, "--settings", str(file))
    assert said in message
    assert str(file) in message


def test_what_is_missing_or_cannot_be_is_said_by_its_option() -> None:
    assert refused("run").startswith("give --data (data.path), --model (models.agent.name), or a file")
    assert "--workers (operation.workers): Input should be less than" in refused("run", *BASIC, "--workers", "1000")
    assert "--skill" in refused("distill", *BASIC)
    assert "cannot be read" in refused("run", "--settings", "nowhere.yaml")


def test_a_file_with_flat_names_is_read(told: list[RunSettings], tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    sim = {"name": "sim/office"}
    file.write_text(
        json.dumps({"data": "x", "roles": dict.fromkeys(("agent", "analyst", "merger"), sim), "workers": 3})
    )
    found = settings_of(told, "run", "--settings", str(file))
    assert (found.data.path, found.operation.workers) == (Path("x"), 3)


def test_what_is_written_is_read_back_and_holds_no_secret(told: list[RunSettings], tmp_path: Path) -> None:
    much = ("--domain-option", "a=b", "--price", "1,2", "--max-failed", "rollout=0.2", "--candidates", "2")
    settings = settings_of(told, "run", *BASIC, "--skill", str(OFFICE_SKILL), "--sources", "logs", *much)
    path = write_settings(settings, tmp_path / "run-x")
    assert RunSettings.model_validate(read_settings(path)) == settings
    assert settings_of(told, "run", "--settings", str(path)) == settings
    secret = "sk-ant-api03-" + "aB3dE5fG7h" * 8 + "AA"
    hidden = settings_of(told, "run", *BASIC, "--api-base", f"http://me:{secret}@host/v1")
    assert secret not in write_settings(hidden, tmp_path / "run-y").read_text()


@pytest.mark.parametrize(("more", "roles"), [((), set()), (("--model", "sim/office", "--analyst", "rules", "--judge"), {"analyst"}), (("--model", "sim/office"), {"analyst", "merger"})])  # fmt: skip
def test_which_roles_an_ingestion_asks(told: list[RunSettings], more: tuple[str, ...], roles: set[str]) -> None:
    settings = settings_of(told, "ingest", "logs", *more)
    assert settings.roles_asked == roles
    assert settings.asks_a_model == bool(roles)


def test_the_command_and_the_deployment_of_an_ingestion_are_one_run(told: list[RunSettings]) -> None:
    sim = ModelSettings(name="sim/office")
    for words, more in ((), {}), (("--model", sim.name), {"roles": Roles.all_played_by(sim), "analyst": "model"}):
        typed = settings_of(told, "ingest", "logs", "more", *words, "--max-cost", "3", "--store", "/tmp/s")
        paths = (Path("logs"), Path("more"))
        assert typed == IngestSettings(paths=paths, max_cost=3, store=Path("/tmp/s"), **more).as_run()


def test_a_judge_without_a_key_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.json").write_text("[]")
    assert "OPENAI_API_KEY" in refused("ingest", "logs", "--analyst", "rules", "--judge", "--model", "openai/gpt-4o")
    assert not (tmp_path / ".trace2skill" / "runs").exists()
    assert "name it with --model" in refused("ingest", "logs", "--judge")
    assert "name log files" in refused("ingest")


def test_estimate_has_what_run_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plain, more = (
        json.loads(RUNNER.invoke(app, ["estimate", *BASIC, "--skill", str(OFFICE_SKILL), "--json", *words]).stdout)
        for words in ((), ("--held-out-seeds", "2", "--candidates", "2", "--no-skill"))
    )
    steps = [next(row["steps"] for row in found["stages"] if row["stage"] == "rollout") for found in (plain, more)]
    assert steps[1] > steps[0]


def test_a_run_is_repeated_by_its_file(tmp_path: Path, prefect_home: Path) -> None:
    write_math(tmp_path / "data", 12)
    write_skill_for_sums(tmp_path / "sums")

    def call(*words: object) -> dict[str, Any]:
        said = product.run(tmp_path, prefect_home, *words, "--json", calls=tmp_path / "calls")
        found: dict[str, Any] = json.loads(said.stdout)
        return found

    given = ("--domain", "math", "--data", "data", "--skill", "sums", "--model", "sim/office", "--sandbox", "process")
    first = call("run", *given, "--error-analyst", "one_call", "--analysts", "+error")
    (file,) = tmp_path.glob(".trace2skill/runs/*/settings.yaml")
    assert YAML(typ="safe").load(file)["learning"]["error_analyst"] == "one_call"
    paid = (tmp_path / "calls").read_text()
    again = call("run", "--settings", file)
    assert again["run_id"] == first["run_id"]
    assert again["candidate"]["skill"] == first["candidate"]["skill"]
    assert (tmp_path / "calls").read_text() == paid
