"""Agents that are not ours: a real command line tool as a process, and a Python function."""

import json
import shlex
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from conftest import OFFICE, OFFICE_SKILL, PATIENCE, ROOT
from product import run, started

from trace2skill.agents.choose import choose_harness
from trace2skill.agents.harness import Assignment, CommandSettings, Harness
from trace2skill.agents.loop import Conversation
from trace2skill.agents.react import AgentSettings, skill_use
from trace2skill.agents.recipes import RECIPES, harness_settings
from trace2skill.cli.settings_options import Given
from trace2skill.core.budget import Budget
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput, BudgetReached, InfrastructureFault, ModelUnusable
from trace2skill.core.step_label import StepLabel
from trace2skill.domains.spreadsheet import Spreadsheet
from trace2skill.llm import Client, ModelSettings
from trace2skill.sandbox import Sandbox, bubblewrap
from trace2skill.sandbox.bubblewrap import Bubblewrap
from trace2skill.sandbox.process import PlainProcess
from trace2skill.skills.skill import Skill, read_skill
from trace2skill.store import Store, open_store
from trace2skill.types.task import Task

TOOL = shlex.join(["python", str(ROOT / "tests" / "agent_cli.py")])
COMMAND = TOOL + " --prompt-file {prompt_file} --seed {seed}"
TOY: dict[str, Any] = {
    "command": COMMAND,
    "log": ["home:.claude/projects/*.jsonl"],
    "visible": [str(ROOT)],
    "leftovers": [".toy-cache"],
    "cost_at": '"total_cost_usd": ([0-9.]+)',
}
MODEL = ModelSettings(name="sim/office")
needs_bwrap = pytest.mark.skipif(bool(bubblewrap.works()), reason=f"no working bwrap: {bubblewrap.works()}")
SANDBOXES = [pytest.param(Bubblewrap(), marks=needs_bwrap, id="bwrap"), pytest.param(PlainProcess(), id="process")]


class Bench:
    """One task, laid out, and what a harness makes of it."""

    def __init__(self, tmp_path: Path, cap: float | None = None) -> None:
        self.store: Store = open_store(tmp_path / "store.duckdb")
        self.client = Client(self.store, Budget(cap, reservations=self.store.reservations(), run_id="r"), "r")
        self.domain = Spreadsheet(recalculate="never")
        self.task: Task = self.domain.load(OFFICE)[0]
        self.workspace = tmp_path / "workspace"

    def harness(self, sandbox: Sandbox, name: str = "command", *sets: str, **values: Any) -> Harness:
        changes = [f"{key}={json.dumps(value)}" for key, value in values.items()]
        settings = AgentSettings(harness=harness_settings(name, None, [*changes, *sets]))
        return choose_harness(settings, MODEL, self.store, sandbox, sandbox)

    def work(self, harness: Harness, skill: Skill | None = None) -> Conversation:
        self.workspace.mkdir()
        self.domain.lay_out(self.task, self.workspace)
        given = Assignment(
            self.domain.describe(self.task), self.workspace, skill, 41, StepLabel("rollout", "x"), "rollout/1"
        )
        return harness.work(self.client, given)

    def left(self) -> set[str]:
        return {path.relative_to(self.workspace).as_posix() for path in self.workspace.rglob("*") if path.is_file()}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("sandbox", SANDBOXES)
