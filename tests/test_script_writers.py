"""What whoever writes a script is told of it and asked for, and what is not asked again."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import routines_of_tests as world

from trace2skill.consolidate.routines import WORD
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.sim.conversation import Heard, Spoken
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
