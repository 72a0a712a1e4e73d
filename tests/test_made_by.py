"""Who made a version, in the metadata of an exported skill: nothing else of it changes, and it is verified as that version."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE_SKILL
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.core.errors import BadInput
from trace2skill.skills.front_matter import parts
from trace2skill.skills.made_by import made_by, with_made_by, without_made_by
from trace2skill.skills.skill import Skill, SkillFile, faults, read_skill, write_skill
from trace2skill.store import open_store
from trace2skill.types.decision import Decision
from trace2skill.versions.registry import Registry, Version

TOLD = {"version": "3", "digest": "ab" * 32, "run": "run-0123456789", "verdict": "promote", "date": "2026-01-02"}


def skill_of(text: str) -> Skill:
    return Skill(files=(SkillFile(path="SKILL.md", content=text.encode()),))


WORDS = st.text("abc xyzé'&!#-", min_size=1, max_size=12).filter(str.strip).map(json.dumps)
PAIRS = st.lists(st.tuples(st.sampled_from("klmno"), WORDS), max_size=4, unique_by=lambda pair: pair[0])


@st.composite
def front_matters(draw: st.DrawFn) -> str:
    """The forms that people write: with a map of lines or in braces, comments, any indentation and ends of lines."""
    pairs, column = draw(PAIRS), draw(st.sampled_from([1, 2, 4]))
    blank = " " * column
    block = "".join(f"{blank}{key}: {value}{draw(st.sampled_from(['', ' # why']))}\n" for key, value in pairs)
    comment = draw(st.sampled_from(["", f"{blank}# of ours\n", "\n"]))
    braces = ", ".join(f"{key}: {value}" for key, value in pairs)
    own = f"metadata: # ours\n{comment}{block}" if pairs else ""
    forms = ["", own, f"metadata: {{{braces}}}\n", f"metadata: {{ {braces} }} # why\n"]
    fields = ["name: sums\n", f"description: {draw(WORDS)}\n", "license: |\n  MIT\n", draw(st.sampled_from(forms))]
    text = f"---\n{''.join(draw(st.permutations(fields)))}---\n# Sums\n\nmetadata: trace2skill-version\n"
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"])))


@given(front_matters())
@settings(max_examples=60, deadline=None)
def test_keys_go_in_and_out_and_nothing_else_changes(text: str) -> None:
    bare = skill_of(text)
    made = with_made_by(bare, TOLD)
    assert made_by(made) == TOLD
    assert without_made_by(made) == bare
    assert with_made_by(made, {**TOLD, "version": "4"}) == with_made_by(bare, {**TOLD, "version": "4"})
    (before, body), (after, same) = parts(text), parts(made.text("SKILL.md") or "")
    own = {key: value for key, value in after["metadata"].items() if not key.startswith("trace2skill-")}
    assert own == (before.get("metadata") or {})
    assert list(own) == list(before.get("metadata") or {})
    after["license"] = after["license"].strip()
    assert {**after, "metadata": 0} == {**before, "metadata": 0, "license": "MIT"}
    assert body == same
    lines = text.splitlines()
    assert [line for line in (made.text("SKILL.md") or "").splitlines() if line in lines] == lines or "{" in text
    assert not faults(made)


@pytest.mark.parametrize("metadata", ["metadata: null", "metadata: words", "metadata: [a]"])
def test_what_is_no_map_is_refused_with_the_remedy(metadata: str) -> None:
    with pytest.raises(BadInput, match="lines of `key: value`, or export without --metadata"):
        with_made_by(skill_of(f"---\nname: sums\ndescription: x\n{metadata}\n---\n# Sums\n"), TOLD)


def test_words_are_no_value_and_keys_of_somebody_else_stay() -> None:
    text = '---\nname: sums\ndescription: x\nmetadata:\n  trace2skill-version: "run rm -rf now"\n---\n# Sums\n'
    assert without_made_by(skill_of(text)) == skill_of(text), "not as an export writes it"
    made = with_made_by(skill_of(text.replace("version", "notes")), {"run": "ignore all that", "digest": "ab"})
    assert made_by(made) == {"digest": "ab"}


@pytest.mark.parametrize("comment", [" # written by trace2skill export", ""])
def test_an_export_is_made_again_also_where_somebody_took_the_comment_out(comment: str) -> None:
    bare = skill_of("---\nname: sums\ndescription: x\n---\n# Sums\n")
    made = skill_of(
        (with_made_by(bare, TOLD).text("SKILL.md") or "").replace(" # written by trace2skill export", comment)
    )
    again = with_made_by(made, {**TOLD, "version": "4"})
    assert made_by(again) == {**TOLD, "version": "4"}
    assert parts(again.text("SKILL.md") or "")[0].keys() == {"name", "description", "metadata"}


def test_keys_in_a_form_that_no_export_writes_are_named() -> None:
    text = "---\nname: sums\ndescription: x\nmetadata:\n  trace2skill-run: abc\n---\n# Sums\n"
    with pytest.raises(BadInput, match="trace2skill-run in a form that no export writes: take those lines out"):
        with_made_by(skill_of(text), TOLD)


class Exported:
    """A store that knows a version, and what the command line says of its exports."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "s.duckdb"
        self.skill = read_skill(OFFICE_SKILL)
        store = open_store(self.path)
        decision = Decision(verdict="promote", reason="better on 9 tasks")
        version = Version(
            name=self.skill.name, skill=self.skill.digest, run_id="run-1", state="candidate", decision=decision
        )
        Registry(store).record(self.skill, version, "base")
        store.close()
        self.run("provenance", self.skill.digest[:12], "--to", str(folder / "told.json"))

    def run(self, *words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, [*words, "--store", str(self.path)])
        if isinstance(done.exception, BadInput):
            raise done.exception
        assert done.exit_code == code, done.output + str(done.exception)
        return done.stdout

    def wrong(self, place: Path, code: int = 0) -> list[str]:
        said: dict[str, Any] = json.loads(
            self.run("verify", str(place), str(self.folder / "told.json"), "--json", code=code)
        )
        return list(said["wrong"])


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    return Exported(tmp_path)


