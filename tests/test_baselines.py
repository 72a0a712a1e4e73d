"""The baselines use the same trajectories and lessons as an evolved skill, another way."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import OFFICE, OFFICE_SKILL
from run_settings import run_settings

from trace2skill.baselines.bank import Bank, BankSettings, closest, in_prompt
from trace2skill.baselines.padding import SENTENCES, padded
from trace2skill.baselines.sequential import batches, with_skill
from trace2skill.core.errors import BadInput, BudgetReached
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import EmbeddingRequest, ModelSettings, Roles
from trace2skill.runs.runtime import Runtime, forget_runtimes, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.audit import AUDIT
from trace2skill.runs.steps.bank import bank
from trace2skill.runs.steps.embed import embed
from trace2skill.runs.steps.recall import recall
from trace2skill.runs.steps.rewrite import rewrite_skill
from trace2skill.runs.steps.rollout import ROLLOUT, rollout
from trace2skill.sim.causes import guided
from trace2skill.skills.skill import problems, read_skill
from trace2skill.types.lesson import Extraction, Lesson
from trace2skill.types.references import Extracted, RolloutJob
from trace2skill.types.trajectory import Trajectory

SKILL = read_skill(OFFICE_SKILL)
EMBEDDING = ModelSettings(name="sim/embedding")


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    found = runtime(settings(tmp_path))
    found.store.put("skill", SKILL.digest, SKILL)
    yield found
    forget_runtimes()


def settings(tmp_path: Path, **more: object) -> RunSettings:
    values = {
        "data": OFFICE,
        "skill": OFFICE_SKILL,
        "roles": Roles.all_played_by(ModelSettings(name="sim/office?noise=0")),
        "recalculate": "never",
        "sandbox": "process",
        "store": tmp_path / "s.duckdb",
        "output": tmp_path / "runs",
    }
    return run_settings(**{**values, **more})  # type: ignore[arg-type]


def lesson(task: str, title: str, content: str) -> Lesson:
    common = {"trajectory_id": f"T{task}", "task_id": task, "kind": "error", "proof": "verified"}
    return Lesson(**common, title=title, description="Applies to such tasks.", content=content)  # type: ignore[arg-type]


def analysed(rt: Runtime, *lessons: Lesson) -> list[Extracted]:
    found = []
    for item in lessons:
        extraction = Extraction(
            trajectory_id=item.trajectory_id, task_id=item.task_id, kind="error", verdict="lessons", lessons=(item,)
        )
        rt.store.put("extraction", extraction.digest, extraction)
        found.append(
            Extracted(
                content=extraction.digest,
                trajectory_id=item.trajectory_id,
                task_id=item.task_id,
                seed=41,
                kind="error",
                verdict="lessons",
                lessons=1,
            )
        )
    return found


def some(rt: Runtime) -> list[Extracted]:
    first, second, third = rt.splits.evolve[:3]
    return analysed(
        rt,
        lesson(first, "Remove rows from below", "Delete rows from the bottom up, the last row first."),
        lesson(second, "Dates", "Write dates as real date values (datetime), never as text."),
        lesson(third, "Sums of regions", "Sum the amount of every region and write it beside the region."),
    )


def test_an_environment_is_in_the_keys_of_what_runs_there_and_none_leaves_them(rt: Runtime, tmp_path: Path) -> None:
    (tmp_path / "env" / "bin").mkdir(parents=True)
    other = runtime(rt.settings.changed(environment=tmp_path / "env"))
    job = RolloutJob(task_id=rt.splits.evolve[0], seed=41, skill=SKILL.digest)
    assert ROLLOUT.key(other, job) != ROLLOUT.key(rt, job)
    assert AUDIT.key(other, job.task_id) != AUDIT.key(rt, job.task_id)
    assert rt.sandbox.name == "process"


def test_a_job_without_a_bank_keeps_the_key_it_always_had(rt: Runtime) -> None:
    job = RolloutJob(task_id=rt.splits.evolve[0], seed=41, skill=SKILL.digest)
    assert set(job.model_dump()) == {"task_id", "seed", "skill"}
    assert ROLLOUT.key(rt, job) != ROLLOUT.key(rt, job.model_copy(update={"bank": "b"}))


@pytest.mark.parametrize("embedding", [EMBEDDING, None], ids=["embedding", "bm25"])
def test_the_lesson_that_is_closest_to_a_task_stands_in_the_agents_prompt(
    rt: Runtime, embedding: ModelSettings | None
) -> None:
    items, how = some(rt), BankSettings(top_k=1, embedding=embedding)
    embedded = [embed(rt, item, embedding) for item in items] if embedding else []
    stored = bank(rt, items, embedded, how)
    assert stored.lessons == 3
    paid = rt.store.ledger_total().calls
    assert paid == (3 if embedding else 0)
    task = next(task for task in rt.splits.evolve if "region" in rt.task(task).instruction)
    job = RolloutJob(task_id=task, seed=41, skill=SKILL.digest, bank=stored.content)
    rolled = rollout(rt, job)
    trajectory = rt.store.get("trajectory", rolled.trajectory_id, Trajectory)
    assert trajectory is not None
    assert "write it beside the region" in trajectory.steps[0].message
    assert "the last row first" not in trajectory.steps[0].message
    assert len(trajectory.extra["recalled"]) == 1
    again = bank(rt, items, [embed(rt, item, embedding) for item in items] if embedding else [], how)
    assert again == stored
    embeds = [row for row in rt.store.ledger() if row.role == "embedding"]
    assert [row.outcome for row in embeds].count("answered") == (4 if embedding else 0), "each text is paid for once"
    assert all(row.cost > 0 for row in embeds if row.outcome == "answered")


def test_recalled_lessons_guide_the_simulated_agent_and_none_is_of_a_held_out_task(rt: Runtime) -> None:
    held_out = analysed(rt, lesson(rt.splits.validation[0], "Dates", "Write dates as real date values (datetime)."))
    with pytest.raises(BadInput, match="is held out"):
        bank(rt, held_out, [], BankSettings())
    with pytest.raises(BadInput, match="is held out"):
        rewrite_skill(rt, held_out, SKILL.digest)
    with pytest.raises(BadInput, match="has no bank"):
        recall(rt, RolloutJob(task_id=rt.splits.evolve[0], seed=41, bank="gone"))


def test_equal_lessons_take_one_place_and_nothing_is_no_memory() -> None:
    twice = [lesson(str(n), "Dates", "Write dates as date values.") for n in range(3)]
    other = lesson("9", "Rows", "Delete rows from the bottom up.")
    bank = Bank(settings=BankSettings(top_k=2), lessons=(*twice, other))
    found = closest(bank, "due dates", lambda _: ())
    assert [item.content for item in found] == ["Write dates as date values.", "Delete rows from the bottom up."]
    assert closest(Bank(settings=BankSettings(), lessons=()), "anything", lambda _: ()) == ()
    assert in_prompt(()) == ""


def test_an_embedding_is_capped_like_any_call(tmp_path: Path) -> None:
    rt = runtime(settings(tmp_path, max_cost=0.0))
    try:
        with pytest.raises(BudgetReached, match="--max-cost"):
            rt.client.embed(EmbeddingRequest(settings=EMBEDDING, texts=("a text",)), step=StepLabel("embed", "x"))
    finally:
        forget_runtimes()


def test_one_call_rewrites_the_skill_from_all_lessons(rt: Runtime) -> None:
    made = rewrite_skill(rt, some(rt), SKILL.digest)
    skill = rt.skill(made.skill)
    assert skill is not None
    assert (problems(skill), skill.name, made.lessons) == ([], SKILL.name, 3)
    assert guided(skill.body) > guided(SKILL.body)
    assert rt.store.ledger_total().calls == 1
    assert rewrite_skill(rt, [], SKILL.digest).skill == SKILL.digest


def test_the_control_is_as_long_as_the_candidate_and_says_nothing() -> None:
    body = SKILL.files[0].content
    for more in (200, 3_000, 60_000):
        like = SKILL.with_files({"SKILL.md": body + b"\n" + b"A rule. " * (more // 8) + b"\n"})
        control = padded(SKILL, like)
        assert problems(control) == []
        assert 0 <= len(like.body) - len(control.body) <= max(map(len, SENTENCES)) + 8
        assert guided(control.body) == guided(SKILL.body)
    assert padded(SKILL, SKILL) == SKILL


def test_batches_hold_every_job_once_in_an_order_of_their_seed() -> None:
    jobs = [RolloutJob(task_id=str(n), seed=seed) for n in range(5) for seed in (41, 42)]
    found = batches(jobs, 4, 42)
    assert [len(batch) for batch in found] == [4, 4, 2]
    assert sorted(itertools.chain(*found), key=lambda job: (job.task_id, job.seed)) == jobs
    assert found == batches(jobs[::-1], 4, 42) != batches(jobs, 4, 7)
    assert {job.skill for job in with_skill(found[0], "s")} == {"s"}
