"""A person's answer is carried out once, also where the flow run that asked for it no longer can."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from conftest import OFFICE_SKILL
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.input import keyset_from_paused_state
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Suspended
from questions_of_tests import write_math
from run_settings import run_settings
from typer.testing import CliRunner

from tasks.answers import settle
from trace2skill.cli.app import app
from trace2skill.consolidate.candidate import Candidate
from trace2skill.core import clock
from trace2skill.core.errors import BadInput
from trace2skill.core.forms import from_text_or_none
from trace2skill.domains.base import Audit
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs import approvals, closing, refresh
from trace2skill.runs.approvals import carry_out, waiting_run, waiting_runs
from trace2skill.runs.distill import Distilled
from trace2skill.runs.promotion import Approval
from trace2skill.runs.run_progress import read_progress
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.selection import Evolution
from trace2skill.runs.summary import RunSummary
from trace2skill.skills.skill import Skill, read_skill, write_skill
from trace2skill.store import Store, open_store
from trace2skill.types.decision import Decision
from trace2skill.types.evaluation import Cell, Evaluation
from trace2skill.versions.registry import Registry, Version

YES, NO = Approval(given=True, reason="read it"), Approval(given=False, reason="not now")


class Asked:
    """A run whose candidate has won, and which waits; nobody carries it out any more."""

    def __init__(self, folder: Path, flow_run: str = "") -> None:
        self.live = folder / OFFICE_SKILL.name
        shutil.copytree(OFFICE_SKILL, self.live)
        self.base = read_skill(self.live)
        self.better = self.base.with_files({"references/openpyxl.md": b"# Better\n"})
        write_math(folder / "data", 12)
        self.output, path = folder / "runs", folder / "s.duckdb"
        rt = runtime(
            run_settings(
                domain="math",
                data=folder / "data",
                skill=self.live,
                roles=Roles.all_played_by(ModelSettings(name="sim/office")),
                store=path,
                output=self.output,
                sandbox="process",
                promote="approve",
            )
        )
        self.run_id = refresh.start(rt, flow_run=flow_run)
        rt.store.put("skill", self.better.digest, self.better)
        planned = refresh.plan(rt, [Audit(task_id=task, verdict="usable") for task in rt.tasks])
        base, candidate = (
            self.base.digest,
            Candidate(base=self.base.digest, skill=self.better.digest, thresholds=(2, 2)),
        )
        grown = Evolution(
            number=0, rolled=(), distilled=Distilled(base=base, analysed=(), proposed=()), candidate=candidate
        )
        scored = [
            Evaluation.of(
                name,
                digest,
                [Cell(task_id=t, seed=1, outcome="passed", hard=hard, soft=hard) for t in planned.validation],
            )
            for name, digest, hard in (("S0", base, 0.0), ("candidate", self.better.digest, 1.0))
        ]
        decision = Decision(verdict="promote", reason="better on 3")
        closing.finish(rt, planned, grown, scored, decision, [], state="waiting")
        forget_runtimes()
        self.store: Store = open_store(path)
        self.registry = Registry(self.store)

    def kinds(self) -> list[str]:
        return [change.kind for change in self.registry.history(self.base.name)]

    def state(self) -> str:
        return read_progress(self.output, self.run_id).state


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    found = Asked(tmp_path)
    yield found
    found.store.close()


def test_a_yes_promotes_once_and_a_no_does_not(asked: Asked, tmp_path: Path) -> None:
    assert [item.run_id for item in waiting_runs(asked.store)] == [asked.run_id]
    done = carry_out(asked.store, waiting_run(asked.store, asked.run_id), YES)
    assert (done.promoted, done.approval) == (True, "approved: read it")
    assert read_skill(asked.live) == asked.better
    assert asked.kinds() == ["adopt", "promote"]
    assert asked.registry.history(asked.base.name)[-1].reason == "better on 3; approved: read it"
    assert asked.state() == "completed"
    assert "approved: read it" in (asked.output / asked.run_id / "summary.md").read_text()
    with pytest.raises(BadInput, match="waits for no approval: it is completed"):
        waiting_run(asked.store, asked.run_id)
    with pytest.raises(BadInput, match="there is no such run"):
        waiting_run(asked.store, "run-0")
    (tmp_path / "other").mkdir()
    other = Asked(tmp_path / "other")
    done = carry_out(other.store, waiting_run(other.store, other.run_id), NO)
    assert (done.promoted, done.approval) == (False, "not approved: not now")
    assert read_skill(other.live) == other.base
    assert other.registry.version(other.better.digest).state == "rejected"
    other.store.close()


def test_an_answer_whose_process_died_half_way_is_carried_out_once(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(Exception):
        pass

    def dies(*_: object) -> None:
        raise Died

    waiting = waiting_run(asked.store, asked.run_id)
    with monkeypatch.context() as patched:
        patched.setattr(approvals, "write_pages", dies)
        with pytest.raises(Died):
            carry_out(asked.store, waiting, YES)
    assert asked.state() == "waiting"
    assert carry_out(asked.store, waiting_run(asked.store, asked.run_id), YES).promoted
    assert asked.kinds() == ["adopt", "promote"]
    assert asked.registry.version(asked.better.digest).state == "promoted"


@pytest.mark.parametrize("who", ["a run", "a person"])
def test_a_yes_over_a_champion_that_was_replaced_promotes_nothing_and_says_so(asked: Asked, who: str) -> None:
    theirs: Skill = asked.base.with_files({"references/openpyxl.md": b"# Theirs\n"})
    if who == "a run":
        asked.registry.record(theirs, Version(name=theirs.name, skill=theirs.digest, state="candidate"))
        asked.registry.promote(theirs, asked.live, expected=asked.base.digest, run_id="theirs", reason="faster")
    else:
        write_skill(theirs, asked.live)
    done = carry_out(asked.store, waiting_run(asked.store, asked.run_id), YES)
    assert not done.promoted
    assert f"not promoted, since {theirs.digest[:12]} has become champion meanwhile" in done.approval
    assert read_skill(asked.live) == theirs
    assert asked.state() == "completed"


@flow
def nightly() -> None:
    """Stands for a refresh: only its state and its answer matter."""


def flow_run(state: State) -> str:
    with get_client(sync_client=True) as client:
        return str(client.create_flow_run(nightly, name=str(uuid4()), state=state).id)


@pytest.mark.parametrize(
    ("state", "answer", "approval"),
    [
        (Cancelled(), {"promote": True, "reason": "read it"}, "approved: read it"),
        (Cancelled(), {"promote": False, "reason": "too late"}, "not approved: too late"),
        (Cancelled(), None, "not approved: its flow run ended as Cancelled before anybody answered"),
        (Suspended(), None, ""),
    ],
)
def test_an_answer_that_another_run_kept_from_its_own_is_carried_out_by_whoever_comes_next(
    tmp_path: Path, prefect_home: Path, state: State, answer: dict[str, object] | None, approval: str
) -> None:
    with temporary_settings({PREFECT_API_URL: (prefect_home / "api").read_text()}):
        id = flow_run(state)
        asked = Asked(tmp_path, id)
        question = Suspended(pause_key=waiting_run(asked.store, asked.run_id).question)
        key = keyset_from_paused_state(question)["response"]
        if answer is not None:
            with get_client(sync_client=True) as client:
                client.create_flow_run_input(flow_run_id=id, key=key, value=json.dumps(answer))
        for _ in range(2):  # whoever comes after that finds nothing to do
            settle(asked.store.path, 1)
        row = asked.store.run(asked.run_id)
        assert row is not None
        assert row.state == asked.state() == ("completed" if approval else "waiting")
        shown = from_text_or_none(row.summary, RunSummary)
        assert shown is not None
        assert shown.approval == approval
        assert (read_skill(asked.live) == asked.better) == approval.startswith("approved")
        asked.store.close()


def test_a_wait_whose_end_was_lost_with_its_worker_is_ended_by_the_next_run(
    tmp_path: Path, prefect_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with temporary_settings({PREFECT_API_URL: (prefect_home / "api").read_text()}):
        id = flow_run(Suspended())
        asked = Asked(tmp_path, id)
        hours, began = waiting_run(asked.store, asked.run_id).settings.operation.approval_hours, clock.now()
        for later, state in ((hours, "waiting"), (hours + 1, "completed")):  # the run that ends it is given some time
            monkeypatch.setattr(clock, "now", lambda later=later: began + timedelta(hours=later))
            settle(asked.store.path, 1)
            assert asked.state() == state
        summary = (asked.output / asked.run_id / "summary.md").read_text()
        assert "not approved: nobody answered within 20 hours" in summary
        assert read_skill(asked.live) == asked.base
        with get_client(sync_client=True) as client:
            ended = client.read_flow_run(UUID(id)).state
        assert ended is not None
        assert ended.is_cancelled()
        assert ended.message == "nobody answered within 20 hours"
        asked.store.close()


def test_a_command_answers_where_the_server_is_gone(asked: Asked) -> None:
    asked.store.close()
    at = ["--store", str(asked.store.path)]
    done = CliRunner().invoke(app, ["approve", asked.run_id, "--why", "seen", *at])
    assert done.exit_code == 0, done.output
    assert "office-workbooks: promoted: approved: seen" in done.output
    assert read_skill(asked.live) == asked.better
