"""What an experiment file may say, and what is said of one that is wrong. Nothing runs here."""

import dataclasses
from pathlib import Path

import pytest
from conftest import ROOT

from trace2skill.core.errors import BadInput
from trace2skill.domains.find import domain_names
from trace2skill.evaluation.compare import compare
from trace2skill.experiment.definition import Experiment
from trace2skill.experiment.grid import Arm, ArmResult, arms_of, condition_of, references_of, uses
from trace2skill.experiment.pages import as_csv, as_markdown
from trace2skill.experiment.reading import read_experiment
from trace2skill.experiment.result import ExperimentResult, MeasuredArm
from trace2skill.experiment.tables import Table, tables_of
from trace2skill.llm import Roles
from trace2skill.runs import flat_settings
from trace2skill.types.comparison import Interval
from trace2skill.types.evaluation import Cell, Evaluation

FILES = sorted((ROOT / "experiments").glob("*.yaml"))
PLANNED = {"math", "table_qa", "document_qa", "shell"}
GOOD = """\
name: tried
models:
  a: sim/office
learn:
  data: office
  skill: skill
sets:
  - name: validation
conditions:
  - no_skill
  - human
  - {kind: evolve, analysts: +error}
"""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_of_ours_hangs_together(path: Path) -> None:
    found = read_experiment(path)
    assert found.about
    domains = {found.learn.domain, *(item.domain for item in found.sets if item.domain)}
    assert domains <= {*domain_names(), *PLANNED}
    if path.stem.startswith("paper-"):
        assert found.name == path.stem
        assert all(item.why for item in found.sets), "the paper's figures are on sealed tasks"
    if "\nsmall:" in path.read_text():
        small = read_experiment(path, small=True)
        assert small.simulated
        assert small.learn.data.is_dir()


OLD = """\
limits:
  recalculate: never
  size: {lines: 300}
  merge: {fan_in: 4}
max_cost: 3
workers: 2
max_failed_share: 0.2
"""
NEW = """\
learning:
  limits: {lines: 300}
  merge: {fan_in: 4}
money: {max_cost: 3}
operation: {workers: 2, max_failed_share: 0.2}
"""


def test_names_of_before_the_sections_are_read_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flat_settings, "_said", set())
    (tmp_path / "old.yaml").write_text(GOOD + OLD)
    (tmp_path / "new.yaml").write_text(GOOD.replace("  skill: skill\n", "  skill: skill\n  recalculate: never\n") + NEW)
    new = read_experiment(tmp_path / "new.yaml")
    assert not caplog.records
    assert read_experiment(tmp_path / "old.yaml") == new
    (said,) = [record.message for record in caplog.records]
    assert "'max_cost' is 'money.max_cost'" in said
    assert new.learning.limits.lines == 300
    (tmp_path / "wrong.yaml").write_text(GOOD + "money: {max_cosst: 3}\n")
    with pytest.raises(BadInput, match=r"wrong.yaml:13: money.max_cosst"):
        read_experiment(tmp_path / "wrong.yaml")