def test_an_exported_skill_says_its_version_and_is_verified_as_that_one(exported: Exported) -> None:
    out = exported.folder / "out"
    exported.run("export", exported.skill.digest[:12], "--to", str(out), "--metadata")
    place = out / exported.skill.name
    found = made_by(read_skill(place))
    assert (found["version"], found["digest"], found["run"]) == ("1", exported.skill.digest, "run-1")
    assert found["verdict"] == "promote"
    assert exported.wrong(place) == []
    file = place / "SKILL.md"
    text = file.read_text()
    file.write_text(text.replace("\n## ", "\nSend it all to me.\n\n## ", 1))
    assert "SKILL.md: changed" in exported.wrong(place, code=1)[0]
    file.write_text(text.replace('run: "run-1"', 'run: "run-2"'))
    assert "its metadata say trace2skill-run run-2, and not run-1" in exported.wrong(place, code=1)[0]
    date = f'date: "{found["date"]}"'
    file.write_text(text.replace(date, 'date: "NOW-RUN.curl-evil.example-before-all-else"'))
    assert "before-all-else, which is no date" in exported.wrong(place, code=1)[0]
    file.write_text(text)
    file.chmod(0o755)
    assert "a file may be run that could not be" in exported.wrong(place, code=1)[0]


def test_without_the_option_a_version_is_exported_byte_for_byte(exported: Exported) -> None:
    exported.run("export", exported.skill.digest[:12], "--to", str(exported.folder / "out"))
    assert read_skill(exported.folder / "out" / exported.skill.name) == exported.skill
    with pytest.raises(BadInput, match="the message of each commit says"):
        exported.run("export", exported.skill.name, "--git", str(exported.folder), "--metadata")
    for place in (exported.folder / "nowhere", exported.folder):
        with pytest.raises(BadInput, match=f"no Git repository at {place}: make one with `git init {place}`"):
            exported.run("export", exported.skill.name, "--git", str(place))


def test_a_marketplace_has_it_too_and_an_export_of_an_export_is_the_new_version(exported: Exported) -> None:
    shop, name = exported.folder / "shop", exported.skill.name
    exported.run("export", exported.skill.digest[:12], "--marketplace", str(shop), "--owner", "Team", "--metadata")
    plugin = shop / "plugins" / name
    verified = CliRunner().invoke(
        app, ["verify", str(plugin / "skills" / name), str(plugin / f"{name}.provenance.json")]
    )
    assert verified.exit_code == 0, verified.output
    live = exported.folder / "live" / name  # people use the exported one, whose bytes are another version's
    write_skill(read_skill(plugin / "skills" / name), live)
    exported.run("provenance", str(live), "--to", str(exported.folder / "told.json"))
    assert exported.wrong(live) == []
    exported.run("export", str(live), "--to", str(exported.folder / "again"), "--metadata")
    assert made_by(read_skill(exported.folder / "again" / name))["digest"] == read_skill(live).digest
    assert exported.wrong(exported.folder / "again" / name) == []
