"""What whoever writes a script is told of it and asked for, and what is not asked again."""

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import routines_of_tests as world
from in_process import Done, refresh

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.routines import WORD, Routine, WorkedProgram
from trace2skill.consolidate.scripts import divided
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.script_review import as_markdown
from trace2skill.sim.conversation import Heard, Spoken, answer_json
from trace2skill.sim.scripted import scripted


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    forget_runtimes()


def answers(**changed: dict[str, Any]) -> Any:
    """What a writer answers by routine, with changes."""
    return lambda kind: {**copy.deepcopy(world.ANSWERS[kind]), **changed.get(kind, {})}


def test_what_a_check_prints_is_for_people_and_not_for_who_writes_the_script(tmp_path: Path) -> None:
    world.write_world(tmp_path)
    file = tmp_path / "tasks.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for row in rows:
        row["check"] = row["check"].replace("| cmp - out.txt", "> want; diff want out.txt; rc=$?; rm want; exit $rc")
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = list[str]()
    speak = world.speaker(answers(sum={"script": world.SCRIPTS["sum"].replace("total *", "total +")}))

    def hears(heard: Heard) -> Spoken:
        if heard.system.startswith("You turn a routine") and heard.turns:
            told.append(heard.observations[-1])
        return speak(heard)

    with scripted(hears):
        found = world.tried(world.routine_settings(tmp_path))["sum"]
    assert "< " in found.reason, "a person sees what the check printed"
    (said,) = told
    assert "the check failed" in said
    assert "< " not in said


def test_what_python_thinks_of_a_pattern_is_no_part_of_what_the_pattern_finds(tmp_path: Path) -> None:
    world.write_world(tmp_path)
    odd = {"when": [*world.ANSWERS["sum"]["when"], "[[]a"]}
    with scripted(world.speaker(answers(sum=odd))):
        assert not world.tried(world.routine_settings(tmp_path))["sum"].reason


def test_a_quote_that_nobody_closes_takes_the_rest_of_its_line() -> None:
    assert WORD.findall('echo "' + '\\"' * 3 + " a b") == ["echo", '"' + '\\"' * 3 + " a b"]
    assert WORD.findall("echo 'a b") == ["echo", "'a b"]
    assert WORD.findall("echo 'a b' \"c\" d") == ["echo", "'a b'", '"c"', "d"]


@pytest.mark.slow
def test_a_later_run_asks_for_no_script_that_its_skill_has(tmp_path: Path) -> None:
    world.write_world(tmp_path)

    def night(seed: int) -> tuple[Done, list[str]]:
        asked = list[str]()
        with scripted(world.speaker(answers(), asked)):
            done = refresh(world.routine_settings(tmp_path, seeds=(seed,)))
        assert done.summary
        return done, asked

    first, asked = night(41)
    assert len(asked) == 2
    again, asked = night(42)
    assert not asked, "what was answered for programs of the same build is tried, with the same skill"
    assert first.summary
    assert again.summary
    assert again.summary.candidate.scripts == first.summary.candidate.scripts
    assert first.summary.candidate_directory
    shutil.rmtree(tmp_path / "files")
    shutil.copytree(first.summary.candidate_directory, tmp_path / "files")
    later, asked = night(43)
    assert not asked
    assert later.summary
    assert not later.summary.candidate.scripts
    assert "the skill's own script passes" in "\n".join(as_markdown(later.summary.candidate, later.summary.scripts))


@pytest.mark.slow
def test_a_routine_that_was_refused_is_not_asked_about_again_with_the_same_skill(tmp_path: Path) -> None:
    world.write_world(tmp_path)
    asked = list[str]()
    with scripted(world.speaker(answers(sum={"refused": "A person has to see it."}), asked)):
        world.tried(world.routine_settings(tmp_path))
        before = len(asked)
        found = world.tried(world.routine_settings(tmp_path), of=4)["sum"]
    assert before == 2
    assert len(asked) == 2
    assert "as before: " in found.reason
    assert "A person has to see it." in found.reason


def test_what_a_writer_warns_of_stands_in_the_review(tmp_path: Path) -> None:
    world.write_world(tmp_path)
    warns = {"warning": "One program\nsends the file away."}
    with scripted(world.speaker(answers(sum=warns, long={**warns, "refused": "No."}))):
        found = world.tried(world.routine_settings(tmp_path))
    group = found["sum"].group
    assert group
    made = Candidate(base="a", skill="b", thresholds=(1, 1), applied=(group,), scripts=("scripts/add_up.py",))
    review, without = as_markdown(made, list(found.values()))
    assert "warns: One program sends the file away." in review
    assert "warns: One program sends the file away." in without


@pytest.mark.slow
def test_two_scripts_of_one_run_that_were_given_one_name_enter_under_two(tmp_path: Path) -> None:
    world.write_world(tmp_path)
    with scripted(world.speaker(answers(sum={"name": "do_it"}, long={"name": "do_it"}))):
        done = refresh(world.routine_settings(tmp_path))
    assert done.summary
    assert done.summary.candidate.scripts == ("scripts/do_it.py", "scripts/do_it_2.py")
    (review,) = as_markdown(done.summary.candidate, done.summary.scripts)
    assert "`scripts/do_it_2.py`: from " in review
    assert done.summary.candidate_directory
    body = (done.summary.candidate_directory / "SKILL.md").read_text()
    assert "(scripts/do_it_2.py)" in body


@pytest.mark.slow
def test_scripts_are_made_where_nobody_proposes_a_rule(tmp_path: Path) -> None:
    world.write_world(tmp_path)
    speak = world.speaker(answers())

    def says_no_rule(heard: Heard) -> Spoken:
        if heard.system.startswith("You keep a skill"):
            return answer_json({"reasoning": "The skill says it already.", "edits": [], "changelog": []})
        return speak(heard)

    with scripted(says_no_rule):
        done = refresh(world.routine_settings(tmp_path))
    assert done.summary
    assert done.summary.candidate.scripts == ("scripts/add_up.py", "scripts/long_words.py")


def test_a_routine_too_small_to_try_a_script_on_is_named_before_anybody_is_asked(tmp_path: Path) -> None:
    world.write_world(tmp_path)
    asked = list[str]()
    settings = world.routine_settings(tmp_path, scripts={"make": True, "sources": 5, "unseen": 9})
    with scripted(world.speaker(answers(), asked)):
        done = refresh(settings)
    assert not asked
    assert done.summary
    assert "14 are needed to try a script on" in "\n".join(as_markdown(done.summary.candidate, done.summary.scripts))


@pytest.mark.parametrize("sources", [4, 5, 8])
def test_as_many_programs_are_shown_as_sources_have_to_pass(sources: int) -> None:
    for tasks in range(sources, sources + 6):
        programs = (WorkedProgram(trajectory_id=f"T{n}", task_id=f"{n}", by="fix", source="x") for n in range(tasks))
        shown, _ = divided(Routine(programs=tuple(programs)), 2, None, sources)
        assert len(shown) >= sources
