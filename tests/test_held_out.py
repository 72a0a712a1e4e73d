"""Held-out tasks stay held out: no setting plants a lesson from one, and what a skill has seen proves nothing."""

import itertools
from pathlib import Path

import pytest
from conftest import OFFICE, OFFICE_SKILL
from run_settings import run_settings

from trace2skill.consolidate import Support
from trace2skill.consolidate.ledger import SupportLedger, SupportRow
from trace2skill.core.errors import BadInput
from trace2skill.domains.base import Audit
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs import held_out, refresh
from trace2skill.runs.distill import choose_for_analysis, choose_pairs
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.contrast import contrast
from trace2skill.runs.steps.extract import extract
from trace2skill.runs.steps.propose import propose_patch
from trace2skill.runs.steps.rollout import rollout
from trace2skill.skills.skill import read_skill
from trace2skill.types.evaluation import Cell
from trace2skill.types.references import AnalysisJob, Extracted, Pair, Rolled
from trace2skill.versions.registry import Registry, Version

SKILL = read_skill(OFFICE_SKILL)


def settings_for(tmp_path: Path, **more: object) -> RunSettings:
    values = {
        "data": OFFICE,
        "skill": OFFICE_SKILL,
        "roles": Roles.all_played_by(ModelSettings(name="sim/office")),
        "recalculate": "never",
        "sandbox": "process",
        "store": tmp_path / "s.duckdb",
        "output": tmp_path / "runs",
    }
    return run_settings(**{**values, **more})  # type: ignore[arg-type]


VARIANTS = [
    {},
    {"splits": "paper"},
    {"split_seed": 7, "tasks": 30},
    {"analysts": "+error+success+combined+contrast", "error_analyst": "one_call"},
    {"max_failed_share": 1.0, "evaluate": False, "seeds": (1, 2), "held_out_seeds": (1, 2)},
]


@pytest.mark.parametrize("more", VARIANTS, ids=str)
def test_no_setting_plants_a_lesson_of_a_held_out_task(tmp_path: Path, more: dict[str, object]) -> None:
    rt = runtime(settings_for(tmp_path, **more))
    try:
        planned = refresh.plan(rt, [Audit(task_id=task, verdict="usable") for task in rt.tasks])
        for job in planned.jobs(rt.settings.learning.seeds, SKILL.digest):
            assert job.task_id in rt.splits.evolve
        for task in itertools.chain(rt.splits.validation[:2], rt.splits.test[:2]):
            passed, failed = (
                Rolled(
                    trajectory_id=f"T{word}", content=word, skill=None, cell=Cell(task_id=task, seed=1, outcome=word)
                )
                for word in ("passed", "failed")
            )
            assert choose_for_analysis([passed, failed], "+combined")  # the choice is by outcome, the guard is below it
            (pair,) = choose_pairs([passed, failed], "+contrast")
            assert isinstance(pair, Pair)
            with pytest.raises(BadInput, match="is held out"):
                extract(rt, AnalysisJob(rolled=failed, analyst="error"))
            with pytest.raises(BadInput, match="is held out"):
                extract(rt, AnalysisJob(rolled=passed, analyst="success"))
            with pytest.raises(BadInput, match="no trajectory|is held out"):
                contrast(rt, pair)
    finally:
        forget_runtimes()


def test_not_even_a_real_trajectory_or_lesson_of_another_division_gets_in(tmp_path: Path) -> None:
    """Extracted under one division of the tasks, offered to a run in which its task is held out."""
    first = runtime(settings_for(tmp_path))
    try:
        rt = runtime(settings_for(tmp_path, split_seed=3))
        task = next(id for id in first.splits.evolve if id in (*rt.splits.validation, *rt.splits.test))
        base = SKILL.digest
        first.store.put("skill", base, SKILL)
        planned = refresh.plan(first, [Audit(task_id=id, verdict="usable") for id in first.tasks])
        job = next(job for job in planned.jobs((41,), base) if job.task_id == task)
        rolled = rollout(first, job)
        extracted = extract(first, AnalysisJob(rolled=rolled, analyst="error"))
        assert isinstance(extracted, Extracted)
        for attempt in (
            lambda: extract(rt, AnalysisJob(rolled=rolled, analyst="error")),
            lambda: propose_patch(rt, extracted, base),
        ):
            with pytest.raises(BadInput, match="is held out"):
                attempt()
    finally:
        forget_runtimes()


def test_a_task_the_skill_has_learned_from_is_no_evidence_under_another_division(tmp_path: Path) -> None:
    rt = runtime(settings_for(tmp_path))
    try:
        audits = [Audit(task_id=task, verdict="usable") for task in rt.tasks]
        seen = rt.splits.validation[0]
        support = Support.of("T1", seen, "error")
        row = SupportRow(file="SKILL.md", first=10, last=10, group="G1", support=support)
        rt.store.put("support", SKILL.digest, SupportLedger(skill=SKILL.digest, parent="", rows=(row,)))
        planned = refresh.plan(rt, audits)
        assert seen not in planned.validation
        assert [(item.task_id, item.verdict) for item in planned.left_out] == [(seen, "seen")]
        # People changed the skill since: the store knows its namesakes, and what those have learned from.
        edited = SKILL.with_files({"SKILL.md": (SKILL.text("SKILL.md") or "").encode() + b"\n- By hand.\n"})
        version = Version(name=SKILL.name, skill=SKILL.digest, state="candidate")
        Registry(rt.store).record(SKILL, version)
        assert held_out.seen_before(rt, edited) == {seen}
    finally:
        forget_runtimes()


def test_the_test_split_opens_with_a_reason_and_every_opening_is_counted(tmp_path: Path) -> None:
    rt = runtime(settings_for(tmp_path))
    try:
        with pytest.raises(BadInput, match="sealed"):
            held_out.tasks_of_split(rt, "test", "")
        assert held_out.tasks_of_split(rt, "test", "the paper's table") == list(rt.splits.test)
        held_out.tasks_of_split(rt, "test", "once more")
        rows = rt.store.query("SELECT number, reason FROM opening ORDER BY number")
        assert rows == [(1, "the paper's table"), (2, "once more")]
        assert not set(rt.splits.test) & {job.task_id for job in refresh.all_jobs(rt)}
    finally:
        forget_runtimes()
