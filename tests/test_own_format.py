"""A format of one's own: rows by the documented schema, a mapping, a reader in a file."""

import json
import re
from pathlib import Path

import product
import pytest
from ingesting import settings

from trace2skill.core.errors import BadInput
from trace2skill.runs import refresh as run
from trace2skill.runs.dry_run import SeenSession, dry_run
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.sources import Sources
from trace2skill.store import open_store
from trace2skill.traces.installed import forget_installed
from trace2skill.traces.own_format import identity_of
from trace2skill.types.trajectory import Trajectory

ROW = {
    "id": "s1",
    "task": "refunds-7",
    "trial": 2,
    "model": "m",
    "outcome": 1,
    "messages": [
        {"role": "user", "text": "Refund it."},
        {
            "role": "agent",
            "text": "Looking.",
            "reasoning": "the policy first",
            "time": "2025-01-01T10:00:00Z",
            "calls": [{"id": "c1", "name": "bash", "arguments": {"command": "ls"}}],
            "results": [{"call": "c1", "text": "nothing", "exit_code": 2, "error": True}],
        },
    ],
}
MAPPING = """
rows: data.sessions
id: meta.key
task: meta.job
outcome: verdict
outcomes: {fine: 1, poor: 0}
messages: turns
role: who
roles: {bot: agent, client: user, trace: none}
text: said.0.words
calls: action
call: {id: no, name: tool, arguments: input}
result: {call: of, text: said, exit_code: code}
"""
MAPPED = {
    "data": {
        "sessions": [
            {
                "meta": {"key": "s1", "job": "refunds-7"},
                "verdict": "poor",
                "turns": [
                    {"who": "client", "said": [{"words": "Refund it."}]},
                    {"who": "trace", "said": [{"words": "span 4"}]},
                    {"who": "bot", "action": {"no": 5, "tool": "bash", "input": '{"command": "ls"}'}},
                    {"who": "tool", "of": 5, "said": "nothing", "code": 2},
                ],
            }
        ]
    }
}


@pytest.fixture(autouse=True)
def _closed() -> None:
    yield
    forget_runtimes()


