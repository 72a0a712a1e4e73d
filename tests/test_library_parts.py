"""What parts of a run over a library may learn from and are tried on, and what is left where one of them fails."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import product
import pytest
from libraries_of_tests import library, tasks, used_skill
from sessions_of_tests import sessions
from test_libraries import lesson, shell_run, went

from tasks.gather import Gathered
from trace2skill.consolidate.owners import AskedFor, AskedForAll, FoundJob, Owner, Owners
from trace2skill.core import stopping
from trace2skill.core.errors import Interrupted
from trace2skill.core.failures import Failure
from trace2skill.llm import ModelSettings
from trace2skill.llm.batch.records import ProviderBatch
from trace2skill.runs import batching, library_again
from trace2skill.runs import library as whole
from trace2skill.runs import refresh as run
from trace2skill.runs.estimate import estimate
from trace2skill.runs.intake import NOTHING_READ
from trace2skill.runs.library_page import page_of
from trace2skill.runs.library_proposals import retired
from trace2skill.runs.library_read import keep_library, settings_of_part
from trace2skill.runs.library_summary import LibrarySummary, ProposedSkill, SkillRow
from trace2skill.runs.library_use import LibraryUse, use_of
from trace2skill.runs.routing import Routing, to_route, with_answers
from trace2skill.runs.runtime import Runtime, forget_runtimes, runtime
from trace2skill.runs.sources import Sources
from trace2skill.runs.summary import RunSummary
from trace2skill.types.evaluation import Cell, Evaluation
from trace2skill.types.trajectory import Trajectory

TWO = ("csv-tables", "note-search")


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    forget_runtimes()


def with_sessions(path: Path) -> Path:
    """Say of each task that it was mined from a session."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row | {"sessions": [f"S-{row['id']}"]}) + "\n" for row in rows))
    return path


@pytest.fixture
def rt(tmp_path: Path) -> Runtime:
    """A run over two skills and shell tasks, each of them mined from a session."""
    library(tmp_path / "skills", TWO)
    with_sessions(tasks(tmp_path / "t.jsonl", 8, TWO))
    made = runtime(shell_run(tmp_path))
    run.start(made, "library")
    return made


def asked(rt: Runtime, id: str, instruction: str) -> None:
    """Let the person of a session ask for that."""
    told = rt.store.get("trajectory", id, Trajectory)
    assert told is not None
    first = told.steps[0].model_copy(update={"message": f"Please: {instruction}"})
    rt.store.put("trajectory", id, told.model_copy(update={"steps": (first, *told.steps[1:])}))


def test_lessons_of_logs_that_wait_teach_nothing_once_their_task_is_held_out(rt: Runtime) -> None:
    held = rt.splits.validation[0]
    waiting = [
        lesson(rt, held),
        lesson(rt, f"S-{held}"),
        lesson(rt, "part", parent=f"TS-{held}"),
        lesson(rt, "words"),
        lesson(rt, "part of words", parent="Tsilent"),
        lesson(rt, "another"),
    ]
    lesson(rt, "silent")  # the whole of a part, which itself has no lesson that waits
    for name in ("words", "silent"):
        asked(rt, f"T{name}", rt.task(held).instruction)
    left = with_answers(rt, to_route(rt, waiting), [None]).of("")
    assert {item.extracted.log for item in left} == {"model"}
    again = to_route(rt, [], left)
    assert {extracted.task_id for extracted, _ in again.open} == {"another"}


