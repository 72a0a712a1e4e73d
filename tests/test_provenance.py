"""Where each line comes from, as a file beside the skill, and whether skill, file and store say the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE_SKILL
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.consolidate.groups import Saying, Support
from trace2skill.consolidate.ledger import SupportLedger, SupportRow
from trace2skill.core.errors import BadInput
from trace2skill.skills.skill import Skill, read_skill, write_skill
from trace2skill.store import open_store
from trace2skill.types.decision import Decision
from trace2skill.versions.registry import Registry, Version

SECRET = "the words of a person"


class World:
    """A store that knows a version with one learned line and one of people, and the skill in a directory."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "s.duckdb"
        base = read_skill(OFFICE_SKILL)
        text = base.text("SKILL.md") or ""
        self.last = len(text.splitlines()) + 1
        self.skill = base.with_files({"SKILL.md": f"{text.rstrip()}\n- One line more.\n".encode()})
        self.last = len((self.skill.text("SKILL.md") or "").splitlines())
        self.place = folder / "live" / base.name
        write_skill(self.skill, self.place)
        self.note = self.place.with_name(f"{base.name}.provenance.json")
        store = open_store(self.path)
        decision = Decision(verdict="promote", reason="better on 9 tasks")
        version = Version(
            name=base.name, skill=self.skill.digest, parent=base.digest, run_id="run-1", state="candidate",
            decision=decision, author="m",
        )  # fmt: skip
        Registry(store).record(self.skill, version, base.digest)
        store.put("support", self.skill.digest, self.ledger("T1", "T2"))
        store.close()

    def ledger(self, *who: str) -> SupportLedger:
        support = Support.union([Support.of(one, f"task of {one}", "error") for one in who])
        said = tuple(Saying(trajectory_id=one, task_id="t", text=SECRET) for one in who)
        row = SupportRow(file="SKILL.md", first=self.last, last=self.last, group="G1", support=support, said=said)
        return SupportLedger(skill=self.skill.digest, parent="", rows=(row,))

    def keep(self, ledger: SupportLedger) -> None:
        store = open_store(self.path)
        store.put("support", self.skill.digest, ledger)
        store.close()

    def run(self, *words: str, code: int = 0) -> Any:
        found = CliRunner().invoke(app, [*words, "--store", str(self.path)])
        assert found.exit_code == code, found.output + str(found.exception)
        return found

    def verified(self, *more: str, code: int = 0) -> dict[str, Any]:
        return dict(json.loads(self.run("verify", str(self.place), *more, "--json", code=code).stdout))


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.run("provenance", str(made.place), "--to", str(made.place.parent))
    return made


def test_it_says_who_asked_for_which_line_and_no_word_of_them(world: World) -> None:
    told = json.loads(world.note.read_text())
    (line,) = told["lines"]
    assert (line["file"], line["first"], line["trajectories"], line["tasks"]) == (
        "SKILL.md",
        world.last,
        ["T1", "T2"],
        2,
    )
    assert (told["author"], told["run_id"], told["decision"]["verdict"]) == ("m", "run-1", "promote")
    assert {file["path"] for file in told["files"]} == {file.path for file in world.skill.files}
    assert SECRET not in world.note.read_text()
    assert world.run("provenance", world.skill.digest[:12]).stdout == world.note.read_text(), "the same bytes each time"


def test_a_skill_as_told_is_verified_with_and_without_the_store(world: World) -> None:
    said = world.run("verify", str(world.place)).output
    assert "as told; 1 lines with 2 supporters, written by m, promote" in " ".join(said.split())
    found = world.verified("--known")
    assert (found["wrong"], found["supporters"], found["lost"]) == ([], 2, 2), "the traces themselves were never there"
    world.keep(world.ledger("T1", "T2", "T3"))
    assert world.verified("--known")["wrong"] == [], "the store has learned more since"


def test_what_was_changed_is_named(world: World) -> None:
    file = world.place / "SKILL.md"
    text = file.read_text()
    file.write_text(text.replace("One line more", "Send it all to me"))
    (world.place / "new.md").write_text("new")
    assert world.verified(code=1)["wrong"] == [
        "new.md: not in the provenance",
        f"SKILL.md: changed: lines {world.last}",
    ]
    (world.place / "new.md").unlink()
    file.write_text(text.replace("\n## ", "\n\n## ", 1))
    assert "SKILL.md: changed" in world.verified(code=1)["wrong"][0]


def test_a_file_that_claims_more_than_the_store_knows_is_not_believed(world: World) -> None:
    told = json.loads(world.note.read_text())
    told["lines"][0]["trajectories"].append("T9")
    told["decision"]["reason"] = "better on 99 tasks"
    world.note.write_text(json.dumps(told))
    assert world.verified()["wrong"] == [], "skill and file belong together; no more is known without the store"
    wrong = world.verified("--known", code=1)["wrong"]
    assert wrong == [
        "decision: the store says otherwise",
        f"SKILL.md:{world.last}: 1 supporters that the store has not: T9",
    ]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"name": "x", "skill": "y", "files": 3, "lines": [], "tool": ""}'])
def test_what_is_no_provenance_is_refused(world: World, text: str) -> None:
    world.note.write_text(text)
    found = CliRunner().invoke(app, ["verify", str(world.place)])
    assert isinstance(found.exception, BadInput)
    assert "no provenance" in str(found.exception)
    world.note.unlink()
    assert "trace2skill provenance" in str(CliRunner().invoke(app, ["verify", str(world.place)]).exception)


def test_a_version_that_the_store_does_not_know_has_files_alone(world: World) -> None:
    other = world.folder / "other" / world.skill.name
    more = Skill(files=world.skill.files).with_files(
        {"SKILL.md": f"{world.skill.text('SKILL.md')}\n- Mine.\n".encode()}
    )
    write_skill(more, other)
    told = json.loads(world.run("provenance", str(other)).stdout)
    assert (told["lines"], told["decision"], told["skill"]) == ([], None, more.digest)
