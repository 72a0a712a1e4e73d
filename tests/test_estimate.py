"""The bill before the run: every stage that can cost something is on it, and with history it is about right."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE, OFFICE_SKILL
from in_process import refresh
from questions_of_tests import write_math, write_skill_for_sums
from run_settings import run_settings

from trace2skill.consolidate.cut import Place, Rule
from trace2skill.consolidate.memory import RuleMemory
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.estimate import Estimate, estimate
from trace2skill.runs.intake import Intake
from trace2skill.runs.refresh import take_in_logs
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.sources import Sources
from trace2skill.runs.steps import STEPS
from trace2skill.store.costs import totals_by_stage


def office(directory: Path, **more: Any) -> RunSettings:
    values: dict[str, Any] = {
        "data": OFFICE,
        "skill": OFFICE_SKILL,
        "roles": Roles.all_played_by(ModelSettings(name="sim/office")),
        "tasks": 20,
        "recalculate": "never",
        "sandbox": "process",
        "store": directory / "s.duckdb",
        "output": directory / "runs",
    }
    return run_settings(**{**values, **more})


def sums(directory: Path, **more: Any) -> RunSettings:
    """Problems whose agent only speaks: what a run costs is what is asked, and no process is started."""
    if not (directory / "data").exists():
        write_math(directory / "data", 48)
        write_skill_for_sums(directory / "sums")
    how = {"domain": "math", "data": directory / "data", "skill": directory / "sums", "tasks": None, "memory": False}
    return office(directory, **{**how, **more})


def logs(folder: Path, count: int, tool: str) -> Sources:
    """Sessions in which a call failed and then worked, and nobody says how they ended."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        calls = [("bad", f"Error: value {number} is not allowed here"), ("good", "ok")]
        messages: list[dict[str, Any]] = [{"role": "user", "content": f"hello from {tool} {number}"}]
        for at, (value, answer) in enumerate(calls):
            asked = {"id": f"c{at}", "function": {"name": tool, "arguments": json.dumps({"n": value})}}
            messages += [
                {"role": "assistant", "content": "", "tool_calls": [asked]},
                {"role": "tool", "tool_call_id": f"c{at}", "content": answer},
            ]
        session = {"id": f"{tool}{number}", "messages": messages}
        (folder / f"{tool}{number}.jsonl").write_text(json.dumps(session) + "\n")
    return Sources(paths=(folder,), judge=True, redaction_map=False)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    forget_runtimes()


def asked(found: Estimate) -> dict[str, int]:
    """Steps to pay by stage and part."""
    return {f"{item.stage} {item.part}".strip(): item.steps for item in found.stages}


# --- without history: what is counted --------------------------------------------------------------------------------

ALWAYS = {"rollout", "propose", "induce", "assign", "write"}


@pytest.mark.parametrize(
    ("more", "besides"),
    [
        ({"analysts": "+error"}, {"apply look", "extract error"}),
        ({"analysts": "+success"}, {"apply look", "extract success"}),
        ({"analysts": "+combined"}, {"apply look", "extract error", "extract success"}),
        ({"analysts": "+error", "error_analyst": "one_call"}, {"apply look", "extract one_call_error"}),
        ({"analysts": "+contrast", "seeds": (1, 2, 3, 4)}, {"contrast contrast"}),
        (
            {"analysts": "+combined+contrast", "seeds": (1, 2)},
            {"apply look", "extract error", "extract success", "contrast contrast"},
        ),
        ({"polish": True}, {"apply look", "extract error", "extract success", "apply wording"}),
        ({"second_look": False}, {"extract error", "extract success"}),
        ({"skill": None}, {"apply look", "extract error", "extract success", "draft"}),
    ],
    ids=lambda value: str(sorted(value)) if isinstance(value, set) else str(value),
)
def test_what_the_settings_ask_for_is_on_the_bill(tmp_path: Path, more: dict[str, Any], besides: set[str]) -> None:
    assert set(asked(estimate(runtime(office(tmp_path, **more))))) == ALWAYS | besides