def test_the_small_size_of_the_papers_table_has_every_condition_and_baseline() -> None:
    whole, small = (read_experiment(ROOT / "experiments" / "paper-spreadsheet.yaml", small=s) for s in (False, True))
    assert {item.label for item in whole.conditions} <= {item.label for item in small.conditions}
    kinds = {"no_skill", "human", "parametric", "evolve", "sequential", "rewrite", "reasoning_bank", "padded"}
    assert {item.kind for item in small.conditions} == kinds
    assert (small.learn.tasks, len(small.seeds.learn), len(small.seeds.score)) == (24, 2, 2)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("name: tried", "name: Tried It"), "exp.yaml:1: name: String should match"),
        (("  data: office\n", ""), "exp.yaml:4: learn.data: Field required"),
        (("analysts: +error", "analysts: error"), "exp.yaml:12: conditions.2.analysts: String should match"),
        (("kind: evolve", "kind: evolved"), "exp.yaml:12: conditions.2: Input tag 'evolved'"),
        (("kind: evolve", "every: 0, kind: sequential"), "exp.yaml:12: conditions.2.every: Input should be greater"),
        (("- human\n", "- no_skill\n"), "exp.yaml:9: conditions: 'no skill' stands there twice"),
        (("  skill: skill\n", ""), "exp.yaml:10: conditions.1: 'human-written' starts from the human-written skill"),
        (("+error}", "+error, against: [nobody]}"), "exp.yaml:12: conditions.2.against: there is no 'nobody'; there"),
        (("- name: validation", "- {name: x, split: test}"), "exp.yaml:8: sets.0: split 'test' opens sealed tasks"),
        (("- name: validation", "- {name: x, tasks: 9}"), "exp.yaml:8: sets.0: domain, its options, tasks and"),
        (("a: sim/office", "a: {agent: sim/office}"), "exp.yaml:3: models.a"),
        (("name: tried", "name: tried\nauthors: [b]"), "exp.yaml:2: authors: there is no 'b'; there is a"),
        (("name: tried", "name: tried\nworker: 3"), "exp.yaml:2: worker: Extra inputs are not permitted"),
        (("name: tried", "name: 'tried"), "not YAML"),
        (("name: tried", "name: tried\nname: again"), "exp.yaml:2: not YAML: found duplicate key"),
    ],
    ids=lambda value: value[1][:30] if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_said_with_file_line_and_field(tmp_path: Path, changed: tuple[str, str], said: str) -> None:
    path = tmp_path / "exp.yaml"
    assert changed[0] in GOOD
    path.write_text(GOOD.replace(*changed))
    with pytest.raises(BadInput) as error:
        read_experiment(path)
    assert said in str(error.value)


def test_a_mistake_under_small_is_found_there(tmp_path: Path) -> None:
    path = tmp_path / "exp.yaml"
    path.write_text(GOOD + "small:\n  learn:\n    tasks: 1\n")
    assert read_experiment(path).learn.tasks is None
    with pytest.raises(BadInput, match=r"exp.yaml:15: small.learn.tasks: Input should be greater"):
        read_experiment(path, small=True)
    path.write_text(GOOD)
    with pytest.raises(BadInput, match="no section `small:`"):
        read_experiment(path, small=True)
    with pytest.raises(BadInput, match="cannot be read"):
        read_experiment(tmp_path / "nowhere.yaml")


