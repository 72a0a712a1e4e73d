"""What is stored outlives the code: forms and versions, a golden store of each released version, and what cannot be read."""

import importlib
import json
import logging
import lzma
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, environment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prefect import Flow
from product import run
from pydantic import BaseModel
from typer.testing import CliRunner

import flows.shard
import tasks.steps  # noqa: F401
from tasks.serializer import FormSerializer, readable
from trace2skill.cli.app import app
from trace2skill.core import forms
from trace2skill.core.errors import FormUnreadable
from trace2skill.core.old_records import PATHS
from trace2skill.core.record import Record
from trace2skill.store import Store, open_store

GOLDEN = ROOT / "tests" / "golden"
VERSIONS = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir() and (path / "store.duckdb.xz").exists())
PACKAGES = ("trace2skill", "tasks", "flows")
CHANGED_SINCE: dict[str, set[str]] = {
    "0.1.0": {"audit", "rollout", "merge", "extract", "contrast", "observe", "propose"}
}
"""Stages whose version or prompts have changed on purpose since a golden store was made: they and what follows of them are
computed anew, and nothing else. A golden store made since then has no entry, so that every step of it must be a hit."""
OF_PATCHES = {"propose", "induce", "assign", "write", "candidate"}
FOLLOWING = {
    "audit": {"audit"},
    "rollout": {"rollout", "extract", "contrast", *OF_PATCHES},
    "extract": {"extract", *OF_PATCHES},
    "contrast": {"contrast", *OF_PATCHES},
    "observe": {"observe", *OF_PATCHES},
    "propose": OF_PATCHES,
    "merge": {"induce", "assign", "write", "candidate"},
}


@pytest.fixture(autouse=True)
def _warned() -> Iterator[None]:
    kept, forms._warned = forms._warned, set()
    yield
    forms._warned = kept


