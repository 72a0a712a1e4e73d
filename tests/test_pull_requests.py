"""A run's skill as a branch and a pull request: what people get to read, what is pushed, and what is left alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import ingesting
import pytest
from fake_forge import TOKEN, FakeForge
from product import run
from questions_of_tests import write_math
from remotes import SUMS
from sessions_of_tests import sessions
from teams_of_tests import NAME, Team, with_token

from trace2skill.consolidate.groups import EditGroup
from trace2skill.core.errors import BadInput
from trace2skill.runs.pull_request_page import page_of
from trace2skill.skills.git_address import GitAddress, parse
from trace2skill.store import open_store
from trace2skill.store.database import close_all
from trace2skill.versions.forges import forge_of
from trace2skill.versions.registry import Registry


@pytest.fixture(params=["github"])
def team(
    tmp_path: Path, prefect_home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Team]:
    monkeypatch.setattr("product.environment", with_token(request.param, TOKEN))
    with FakeForge(request.param) as forge:
        yield Team(tmp_path, prefect_home, forge)


@pytest.mark.parametrize("team", ["github", "gitlab"], indirect=True)
def test_a_version_is_proposed_once_and_a_newer_one_on_top_of_it(team: Team) -> None:
    first = team.learn("asgiref")
    done = team.proposed(first)
    assert (done["did"], done["pushed"], done["into"]) == ("opened", True, "main")
    assert done["request"] == "https://forge.example/team/skills/pull/1"
    assert team.branches() == ["main", f"trace2skill/{NAME}/new"]
    assert "install it first (`pip install asgiref`)" in team.there(done["branch"])
    (asked,) = team.forge.requests
    assert asked["into"] == "main"
    assert "| 6 tasks, ends unknown | `` The environment lacks `asgiref`" in asked["body"]
    assert "Not tested on held-out tasks" in asked["body"]
    again = team.proposed(first)
    assert (again["did"], again["pushed"], again["commit"]) == ("unchanged", False, done["commit"])
    newer = team.proposed(team.learn("sqlparse"))
    assert (newer["did"], newer["pushed"], newer["branch"]) == ("updated", True, done["branch"])
    assert team.remote.git("rev-parse", f"{newer['commit']}~1") == done["commit"]
    assert len(team.forge.requests) == 1
    newest = team.forge.requests[0]
    assert "sqlparse" in newest["body"]
    assert "of the rules that were weighed were learned by earlier runs, of other logs" in newest["body"]
    assert team.remote.git("rev-list", "--count", "main") == "1", "nothing but people's commits is there"


def test_what_was_merged_and_taken_back_is_proposed_on_a_branch_of_its_own(team: Team) -> None:
    first = team.learn("asgiref")
    done = team.proposed(first)
    team.remote._run(team.remote.work, "fetch", "--quiet")
    team.remote._run(team.remote.work, "merge", "--quiet", "--no-ff", "-m", "merged", f"origin/{done['branch']}")
    team.remote._run(team.remote.work, "push", "--quiet", "origin", "HEAD:main")
    assert "holds this version already" in team.propose(first, code=2).complaint
    team.remote._run(team.remote.work, "revert", "--no-edit", "-m", "1", "HEAD")
    team.remote._run(team.remote.work, "push", "--quiet", "origin", "HEAD:main")
    newer = team.proposed(team.learn("sqlparse"))
    assert newer["branch"].startswith(f"{done['branch']}-")
    assert team.remote.git("merge-base", newer["branch"], "main") == team.remote.git("rev-parse", "main")


def test_what_people_changed_is_left_alone(team: Team) -> None:
    done = team.proposed(team.learn("asgiref"))
    work = team.remote.work
    team.remote._run(work, "fetch", "--quiet")
    team.remote._run(work, "checkout", "--quiet", done["branch"])
    team.remote.write(f"skills/{NAME}/SKILL.md", team.there(done["branch"]).encode() + b"\n- By a reviewer.\n")
    team.remote._run(work, "commit", "--quiet", "--all", "-m", "a reviewer's words")
    team.remote._run(work, "push", "--quiet", "origin", "HEAD")
    newer = team.learn("sqlparse")
    assert team.proposed(newer)["branch"].startswith(f"{done['branch']}-")
    assert "By a reviewer." in team.there(done["branch"])
    team.remote._run(work, "checkout", "--quiet", "main")
    team.remote.commit(
        {f"skills/{NAME}/SKILL.md": f"---\nname: {NAME}\ndescription: By people.\n---\n# Own\n".encode()}
    )
    assert "is another one than the run began with" in team.propose(newer, code=2).complaint


def test_what_people_closed_is_not_opened_again(team: Team) -> None:
    first = team.learn("asgiref")
    done = team.proposed(first)
    team.forge.requests[0]["state"] = "closed"
    said = team.propose(first)
    assert "people have closed the pull request of this version: none was opened again" in " ".join(said.stdout.split())
    team.remote.git("branch", "-D", done["branch"])
    team.remote.commit({"README.md": b"Something else moved.\n"})
    assert team.proposed(first)["did"] == "refused", "though its branch is gone and theirs has moved"
    assert team.branches() == ["main"]
    newer = team.proposed(team.learn("sqlparse"))
    assert newer["did"] == "opened", "another version is another question"


def test_a_plan_and_a_branch_alone_need_no_forge(team: Team) -> None:
    first = team.learn("asgiref")
    plan = json.loads(team.propose(first, "--dry-run", "--json").stdout)
    assert (plan["branch"], plan["into"], plan["title"]) == (
        f"trace2skill/{NAME}/new",
        "main",
        f"{NAME}: 1 rule, not tested",
    )
    assert team.branches() == ["main"]
    assert "open one for that branch by hand" in " ".join(team.propose(first, "--forge", "none").stdout.split())
    assert team.branches() == ["main", plan["branch"]]
    assert not team.forge.asked


def test_a_commit_has_the_evidence_of_the_run_that_is_proposed(team: Team) -> None:
    first = team.learn("asgiref")
    registry = Registry(open_store(team.folder / "s.duckdb"))
    version = registry.version(first.candidate.skill)
    registry.record(registry.skill(version.skill), version.model_copy(update={"run_id": "run-later"}))
    close_all()
    commit = team.proposed(first)["commit"]
    said = team.remote.git("show", "--no-patch", "--format=%B", commit)
    assert f"Trace2skill-Run: {first.run_id}" in said


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--forge", "github", "--api", "https://[x"), "--api is no address"),
        (("--to", "https://bot:secret-word@forge.example/x"), "name a place in a repository"),
        (("--forge", "github", "--api", "http://forge.example"), "a token is sent over https only"),
        (("--forge", "github", "--api", "https://a:secret-word@forge.example"), "without user, query and fragment"),
        (("--forge", "github"), "a repository on this machine has no forge"),
        (("--to", "skills/sums"), "--to skills/sums: name a place in a repository"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_pushed(team: Team, more: tuple[str, ...], says: str) -> None:
    said = team.propose(team.learn("asgiref"), *more, code=2).complaint
    assert says in said
    assert "secret-word" not in said
    assert team.branches() == ["main"]


def test_the_branch_is_pushed_again_where_it_was_deleted(team: Team) -> None:
    first = team.learn("asgiref")
    done = team.proposed(first)
    team.remote.git("branch", "-D", done["branch"])
    again = team.proposed(first)
    assert (again["pushed"], again["commit"]) == (True, done["commit"])


def test_what_people_made_of_an_open_request_stays(team: Team) -> None:
    first = team.learn("asgiref")
    team.proposed(first)
    (asked,) = team.forge.requests
    asked |= {"title": "Draft: not yet", "body": f"Our own words.\n\n{asked['body'].splitlines()[-1]}"}
    kept = dict(asked)
    assert team.proposed(first)["did"] == "unchanged"
    assert asked == kept
    assert team.proposed(team.learn("sqlparse"))["did"] == "updated"
    assert asked["title"].startswith("Draft: "), "a newer version is no less a draft"


@pytest.mark.parametrize(
    ("address", "variables", "api"),
    [
        ("git+https://github.com/team/skills@main#s", {}, "https://api.github.com"),
        ("git+https://github.attacker.example/team/skills@main#s", {}, ""),
        ("git+https://github.corp.example:8443/team/skills@main#s", {"GH_HOST": "github.corp.example"}, "https://github.corp.example:8443/api/v3"),
        ("git+https://gitlab.com/team/skills@main#s", {}, "https://gitlab.com/api/v4"),
        ("git+https://code.corp.example/team/skills@main#s", {"GITLAB_HOST": "code.corp.example"}, "https://code.corp.example/api/v4"),
        ("git+https://gitlab.attacker.example/team/skills@main#s", {"GITLAB_HOST": "gitlab.corp.example"}, ""),
    ],
)  # fmt: skip
def test_a_token_goes_to_hosts_that_are_meant_alone(
    address: str, variables: dict[str, str], api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GH_HOST", "GITLAB_HOST", "CI_SERVER_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"GITHUB_TOKEN": "a-token", "GITLAB_TOKEN": "a-token", **variables}.items():
        monkeypatch.setenv(name, value)
    where = parse(address)
    assert isinstance(where, GitAddress)
    asked: list[str] = []
    monkeypatch.setattr("httpx.Client.stream", lambda _, method, url, **more: asked.append(url) or 1 / 0)
    if not api:
        with pytest.raises(BadInput, match="nobody has said that it is to have the token"):
            forge_of(where)
        return
    forge = forge_of(where)
    assert forge is not None
    with pytest.raises(ZeroDivisionError):
        forge.closed("b", "main", "v")
    assert asked[0].startswith(f"{api}/")


def test_a_token_that_is_refused_or_missing_is_said_and_not_shown(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    first = team.learn("asgiref")
    monkeypatch.setattr("product.environment", with_token("github", "wrong-token-9876543210"))
    said = team.propose(first, code=2).complaint
    assert "the token in GITHUB_TOKEN or GH_TOKEN is not taken" in said
    assert "wrong-token" not in said
    monkeypatch.setattr("product.environment", with_token("github", ""))
    assert "needs a token in GITHUB_TOKEN or GH_TOKEN" in team.propose(first, code=2).complaint


def _saying(group: EditGroup, text: str) -> EditGroup:
    return group.model_copy(update={"edits": (group.edits[0].model_copy(update={"content": text}),)})


def test_no_words_of_a_model_call_people_or_close_what_is_theirs(tmp_path: Path) -> None:
    learned = ingesting.ingest(ingesting.settings(tmp_path, sessions(tmp_path / "logs")))
    (group,) = learned.candidate.written
    evil = "Ask @team, closes #12 | [x](https://x.example) `` ``` <img src=x>"
    candidate = learned.candidate.model_copy(update={"applied": (_saying(group, evil),)})
    page = page_of(learned.model_copy(update={"candidate": candidate}), "")
    assert "| ```` Ask @team, closes # 12 \\| [x](https://x.example) `` ``` <img src=x> ```` |" in page, (
        "a blank breaks it"
    )


def test_a_night_proposes_what_won_and_a_merge_makes_it_the_champion(team: Team) -> None:
    remote, data = team.remote, write_math(team.folder / "data", 24)
    model = ("--domain", "math", "--data", data, "--sandbox", "process", "--model", "sim/office", "--level", "0.6")
    forge = ("--promote", "pull_request", "--forge", "github", "--forge-api", team.forge.api)
    command = ("run", *model, "--skill", remote.address(), *forge, "--json")
    made = json.loads(run(team.folder, team.home, *command).stdout)
    assert made["decision"]["verdict"] == "promote"
    assert made["approval"] == "proposed: https://forge.example/team/skills/pull/1 (opened)"
    (branch,) = [name for name in team.branches() if name != "main"]
    (asked,) = team.forge.requests
    assert "| skill | hard |" in asked["body"]
    assert "of 6 |" in asked["body"], "held-out runs of each skill"
    before = remote.git("rev-parse", branch)
    assert json.loads(run(team.folder, team.home, *command).stdout)["approval"].endswith("(unchanged)")
    assert remote.git("rev-parse", branch) == before
    assert remote.git("show", "main:skills/sums/SKILL.md") == SUMS.decode().strip()
    assert any("/pulls/1/comments" in path for path in team.forge.asked), "it has asked what people said of the first"
    remote.git("update-ref", "refs/heads/main", branch)  # as people merge it
    known = json.loads(run(team.folder, team.home, "versions", "sums", "--json").stdout)
    after = json.loads(run(team.folder, team.home, *command).stdout)
    assert after["base"] == made["candidate"]["skill"]
    assert known["versions"][-1]["skill"] == after["base"], "the version that was proposed, and no other"


@pytest.mark.slow  # the night before it ends in a request
def test_a_night_without_a_forge_keeps_its_winner(team: Team) -> None:
    remote, data = team.remote, write_math(team.folder / "data", 24)
    command = (
        "run",
        "--domain",
        "math",
        "--data",
        data,
        "--sandbox",
        "process",
        "--model",
        "sim/office",
        "--level",
        "0.6",
    )
    forge = ("--promote", "pull_request", "--forge", "github", "--forge-api", "http://127.0.0.1:9")
    made = json.loads(run(team.folder, team.home, *command, "--skill", remote.address(), *forge, "--json").stdout)
    assert "not proposed (`http://127.0.0.1:9 cannot be reached" in made["approval"]
    assert f"`trace2skill propose-pr {made['run_id']}` does it" in made["approval"]
    done = run(team.folder, team.home, "propose-pr", made["run_id"], "--api", team.forge.api, "--json")
    assert json.loads(done.stdout)["did"] == "opened"


@pytest.mark.parametrize(
    ("skill", "forge", "says"),
    [
        ("", ("--forge", "none"), "a new skill is in no repository that people merge into"),
        ("tag", ("--forge", "none"), "is a tag or a commit, and not merged into"),
        ("main", (), "a repository on this machine has no forge"),
    ],
)
def test_a_night_that_could_propose_nothing_does_not_begin(
    team: Team, skill: str, forge: tuple[str, ...], says: str
) -> None:
    remote, data = team.remote, write_math(team.folder / "data", 24)
    remote.git("tag", "tag", "main")
    command = ["run", "--domain", "math", "--data", data, "--sandbox", "process", "--model", "sim/office"]
    given = ["--skill", remote.address(skill)] if skill else []
    api = ["--forge", "github"] if not forge else [*forge]
    said = run(team.folder, team.home, *command, *given, "--promote", "pull_request", *api, code=2)
    assert says in said.complaint
