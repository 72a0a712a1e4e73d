"""Shell tasks: loaded, checked where the agent cannot reach, analysed without the check, and learned from."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from product import run

from trace2skill.analysts.error import lay_out_left
from trace2skill.analysts.gate import run_gate
from trace2skill.core.errors import BadInput
from trace2skill.domains import load_domain
from trace2skill.sandbox import Limits, Sandbox, choose_sandbox
from trace2skill.sandbox import bubblewrap as bwrap
from trace2skill.sandbox.process import PlainProcess
from trace2skill.sim import scripts
from trace2skill.sim.causes import ALL_CAUSES, ALL_HABITS, cause_of, guided, habit_of
from trace2skill.sim.mistakes.scripts import SCRIPT_CAUSES, SCRIPT_MISTAKES
from trace2skill.skills.skill import read_skill
from trace2skill.types.evaluation import Evaluation
from trace2skill.types.task import Task

SHELL, SKILL = ROOT / "examples" / "shell", ROOT / "examples" / "skills" / "shell-files"
ROW = {
    "id": "count",
    "prompt": "Write the number of lines of names.txt to out/count.txt.",
    "files": {"names.txt": "ann\nbo\n" * 117, "run.sh": "#!/bin/bash\necho hi\n"},
    "check": '[ "$(cat out/count.txt)" = 234 ] || { echo "not the number of lines"; exit 1; }',
    "solution": "mkdir -p out; grep -c '' names.txt > out/count.txt",
}


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """The sandbox of a real run, where there is one."""
    return PlainProcess() if bwrap.works() else choose_sandbox("bwrap", simulated_model=False)


def domain_of(sandbox: Sandbox, **options: str) -> Any:
    domain: Any = load_domain("shell", options)
    domain.use_sandbox(lambda: sandbox)
    return domain


def task_of(tmp_path: Path, **changed: object) -> Task:
    path = tmp_path / "tasks.jsonl"
    path.write_text(json.dumps({**ROW, **changed}) + "\n")
    (task,) = load_domain("shell").load(path)
    return task


def left_by(domain: Any, task: Task, folder: Path, command: str) -> dict[str, bytes]:
    """What a command leaves in a fresh workspace."""
    folder.mkdir()
    domain.lay_out(task, folder)
    subprocess.run(["bash", "-c", command], cwd=folder, check=True)
    found: dict[str, bytes] = domain.collect(task, folder)
    return found


def test_a_directory_and_a_line_of_jsonl_are_the_same_task(tmp_path: Path, sandbox: Sandbox) -> None:
    folder = tmp_path / "set" / "tasks" / "count"
    (folder / "files").mkdir(parents=True)
    (folder / "check").mkdir()
    (folder / "prompt.md").write_text(ROW["prompt"])
    (folder / "files" / "names.txt").write_text(ROW["files"]["names.txt"])
    (folder / "check" / "check.py").write_text(
        "import wanted\nprint('score: 0.25')\nraise SystemExit(open('out/count.txt').read() != wanted.COUNT)\n"
    )
    (folder / "check" / "wanted.py").write_text("COUNT = '234\\n'\n")
    (folder / "solution.sh").write_text(ROW["solution"])
    (folder / "kind").write_text("counting\n")
    domain = domain_of(sandbox)
    (task,) = domain.load(tmp_path / "set")
    assert (task.id, task.kind) == ("count", "counting")
    assert domain.audit(task).verdict == domain.audit(task_of(tmp_path)).verdict == "usable"
    wrong = left_by(domain, task, tmp_path / "w", "mkdir out; echo 7 > out/count.txt")
    assert (domain.grade(task, wrong).hard, domain.grade(task, wrong).soft) == (0.0, 0.25)
    (folder / "check" / "wanted.py").write_text("COUNT = '235\\n'\n")
    assert domain.load(tmp_path / "set")[0].content != task.content


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "tasks.jsonl:1: not JSON"),
        ('{"id": "a", "prompt": "p"}', "tasks.jsonl:1: check: Field required"),
        ('{"id": "a", "prompt": "p", "check": "true", "chekc": "x"}', "chekc"),
        ('{"id": "a", "prompt": "p", "check": "true", "files": {"../x": "y"}}', "leads out"),
        ('{"id": "a", "prompt": "p", "check": "true", "files": {"skill/x": "y"}}', "a name of our own"),
        ('{"id": "a", "prompt": "p", "check": "true", "files": {"x": {"path": "../secret"}}}', "no file ../secret"),
        ("", "holds no task"),
    ],
)
def test_bad_rows_are_refused_with_file_and_line(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "tasks.jsonl").write_text(line)
    with pytest.raises(BadInput, match=said):
        load_domain("shell").load(tmp_path)


def test_a_directory_without_a_check_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(BadInput, match=r"prompt.md, files/ and check.sh"):
        load_domain("shell").load(tmp_path)
    (tmp_path / "one" / "prompt.md").write_text("Do it.")
    with pytest.raises(BadInput, match=r"one has no check: write check.sh"):
        load_domain("shell").load(tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        "mkdir .check; echo 'exit 0' > .check/check.sh; echo 'exit 0' > check.sh",
        "printf 'import os\\nos._exit(0)\\n' | tee json.py re.py sitecustomize.py usercustomize.py",
        "mkdir bin; printf '#!/bin/sh\\necho 234\\n' > bin/cat; cp bin/cat cat; chmod +x bin/cat cat",
        "mkdir out; ln -s /etc/hostname out/count.txt; ln -s / root; ln -s ../.. up",
        "mkdir out; mkfifo out/count.txt",
        "mkdir out; truncate -s 300M out/count.txt",
        "rm names.txt; ln -s .check names.txt",
        "echo 'exit 0' > .bashrc; echo 'exit 0' > .profile; echo 'exit 0' > BASH_ENV",
    ],
)
def test_what_an_agent_leaves_cannot_stand_in_for_the_check(tmp_path: Path, sandbox: Sandbox, command: str) -> None:
    check = 'python -c "import json, re; json.dumps(1)" && ' + ROW["check"]
    domain, task = domain_of(sandbox), task_of(tmp_path, check=check)
    assert domain.audit(task).verdict == "usable"
    assert domain.grade(task, left_by(domain, task, tmp_path / "w", command)).hard == 0.0


def test_all_that_was_left_comes_back_as_it_was_and_nothing_else(tmp_path: Path, sandbox: Sandbox) -> None:
    domain, task = domain_of(sandbox), task_of(tmp_path, files={**ROW["files"], "deep/er/x.txt": "x\n"})
    command = (
        "chmod -x run.sh; echo a > 'new file'; chmod +x 'new file'; rm -r deep; mkdir -p empty/er; "
        "ln -s names.txt inside; ln -s /etc/passwd outside; echo more >> names.txt; mkdir skill; echo s > skill/s"
    )
    outputs = left_by(domain, task, tmp_path / "w", command)
    assert sorted(outputs) == [".left.json", "names.txt", "new file"]
    again = tmp_path / "again"
    again.mkdir()
    lay_out_left(domain, task, again, outputs)
    assert (again / "given" / "names.txt").read_text() == ROW["files"]["names.txt"]
    assert domain.collect(task, again) == outputs
    assert not (again / "deep").exists()
    assert (again / "empty" / "er").is_dir()
    assert os.access(again / "new file", os.X_OK)
    assert not os.access(again / "run.sh", os.X_OK)
    assert os.readlink(again / "inside") == "names.txt"
    assert not (again / "outside").is_symlink()
    untouched = left_by(domain, task, tmp_path / "u", "mkdir skill trace; touch fix.sh")
    assert untouched == {}


@pytest.mark.parametrize(
    ("changed", "verdict", "said"),
    [
        ({"check": "true"}, "passes_untouched", "nothing was done"),
        ({"check": "if ["}, "never_passes", "broken: .*syntax error|broken: .*unexpected"),
        ({"check": "nosuchprogram --check"}, "never_passes", "nosuchprogram: command not found"),
        ({"check": "python -c 'import nosuchmodule'"}, "never_passes", "ModuleNotFoundError"),
        ({"check": "sleep 30"}, "never_passes", "limit of 1 seconds"),
        ({"solution": "exit 3"}, "never_passes", "does not run to its end .exit code 3"),
        ({"solution": "mkdir out; echo 1 > out/count.txt"}, "never_passes", "does not pass the reference solution"),
        ({"solution": ""}, "usable", ""),
    ],
)
def test_a_broken_check_is_told_from_a_failed_task(
    tmp_path: Path, sandbox: Sandbox, changed: dict[str, str], verdict: str, said: str
) -> None:
    audit = domain_of(sandbox, check_seconds="1").audit(task_of(tmp_path, **changed))
    assert (audit.verdict, bool(re.search(said, audit.reason))) == (verdict, True), audit


@pytest.mark.parametrize("solution", [ROW["solution"], ""])
def test_a_fix_must_compute_its_result(tmp_path: Path, sandbox: Sandbox, solution: str) -> None:
    domain, task = domain_of(sandbox), task_of(tmp_path, solution=solution)
    assert run_gate(domain, task, sandbox, "mkdir out\nwc -l < names.txt > out/count.txt", Limits()).opened
    copied = run_gate(domain, task, sandbox, "mkdir out\necho 234 > out/count.txt", Limits())
    assert "holds the answer" in copied.reason
    wrong = run_gate(domain, task, sandbox, "mkdir out\necho 5 > out/count.txt", Limits())
    assert "not the number of lines" in wrong.feedback
    assert not wrong.opened
    assert "not run to its end" in run_gate(domain, task, sandbox, "exit 4", Limits()).reason
    assert domain.gold_only(task) == (frozenset({"234"}) if solution else frozenset())


def test_a_fix_that_needs_no_content_is_no_copy(tmp_path: Path, sandbox: Sandbox) -> None:
    check, solution = (
        "[ -f moved.txt ] && [ -x hello.sh ]",
        "mv names.txt moved.txt; echo 'echo hello 4711' > hello.sh; chmod +x hello.sh",
    )
    domain, task = domain_of(sandbox), task_of(tmp_path, check=check, solution=solution)
    assert domain.audit(task).verdict == "usable"
    assert run_gate(domain, task, sandbox, solution, Limits()).opened


def test_an_analyst_reads_what_the_check_says_and_the_check_only_where_that_is_wanted(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    task = task_of(tmp_path)
    said = domain_of(sandbox).feedback(task, {"other.txt": b"x"})
    assert "not the number of lines" in said
    assert "other.txt" in said
    assert "234" not in said + domain_of(sandbox).describe(task)
    shown = domain_of(sandbox, show_check="true")
    assert ROW["check"] in shown.feedback(task, {})
    assert shown.version != domain_of(sandbox).version


def test_the_bundled_set_is_made_byte_for_byte_and_every_kind_is_usable(tmp_path: Path, sandbox: Sandbox) -> None:
    made = [sys.executable, str(ROOT / "examples" / "make_shell.py"), "--out", str(tmp_path)]
    subprocess.run(made, check=True, capture_output=True)
    assert (tmp_path / "tasks.jsonl").read_bytes() == (SHELL / "tasks.jsonl").read_bytes()
    domain = domain_of(sandbox)
    tasks = domain.load(SHELL)
    assert len({task.kind for task in tasks}) == 10
    assert [audit for task in tasks[:10] if (audit := domain.audit(task)).verdict != "usable"] == []


def test_every_planted_mistake_is_seen_in_the_script_and_mended() -> None:
    golds = [task.detail["solution"].strip("\n") for task in load_domain("shell").load(SHELL)]
    made = set()
    for gold in golds:
        plain = scripts.read(scripts.said(gold, frozenset()))
        assert plain is not None
        assert plain.mistakes == frozenset()
        possible = {mistake.cause.name for mistake in SCRIPT_MISTAKES if mistake.spoil(gold) != gold}
        for names in (*(frozenset({name}) for name in possible), frozenset(possible)):
            found = scripts.read(f"## Step 2 (agent)\n\n{scripts.said(gold, names)}\n")
            assert found is not None
            assert found.mistakes == names
            assert scripts.mended(found.source) == gold
        made |= possible
    assert made == {mistake.cause.name for mistake in SCRIPT_MISTAKES}


def test_lessons_on_scripts_are_told_from_all_others() -> None:
    names = [item.name for item in (*ALL_CAUSES, *ALL_HABITS)]
    assert len(names) == len(set(names))
    for cause in ALL_CAUSES:
        for wording in cause.wordings:
            assert cause_of("\n".join((wording.title, wording.description, wording.content))) == cause.name, wording
    for habit in ALL_HABITS:
        for wording in habit.wordings:
            assert habit_of(wording.content) == habit.name, wording
    assert not guided((SKILL / "SKILL.md").read_text())


def test_what_was_planted_is_learned_and_helps(tmp_path: Path, prefect_home: Path) -> None:
    asked = ("run", "--domain", "shell", "--data", SHELL, "--skill", SKILL, "--model", "sim/office", "--json")
    made = json.loads(run(tmp_path, prefect_home, *asked, "--sandbox", "process").stdout)
    assert made["failures"] == []
    candidate = tmp_path / made["candidate_directory"]
    assert (candidate.parents[1] / "report.html").is_file()
    before, after = (Evaluation.model_validate(item).hard for item in made["evaluations"])
    assert after > before
    learned = guided("\n".join(file.content.decode() for file in read_skill(candidate).files))
    assert len(learned & {cause.name for cause in SCRIPT_CAUSES}) >= 5, learned
    analyses = json.loads(run(tmp_path, prefect_home, "lessons", made["run_id"], "--json").stdout)
    verified = [item for item in analyses if "verified" in {lesson["proof"] for lesson in item["lessons"]}]
    assert len(verified) >= 8


def test_where_the_audit_leaves_no_task_the_message_names_them_and_why(tmp_path: Path, prefect_home: Path) -> None:
    rows = [{"id": f"t{number}", "prompt": f"Task {number}", "check": "true"} for number in range(9)]
    (tmp_path / "tasks.jsonl").write_text("\n".join(map(json.dumps, rows)))
    asked = ("run", "--domain", "shell", "--data", "tasks.jsonl", "--skill", SKILL, "--model", "sim/office")
    said = run(tmp_path, prefect_home, *asked, "--sandbox", "process", code=2).complaint
    assert "no task is left in the evolve split" in said
    assert "passes untouched" in said
    assert "Mend their checks" in said
