"""How an audit counts what judges say and leave unsaid, and what of an agent's answer they are shown."""

import json
from pathlib import Path

import pytest
from auditing import audit, laid_out, lay_out, rows_of, told
from conftest import Plays

from trace2skill.core.errors import BadInput, ModelUnusable
from trace2skill.evaluation.assertions import majority
from trace2skill.runs.audit_asking import blinded
from trace2skill.sim.conversation import Heard, Spoken
from trace2skill.sim.roles import play

NOTHING = json.dumps({"first": [], "second": []})


pytestmark = pytest.mark.usefixtures(laid_out.__name__)


def judges_answers(heard: Heard) -> bool:
    return heard.system.startswith("You judge") and "I would look" in heard.opening


def test_one_judge_of_three_decides_nothing_alone() -> None:
    assert majority(["holds", None, None]) is None
    assert majority(["holds", "holds", None]) is True
    assert majority(["does_not_hold", "does_not_hold", "holds"]) is False


def test_missing_verdicts_are_said_and_where_most_are_nothing_is_compared(plays: Plays) -> None:
    def one_is_silent(heard: Heard) -> Spoken:
        return Spoken(text=NOTHING) if judges_answers(heard) and heard.seed == 44 else play(heard)

    plays(one_is_silent)
    found = told("office", model="sim/scripted")
    assert found["missing"] == 8
    assert found["undecided"] == 0
    assert "8 verdicts of judges are missing" in audit("office", model="sim/scripted").output
    Path("s.duckdb").unlink()
    plays(lambda heard: Spoken(text=NOTHING) if judges_answers(heard) and heard.seed != 44 else play(heard))
    done = audit("office", model="sim/scripted")
    assert isinstance(done.exception, ModelUnusable)
    assert "nothing was compared" in str(done.exception)
    assert "16 verdicts are missing" in str(done.exception)


def test_a_judge_who_leaves_most_of_the_control_out_is_refused(plays: Plays) -> None:
    audit("office", "--write-assertions", "a.yaml")
    count = 0

    def seldom(heard: Heard) -> Spoken:
        nonlocal count
        count += 1
        return play(heard) if count == 1 else Spoken(text=NOTHING)

    plays(seldom)
    done = audit("office", "--from", "a.yaml", "--judge-model", "sim/scripted", "--judges", "1", "--workers", "1")
    assert isinstance(done.exception, ModelUnusable)
    assert "6 verdicts of the control are missing: each counts as an error" in str(done.exception)


def test_judges_see_of_an_answer_what_fits_and_neither_secrets_nor_the_name_of_the_skill(plays: Plays) -> None:
    key, mail = "sk-proj-abcdefghijklmnopqrstuvwx1234567890ABCD", "jens.hansen@shipping-bergen.example.com"
    heard_by_judges: list[str] = []

    def speak(heard: Heard) -> Spoken:
        if judges_answers(heard):
            heard_by_judges.append(heard.opening)
        if heard.system.startswith("You say what") and "tidy" in heard.system:
            more = f" As the skill `office` says, in skills/office/SKILL.md: {mail} {key} \u202e"
            return Spoken(text=play(heard).text + more + "x" * 100_000)
        return play(heard)

    plays(speak)
    assert told("office", model="sim/scripted")["soft"]["after_score"]["mean"] == 1
    assert heard_by_judges
    for text in heard_by_judges:
        assert len(text) < 30_000
        assert not any(sign in text for sign in (mail, key, "\u202e", "SKILL.md", "`office`"))


def test_a_word_of_the_work_that_is_a_skills_name_stays() -> None:
    assert blinded("I would run `tidy office`, as the office skill says.", ["office"]).startswith(
        "I would run `tidy office`"
    )


def test_an_agent_that_says_nothing_is_no_comparison(plays: Plays) -> None:
    plays(lambda heard: Spoken(text="") if heard.system.startswith("You say what") else play(heard))
    done = audit("office", model="sim/scripted")
    assert isinstance(done.exception, ModelUnusable)
    assert "nothing was compared: sim/scripted gave no answer in any of 4 segments" in str(done.exception)


def test_of_one_group_judges_cannot_be_tried_and_nobody_is_asked(plays: Plays) -> None:
    asked: list[Heard] = []

    def speak(heard: Heard) -> Spoken:
        asked.append(heard)
        return play(heard)

    plays(speak)
    lay_out(rows_of(("Oslo",))[:1])
    done = audit("office", model="sim/scripted")
    assert isinstance(done.exception, BadInput)
    assert "of one group" in str(done.exception)
    assert not asked
