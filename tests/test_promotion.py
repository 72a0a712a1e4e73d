"""From candidate to champion through the command line: harm is refused, help is promoted, and it can be taken back."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE, OFFICE_SKILL
from product import run
from questions_of_tests import write_math, write_skill_for_sums
from run_settings import run_settings

from trace2skill.consolidate.candidate import Candidate
from trace2skill.evaluation.conditions import Condition, evaluation_of, jobs_of
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs import promotion
from trace2skill.runs.distill import Distilled
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.selection import Evolution
from trace2skill.skills.skill import read_skill
from trace2skill.types.evaluation import Cell, Evaluation
from trace2skill.types.references import Rolled
from trace2skill.versions.registry import Registry, Version

COMMON = ["--data", OFFICE, "--tasks", "16", "--recalculate", "never", "--sandbox", "process"]


def told(cwd: Path, home: Path, *arguments: object, code: int = 0) -> Any:
    return json.loads(run(cwd, home, *arguments, "--json", code=code).stdout)


@pytest.mark.slow  # a life of five versions
def test_a_helpful_candidate_is_promoted_and_its_life_goes_on(tmp_path: Path, prefect_home: Path) -> None:
    data, live = write_math(tmp_path / "data", 40), write_skill_for_sums(tmp_path / "sums")
    before = read_skill(live)
    sums = ["--domain", "math", "--data", data, "--sandbox", "process"]
    command = ["run", *sums, "--skill", live, "--model", "sim/office", "--promote", "auto", "--level", "0.4"]
    made = told(tmp_path, prefect_home, *command, "--no-skill", "--repeat-champion")
    assert made["decision"]["verdict"] == "promote"
    assert made["promoted"]
    assert [item["condition"] for item in made["evaluations"]] == ["S0", "candidate", "no skill", "S0 again"]
    assert made["decision"]["repeat"]["better"] is not None
    assert made["decision"]["look"]["number"] == 1
    after = read_skill(live)
    assert after.digest == made["candidate"]["skill"] != before.digest
    assert (tmp_path / ".trace2skill" / "runs" / made["run_id"] / "report.html").is_file()

    listed = told(tmp_path, prefect_home, "versions")
    states = {item["skill"]: (item["state"], item["champion"]) for item in listed["versions"]}
    assert states[before.digest] == ("by_hand", False)
    assert states[after.digest] == ("promoted", True)
    book = told(tmp_path, prefect_home, "book", live)
    stated = [rule for rule in book["rules"] if rule["place"]]
    assert book["run_id"] == made["run_id"]
    assert len(stated) >= len(made["candidate"]["applied"])
    assert all(rule["tasks"] >= 2 and rule["first_seen"] for rule in stated)
    assert all(rule["why_not"] for rule in book["rules"] if not rule["place"])
    said = told(tmp_path, prefect_home, "why", live)
    assert all(len(row["said"]) == len(row["support"]["trajectories"]) for row in said)
    text = told(tmp_path, prefect_home, "diff", before.digest[:12], live)["diff"]
    assert text == made["candidate"]["diff"]
    needed = told(tmp_path, prefect_home, "power", made["run_id"], "--lift", "0.2")
    assert needed["tasks"] == 10
    assert needed["tasks_needed"] > 1
    used = told(tmp_path, prefect_home, "usage", made["run_id"])
    assert {tuple(item["section"]) for item in used["sections"]} >= {("Sums", "Steps")}
    cells = told(tmp_path, prefect_home, "transfer")
    assert {(cell["author"], cell["user"]) for cell in cells} >= {("sim/office", "sim/office"), ("-", "sim/office")}
    ours = next(cell for cell in cells if cell["author"] == "sim/office")
    assert ours["delta"]["mean"] > 0

    # What one run alone has seen is not known well enough to go, and is tried on evolve tasks.
    smaller = told(tmp_path, prefect_home, "shrink", *sums, "--skill", live, "--model", "sim/office")
    assert smaller["base"] == smaller["skill"] == after.digest
    assert smaller["unknown"] > 0
    assert len(smaller["scores"]) > 1
    assert read_skill(live) == after

    # The model behind the name gets worse: the watch sees it, and puts the version before back.
    watch = ["drift", *sums, "--skill", live]
    sick = [*watch, "--model", "sim/office?refusals=0.9", "--label", "tuesday", "--level", "0.2", "--roll-back"]
    dropped = told(tmp_path, prefect_home, *sick, code=1)
    assert dropped["rolled_back_to"] == before.digest
    assert read_skill(live) == before
    back = told(tmp_path, prefect_home, "rollback", live, "--why", "false alarm")
    assert back["skill"] == after.digest
    refused = run(tmp_path, prefect_home, "promote", before.digest[:12], live, code=2)
    assert "--why" in refused.stderr
    told(tmp_path, prefect_home, "promote", before.digest[:12], live, "--why", "we want it so")
    assert read_skill(live) == before
    run(tmp_path, prefect_home, "export", after.digest[:12], "--zip", tmp_path / "out.skill")
    with zipfile.ZipFile(tmp_path / "out.skill") as exported:
        assert exported.read("sums/SKILL.md").decode() == after.text("SKILL.md")
    kinds = [change["kind"] for change in told(tmp_path, prefect_home, "versions")["history"]["sums"]]
    assert kinds == ["adopt", "promote", "rollback", "rollback", "promote"]


@pytest.mark.slow  # it scores groups of edits on workbooks
def test_planted_damage_is_rejected_and_pruning_finds_it(tmp_path: Path, prefect_home: Path) -> None:
    model = "sim/office?harmful=0.8"
    made = told(tmp_path, prefect_home, "run", *COMMON, "--skill", OFFICE_SKILL, "--model", model)
    assert made["decision"]["verdict"] == "reject"
    assert not made["promoted"]
    harmful = "Empty the output file after saving"
    assert any(harmful in group["edits"][0]["content"] for group in made["candidate"]["applied"])
    found = told(
        tmp_path, prefect_home, "ablate", made["run_id"], "--worth", "0.45", "--seeds", "1", "--rollouts", "16"
    )
    verdicts = {effect["text"]: effect["verdict"] for effect in found["ablation"]["effects"]}
    assert {verdict for text, verdict in verdicts.items() if harmful in text} == {"prune"}
    pruned = read_skill(tmp_path / found["directory"])
    assert harmful not in (pruned.text("SKILL.md") or "")
    assert found["decision"]["comparison"]["lift"]["mean"] > 0, "without the harm the rest of it helps"
    listed = told(tmp_path, prefect_home, "versions")["versions"]
    assert {item["skill"] for item in listed} >= {pruned.digest, made["candidate"]["skill"]}


def test_with_30_percent_infrastructure_errors_there_is_no_verdict_and_no_look_is_spent(tmp_path: Path) -> None:
    settings = run_settings(
        data=OFFICE,
        skill=OFFICE_SKILL,
        roles=Roles.all_played_by(ModelSettings(name="sim/office")),
        store=tmp_path / "s.duckdb",
        sandbox="process",
    )
    rt = runtime(settings)
    try:
        better = rt.given_skill.with_files({"references/openpyxl.md": b"# Shorter\n"})
        rt.store.put("skill", better.digest, better)
        candidate = Candidate(base=rt.given_skill.digest, skill=better.digest, thresholds=(2, 2))
        conditions = promotion.conditions(rt, candidate, candidate.base)
        tasks = [f"k{n}" for n in range(20)]

        def scored(missing: int) -> list[Evaluation]:
            rolled, evaluations = [], []
            for condition in conditions:
                jobs = jobs_of(condition, tasks, (1,))
                hard = float(condition.name == "candidate")
                outcome = "passed" if hard else "failed"
                for job in jobs[missing if hard else 0 :]:
                    cell = Cell(task_id=job.task_id, seed=1, outcome=outcome, hard=hard, soft=hard)
                    rolled.append(Rolled(trajectory_id="T", content="c", skill=job.skill, cell=cell))
                evaluations.append(evaluation_of(condition, jobs, rolled))
            return evaluations

        decision = promotion.verdict(rt, candidate, scored(missing=6))
        assert decision.verdict == "not_enough_evidence"
        assert "70% of the held-out runs have a score" in decision.reason
        assert decision.look is None
        assert rt.store.query("SELECT count(*) FROM look") == [(0,)]
        later = promotion.verdict(rt, candidate, scored(missing=0))
        assert later.verdict == "promote"
        assert later.look is not None
        assert later.look.number == 1
    finally:
        forget_runtimes()


def test_a_run_that_comes_second_is_compared_with_the_new_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the candidate is scored, somebody else promotes: it has to beat that one then."""
    from flows import refresh as flow
    from trace2skill.domains.base import Audit
    from trace2skill.runs import refresh

    live = tmp_path / "office-workbooks"
    shutil.copytree(OFFICE_SKILL, live)
    settings = run_settings(
        data=OFFICE,
        skill=live,
        roles=Roles.all_played_by(ModelSettings(name="sim/office")),
        store=tmp_path / "s.duckdb",
        output=tmp_path / "runs",
        sandbox="process",
        promote="auto",
    )
    rt = runtime(settings)
    try:
        refresh.start(rt)
        base = rt.given_skill
        ours, theirs = (base.with_files({"references/openpyxl.md": text}) for text in (b"# Ours\n", b"# Theirs\n"))
        scores = {base.digest: 0.0, theirs.digest: 0.3, ours.digest: 1.0}
        for skill in (ours, theirs):
            rt.store.put("skill", skill.digest, skill)
        compared: list[list[str | None]] = []

        def evaluate(
            _: object, conditions: list[Condition], tasks: list[str], seeds: object = None
        ) -> list[Evaluation]:
            if conditions:
                compared.append([condition.skill for condition in conditions])
            if conditions and len(compared) == 1:
                registry = Registry(rt.store)
                registry.record(theirs, Version(name=theirs.name, skill=theirs.digest, state="candidate"))
                registry.promote(theirs, live, expected=base.digest, run_id="theirs", reason="faster")
            return [
                Evaluation.of(
                    c.name,
                    c.skill,
                    [
                        Cell(task_id=task, seed=1, outcome="passed", hard=float(n < scores[str(c.skill)] * len(tasks)))
                        for n, task in enumerate(tasks)
                    ],
                )
                for c in conditions
            ]

        monkeypatch.setattr(flow, "score", evaluate)
        planned = refresh.plan(rt, [Audit(task_id=task, verdict="usable") for task in rt.tasks])
        candidate = Candidate(base=base.digest, skill=ours.digest, thresholds=(2, 2))
        distilled = Distilled(base=base.digest, analysed=(), proposed=())
        grown = Evolution(number=0, rolled=(), distilled=distilled, candidate=candidate)
        summary = flow.decide_and_promote(settings, rt, planned, grown, [], ())
        assert compared == [[base.digest, ours.digest], [theirs.digest, ours.digest]]
        assert summary.evaluations[0].condition == "champion"
        assert summary.decision.verdict == "promote"
        assert summary.promoted
        assert read_skill(live) == ours
        assert [change.skill for change in Registry(rt.store).history(base.name)] == [
            base.digest,
            theirs.digest,
            ours.digest,
        ]
    finally:
        forget_runtimes()
