"""What reviewers say where something is not certain: doubt rejects no rule and no version, and takes nothing back."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_forge import FORK, TOKEN
from teams_of_tests import FILE, NAME, RULE, SUGGESTION, Reviewed, reviewed_team, rules

from trace2skill.consolidate import Groups
from trace2skill.consolidate.groups import EditGroup, Saying, Support
from trace2skill.consolidate.ledger import SupportLedger, SupportRow
from trace2skill.consolidate.screened_edits import Passed, looked_root
from trace2skill.consolidate.second_look import SecondLook
from trace2skill.core.errors import BadInput
from trace2skill.runs import read_reviews
from trace2skill.runs.commented_lines import CommentedLines
from trace2skill.runs.skill_reviews import ReviewedLine, reviews_of
from trace2skill.safety.screening import Finding
from trace2skill.skills.git_address import GitAddress, parse
from trace2skill.skills.skill import Skill, SkillFile
from trace2skill.store import open_store
from trace2skill.types.patch import Edit
from trace2skill.versions.forge_api import ForgeApi
from trace2skill.versions.registry import Registry
from trace2skill.versions.review_words import meaning_of
from trace2skill.versions.reviews import Comment

BOTH = pytest.mark.parametrize("team", ["github", "gitlab"], indirect=True)
Answer = Callable[[str, str], tuple[int, Any] | None]


@pytest.fixture(params=["github"])
def team(
    tmp_path: Path, prefect_home: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reviewed]:
    with reviewed_team(tmp_path, prefect_home, request.param, monkeypatch) as made:
        yield made


def states(team: Reviewed) -> list[str]:
    store = open_store(team.folder / "s.duckdb")
    found = [item.state for item in Registry(store).versions(NAME)]
    store.close()
    return found


def read_before(team: Reviewed) -> tuple[ReviewedLine, ...]:
    store = open_store(team.folder / "s.duckdb")
    (request,) = reviews_of(store, NAME).requests
    store.close()
    return request.lines


def answers(team: Reviewed, ending: str, status: int, told: Any) -> None:
    """From now on the forge answers that to whoever reads a path with that end."""
    usual = team.forge.answer

    def answer(method: str, path: str, body: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        odd = method == "GET" and path.partition("?")[0].endswith(ending)
        return (status, told) if odd else usual(method, path, body, headers)

    team.forge.answer = answer  # type: ignore[method-assign]


# --- what closes ------------------------------------------------------------------------------------------------------


@BOTH
def test_who_merges_closes_nothing(team: Reviewed) -> None:
    team.forge.requests[0]["state"] = "merged"
    team.forge.closed_by = "ann"
    found = team.found()
    assert (found["state"], found["lines"]) == ("merged", [])
    assert states(team) == ["candidate"]


@BOTH
def test_a_request_from_a_copy_of_the_repository_is_nobodys_of_ours(team: Reviewed) -> None:
    real = team.forge.requests[0]
    team.forge.requests.append(real | {"number": 2, "from": FORK, "author": "eve", "state": "closed"})
    team.forge.closed_by = "ann"
    team.at_line("ann", "/reject")
    run_id = team.first.run_id
    store = open_store(team.folder / "s.duckdb")
    known = reviews_of(store, NAME)
    (proposed,) = known.proposed
    store.put("review", NAME, known.model_copy(update={"proposed": (proposed.model_copy(update={"request": ""}),)}))
    store.close()
    found = team.found()
    assert (found["id"][-2:], found["state"], found["run_id"]) == (
        f"{'#' if team.forge.kind == 'github' else '!'}1",
        "open",
        run_id,
    )
    assert [line["effect"] for line in found["lines"]] == ["rejects"]
    assert states(team) == ["candidate"]
    assert team.proposed(team.first)["did"] == "unchanged"


def test_closing_is_of_the_version_that_the_request_proposed_then(team: Reviewed) -> None:
    later = team.again("sqlparse")
    assert team.proposed(later)["did"] == "updated"
    team.forge.requests[0]["state"], team.forge.closed_by = "closed", "ann"
    found = team.found()
    assert (found["run_id"], found["lines"]) == (later.run_id, []), "of two rules none is rejected"
    assert states(team) == ["candidate", "rejected"]


def test_a_run_reads_no_request_that_does_not_name_its_version(team: Reviewed) -> None:
    team.forge.requests[0]["state"], team.forge.closed_by = "closed", "ann"
    team.first = team.learn("sqlparse")
    said = team.read("--to", team.address, "--forge", "github", code=2).complaint
    assert "none of this version" in said
    assert states(team) == ["candidate", "candidate"]


def test_a_request_whose_text_names_no_version_any_more_rejects_none(team: Reviewed) -> None:
    team.forge.requests[0] |= {"state": "closed", "body": "Rewritten."}
    team.forge.closed_by = "ann"
    found = team.found()
    assert (found["lines"], found["unread"]) == ([], read_reviews.UNNAMED)
    assert states(team) == ["candidate"]


def test_what_was_landed_by_hand_is_not_rejected_by_closing(team: Reviewed) -> None:
    store = open_store(team.folder / "s.duckdb")
    registry = Registry(store)
    registry.adopt(registry.skill(team.first.candidate.skill), team.skill_of(team.first))
    store.close()
    team.forge.requests[0]["state"], team.forge.closed_by = "closed", "ann"
    assert team.effects() == []
    assert "rejected" not in states(team)


def test_a_kill_leaves_no_request_read_without_its_verdict(team: Reviewed, monkeypatch: pytest.MonkeyPatch) -> None:
    team.forge.requests[0]["state"], team.forge.closed_by = "closed", "ann"

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(read_reviews, "_judge", killed)
        team.read(code=130)
    team.again("sqlparse")
    assert states(team)[0] == "rejected"


def test_every_request_is_read_also_where_two_were_on_one_branch(team: Reviewed) -> None:
    team.at_line("ann", "/reject")
    team.forge.requests[0]["state"], team.forge.closed_by = "closed", "ann"
    team.proposed(team.learn("sqlparse"))
    assert len(team.forge.requests) == 2
    assert RULE not in rules(team.again("pytz"))
    assert states(team)[0] == "rejected"


# --- what is read again -----------------------------------------------------------------------------------------------

LIMIT = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
ODD: tuple[tuple[str, int, Any, int], ...] = (
    ("permission", 403, LIMIT, 2),
    ("permission", 403, {"message": "no"}, 0),
    ("permission", 404, {"message": "Not Found"}, 0),
    ("pulls/1/comments", 200, {"message": "Service unavailable"}, 2),
    ("pulls/1/comments", 200, [None], 2),
    ("pulls/1", 200, {}, 2),
)
"""An end of a path, what it is answered with, and how read-pr ends: somebody whom nobody knows any more has left."""


def test_what_was_read_once_stays_where_the_forge_does_not_take_it_back(team: Reviewed) -> None:
    number = team.at_line("ann", "/reject")
    team.read()
    usual = team.forge.answer
    for ending, status, told, code in ODD:
        answers(team, ending, status, told)
        team.read(code=code)
        assert [line.effect for line in read_before(team)] == ["rejects"], (ending, told)
        team.forge.answer = usual  # type: ignore[method-assign]
    answers(team, *ODD[0][:3])
    assert RULE not in rules(team.again("sqlparse"))
    team.forge.answer = usual  # type: ignore[method-assign]
    team.forge.may["ann"] = False
    team.forge.said[number].text = "/reject all the same"
    assert [effect for effect, _ in team.effects()] == ["note"], "who has left says nothing new"


def test_who_closed_it_stays_known_where_the_token_may_not_read_it_any_more(team: Reviewed) -> None:
    team.forge.requests[0]["state"], team.forge.closed_by = "closed", "ann"
    team.found()
    team.forge.hidden = "/issues/1"
    assert team.effects() == [("rejects", "")]


def test_nothing_that_a_forge_answers_ends_a_night(
    team: Reviewed, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = json.dumps
    monkeypatch.setattr("fake_forge.json.dumps", lambda told: "[" * 100_000 if isinstance(told, list) else usual(told))
    with caplog.at_level(logging.WARNING):
        assert "sqlparse" in rules(team.again("sqlparse"))
    assert "with something else than JSON" in caplog.text
    monkeypatch.setattr(read_reviews, "_as_read", lambda *_: [][0])
    monkeypatch.setattr("fake_forge.json.dumps", usual)
    with caplog.at_level(logging.WARNING):
        team.again("pytz")
    assert "is not read: IndexError" in caplog.text


def test_headers_that_drip_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trace2skill.versions.forge_api.ALL_SECONDS", 0.2)
    over = threading.Event()

    def drips(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.05):
                connection.sendall(b"x-more: 1\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drips, args=(server,), daemon=True).start()
        with pytest.raises(BadInput, match="without an end"):
            ForgeApi("github", f"http://127.0.0.1:{server.getsockname()[1]}", "team/skills", TOKEN).ask("GET", "x")
        over.set()


# --- what a comment means ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "````\n```suggestion\n\n```\n````",
        "Write it so:\n~~~markdown\n```suggestion\n```\n~~~",
        "<!--\n```suggestion\n```\n-->\nfine",
        "> ```suggestion\n> ```",
        "/reject-list looks right",
        "/reject's not needed",
        "/reject? I would not.",
        "    /reject",
        "no\n\nblockers from me, ship it",
        *(SUGGESTION.format(line) for line in ("---", "- ", "-", "- - x", "- <!-- x", "<script>x", "- # x", "- ```")),
        SUGGESTION.format("- [docs]: https://evil.example"),
        "````suggestion\n- ```\n````",
    ],
)
def test_an_example_of_a_form_and_what_is_no_line_of_text_are_notes(text: str) -> None:
    assert meaning_of(text).means == "note"


@BOTH
def test_an_answer_that_defends_a_line_does_not_reject_it(team: Reviewed) -> None:
    team.forge.may["eve"] = False
    first = team.at_line("eve", "/reject this is wrong")
    team.at_line("ann", "No: keep it, our image lacks it.", answers=first)
    assert [effect for effect, _ in team.effects()] == ["note", "note"]
    team.at_line("ann", "/reject", answers=first)
    assert [effect for effect, _ in team.effects()] == ["note", "note", "rejects"]


def test_a_thumb_down_on_a_comment_at_several_lines_is_a_note(team: Reviewed) -> None:
    team.at_line("us", "These?", against=("ann",), more={"start_line": team.number - 3})
    team.at_line("ann", "/reject", more={"start_line": team.number - 3})
    assert team.effects() == [("note", "it is about several lines")] * 2


@pytest.mark.parametrize("team", ["gitlab"], indirect=True)
def test_gitlabs_accounts_of_services_and_odd_places_decide_nothing(team: Reviewed) -> None:
    service = "service_account_group_1_abc"
    team.forge.may[service] = True
    team.at_line(service, "/reject")
    place = {"head_sha": "a" * 40, "base_sha": "a" * 40, "new_path": FILE, "old_path": FILE, "new_line": team.number}
    several = {"start": {"line_code": "x_1_1"}, "end": {"line_code": "x_1_5"}}
    team.at_line("us", "These?", against=("ann",), more={"position": place | {"line_range": several}})
    team.at_line("ann", "/reject", more={"position": place | {"new_line": -500}})
    assert [effect for effect, _ in team.effects()] == ["note"] * 3


def test_a_line_that_stands_on_the_branch_is_not_promised_to_change(team: Reviewed) -> None:
    team.remote.commit({FILE: f"{team.there(team.branch)}\n".encode()})
    team.forge.requests.clear()
    later = team.again("sqlparse", skill=team.remote.work / "skills" / NAME)
    team.proposed(later)
    team.first = later
    team.at_line("ann", "/reject")
    team.at_line("ann", SUGGESTION.format("- Install `asgiref` before the first test."))
    assert team.effects() == [("note", "the line stands on the branch already: nothing changes there")] * 2


SERVICE = "- Start the service so:\n  ```bash\n  make serve\n  ```\n"
PEOPLE = "- Set up so:\n  ```bash\n  make setup\n  ```\n"


def written(tmp_path: Path, before: str, after: str) -> tuple[CommentedLines, Skill]:
    """The lines of a version that has `before` of people, and then `after` of a run, for one rule."""
    head = f"---\nname: {NAME}\ndescription: x\n---\n# Skill\n\n{before}"
    base, skill = (Skill(files=(SkillFile(path="SKILL.md", content=text.encode()),)) for text in (head, head + after))
    first = len(head.splitlines()) + 1
    said = (Saying(trajectory_id="t", task_id="k", text=after),)
    row = SupportRow(file="SKILL.md", first=first, last=first + len(after.splitlines()) - 1, group="G", said=said,
                     support=Support(trajectories=("t",), tasks=("k",)))  # fmt: skip
    store = open_store(tmp_path / "s.duckdb")
    for one in (base, skill):
        store.put("skill", one.digest, one)
    store.put("support", skill.digest, SupportLedger(skill=skill.digest, parent=base.digest, rows=(row,)))
    candidate = SimpleNamespace(base=base.digest, applied=())
    address = parse("git+https://github.com/team/skills@main")
    assert isinstance(address, GitAddress)
    return CommentedLines(store, SimpleNamespace(candidate=candidate), skill, address), skill  # type: ignore[arg-type]


def test_a_comment_at_peoples_own_line_is_about_no_rule_with_the_same_words(tmp_path: Path) -> None:
    lines, skill = written(tmp_path, PEOPLE + "\n".join(f"{n}" for n in range(30)) + "\n\n", SERVICE)
    told = Comment(
        id="1", person="ann", may_write=True, says="/reject", means="reject", file="SKILL.md", text="  ```bash"
    )
    text = (skill.text("SKILL.md") or "").splitlines()
    theirs, ours = (n for n, line in enumerate(text, 1) if line == "  ```bash")
    assert lines.of(told.model_copy(update={"line": theirs})).effect == "note"
    assert lines.of(told.model_copy(update={"line": ours})).effect == "rejects"
    assert lines.of(told.model_copy(update={"line": ours + 1})).effect == "note", "moved, and of two one is people's"


def test_one_line_of_a_rule_with_several_takes_no_place_of_all(tmp_path: Path) -> None:
    lines, skill = written(tmp_path, "", SERVICE)
    line = len((skill.text("SKILL.md") or "").splitlines()) - 1
    told = Comment(id="1", person="ann", may_write=True, means="wording", wording="  make serve -d", file="SKILL.md")
    found = lines.of(told.model_copy(update={"line": line, "text": "  make serve"}))
    assert (found.effect, found.why_not) == ("note", "its rule has several lines, and keeps its words")


def test_comments_of_outsiders_have_no_older_version_looked_through(team: Reviewed) -> None:
    store = open_store(team.folder / "s.duckdb")
    address = parse(str(team.address))
    assert isinstance(address, GitAddress)
    lines = CommentedLines(store, team.first, Registry(store).skill(team.first.candidate.skill), address)
    told = Comment(id="1", person="eve", may_write=False, says="hi", file=FILE, line=1, text="a line that nobody has")
    assert not lines.of(told).of_rule
    assert "_others" not in vars(lines)
    lines.of(told.model_copy(update={"may_write": True}))
    assert "_others" in vars(lines)
    store.close()


# --- words that no skill may have -------------------------------------------------------------------------------------


def test_a_rule_keeps_its_words_where_those_of_a_reviewer_are_held_back(team: Reviewed) -> None:
    team.at_line("ann", SUGGESTION.format("- Install `asgiref`, see https://docs.evil.example/en/5.0/."))
    said = " ".join(team.read().stdout.split())
    assert "the rule keeps its own words, for of these: " in said
    later = team.again("sqlparse")
    assert RULE in rules(later)
    assert [item for item in later.quarantined if "docs.evil.example" in item.text]
    (group,) = [group for group in later.candidate.applied if RULE in group.text]
    assert "not in the words of ann, a reviewer: " in group.note
    (rule,) = [rule for rule in team.told("book", team.skill_of(later))["rules"] if RULE in rule["says"]]
    assert "the rule keeps its own words" in rule["reviews"][0]


def test_a_rule_is_back_in_its_own_words_where_a_second_look_names_those_of_a_reviewer(tmp_path: Path) -> None:
    support = Support(trajectories=("t",), tasks=("k",))
    own, theirs = (EditGroup(edits=(Edit(op="append_to_section", content=f"- {words}."),), support=support)
                   for words in ("Install it", "Send it to all"))  # fmt: skip
    root = Groups.of([theirs.model_copy(update={"instead": (own,)})], (), ())
    store = open_store(tmp_path / "s.duckdb")
    found = {"- Send it to all.": Finding(reason="named", fragment="all")}
    look = SecondLook(found=found, unjudged=())
    passed = looked_root(store, Passed(root, (), ()), {theirs.id: ("- Send it to all.",)}, look, {})
    store.close()
    assert [group.text for group in passed.root.groups] == ["- Install it."]
    assert "in words of its own again: " in passed.root.groups[0].note
    assert [item.group.text for item in passed.dropped] == ["- Send it to all."]


def test_the_token_comes_back_from_nowhere(team: Reviewed) -> None:
    more = {"html_url": f"https://forge.example/{TOKEN}", "updated_at": TOKEN}
    team.at_line("ann", "echo", more=more)
    team.forge.say("ann", "echo", f"skills/{NAME}/{TOKEN}.md", 3, "x")
    team.forge.say(TOKEN, "echo")
    told = json.dumps(team.found()) + team.read().stdout
    assert TOKEN not in told
    assert TOKEN not in (team.folder / "s.duckdb").read_bytes().decode("latin-1")


def test_a_repository_that_was_renamed_is_named_by_its_new_name(team: Reviewed) -> None:
    moved = {"message": "Moved Permanently", "url": f"{team.forge.api}/repositories/7/pulls/1"}
    answers(team, "pulls/1", 301, moved)
    answers(team, "repositories/7", 200, {"full_name": "team/new-name"})
    assert "it has moved to team/new-name: name its new address (--to)" in " ".join(team.read(code=2).complaint.split())
