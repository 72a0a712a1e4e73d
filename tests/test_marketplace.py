"""Skills as plug-ins: a folder from which coding agents install them."""

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.core.errors import Trace2SkillError
from trace2skill.skills.skill import problems, read_skill
from trace2skill.store import open_store
from trace2skill.versions.marketplace import to_marketplace

OFFICE = ROOT / "examples" / "skills" / "office-workbooks"


def export(store: Path, which: Path, to: Path, *more: str) -> str:
    """What the command prints; it raises what the command line would say."""
    open_store(store).close()
    words = ["export", str(which), "--marketplace", str(to), "--store", str(store), *more]
    done = CliRunner().invoke(app, words)
    if isinstance(done.exception, Trace2SkillError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.duckdb"


def test_a_skill_becomes_a_plug_in_that_is_found_and_verified(tmp_path: Path, store: Path) -> None:
    shop = tmp_path / "Our Skills"
    export(store, OFFICE, shop, "--owner", "Team Data")
    listed = read(shop / ".claude-plugin" / "marketplace.json")
    assert listed["name"] == "our-skills"
    assert listed["owner"] == {"name": "Team Data"}
    (entry,) = listed["plugins"]
    place = shop / entry["source"]
    assert entry["source"].startswith("./")
    skill = read_skill(place / "skills" / entry["name"])
    assert skill.digest == read_skill(OFFICE).digest
    assert not problems(skill)
    portable, own = read(place / "plugin.json"), read(place / ".claude-plugin" / "plugin.json")
    assert portable.pop("$schema") == "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"
    assert portable == own == {key: value for key, value in entry.items() if key != "source"}
    assert own["description"] == skill.description
    assert re.fullmatch(r"\d+\.\d+\.\d+", own["version"])
    told = place / f"{skill.name}.provenance.json"
    verified = CliRunner().invoke(app, ["verify", str(place / "skills" / skill.name), str(told)])
    assert verified.exit_code == 0, verified.output


def test_what_else_the_list_holds_stays_and_a_skill_stands_in_it_once(tmp_path: Path, store: Path) -> None:
    shop, path = tmp_path / "shop", tmp_path / "shop" / ".claude-plugin" / "marketplace.json"
    export(store, OFFICE, shop, "--owner", "Team")
    listed = read(path)
    listed["metadata"] = {"description": "all of ours"}
    listed["plugins"][0]["category"] = "office"
    listed["plugins"].insert(0, {"name": "other", "source": {"source": "github", "repo": "a/b"}})
    path.write_text(json.dumps(listed))
    first = {item: item.read_bytes() for item in sorted((shop / "plugins").rglob("*")) if item.is_file()}
    export(store, ROOT / "examples" / "skills", shop)
    again = read(path)
    assert again["owner"] == {"name": "Team"}
    assert again["metadata"] == listed["metadata"]
    assert [entry["name"] for entry in again["plugins"]][:2] == ["other", "office-workbooks"]
    assert again["plugins"][:2] == listed["plugins"]
    assert len(again["plugins"]) == 1 + len([*(ROOT / "examples" / "skills").glob("*/SKILL.md")])
    assert all(item.read_bytes() == content for item, content in first.items())


def test_what_is_anothers_is_not_written_over(tmp_path: Path, store: Path) -> None:
    with pytest.raises(Trace2SkillError, match="--owner"):
        export(store, OFFICE, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(Trace2SkillError, match="can be none"):
        export(store, OFFICE, tmp_path / "agent-skills", "--owner", "x")
    shop = tmp_path / "shop"
    path = shop / ".claude-plugin" / "marketplace.json"
    path.parent.mkdir(parents=True)
    for text in ("no JSON", "[]", '{"plugins": 3}', '{"plugins": ["x"]}'):
        path.write_text(text)
        with pytest.raises(Trace2SkillError, match=r"marketplace\.json is no list"):
            export(store, OFFICE, shop)
        assert path.read_text() == text
    path.write_text(json.dumps({"plugins": [{"name": "office-workbooks", "source": "./mine"}]}))
    with pytest.raises(Trace2SkillError, match="from elsewhere"):
        export(store, OFFICE, shop)
    path.write_text(json.dumps({"name": "shop", "owner": {"name": "x"}, "plugins": []}))
    shutil.copytree(ROOT / "examples" / "office", shop / "plugins" / "office-workbooks")
    with pytest.raises(Trace2SkillError, match="is there and no plug-in"):
        export(store, OFFICE, shop)
    assert not (shop / "plugins" / "office-workbooks" / "plugin.json").exists()


def test_a_link_in_the_place_of_a_plug_in_is_not_followed(tmp_path: Path, store: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    place = tmp_path / "shop" / "plugins" / "office-workbooks"
    for link in (
        place,
        place / "skills",
        place / ".claude-plugin",
        place.parent,
        place.parent.parent / ".claude-plugin",
    ):
        shutil.rmtree(tmp_path / "shop", ignore_errors=True)
        link.parent.mkdir(parents=True)
        link.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(Trace2SkillError, match="is a link"):
            export(store, OFFICE, tmp_path / "shop", "--owner", "x")
        assert not [*(tmp_path / "elsewhere").iterdir()]


def test_who_installed_a_skill_is_told_of_each_change(tmp_path: Path, store: Path) -> None:
    shop, mine = tmp_path / "shop", tmp_path / "office-workbooks"
    shutil.copytree(OFFICE, mine)
    found = []
    for line in ("", "", "- One more.\n", ""):
        text = (mine / "SKILL.md").read_text()
        (mine / "SKILL.md").write_text(text + line)
        export(store, mine, shop, "--owner", "Team")
        found.append(read(shop / ".claude-plugin" / "marketplace.json")["plugins"][0]["version"])
    assert found[0] == found[1] < found[2] == found[3]


def test_what_people_add_to_a_manifest_stays_and_a_licence_that_is_gone_goes(tmp_path: Path, store: Path) -> None:
    shop, mine = tmp_path / "shop", tmp_path / "office-workbooks"
    shutil.copytree(OFFICE, mine)
    licensed = (mine / "SKILL.md").read_text().replace("---\n", "---\nlicense: MIT\n", 1)
    (mine / "SKILL.md").write_text(licensed)
    export(store, mine, shop, "--owner", "Team")
    manifest = shop / "plugins" / "office-workbooks" / "plugin.json"
    manifest.write_text(json.dumps({**read(manifest), "author": {"name": "Ann"}}))
    (mine / "SKILL.md").write_text(licensed.replace("license: MIT\n", ""))
    export(store, mine, shop)
    assert read(manifest)["author"] == {"name": "Ann"}
    assert "license" not in read(manifest)
    assert "license" not in read(shop / ".claude-plugin" / "marketplace.json")["plugins"][0]


def test_two_exports_at_once_keep_both_entries(tmp_path: Path) -> None:
    skills = [read_skill(path.parent) for path in sorted((ROOT / "examples" / "skills").glob("*/SKILL.md"))[:2]]
    for round in range(5):
        shop = tmp_path / f"shop-{round}"
        with ThreadPoolExecutor(2) as pool:
            made = [
                pool.submit(to_marketplace, [(skill, 1, "{}")], shop, owner="x", provenance_name=".json")
                for skill in skills
            ]
        assert [len(one.result()) for one in made] == [1, 1]
        assert len(read(shop / ".claude-plugin" / "marketplace.json")["plugins"]) == 2