@pytest.fixture(params=VERSIONS)
def golden(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like the one that a golden store was made in, as the working directory."""
    laid_out(GOLDEN / request.param, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def laid_out(source: Path, target: Path) -> None:
    shutil.copytree(source / "inputs", target / "inputs")
    (target / ".trace2skill").mkdir()
    packed = (source / "store.duckdb.xz").read_bytes()
    (target / ".trace2skill/store.duckdb").write_bytes(lzma.decompress(packed))


def commands_of(version: str) -> dict[str, list[str]]:
    return json.loads((GOLDEN / version / "commands.json").read_text())


def the_store(folder: Path) -> Store:
    return open_store(folder / ".trace2skill/store.duckdb")


def results_of(folder: Path) -> dict[str, bytes]:
    store = the_store(folder)
    rows = {key: bytes(value) for key, value in store.query("SELECT key, value FROM result")}
    store.close()
    return rows


def steps_in(results: dict[str, bytes]) -> dict[str, bytes]:
    """Without what 0.1.0 kept besides of its flows, pickled under random keys, and what nobody reads."""
    return {key: value for key, value in results.items() if "/" in key}


def again(folder: Path, home: Path, name: str, code: Path | None = None) -> dict[str, Any]:
    """Run a command of the newest golden store over it once more, in this process or by the code in a folder; where no stage has changed, no model is asked."""
    calls = folder / "calls"
    calls.touch()
    arguments = [*commands_of(VERSIONS[-1])[name], "--json"]
    if code is None:
        done: Any = run(folder, home, *arguments, calls=calls)
    else:
        known = environment(home, calls) | {"PYTHONPATH": str(code)}
        main = "import sys; from trace2skill.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", main, *arguments]
        done = subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "cannot be read" not in done.stderr
    if not CHANGED_SINCE.get(VERSIONS[-1]):
        assert calls.read_text() == "", "a model was asked"
    return json.loads(done.stdout)


# The golden stores


def assert_hits(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """Nothing that was there has been made anew, and what is new follows of a stage that has changed on purpose.

    A step that is executed under a key that is there writes its record in the serializer of today, which differs.
    """
    assert {key: after.get(key) for key in before} == before, "a step was executed that the store holds"
    changed = CHANGED_SINCE.get(VERSIONS[-1], set())
    follows = set().union(*(FOLLOWING[stage] for stage in changed))
    for key in after.keys() - before.keys():
        stage = key.partition("/")[0]
        value = FormSerializer().loads(json.loads(readable(after[key]))["result"].encode())
        known_skill = stage == "rollout" and value.skill in skills_in(before)
        assert changed, f"a step was executed: {key}"
        assert stage in follows | {"rollout"}, f"a step was executed: {key}"
        assert "rollout" in changed or not known_skill, "a skill that the store knows was rolled out again"


def skills_in(results: dict[str, bytes]) -> set[str | None]:
    """The skills that were rolled out, None for no skill."""
    rolled = [content for key, content in results.items() if key.startswith("rollout/")]
    return {FormSerializer().loads(json.loads(readable(content))["result"].encode()).skill for content in rolled}


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory, prefect_home: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of the newest golden store after its run was done once more, and what that said."""
    folder = tmp_path_factory.mktemp("repeated")
    laid_out(GOLDEN / VERSIONS[-1], folder)
    return folder, again(folder, prefect_home, "run")


@pytest.fixture
def up_to_date(repeated: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A copy of that folder: the golden store, with what today's steps make of it besides."""
    return shutil.copytree(repeated[0], tmp_path / "repeated")


def test_every_step_of_a_golden_run_is_a_hit(tmp_path: Path, repeated: tuple[Path, dict[str, Any]]) -> None:
    laid_out(GOLDEN / VERSIONS[-1], tmp_path)
    folder, made = repeated
    same_run = made["run_id"] == commands_of(VERSIONS[-1])["ablate"][1]
    assert same_run or "rollout" in CHANGED_SINCE.get(VERSIONS[-1], set()), "it goes on under the id it had"
    assert_hits(results_of(tmp_path), results_of(folder))
    store = the_store(folder)
    row = store.run(made["run_id"])
    store.close()
    assert row is not None
    assert row.state == "completed"


@pytest.mark.slow  # a whole experiment
def test_no_step_of_a_golden_experiment_is_done_again(up_to_date: Path, prefect_home: Path) -> None:
    """Its later rounds roll out what earlier ones changed, so that less can be said of what is new."""
    before = results_of(up_to_date)
    again(up_to_date, prefect_home, "experiment")
    after = results_of(up_to_date)
    assert {key: after.get(key) for key in before} == before
    assert CHANGED_SINCE.get(VERSIONS[-1]) or after == before


def test_every_result_of_a_golden_store_is_read_and_written_without_a_path(golden: Path) -> None:
    found = steps_in(results_of(golden))
    seen = set()
    for key, content in found.items():
        record = json.loads(readable(content))
        assert record["metadata"]["serializer"] == {"type": "trace2skill"}, key
        value = FormSerializer().loads(record["result"].encode())
        assert not isinstance(value, dict), key
        assert forms.decode(forms.encode(value)) == value
        assert "trace2skill." not in record["result"]
        assert "__class__" not in record["result"]
        seen.add(type(value).__name__)
    assert seen >= {forms.known_forms()[name].cls.__name__ for name in PATHS.values()}


def test_the_nouns_of_a_golden_store_are_what_they_were(golden: Path) -> None:
    """Digests name what is stored: they hash the form's name, whatever the class is called."""
    store, known = the_store(golden), forms.known_forms()
    for kind, form in (("patch", "Patch"), ("extraction", "Extraction"), ("groups", "Groups"), ("skill", "Skill")):
        rows = store.query("SELECT id, value FROM noun WHERE kind = ?", [kind])
        assert rows
        for id, value in rows:
            assert forms.from_text(value, known[form].cls).digest == id  # type: ignore[attr-defined]
    store.close()


def test_a_golden_store_is_shown(golden: Path) -> None:
    (run, version) = (commands_of(VERSIONS[0])[name] for name in ("ablate", "promote"))
    runner = CliRunner()

    def said(*arguments: str) -> str:
        done = runner.invoke(app, list(arguments))
        assert done.exit_code == 0, done.output
        assert "cannot be read" not in done.output
        return done.output

    assert run[1] in said("show")
    made = json.loads(said("show", run[1], "--json"))
    assert made["candidate"]["skill"].startswith(version[1])
    assert json.loads(said("lessons", run[1], "--json"))
    assert json.loads(said("versions", "--json"))
    said("report", run[1], "--to", "page")
    assert run[1] in Path("page/report.html").read_text(encoding="utf-8")
    store = the_store(golden)
    skill = forms.known_forms()["Skill"].cls
    kept: Any = store.get("skill", made["candidate"]["skill"], skill)
    store.close()
    for file in kept.files:
        path = Path("skill") / made["candidate"]["skill"][:12] / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content if isinstance(file.content, bytes) else file.content.encode())
    assert json.loads(said("why", f"skill/{made['candidate']['skill'][:12]}", "--json"))


@pytest.mark.slow  # a copy of the project, and a run in it
def test_modules_may_move_and_classes_may_be_renamed(tmp_path: Path, up_to_date: Path, prefect_home: Path) -> None:
    """Neither what the golden store holds is done again, nor what was made of it by the code that has not moved."""
    code = tmp_path / "code"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, code / package, ignore=shutil.ignore_patterns("__pycache__"))
    form = forms.known_forms()["Rolled"].cls
    old = form.__module__
    new = "trace2skill.core.elsewhere"
    path = code / Path(*old.split(".")).with_suffix(".py")
    path.rename(code / Path(*new.split(".")).with_suffix(".py"))
    parent, _, last = old.rpartition(".")
    for file in code.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        text = text.replace(old, new).replace(
            f"from {parent} import {last}", f"from {new.rpartition('.')[0]} import elsewhere as {last}"
        )
        text = re.sub(r'(?<!")\bRolled\b(?!")', "RolledOut", text)
        text = re.sub(r'(?<!")\bCandidate\b(?!")', "Proposition", text)
        file.write_text(text, encoding="utf-8")
    before, calls = results_of(up_to_date), (up_to_date / "calls").read_text()
    again(up_to_date, prefect_home, "run", code)
    assert results_of(up_to_date) == before
    assert (up_to_date / "calls").read_text() == calls, "a model was asked"