def test_paths_are_from_the_files_own_place_and_one_model_plays_every_role(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    path = tmp_path / "deep" / "exp.yaml"
    path.write_text(GOOD.replace("data: office", "data: ../office"))
    found = read_experiment(path)
    assert found.learn.data == tmp_path / "office"
    assert found.models["a"] == Roles.all_played_by(found.models["a"].agent)


@dataclasses.dataclass
class Grid:
    """A result made by hand: scores by arm, user and set, so that the tables can be checked by hand."""

    experiment: Experiment

    def result(self, scores: dict[tuple[str, str, str, str], list[float]]) -> ExperimentResult:
        measured = []
        for (condition, author, user, tested), values in scores.items():
            cells = [
                Cell(
                    task_id=f"t{n}",
                    seed=1,
                    outcome="passed" if value == 1 else "failed",
                    hard=float(value == 1),
                    soft=value,
                )
                for n, value in enumerate(values)
            ]
            arm = Arm(condition=condition, author=author)
            measured.append(
                MeasuredArm(arm=arm, user=user, set=tested, evaluation=Evaluation.of(arm.name, None, cells))
            )
        arms = tuple(ArmResult(arm=arm) for arm in dict.fromkeys(item.arm for item in measured))
        return ExperimentResult(
            run_id="experiment-x",
            experiment=self.experiment,
            simulated=True,
            tasks={},
            seeds={},
            arms=arms,
            measured=tuple(measured),
            directory=Path("somewhere"),
        )


def experiment(**more: object) -> Experiment:
    values = {
        "name": "tried",
        "models": {"big": "sim/office", "little": "sim/office?seed=1"},
        "learn": {"data": "data", "skill": "skill"},
        "sets": [{"name": "here"}, {"name": "there", "distribution": "out", "data": "other"}],
        "conditions": ["no_skill", "human", {"kind": "evolve"}, {"kind": "rewrite"}],
        "ablations": [{"name": "merging", "whole": "deepening +combined", "without": "one-shot rewrite"}],
    }
    return Experiment.model_validate({**values, **more})


def test_the_grid_hands_every_skill_to_every_user_unless_told_otherwise() -> None:
    found = experiment(
        conditions=["human", {"kind": "evolve"}, {"kind": "sequential", "every": 4, "users": "own"}], ablations=[]
    )
    names = [arm.name for arm in arms_of(found)]
    assert names == [
        "human-written",
        *(f"{what}, by {who}" for what in ("deepening +combined", "sequential 4") for who in ("big", "little")),
    ]
    sequential = Arm(condition="sequential 4", author="big")
    assert [uses(found, sequential, user) for user in ("big", "little")] == [True, False]
    assert uses(found, Arm(condition="deepening +combined", author="big"), "little")
    assert references_of(found, condition_of(found, sequential)) == ["human-written"]


def test_deltas_transfer_distributions_and_ablations_are_the_comparisons_they_say() -> None:
    found = experiment()
    scores = {
        ("human-written", "", "big", "here"): [0, 0, 1, 0.5],
        ("human-written", "", "little", "here"): [0, 0, 0, 0],
        ("human-written", "", "big", "there"): [0, 0],
        ("deepening +combined", "big", "big", "here"): [1, 1, 1, 0.5],
        ("deepening +combined", "big", "little", "here"): [1, 0, 0, 0],
        ("deepening +combined", "big", "big", "there"): [1, 1],
        ("one-shot rewrite", "big", "big", "here"): [1, 0, 1, 0],
    }
    result = Grid(found).result(scores)
    tables = {table.name: table for table in tables_of(result)}
    assert set(tables) == {
        *("scores", "deltas", "scores-soft", "deltas-soft", "transfer", "distributions", "ablations", "effort")
    }

    def row(table: Table, *start: str) -> dict[str, object]:
        (one,) = [one for one in table.rows if one[: len(start)] == start]
        return dict(zip(table.columns, one, strict=True))

    own = row(tables["deltas"], "deepening +combined", "big", "big", "here")
    pair = {(m.arm.condition, m.user, m.set): m.evaluation for m in result.measured}
    expected = compare(pair["human-written", "big", "here"], pair["deepening +combined", "big", "here"])
    assert (own["delta"], own["better"], own["worse"]) == (expected.lift, 2, 0)
    assert expected.lift.mean == 0.5
    handed = row(tables["transfer"], "deepening +combined", "here", "big", "little")
    assert (handed["used by"], handed["delta"].mean) == ("another model", 0.25)  # type: ignore[attr-defined]
    both = row(tables["distributions"], "deepening +combined", "big", "big")
    assert [both[key].mean for key in ("in: score", "in: delta", "out: score", "out: delta")] == [0.75, 0.5, 1.0, 1.0]  # type: ignore[attr-defined]
    assert row(tables["ablations"], "merging")["delta"].mean == 0.25  # type: ignore[attr-defined]
    soft = row(tables["scores-soft"], "human-written")["big on here"]
    assert isinstance(soft, Interval)
    assert soft.mean == 0.375
    lines = as_csv(tables["scores"]).splitlines()
    assert lines[0].startswith("condition,author,big on here,big on here low,big on here high,")
    assert all(line.count(",") == lines[0].count(",") for line in lines)
    page = as_markdown(result, list(tables.values()), [])
    assert "| deepening +combined | big | 75.0% (" in page
    assert "simulated model was used" in page
