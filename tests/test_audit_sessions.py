"""Which sessions an audit asks about: one request is one piece of evidence, and what was learned from is none."""

import copy
from pathlib import Path
from typing import Any

import pytest
from auditing import audit, lay_out, rows_of, told
from audits import lay_out_skills, session
from ingesting import ingest, settings

from trace2skill.core.errors import BadInput
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.sources_read import SourcesRead

CORRECTION: list[dict[str, Any]] = [
    {"role": "user", "content": "Put the harbour master in copy."},
    {"role": "assistant", "content": "OK."},
]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lay_out_skills()
    return tmp_path


def learned(*logs: str, **more: Any) -> SourcesRead:
    here = Path.cwd()
    found = ingest(settings(here, *[here / name for name in logs], name="office", **more)).sources
    forget_runtimes()
    assert found is not None
    return found


def corrected(rows: list[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    """Copies under other ids, in each of which the person said one thing more."""
    made = copy.deepcopy(rows)
    for row in made:
        row["id"] = prefix + row["id"]
        row["messages"] += CORRECTION
    return made


def chosen(*more: str, logs: str = "logs.jsonl") -> list[dict[str, Any]]:
    found = told("office", "--dry-run", "--most", "99", *more, logs=logs)["sessions"]["segments"]
    assert isinstance(found, list)
    return found


def test_one_first_request_is_one_piece_of_evidence_whatever_was_said_later() -> None:
    rows = []
    for number in range(8):
        row = session(f"t{number}", "Make the weekly table of harbour Oslo.", "tidy --weekly sums", reward=1)
        row["messages"] += [{"role": "user", "content": f"Put person{number} in copy."}, CORRECTION[1]]
        rows.append(row)
    lay_out([*rows, session("l", "Write a reminder letter to customer Lund.", "stamp --letter bureau", reward=1)])
    found = told("office")
    assert len(found["segments"]) == 9
    assert found["hard"]["tasks"] == 2
    assert found["hard"]["p_value"] > 0.2


def test_a_copy_that_went_on_is_a_session_it_has_learned_from() -> None:
    rows = rows_of()
    lay_out(rows)
    learned("logs.jsonl")
    lay_out(corrected(rows, "fork-"), "fork.jsonl")
    done = audit("office", "--dry-run", logs="fork.jsonl")
    assert isinstance(done.exception, BadInput)
    assert "12 are of sessions from which office has learned" in str(done.exception)


def test_a_request_of_a_path_alone_is_known_again_in_a_renamed_file() -> None:
    asked = ("Fix ./packages/server/src/app.py", "Fix ./packages/client/src/nav.py")
    lay_out([session(f"a{n}", said, "stamp --letter x", reward=1) for n, said in enumerate(asked)])
    learned("logs.jsonl")
    Path("logs.jsonl").rename("moved.jsonl")
    done = audit("office", "--dry-run", logs="moved.jsonl")
    assert "2 are of sessions from which office has learned" in str(done.exception)


def test_what_is_held_out_has_no_twin_among_what_is_learned_from_and_stays_out_when_logs_are_added() -> None:
    rows = rows_of([f"City{number}" for number in range(8)])
    lay_out([*rows, *corrected(rows, "twin-")])
    learned("logs.jsonl", hold_out=0.5)
    held = {item["session"] for item in chosen()}
    assert 0 < len(held) < 32
    assert {name.removeprefix("twin-") for name in held if name.startswith("twin-")} == {
        name for name in held if not name.startswith("twin-")
    }
    more = [
        session(f"n{n}-{k}", row["messages"][0]["content"], "tidy --x") for n, row in enumerate(rows) for k in range(3)
    ]
    lay_out(more, "more.jsonl")
    learned("logs.jsonl", "more.jsonl", hold_out=0.5)
    assert {item["session"] for item in chosen()} == held


def test_a_session_is_cut_where_its_own_words_say_so_and_not_its_placeholders() -> None:
    def said(number: int, text: str) -> dict[str, Any]:
        return {"type": "user", "uuid": f"u{number}", "sessionId": "s", "message": {"role": "user", "content": text}}

    def done(number: int) -> dict[str, Any]:
        call = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {"command": "tidy --weekly sums"}}
        message = {"id": f"m{number}", "role": "assistant", "model": "x", "content": [call]}
        return {"type": "assistant", "uuid": f"u{number}", "sessionId": "s", "message": message}

    second = "will.jones@acme-shipping.example.com needs a reminder letter for customer Turku."
    rows = [said(1, "Make the weekly table of harbour Oslo."), done(2), said(3, second), done(4)]
    for number, row in enumerate(rows, start=1):
        row.update(parentUuid=f"u{number - 1}" if number > 1 else None, cwd="/w", version="1.0")
        row["timestamp"] = f"2026-01-01T00:00:0{number}Z"
    other = session("l", "Write a reminder letter to customer Lund.", "stamp --letter bureau", reward=1)
    lay_out(rows, "p/mail.jsonl")
    lay_out([other], "p/other.jsonl")
    assert len(chosen(logs="p")) == 2


def test_what_it_has_learned_from_takes_no_place_of_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trace2skill.runs.audit_sessions.KEPT", 4)
    lay_out(rows_of(("Oslo", "Bergen")), "p/a.jsonl")
    learned("p/a.jsonl")
    lay_out(rows_of(("Turku", "Lund")), "p/b.jsonl")
    assert len(chosen(logs="p")) == 4


def test_many_that_ask_the_same_take_no_place_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trace2skill.runs.audit_sessions.KEPT", 4)
    monkeypatch.setattr("trace2skill.runs.audit_sessions.KEPT_ALIKE", 2)
    same = "Make the weekly table of harbour Oslo."
    lay_out([session(f"t{number}", same, "tidy --weekly sums", reward=1) for number in range(6)], "p/a.jsonl")
    lay_out(rows_of(("Turku",)), "p/b.jsonl")
    assert {item["session"] for item in chosen(logs="p")} >= {"table-Turku", "letter-Turku"}