def test_a_part_is_not_tried_on_what_its_skill_knows_from_a_session_and_says_so(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [id for id in rt.splits.validation if "csv-tables" in rt.task(id).skills]
    planned = run.Plan(evolve=rt.splits.evolve, validation=rt.splits.validation, left_out=())
    keep_library(rt)
    part = runtime(settings_of_part(rt, "csv-tables"))
    for known, left in ((held[:1], held[1:]), (held, [])):
        monkeypatch.setattr(whole, "seen_before", lambda *_, known=known: {f"S-{id}" for id in known})
        mine = whole.plan_of_part(part, planned, rt)
        assert list(mine.validation) == left
        assert [(item.task_id, item.verdict) for item in mine.left_out] == [(id, "seen") for id in sorted(known)]
    assert "has learned from" in whole.nothing_scored(mine).reason


def test_a_lesson_waits_until_the_part_it_went_to_has_decided(rt: Runtime, tmp_path: Path) -> None:
    drawn = lesson(rt, rt.splits.evolve[0], content="Warm the pot.")
    first = with_answers(rt, to_route(rt, [drawn]), [Owners(owners=(Owner(why="none is for it"),))])
    whole.keep_routing(rt, first)
    new = tmp_path / "skills" / "tea-making"
    new.mkdir()
    (new / "SKILL.md").write_text("---\nname: tea-making\ndescription: Makes tea.\n---\n\n# Tea\n")
    forget_runtimes()
    later = runtime(shell_run(tmp_path))
    run.start(later, "library")
    answer = Owners(owners=(Owner(skill="tea-making"),))
    routing = with_answers(later, to_route(later, [], whole.waiting_before(later)), [answer])
    assert list(went(routing).values()) == [("tea-making", "model")]
    for decided, left in (((), 1), (("csv-tables",), 1), (("tea-making",), 0)):
        whole.keep_routing(later, routing, decided=decided)
        assert len(whole.waiting_in(later.store, tmp_path / "skills")) == left


def test_a_run_that_learns_from_logs_alone_has_no_rollouts_to_learn_from_whatever_it_holds_out(
    rt: Runtime, tmp_path: Path
) -> None:
    import flows.library as flow

    (tmp_path / "logs").mkdir()
    alone = rt.settings.changed(sources=Sources(paths=(tmp_path / "logs",), analyst="rules", alone=True))
    planned = run.Plan(evolve=rt.splits.evolve, validation=rt.splits.validation, left_out=())
    assert flow.roll_out(alone, runtime(alone), planned, "").results == []


def test_what_models_and_traces_said_does_nothing_on_the_page_of_a_library(rt: Runtime) -> None:
    said = "![x](https://evil.example/p.png) <script>alert(1)</script> \u202e"
    (wait,) = with_answers(rt, to_route(rt, [lesson(rt, rt.splits.evolve[0])]), [None]).of("")
    wait = wait.model_copy(update={"title": said, "why": said})
    new = ProposedSkill(name="x", description=said, lessons=(), tasks=("a",), needed=2, why_not=said)
    summary = LibrarySummary(
        run_id="r", library="l", domain="d", models=(), simulated=False, lessons=0, waiting=(wait,), proposed=(new,),
        skills=(SkillRow(name="y", state="failed", reason=said),),
        failures=(Failure(stage="found", name=said, kind="K", message=said),),
    )  # fmt: skip
    html = page_of(summary)
    assert html.count("&lt;script&gt;") == 7
    assert not [sign for sign in ("\u202e", "<script", "<img") if sign in html]
    page = summary.as_markdown()
    assert "\u202e" not in page
    bare = re.sub(r"(`+) ?.*?\1", "", page)
    assert not [sign for sign in ("![", "<script") if sign in bare], bare


def test_a_skill_is_retired_for_what_it_is_now_and_not_for_what_it_was(rt: Runtime) -> None:
    now = next(skill for skill in rt.library.values() if skill.name == "csv-tables")

    def scored(condition: str, skill: str | None, passed: int) -> Evaluation:
        cells = [
            Cell(task_id=f"t{n}", seed=0, outcome="passed" if n < passed else "failed", hard=float(n < passed))
            for n in range(12)
        ]
        return Evaluation.of(condition, skill, cells)

    used = LibraryUse(sessions=50, used={"csv-tables": 40})
    before, bare = scored("S0", "what it was", 2), scored("no skill", None, 2)
    for evaluations, proposed in (
        ((before, scored("candidate", now.digest, 11), bare), 0),
        ((before, scored("candidate", now.digest, 2), bare), 1),
        ((before, scored("candidate", "what lost", 2), bare), 0),
        ((scored("S0", now.digest, 2), scored("candidate", "what lost", 11), bare), 1),
    ):
        told = RunSummary.model_construct(run_id="run-1", evaluations=evaluations)
        assert len(retired(now, used, [told])) == proposed


def test_parts_of_a_session_count_once(rt: Runtime) -> None:
    parts = [lesson(rt, f"p{n}", *(TWO[:1] if not n else ()), parent="Twhole") for n in range(22)]
    other = lesson(rt, "other", *TWO)
    use = use_of(rt, [item.trajectory_id for item in (*parts, other)])
    assert (use.sessions, use.used) == (2, {"csv-tables": 2, "note-search": 1})


def test_without_each_skill_is_foreseen_as_another_set_of_rollouts(tmp_path: Path) -> None:
    library(tmp_path / "skills", TWO)
    tasks(tmp_path / "t.jsonl", 8, TWO, named=False)

    def runs(**more: bool) -> int:
        made = runtime(shell_run(tmp_path, **more))
        (found,) = [item for item in estimate(made).stages if item.stage == "rollout"]
        return found.steps

    held_out = len(runtime(shell_run(tmp_path)).splits.validation)
    assert runs(no_skill=True) - runs() == len(TWO) * held_out


def test_batches_are_in_the_books_of_the_whole_run_which_is_what_is_retried(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_library(rt)
    part = runtime(settings_of_part(rt, "csv-tables"))
    sent = ProviderBatch(
        name="trace2skill-x", run_id=part.books, model=ModelSettings(name="openai/gpt-4.1"), calls=(), state="sent", id="b"
    )  # fmt: skip
    part.store.put("provider batch", sent.name, sent)
    settled: list[tuple[bool, tuple[str, ...]]] = []

    class Settling:
        def settle(self, hours: float, shown: object, *, wait: bool) -> None:
            settled.append((wait, stopping.what_goes_on()))

    for one in (rt, part):
        monkeypatch.setitem(one.__dict__, "client", Settling())
        batching.settle(one, wait=False)
    whole.finish_library(rt, [], Routing(lessons=()), [], [], LibraryUse(), [], NOTHING_READ)
    assert [wait for wait, _ in settled] == [False, False, True], "a run ends once it has what is at providers"
    assert all(f"`trace2skill retry {rt.run_id}`" in words[-1] for _, words in settled)


def test_new_skills_are_looked_for_in_batches_and_what_fails_there_is_in_the_report(
    rt: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    import flows.library as flow

    job, ahead = FoundJob(name="new skills", skills=(), texts=("a",)), list[str]()
    asked = Gathered(results=[AskedForAll(skills=(AskedFor(name="tea", description="Tea.", texts=(0,)),))], failures=())
    new = ProposedSkill(name="tea", description="Makes tea.", lessons=(), tasks=("a",), needed=1)

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("no room left")

    def stopped(*_: object, **__: object) -> None:
        raise Interrupted("the run was interrupted")

    monkeypatch.setattr(flow.library, "founding", lambda *_: job)
    monkeypatch.setattr(flow.library, "asked_for", lambda *_: [(new, [])])
    monkeypatch.setattr(flow, "answered_ahead", lambda _, stages: ahead.extend(step.name for step, _, _ in stages))
    monkeypatch.setattr(flow, "submitted", lambda *_: None)
    monkeypatch.setattr(flow, "gather", lambda *_, **__: asked)
    for broken, stage, proposed in (("settings_of_new", "new skill", 1), ("asked_for", "found", 0)):
        monkeypatch.setattr(flow.library, broken, full)
        found, failures = flow.new_skills(rt.settings, rt, [])
        assert [(item.stage, item.message) for item in failures] == [(stage, "no room left")]
        assert [item.why_not for item in found] == ["no room left"] * proposed
    assert set(ahead) == {"found"}
    monkeypatch.setattr(flow.library, "founding", stopped)
    with pytest.raises(Interrupted):
        flow.new_skills(rt.settings, rt, [])


def test_a_run_whose_new_skills_failed_is_gone_on_with_although_it_has_promoted(
    rt: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_library(rt)
    document = tmp_path / "skills" / "csv-tables" / "SKILL.md"
    document.write_text(document.read_text() + "\n- More.\n")
    monkeypatch.setattr(library_again, "part_that_promoted", lambda *_: "run-of-the-part")
    for failures, gone_on in (
        ((), ""),
        ((Failure(stage="found", name="new skills", kind="K", message=""),), rt.run_id),
    ):
        whole.finish_library(rt, [], Routing(lessons=()), [], [], LibraryUse(), failures, NOTHING_READ)
        forget_runtimes()
        again = library_again.gone_on_with(runtime(shell_run(tmp_path)))
        assert again.operation.library_read_by == gone_on
        forget_runtimes()
        rt = runtime(shell_run(tmp_path).changed(library_read_by=rt.run_id))
        rt.begin("library")


@pytest.mark.slow
def test_logs_alone_with_tasks_to_hold_out_roll_nothing_out_to_learn_from(tmp_path: Path, prefect_home: Path) -> None:
    """The whole command, with rules for an analyst: no model but the agent's is asked or priced."""
    library(tmp_path / "skills", TWO)
    tasks(tmp_path / "t.jsonl", 3, ("csv-tables",))
    sessions(tmp_path / "logs", count=5)
    for path in (tmp_path / "logs").iterdir():
        used_skill(path, "csv-tables")
    command = ("ingest", "logs", "--skill", "skills", "--analyst", "rules", "--agent-model", "sim/office", "--json")
    found = json.loads(product.run(tmp_path, prefect_home, *command, "--gate-on", "t.jsonl").stdout)
    rows = {row["name"]: row for row in found["skills"]}
    assert rows["csv-tables"]["state"] == "decided", rows
    assert rows["csv-tables"]["held_out"] == 1
    assert rows["csv-tables"]["lift"] is not None, "the candidate was scored"
    assert found["trajectories"] == {}, "nothing is rolled out to learn from"
    assert "held-out tasks" in found["sources"]["tested_on"]
    none = json.loads(product.run(tmp_path, prefect_home, *command[:6], "--json", "--gate-on", "t.jsonl").stdout)
    reason = {row["name"]: row for row in none["skills"]}["csv-tables"]["reason"]
    assert "it was to be tried on held-out tasks, and is not: nobody is named" in reason


def test_what_a_skill_was_tried_on_is_blank_where_it_did_not_come_to_that() -> None:
    rows = [SkillRow(name="x", state=state) for state in ("failed", "no lessons", "decided")]
    assert [row.tried_on for row in rows] == ["", "", "0"]