# What cannot be read


def test_what_cannot_be_read_is_a_miss_with_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from tasks.results import _read

    store = open_store(tmp_path / "s.duckdb")
    record = {"metadata": {"serializer": {"type": "trace2skill"}}}
    broken = {
        "garbage": b"\x80\x04garbage",
        "bare": b"[1]",
        "pickled": json.dumps({"metadata": {"serializer": {"type": "pickle"}}, "result": "gAWV"}).encode(),
        "future": json.dumps({**record, "result": '{"form": "Merged", "version": 99, "value": {}}'}).encode(),
        "unknown": json.dumps({**record, "result": '{"form": "Nobody", "version": 1, "value": {}}'}).encode(),
        "invalid": json.dumps({**record, "result": '{"form": "Merged", "version": 1, "value": {"groups": "many"}}'}).encode(),
        "untagged": json.dumps({**record, "result": '{"groups": 1}'}).encode(),
        "old": json.dumps({"metadata": {"serializer": {"type": "json"}}, "result": '{"__class__": "os.system", "data": "x"}'}).encode(),
    }  # fmt: skip
    for key, content in broken.items():
        store.put_result(key, content)
        caplog.clear()
        forms._warned.clear()
        for _ in range(3):
            with pytest.raises(ValueError, match="no result under"):
                _read(store, key)
        (warning,) = caplog.records
        assert warning.levelno == logging.WARNING
        assert "run the command again" in warning.getMessage()
        assert {"future": "'Merged'", "unknown": "'Nobody'", "old": "'system'"}.get(key, "") in warning.getMessage()
    caplog.clear()
    forms._warned.clear()
    for key in ("future", "invalid"):  # of one form, for two reasons
        with pytest.raises(ValueError, match="no result under"):
            _read(store, key)
    assert len(caplog.records) == 2
    store.close()