class TestACommand:
    def test_works_with_the_skill_and_leaves_work_alone(self, sandbox: Sandbox, bench: Bench) -> None:
        skill = read_skill(OFFICE_SKILL)
        done = bench.work(bench.harness(sandbox, **TOY), skill)
        assert done.stop == "answered"
        assert [step.source for step in done.steps][:2] == ["user", "agent"]
        assert done.steps[-1].message == "Done."
        assert {call.name for step in done.steps for call in step.tool_calls} == {"Skill", "Bash"}
        assert any("cat > solve.py" in str(call.arguments) for step in done.steps for call in step.tool_calls)
        assert skill_use(done, skill) == (("SKILL.md", "references/openpyxl.md"), ())
        assert (done.usage.cost, done.extra["cost_from"]) == (0.0125, "its own words")
        assert done.usage.prompt >= 4000
        assert bench.left() == {"input/1.xlsx", "output/1.xlsx", "solve.py"}
        assert not (bench.workspace / ".claude").exists()
        assert bench.domain.grade(bench.task, bench.domain.collect(bench.task, bench.workspace)).cases

    def test_the_same_work_is_the_same_bytes(self, sandbox: Sandbox, tmp_path: Path) -> None:
        seen = set()
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            bench = Bench(tmp_path / name)
            seen.add(digest_of(bench.work(bench.harness(sandbox, **TOY), read_skill(OFFICE_SKILL)).steps))
        assert len(seen) == 1  # no time, id or path of this run is in it

    def test_a_key_reaches_the_tool_and_nothing_else(
        self, sandbox: Sandbox, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TOY_API_KEY", "correct-horse-battery")
        monkeypatch.setenv("OTHER_API_KEY", "not-for-you-at-all")
        harness = bench.harness(sandbox, **{**TOY, "command": COMMAND + " --mode leak", "env": ["TOY_API_KEY"]})
        text = "".join(step.model_dump_json() for step in bench.work(harness).steps)
        assert "TOY_API_KEY=" in text
        assert "correct-horse" not in text
        assert "not-for-you" not in text
        rows = bench.store.query("SELECT CAST(params AS TEXT) FROM ledger")
        assert "correct-horse" not in str(rows)

    def test_at_its_time_limit_the_work_is_scored_and_nothing_is_left_running(
        self, sandbox: Sandbox, bench: Bench
    ) -> None:
        late = {**TOY, "command": COMMAND + " --mode late", "limits": {"wall_seconds": 12, "memory_mb": 2**20}}
        done = bench.work(bench.harness(sandbox, **late))
        assert done.stop == "time_limit"
        assert "output/1.xlsx" in bench.left()
        assert done.extra["cost_from"] == "tokens of its log"  # it never came to say what it cost


class TestHowItEnds:
    def test_a_crash_is_a_fault_and_no_score(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOY_API_KEY", "correct-horse-battery")
        harness = bench.harness(PlainProcess(), **{**TOY, "command": COMMAND + " --mode crash", "env": ["TOY_API_KEY"]})
        with pytest.raises(InfrastructureFault, match=r"exit code 1: .*closed the connection with \[TOY_API_KEY\]"):
            bench.work(harness)
        (row,) = bench.store.ledger("r")
        assert row.outcome == "agent_failed"
        assert row.cost > 0  # its log says that it had bought something

    def test_what_only_a_person_can_mend_is_not_tried_again(self, bench: Bench) -> None:
        with pytest.raises(ModelUnusable, match="Invalid API key"):
            bench.work(bench.harness(PlainProcess(), **{**TOY, "command": COMMAND + " --mode auth"}))
        assert bench.store.ledger_total("r").cost == 0

    def test_a_missing_program_is_said_with_its_name(self, bench: Bench) -> None:
        with pytest.raises(BadInput, match=r"not found.*no-such-agent"):
            bench.work(bench.harness(PlainProcess(), command="no-such-agent < {prompt_file}"))
        assert bench.store.ledger_total("r").cost == 0
        with pytest.raises(BadInput, match="no-such-agent --version` ended with exit code 127"):
            bench.harness(PlainProcess(), **TOY, version_command="no-such-agent --version")

    def test_a_garbage_log_is_taken_as_text_and_said(self, bench: Bench) -> None:
        done = bench.work(bench.harness(PlainProcess(), **{**TOY, "command": COMMAND + " --mode garbage"}))
        assert done.extra["log"] == "text"
        assert "no format that is known" in str(done.extra["log_problem"])
        assert '"result": "Done."' in done.steps[-1].message
        assert "output/1.xlsx" in bench.left()


def test_an_estimate_counts_what_it_may_cost(tmp_path: Path, prefect_home: Path) -> None:
    command = ["estimate", "--data", OFFICE, "--tasks", "20", "--model", "sim/office", "--skill", OFFICE_SKILL]
    command += ["--sandbox", "process", "--harness", "command", "--agent-command", "true", "--json"]
    done = run(tmp_path, prefect_home, *command, "--agent-set", "price_per_rollout=0.5")
    stage = next(item for item in json.loads(done.stdout)["stages"] if item["stage"] == "rollout")
    assert stage["cost"] == stage["high"] == 0.5 * stage["steps"]


def test_an_exit_code_can_be_an_end(bench: Bench) -> None:
    turns = {**TOY, "command": COMMAND + " --mode turns", "exit_stops": {"53": "turn_limit"}}
    assert bench.work(bench.harness(PlainProcess(), **turns)).stop == "turn_limit"


def test_a_link_out_of_the_workspace_leads_nowhere(bench: Bench, tmp_path: Path) -> None:
    secret = tmp_path / "host"
    (secret / "skills" / "office-workbooks").mkdir(parents=True)
    (secret / "log.jsonl").write_text('{"role": "assistant", "content": "the host\'s own"}\n')
    trick = f"rm -rf .claude; ln -s {secret} .claude; ln -s {secret}/log.jsonl log.jsonl; echo harmless"
    harness = bench.harness(PlainProcess(), command=trick, log=["workspace:*.jsonl"])
    done = bench.work(harness, read_skill(OFFICE_SKILL))
    assert "host" not in "".join(step.message for step in done.steps[1:])
    assert (secret / "skills" / "office-workbooks").is_dir()
    assert (secret / "log.jsonl").is_file()


class TestMoney:
    def test_what_nobody_knows_counts_as_its_bound(self, bench: Bench) -> None:
        done = bench.work(bench.harness(PlainProcess(), command="echo done"))
        assert (done.usage.cost, done.extra["cost_from"]) == (2.0, "unknown: its bound")

    def test_a_stated_price_counts(self, bench: Bench) -> None:
        done = bench.work(bench.harness(PlainProcess(), **TOY, price_per_rollout=0.5))
        assert (done.usage.cost, done.extra["cost_from"]) == (0.5, "price per rollout")
        assert bench.store.ledger_total("r").cost == 0.5

    def test_nothing_is_started_that_could_pass_the_cap(self, tmp_path: Path) -> None:
        bench = Bench(tmp_path, cap=1.0)
        with pytest.raises(BudgetReached):
            bench.work(bench.harness(PlainProcess(), command="touch started", price_per_rollout=1.5))
        assert "started" not in bench.left()


class TestSettings:
    def test_every_recipe_can_be_read(self) -> None:
        for name in RECIPES:
            settings = harness_settings(name)
            assert isinstance(settings, CommandSettings)
            assert settings.network
            assert settings.env

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ('command="x {promt_file}"', "unknown {promt_file}"),
            ('command="KEY=sk-ant-REDACTED x"', "give keys by name"),
            ("env=[A=secret-value]", "names of variables"),
            ("skill_at=../outside", "below the workspace"),
            ("log=[/etc/passwd]", "no place of a log"),
            ('faults="("', "no regular expression"),
            ("nonsense=1", "nonsense"),
            ("network", "SETTING=VALUE"),
        ],
    )
    def test_what_cannot_be_is_refused_with_the_reason(self, change: str, said: str) -> None:
        with pytest.raises(BadInput) as refused:
            harness_settings("command", "true", [change.replace("REDACTED", "api03-" + "Ab1" * 12)])
        assert said in str(refused.value)

    def test_a_variable_that_is_not_set_is_said_before_anything_runs(self, bench: Bench) -> None:
        with pytest.raises(BadInput, match="needs NO_SUCH_KEY in the environment"):
            bench.harness(PlainProcess(), command="true", env=["NO_SUCH_KEY"])

    def test_the_version_and_the_command_are_in_the_key_and_the_price_is_not(self, bench: Bench) -> None:
        def key(**more: Any) -> str:
            return digest_of(bench.harness(PlainProcess(), **{**TOY, **more}).identity)

        plain = key()
        assert key(price_per_rollout=1.0) == plain
        assert key(version_command="echo 1.0") != key(version_command="echo 1.1") != plain
        assert key(command=COMMAND + " ") != plain

    def test_the_built_in_agent_is_keyed_as_ever(self) -> None:
        given = Given({"data": Path("/x"), "model": "sim/office", "store": "/tmp/s"})
        before = given.settings()
        now = Given({**given.typed, "harness": "react"}).settings()
        assert now.identity == before.identity == "57759bd6c5d0ca46abbfd3b2633da82203b359263d542e8377a10be58df943e9"


