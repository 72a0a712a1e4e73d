"""The table of CONTRIBUTING.md, 'What a change touches': each row is held against the code, three by making the change."""

import ast
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from conftest import ROOT

from trace2skill.analysts import ANALYSTS
from trace2skill.domains.find import BUILT_IN
from trace2skill.evaluation.acceptance import RULES
from trace2skill.experiment.conditions import Evolve, Human, NoSkill, Parametric, Rewrite
from trace2skill.runs.steps import STEPS
from trace2skill.sim.mistakes.answers import OF_KIND
from trace2skill.store.duck import DuckStore
from trace2skill.store.postgres import PostgresStore
from trace2skill.traces.formats import READERS

TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for top in ("trace2skill", "tasks", "flows", "deployments")
    for path in sorted((ROOT / top).rglob("*.py"))
}


def table() -> dict[str, list[str]]:
    """Of each kind of change, the files that the table names; NAME stands for the new thing's own."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| ([a-z][^|]+) \| ([^|]+) \|", text[text.index("## What a change touches") :], re.M)
    return {what.strip(): re.findall(r"`([^`]+)`", files) for what, files in rows if "`" in files}


@cache
def nodes(place: str) -> list[ast.AST]:
    """Every node of a module, the module itself first. A module is parsed only where its text has what is asked for:
    to parse and walk all of them takes half a minute."""
    return list(ast.walk(ast.parse(TEXTS[place])))


def holding(text: str) -> list[str]:
    """The modules in whose text this stands, be it in a comment."""
    return [place for place, found in TEXTS.items() if text in found]


@cache
def words(place: str) -> set[object]:
    """The names and texts that stand in a module."""
    kinds = ("id", "attr", "arg", "value")
    return {found for node in nodes(place) for kind in kinds if plain(found := getattr(node, kind, None))}


def plain(found: object) -> bool:
    return isinstance(found, (str, bytes, int, float))


def naming(word: str) -> set[str]:
    """The modules in which a name or a text is that word."""
    return {place for place in holding(word) if word in words(place)}


def importing(module: str, name: str) -> set[str]:
    """The modules that import a name of a module."""
    return {
        place
        for place in holding(name)
        for node in nodes(place)
        if isinstance(node, ast.ImportFrom) and node.module == module and name in [item.name for item in node.names]
    }


def allowed(change: str, own: str) -> set[str]:
    return {
        f"trace2skill/{file}" if "/" in file and not file.startswith("flows") else file for file in table()[change]
    } | {own}


def own_file(cls: type) -> str:
    return f"{cls.__module__.replace('.', '/')}.py"


MEMBERS = {
    "a log format": [type(reader) for reader in READERS],
    "an analyst of trajectories": list(ANALYSTS),
    "a rule of the gate": [type(rule) for rule in RULES],
    "a condition of experiments": [NoSkill, Human, Parametric, Evolve, Rewrite],
}


@pytest.mark.parametrize("change", MEMBERS)
def test_nobody_else_names_the_members_of_a_registry(change: str) -> None:
    for cls in MEMBERS[change]:
        assert importing(cls.__module__, cls.__name__) <= allowed(change, own_file(cls)), cls.__name__


def test_stages_are_named_by_the_list_and_by_those_who_order_or_count_them() -> None:
    (listed,) = [file for file in table()["a stage of a run"] if file.endswith("__init__.py")]
    assert listed == "runs/steps/__init__.py"
    for step in STEPS:
        elsewhere = importing(f"trace2skill.runs.steps.{step.name}", step.name.upper()) - {f"trace2skill/{listed}"}
        allowed_places = (
            "flows/",
            "trace2skill/runs/steps/",
            "tasks/reading.py",
            "trace2skill/runs/consolidation.py",
            "trace2skill/runs/estimate.py",
            "trace2skill/experiment/",
        )
        assert all(path.startswith(allowed_places) for path in elsewhere), (step.name, elsewhere)


def test_a_store_is_known_to_the_store_alone() -> None:
    assert table()["another kind of store"] == ["store/"]
    for cls in (DuckStore, PostgresStore):
        assert all(path.startswith("trace2skill/store/") for path in importing(cls.__module__, cls.__name__))


def test_a_domain_is_its_folder_and_a_line() -> None:
    for name, place in BUILT_IN.items():
        module, _, cls = place.partition(":")
        assert all(path.startswith("trace2skill/domains/") for path in importing(module, cls)), name
        assert naming(place) == {"trace2skill/domains/find.py"}


def test_a_mistake_of_the_simulated_model_is_planted_in_one_file() -> None:
    for kind, mistakes in OF_KIND.items():
        for mistake in mistakes:
            assert len(naming(mistake.cause.name)) == 1, (kind, mistake.cause.name)


def test_a_setting_is_declared_once() -> None:
    used = {"trace2skill/consolidate/ledger.py", "trace2skill/runs/closing.py"}
    assert naming("forget_after") - used <= allowed("a setting", "")


def test_a_prompt_is_a_file_and_who_asks_it() -> None:
    asked = {place: rendered(place) for place in {*holding("render("), *holding("PROMPT")}}
    for path in sorted((ROOT / "trace2skill" / "prompts").glob("*.md")):
        asking = [place for place, found in asked.items() if path.stem in found]
        if not asking:  # by a name that is handed on, as the editor's two are
            asking = [place for place in naming(path.stem) if importing_anything(place, "trace2skill.prompts")]
        assert len(asking) == 1, (path.stem, asking)


def importing_anything(place: str, module: str) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.module == module for node in nodes(place))


def rendered(place: str) -> set[object]:
    """The prompts that a module renders, or has rendered: the constants PROMPT and the like."""
    calls = [node for node in nodes(place) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "render"]
    found = {arg.value for call in calls for arg in call.args[:1] if isinstance(arg, ast.Constant)}
    (module, *_) = nodes(place)
    assert isinstance(module, ast.Module)
    assigned = [node for node in module.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
    for node in assigned:
        if any(str(getattr(target, "id", "")).endswith("PROMPT") for target in node.targets):
            found |= {node.value.value, f"{node.value.value}_task"}
    return found


def test_a_recipe_of_an_agent_is_a_file_and_a_name() -> None:
    for path in (ROOT / "trace2skill" / "agents" / "recipes").glob("*.yaml"):
        recipes = ROOT / "trace2skill" / "agents" / "recipes.py"
        assert f'"{path.stem}"' in recipes.read_text()


def test_every_file_of_the_table_is_there() -> None:
    assert len(table()) >= 10
    for change, files in table().items():
        assert files, change
        for file in files:
            if "NAME" not in file:
                assert (ROOT / file).exists() or (ROOT / "trace2skill" / file).exists(), (change, file)


# --- making the change in a copy -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's code with a new analyst, a new stage and a new rule of the gate, by the files that the table names."""
    root = tmp_path_factory.mktemp("changed")
    for top in ("trace2skill", "tasks", "flows"):
        shutil.copytree(ROOT / top, root / top, ignore=shutil.ignore_patterns("__pycache__"))
    library = root / "trace2skill"
    analyst = (library / "analysts" / "success.py").read_text()
    for old, new in (
        ("SuccessAnalyst", "SurpriseAnalyst"),
        ('"success"\n', '"surprise"\n'),
        ('"success_', '"surprise_'),
    ):
        assert old in analyst
        analyst = analyst.replace(old, new)
    (library / "analysts" / "surprise.py").write_text(analyst)
    for kind in ("analyst", "task"):
        shutil.copy(library / "prompts" / f"success_{kind}.md", library / "prompts" / f"surprise_{kind}.md")
    listed(
        library / "analysts" / "__init__.py",
        "trace2skill.analysts.surprise import SurpriseAnalyst",
        "    RulesMiner,\n",
    )
    step = (library / "runs" / "steps" / "audit.py").read_text()
    step = (
        step.replace('name="audit"', 'name="weigh",\n    mapped=True')
        .replace("AUDIT", "WEIGH")
        .replace("def audit", "def weigh")
    )
    (library / "runs" / "steps" / "weigh.py").write_text(
        step.replace("do=audit", "do=weigh").replace("audit: {", "weigh: {")
    )
    listed(library / "runs" / "steps" / "__init__.py", "trace2skill.runs.steps.weigh import WEIGH", "    PAD,\n")
    gate = library / "evaluation" / "acceptance.py"
    rule = "class Never:\n    def against(self, evidence):\n        return 'reject', 'never'\n\n\nRULES: "
    gate.write_text(
        gate.read_text()
        .replace("RULES: ", rule, 1)
        .replace("    SizeCeiling(),\n", "    SizeCeiling(),\n    Never(),\n")
    )
    return root