def write(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def taken(tmp_path: Path, log: Path, format: str) -> list[Trajectory]:
    given = settings(tmp_path, log, format=format)
    run.take_in_logs(given.as_run())
    return open_store(given.store).all_of("trajectory", Trajectory)


@pytest.mark.parametrize("shape", ["lines", "list", "document"])
def test_rows_are_read_by_the_documented_schema(tmp_path: Path, shape: str) -> None:
    given = {"lines": json.dumps(ROW) + "\n", "list": [ROW], "document": ROW}[shape]
    (item,) = taken(tmp_path, write(tmp_path / "logs" / "a.jsonl", given), "rows")
    assert (item.session, item.task_id, item.seed, item.outcome.kind) == ("s1", "refunds-7", 2, "passed")
    asked, worked = item.steps
    assert (asked.source, asked.message) == ("user", "Refund it.")
    assert (worked.reasoning, worked.timestamp) == ("the policy first", "2025-01-01T10:00:00Z")
    assert (worked.tool_calls[0].name, worked.tool_calls[0].arguments) == ("bash", {"command": "ls"})
    assert (worked.observations[0].exit_code, worked.observations[0].state) == (2, "failed")


def test_a_mapping_says_where_everything_stands(tmp_path: Path) -> None:
    mapping, log = write(tmp_path / "mine.yaml", MAPPING), write(tmp_path / "logs" / "a.json", MAPPED)
    (item,) = taken(tmp_path, log, str(mapping))
    assert (item.session, item.task_id, item.outcome.kind) == ("s1", "refunds-7", "failed")
    assert [step.source for step in item.steps] == ["user", "agent"]
    (call,), (seen,) = item.steps[1].tool_calls, item.steps[1].observations
    assert (call.name, call.arguments, seen.content, seen.exit_code) == ("bash", {"command": "ls"}, "nothing", 2)
    write(mapping, MAPPING.replace("poor: 0", "poor: 1"))  # a changed mapping reads the same file again
    assert [item.outcome.kind for item in taken(tmp_path, log, str(mapping))] == ["passed"]


def test_what_does_not_fit_is_named(tmp_path: Path, prefect_home: Path) -> None:
    rows = [ROW, {"id": "s2", "turns": []}, {**ROW, "id": "s3", "messages": [{"role": "robot", "text": "hm"}]}]
    write(tmp_path / "logs" / "a.json", rows)
    said = product.run(tmp_path, prefect_home, "ingest", "logs", "--dry-run", "--format", "rows").stdout
    assert "not read: row 2 has no list of messages at 'messages' (id, turns)" in said
    assert "not read: row 3, message 1: nobody's role at 'role'" in said
    write(tmp_path / "bad.yaml", "massages: turns\n")
    bad = product.run(tmp_path, prefect_home, "ingest", "logs", "--dry-run", "--format", "bad.yaml", code=2)
    assert "massages" in bad.complaint
    assert "a mapping may say rows, id, task" in bad.complaint
    every = r".*atif, .*, tau_bench, rows, or a mapping or reader of your own \(FILE.yaml, FILE.py:Class\)"
    write(tmp_path / "empty.jsonl", "")
    write(tmp_path / "other.json", {f"{n}{'x' * 100}": n for n in range(20)})
    looked = dry_run(Sources(paths=(tmp_path / "empty.jsonl", tmp_path / "other.json")))
    assert looked.files[0].problems == ("it is empty",)
    assert re.fullmatch(rf"no format that is known \(.*\); --format forces one of {every}", looked.files[1].problems[0])
    with pytest.raises(BadInput, match=rf"no format 'nothing': use one of {every}"):
        dry_run(Sources(paths=(tmp_path / "logs",), format="nothing"))


READER = """
from trace2skill.traces.session import Session

class Mine:
    name = "mine"
    def claims(self, source):
        return True
    def read(self, source, notes):
        for line, row in source.records(notes):
            session = Session("mine", source.name, line, name=row["n"])
            session.say("agent", row["t"])
            yield session.finish()
"""


def test_a_reader_of_ones_own_is_a_class_in_a_file(tmp_path: Path) -> None:
    reader, log = write(tmp_path / "readers.py", READER), write(tmp_path / "a.log", '{"n": "one", "t": "done"}\n')
    (seen,) = seen_by(log, f"{reader}:Mine")
    assert (seen.ids[1], seen.steps) == ("one", 1)
    with pytest.raises(BadInput, match="is no reader: it lacks name, claims, read"):
        seen_by(log, f"{reader}:Session")
    with pytest.raises(BadInput, match="no reader at"):
        seen_by(log, f"{tmp_path}/none.py:Mine")


def test_a_package_registers_its_reader_by_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found by the content of a file and by its name; one that cannot be loaded stands in nobody's way."""
    site = tmp_path / "site"
    write(site / "shop-1.0.dist-info" / "METADATA", "Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    points = "[trace2skill.readers]\nbroken = shop_readers:Nothing\nmine = shop_readers:Mine\n"
    write(site / "shop-1.0.dist-info" / "entry_points.txt", points)
    write(site / "shop_readers.py", READER)
    log = write(tmp_path / "a.log", '{"n": "one", "t": "done"}\n')
    assert dry_run(Sources(paths=(log,))).files[0].format == ""
    monkeypatch.syspath_prepend(str(site))
    forget_installed()
    try:
        assert dry_run(Sources(paths=(log,))).files[0].format == "mine"
        (seen,) = seen_by(log, "mine")
        assert (seen.ids[1], seen.steps) == ("one", 1)
        assert identity_of("mine") == "mine shop 1.0"
        with pytest.raises(BadInput, match="no reader|cannot be imported"):
            seen_by(log, "broken")
        with pytest.raises(BadInput, match=r"no format 'other'.*mine"):
            seen_by(log, "other")
    finally:
        forget_installed()


def seen_by(log: Path, format: str) -> tuple[SeenSession, ...]:
    return dry_run(Sources(paths=(log,), format=format)).files[0].sessions