FUNCTION = """
import os, subprocess, sys
sys.path.insert(0, {root!r})
from trace2skill.sim.office import parse, program

def solve(prompt, workspace, skill, model, seed, max_turns):
    assert (skill / "SKILL.md").is_file() and model == "sim/office" and seed == 41
    assert "OPENAI_API_KEY" not in os.environ
    (workspace / "solve.py").write_text(program(parse(prompt), frozenset()))
    subprocess.run([sys.executable, "solve.py", "input/1.xlsx", "output/1.xlsx"], cwd=workspace, check=True)
    call = {{"id": "x", "function": {{"name": "bash", "arguments": '{{"command": "cat skill/references/openpyxl.md"}}'}}}}
    return {{"messages": [{{"role": "assistant", "content": "I look.", "tool_calls": [call]}},
                          {{"role": "tool", "tool_call_id": "x", "content": "openpyxl"}},
                          {{"role": "assistant", "content": "Done."}}],
             "usage": {{"prompt": 10, "completion": 5, "cost": 0.25}}}}

def words(**given):
    return "Only words."

def broken(**given):
    raise RuntimeError("the client has gone")

def odd(**given):
    return 42

def hangs(**given):
    import time
    time.sleep(600)
"""


class TestAFunction:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        path = tmp_path / "mine.py"
        path.write_text(FUNCTION.format(root=str(ROOT)))
        return path

    def test_works_and_says_what_it_did(self, bench: Bench, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-host")
        skill = read_skill(OFFICE_SKILL)
        done = bench.work(bench.harness(PlainProcess(), f"{file}:solve"), skill)
        assert [step.source for step in done.steps] == ["user", "agent", "agent"]
        assert done.steps[1].observations[0].content == "openpyxl"
        assert skill_use(done, skill)[0] == ("references/openpyxl.md",)
        assert (done.usage.cost, done.usage.prompt) == (0.25, 10)
        assert bench.domain.grade(bench.task, bench.domain.collect(bench.task, bench.workspace)).hard == 1.0

    def test_a_text_is_an_answer(self, bench: Bench, file: Path) -> None:
        done = bench.work(bench.harness(PlainProcess(), f"{file}:words", price_per_rollout=0))
        assert (done.steps[-1].message, done.usage.cost) == ("Only words.", 0.0)

    def test_what_it_raises_is_a_fault(self, bench: Bench, file: Path) -> None:
        with pytest.raises(InfrastructureFault, match="RuntimeError: the client has gone"):
            bench.work(bench.harness(PlainProcess(), f"{file}:broken"))

    def test_what_it_returns_is_checked(self, bench: Bench, file: Path) -> None:
        with pytest.raises(BadInput, match="no text, no list of messages"):
            bench.work(bench.harness(PlainProcess(), f"{file}:odd"))

    def test_it_is_ended_at_its_time_limit(self, bench: Bench, file: Path) -> None:
        done = bench.work(bench.harness(PlainProcess(), f"{file}:hangs", limits={"wall_seconds": 2}))
        assert done.stop == "time_limit"

    def test_another_text_of_its_file_is_another_key(self, bench: Bench, file: Path) -> None:
        before = bench.harness(PlainProcess(), f"{file}:words").identity
        file.write_text(file.read_text() + "\n# changed\n")
        assert bench.harness(PlainProcess(), f"{file}:words").identity != before
        with pytest.raises(BadInput, match="there is no"):
            bench.harness(PlainProcess(), "no.such.module:f")


@pytest.mark.slow  # a process for every run of its agent
def test_a_refresh_with_a_command_learns_and_repeats_for_nothing(tmp_path: Path, prefect_home: Path) -> None:
    settings = tmp_path / "toy.yaml"
    settings.write_text(json.dumps({**TOY, "name": "toy", "version_command": "echo toy 1.0"}))
    command = ["run", "--data", OFFICE, "--tasks", "26", "--skill", OFFICE_SKILL, "--model", "sim/office", "--json"]
    command += ["--recalculate", "never", "--sandbox", "process", "--harness", settings]
    made = json.loads(run(tmp_path, prefect_home, *command).stdout)
    assert made["candidate"]["skill"] != made["base"]
    assert not made["failures"]
    assert sum(made["trajectories"].values()) == made["tasks"]["evolve"]
    assert made["trajectories"]["failed"] > 0
    before, after = made["evaluations"]
    scores = [sum(cell["hard"] for cell in item["cells"]) for item in (before, after)]
    assert scores[1] > scores[0]  # the tool read the new skill, and kept to it
    assert made["spent"]["cost"] >= 0.0125 * len(before["cells"])
    opened = run(tmp_path, prefect_home, "usage", made["run_id"], "--json")
    assert {item["path"]: item["runs"] for item in json.loads(opened.stdout)["files"]}["references/openpyxl.md"] > 0
    assert json.loads(run(tmp_path, prefect_home, *command).stdout) == made


def test_an_interrupt_ends_the_agents_at_once(tmp_path: Path, prefect_home: Path) -> None:
    command = ["rollout", "--data", OFFICE, "--tasks", "4", "--model", "sim/office", "--sandbox", "process"]
    command += ["--harness", "command", "--agent-command", "touch started; sleep 986.5; touch $HOME/ended"]
    child = started(tmp_path, prefect_home, *command)
    deadline = time.monotonic() + PATIENCE
    while not sleeping("986.5") and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)
    began = sleeping("986.5")
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=PATIENCE)
    assert began, said
    assert child.returncode == 130, said
    assert not sleeping("986.5")
    assert "interrupted; everything finished is kept" in said


def sleeping(mark: str) -> bool:
    return any(["sleep", mark] == process.info["cmdline"] for process in psutil.process_iter(["cmdline"]))