def listed(registry: Path, imported: str, last: str) -> None:
    """A line of import and an entry behind the last one."""
    text = registry.read_text()
    assert text.count(last) == 1
    name = imported.rpartition(" ")[2]
    text = text.replace(last, f"{last}    {name},\n")
    start = text.index("from trace2skill")
    registry.write_text(f"{text[:start]}from {imported}\n{text[start:]}")


PROGRAM = """
from tasks.steps import TASKS
from trace2skill.evaluation.acceptance import GateSettings
from trace2skill.evaluation.decision import decide
from trace2skill.runs.distill import choose_for_analysis
from trace2skill.runs.sections import LearningSettings
from trace2skill.runs.steps import STEPS
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.types.evaluation import Cell, Evaluation
from trace2skill.types.references import Rolled

LearningSettings(analysts="+error+surprise")
cell = Cell(task_id="t", seed=1, outcome="passed")
rolled = [Rolled(trajectory_id="T", content="c", skill=None, cell=cell)]
print([job.analyst for job in choose_for_analysis(rolled, "+success+surprise")], EXTRACT.asked("surprise").stage)

print(TASKS["weigh"].name, TASKS["weigh"].task_run_name, [step.name for step in STEPS if step.mapped][-1])

def scored(name, hard):
    cells = [Cell(task_id=f"t{n}", seed=1, outcome="passed" if hard else "failed", hard=hard) for n in range(20)]
    return Evaluation.of(name, name, cells)
print(decide(scored("S0", 0.0), scored("candidate", 1.0), GateSettings()).reason)
"""


@pytest.fixture(scope="module")
def said(copy: Path) -> list[str]:
    """What one program says that uses all three changes."""
    known = {**os.environ, "PYTHONPATH": str(copy), "PREFECT_HOME": str(copy / "prefect")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=copy, env=known, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()


def test_a_new_analyst_is_asked_for_chosen_estimated_and_keyed(said: list[str]) -> None:
    assert said[0] == "['success', 'surprise'] extract"


def test_a_new_stage_is_a_task_and_may_fail_in_part(said: list[str]) -> None:
    assert said[1] == "weigh weigh: {task_id} weigh"


def test_a_new_rule_of_the_gate_decides(said: list[str]) -> None:
    assert said[2] == "never"