def test_a_noun_that_cannot_be_read_is_a_miss_unless_that_would_lose_something(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, known = open_store(tmp_path / "s.duckdb"), forms.known_forms()
    timing: Any = known["Timing"].cls
    store.put("timing", "good", timing(seconds=1.0))
    for kind in ("timing", "support", "withheld"):
        store._put([("noun", (kind, "bad", '{"colour": "red"}'))])
    assert store.get("timing", "bad", timing) is None
    assert store.all_of("timing", timing) == [timing(seconds=1.0)]
    assert len(caplog.records) == 1
    assert "'Timing'" in caplog.text
    for kind, form in (("support", "SupportLedger"), ("withheld", "Withheld")):
        with pytest.raises(FormUnreadable, match=form):
            store.get(kind, "bad", known[form].cls)  # type: ignore[call-overload]
    store.close()


# Forms


def test_a_form_has_one_class_and_an_upgrade_from_each_version() -> None:
    def renamed(value: dict[str, Any]) -> dict[str, Any]:
        return {"size": value["length"]}

    class Box(Record, form="test box", version=2, upgrades=(renamed,)):
        size: int

    assert forms.decode('[{"form": "test box", "version": 1, "value": {"length": 3}}]') == [Box(size=3)]
    assert forms.from_text('{"length": 3}', Box) == forms.from_text(forms.as_text(Box(size=3)), Box) == Box(size=3)
    assert forms.as_text(Box(size=3)) == '{"form_version":2,"size":3}'
    for broken, reason in (
        ('{"form": "test box", "version": 1, "value": {"width": 3}}', "no upgrade from version 1"),
        ('{"form": "test box", "version": 3, "value": {"size": 3}}', "newer version"),
        ('{"form": "test box", "version": 0, "value": {"size": 3}}', "no version"),
        ('{"form": "test box", "version": true, "value": {"size": 3}}', "no version"),
        ('{"form": "test box", "value": {"size": 3}}', "not in the format"),
    ):
        with pytest.raises(FormUnreadable, match=reason):
            forms.decode(broken)
    with pytest.raises(TypeError, match="choose another"):

        class Crate(Record, form="test box"):
            size: int

    with pytest.raises(TypeError, match="needs 1 upgrades"):

        class Chest(Record, form="test chest", version=2):
            size: int


def test_what_has_no_form_is_neither_hashed_nor_kept(tmp_path: Path) -> None:
    class Formless(Record):
        size: int = 1

    class Plain(BaseModel):
        size: int = 1

    store = open_store(tmp_path / "s.duckdb")
    for use in (
        lambda: Formless().digest,
        lambda: forms.encode(Formless()),
        lambda: forms.encode([Plain()]),
        lambda: forms.encode({1, 2}),
        lambda: store.put("timing", "x", Formless()),
        lambda: store.put("timing", "x", Plain()),
    ):
        with pytest.raises(TypeError):
            use()
    store.close()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(JSON)
def test_plain_values_come_back_as_they_were(value: Any) -> None:
    back = forms.decode(forms.encode(value))
    assert back == value
    assert type(back) is type(value)


def buildable() -> list[str]:
    """The forms whose fields hypothesis can fill: those of validators of their own are in the golden stores."""
    names = ["Rolled", "Extracted", "Observed", "Proposed", "Merged", "Audit", "Timing", "Banked", "Rewritten"]
    return [*names, "Taken", "Withheld", "Allowed", "Quarantined", "Embedded", "Lesson", "Patch", "Batch"]


@pytest.mark.parametrize("name", buildable())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_model_of_a_form_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    cls: Any = forms.known_forms()[name].cls
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
    st.register_type_strategy(str, st.text(st.characters(exclude_categories=["Cs"])))
    value = data.draw(built(cls))
    back = forms.decode(forms.encode([value]))
    assert back == [value]
    assert back[0].digest == value.digest
    assert forms.from_text(forms.as_text(value), cls) == value


def built(cls: type[BaseModel]) -> st.SearchStrategy[Any]:
    def attempt(fields: dict[str, Any]) -> BaseModel | None:
        try:
            return cls(**fields)
        except ValueError:
            return None

    parts = {name: strategy(field.annotation) for name, field in cls.model_fields.items()}
    return st.fixed_dictionaries(parts).map(attempt).filter(lambda value: value is not None)


def strategy(annotation: Any) -> st.SearchStrategy[Any]:
    import types
    import typing

    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return built(annotation)
    if origin is tuple and inside[-1] is Ellipsis:
        return st.lists(strategy(inside[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(strategy, inside))
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(strategy, inside))
    if origin is typing.Annotated:
        return strategy(inside[0])
    if origin is dict:
        return st.dictionaries(strategy(inside[0]), strategy(inside[1]), max_size=3)
    return st.from_type(annotation)


def test_the_table_of_old_paths_names_forms_that_are_known() -> None:
    assert set(PATHS.values()) <= forms.known_forms().keys()


def test_no_flow_keeps_what_it_returns() -> None:
    """Prefect would pickle it under import paths, and hand it to a flow run that is started again."""
    found = []
    for module in pkgutil.iter_modules(flows.__path__, "flows."):
        found += [item for item in vars(importlib.import_module(module.name)).values() if isinstance(item, Flow)]
    assert len(found) > 15
    assert {flow.name for flow in found if flow.persist_result is not False} == set()