def test_two_analysts_cost_more_than_one_and_no_skill_and_a_repeat_are_scored(tmp_path: Path) -> None:
    def cost(**more: Any) -> float:
        return estimate(runtime(office(tmp_path, seeds=(1, 2), **more))).cost

    error, success, both = (cost(analysts=f"+{name}") for name in ("error", "success", "combined"))
    assert success < error < both
    assert cost(analysts="+combined+contrast") == both, "a pass beside a failure is compared with it anyhow"
    assert cost(analysts="+error", error_analyst="one_call") < error

    def runs(**more: Any) -> int:
        return asked(estimate(runtime(office(tmp_path, **more))))["rollout"]

    rt = runtime(office(tmp_path))
    learning, held_out = len(rt.splits.evolve), len(rt.splits.validation)
    assert runs() == learning + 2 * held_out
    assert runs(no_skill=True) == learning + 3 * held_out
    assert runs(repeat_champion=True, no_skill=True) == learning + 4 * held_out
    assert runs(evaluate=False) == learning
    assert runs(candidates=3, select="validation") == 3 * learning + 4 * held_out
    assert runs(candidates=3, select="train") == 3 * learning + 3 * learning + 2 * held_out


def test_the_rule_book_of_many_nights_takes_more_calls_than_that_of_one(tmp_path: Path) -> None:
    rt = runtime(office(tmp_path))
    alone = asked(estimate(rt))["assign"]
    ids = [f"T{number}" for number in range(400)]
    rules = tuple(Rule(text=f"Check {id}.", place=Place(), trajectory_id=id, task_id=id, kind="error") for id in ids)
    assert rt.given_skill is not None
    rt.store.put("memory", rt.given_skill.name, RuleMemory(skill=rt.given_skill.name, rules=rules))
    assert asked(estimate(rt))["assign"] > 2 * alone
    forget_runtimes()
    assert asked(estimate(runtime(office(tmp_path, memory=False))))["assign"] == alone


def test_one_pair_or_two_teach_nothing_so_nothing_is_scored(tmp_path: Path) -> None:
    rt = runtime(office(tmp_path, analysts="+contrast"))
    assert asked(estimate(rt)) == {"rollout": len(rt.splits.evolve)}


def test_a_judge_and_an_analyst_of_logs_are_on_the_bill(tmp_path: Path) -> None:
    def of(sources: Sources) -> dict[str, int]:
        given, intake = take_in_logs(office(tmp_path, sources=sources))
        assert isinstance(intake, Intake)
        return asked(estimate(runtime(given), intake))

    found = of(logs(tmp_path / "logs", 4, "pay"))
    assert (found["judge"], found["observe log"]) == (4, 4)
    by_rules = of(logs(tmp_path / "more", 4, "ship").model_copy(update={"analyst": "rules", "judge": False}))
    assert "judge" not in by_rules
    assert "observe log" not in by_rules
    assert by_rules["propose"] < found["propose"]


def test_every_stage_that_asks_a_model_has_its_part_in_the_bill() -> None:
    """Those that only experiments have are counted there."""
    counted = {step.name for step in STEPS if step.expects is not None}
    asking = {step.name for step in STEPS if step.asks}
    assert asking - counted == {"rewrite", "embed"}


# --- with the history of an earlier run of the same store and model: how much ---------------------------------------


MORE: list[dict[str, Any]] = [
    {"analysts": "+error", "seeds": (11, 12)},
    {"analysts": "+success", "seeds": (23, 24), "no_skill": True},
    {"analysts": "+contrast", "seeds": (31, 32)},
    {"analysts": "+combined+contrast", "seeds": (41, 42), "polish": True, "candidates": 2},
]


@pytest.mark.slow
def test_the_bill_is_within_a_quarter_of_what_the_run_then_costs(tmp_path: Path) -> None:
    """Each run on its own: one that remembers earlier runs often makes a candidate that is scored already."""
    first = logs(tmp_path / "first", 4, "pay")
    done = refresh(sums(tmp_path, analysts="+combined+contrast", seeds=(1, 2), polish=True, sources=first))
    assert done.estimate is not None
    stages = {row.stage for row in totals_by_stage(runtime(done.rt.settings).store, done.rt.run_id)}
    assert stages >= {"rollout", "judge", "observe", "extract", "propose", "induce", "assign", "write", "apply"}
    assert stages <= {item.stage for item in done.estimate.stages}, "a fresh store's bill has every stage that cost"
    for more in (*MORE[:-1], {**MORE[-1], "sources": logs(tmp_path / "second", 5, "ship")}):
        forget_runtimes()
        done = refresh(sums(tmp_path, **more))
        assert done.summary is not None
        assert done.estimate is not None
        assert {item.basis for item in done.estimate.stages if item.steps} == {"history"}, more
        paid = done.summary.spent.cost
        assert 0.75 * paid <= done.estimate.cost <= 1.25 * paid, (more, done.estimate.stages, paid)
