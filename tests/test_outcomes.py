"""How sessions ended: verdict files found by their layout, labels by any id, and what a dry run says of it."""

import json
import re
import sys
from pathlib import Path

import product
import pytest
from conftest import ROOT, shared
from ingesting import settings
from questions_of_tests import write_math, write_skill_for_sums

from trace2skill.cli import live
from trace2skill.core.errors import BadInput
from trace2skill.runs import refresh as run
from trace2skill.runs.dry_run import DryRun, dry_run
from trace2skill.runs.runtime import forget_runtimes
from trace2skill.runs.sources import Sources
from trace2skill.traces import reading as readings_of_logs

sys.path.insert(0, str(ROOT))

from bench.outcomes import main as outcomes_bench


def log(path: Path, id: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    said = [{"role": "user", "content": "go"}, {"role": "assistant", "content": f"done {id or path}"}]
    path.write_text(json.dumps({"id": id or path.stem, "messages": said}) + "\n")
    return path


def verdict(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def ends(folder: Path, **more: object) -> dict[str, tuple[str, str]]:
    """How each session of a folder ended and who says so, by its own name."""
    found = dry_run(Sources(paths=(folder,), **more))
    return {item.ids[1]: (item.outcome, item.source) for file in found.files for item in file.sessions}


def harness(folder: Path, run: str, model: str, **resolved: bool) -> None:
    for instance, good in resolved.items():
        place = folder / "logs" / "run_evaluation" / run / model / instance
        verdict(place / "report.json", {instance: {"resolved": good, "patch_exists": True}})


def test_verdicts_of_the_swe_bench_harness_are_joined_by_instance(tmp_path: Path) -> None:
    for instance in ("astropy__1", "django__2", "flask__3"):
        log(tmp_path / "trajs" / f"{instance}.jsonl", instance)
    harness(tmp_path, "run-1", "model-x", astropy__1=True, django__2=False)
    assert ends(tmp_path) == {
        "astropy__1": ("passed", "report"),
        "django__2": ("failed", "report"),
        "flask__3": ("unknown", "none"),
    }
    summary = {"total_instances": 3, "resolved_ids": ["flask__3"], "unresolved_ids": []}
    verdict(tmp_path / "model-x.run-1.json", summary)
    assert ends(tmp_path)["flask__3"] == ("passed", "report")


def test_of_two_verdicts_that_differ_the_one_of_the_logs_own_run_counts_and_else_none(tmp_path: Path) -> None:
    log(tmp_path / "trajs" / "run-2" / "django__2.jsonl", "django__2")
    log(tmp_path / "trajs" / "other" / "flask__3.jsonl", "flask__3")
    harness(tmp_path, "run-1", "model-x", django__2=False, flask__3=False)
    harness(tmp_path, "run-2", "model-x", django__2=True, flask__3=True)
    assert ends(tmp_path) == {"django__2": ("passed", "report"), "flask__3": ("unknown", "none")}
    (unclear,) = (
        item
        for file in dry_run(Sources(paths=(tmp_path,))).files
        for item in file.sessions
        if item.outcome == "unknown"
    )
    assert unclear.reason.startswith("verdicts differ: ")


@pytest.mark.parametrize(
    ("name", "reward", "end"),
    [("reward.txt", "1.0\n", "passed"), ("reward.txt", "0", "failed"), ("reward.json", {"reward": 0.5}, "failed")],
)
def test_a_harbor_trial_is_joined_by_its_folder(tmp_path: Path, name: str, reward: object, end: str) -> None:
    log(tmp_path / "jobs" / "j" / "task-1__abc" / "agent" / "sessions" / "one.jsonl", "one")
    log(tmp_path / "jobs" / "j" / "task-2__def" / "agent" / "two.jsonl", "two")
    verdict(tmp_path / "jobs" / "j" / "task-1__abc" / "verifier" / name, reward)
    assert ends(tmp_path) == {"one": (end, "report"), "two": ("unknown", "none")}


def test_rewards_of_tau_bench_without_conversations_are_joined_by_task_and_trial(tmp_path: Path) -> None:
    said = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]
    runs = [{"task_id": 3, "trial": trial, "reward": None, "traj": said, "info": {}} for trial in (0, 1)]
    verdict(tmp_path / "air.json", runs)
    verdict(tmp_path / "rewards.json", [{"task_id": 3, "trial": trial, "reward": float(trial)} for trial in (0, 1)])
    found = dry_run(Sources(paths=(tmp_path,)))
    assert [item.outcome for file in found.files for item in file.sessions] == ["failed", "passed"]
    assert found.verdicts == ("rewards.json",)


def test_a_verdict_that_comes_later_has_its_log_read_again_and_no_other(tmp_path: Path) -> None:
    for instance in ("astropy__1", "django__2"):
        log(tmp_path / "logs" / f"{instance}.jsonl", instance)
    given = settings(tmp_path, tmp_path / "logs").as_run()
    assert run.take_in_logs(given)[1].read.outcomes == {"unknown": 2}
    harness(tmp_path / "logs", "run-1", "model-x", django__2=True)
    read = run.take_in_logs(given)[1].read
    assert (read.fresh, read.unchanged, read.outcomes) == (1, 1, {"passed": 1, "unknown": 1})
    forget_runtimes()


def test_labels_name_any_id_and_those_that_name_none_are_told(tmp_path: Path) -> None:
    first, second = (log(tmp_path / "logs" / f"s{n}.jsonl") for n in (1, 2))
    (shown,) = (item for item in dry_run(Sources(paths=(first,))).files[0].sessions)
    labels = verdict(tmp_path / "labels.csv", f"id,score\n{shown.ids[0]},1\ns2,0\nnobody,1\n")
    given = settings(tmp_path, first.parent, labels=labels).as_run()
    read = run.take_in_logs(given)[1].read
    assert (read.outcomes, read.labels) == ({"failed": 1, "passed": 1}, {"labels": 2})
    assert (read.unmatched, read.first_unmatched) == (1, ("nobody",))
    assert "labels that name no session: 1 (nobody)" in read.as_lines()
    assert run.take_in_logs(given)[1].read.unmatched == 1  # also where nothing is read anew
    forget_runtimes()
    labels.write_text("id,score\nnobody,1\n")
    with pytest.raises(
        BadInput, match="none of the 1 labels .* is the id of a session that was read, such as s1:s1, s2:s2"
    ):
        run.take_in_logs(given)
    forget_runtimes()
    assert second.exists()


def test_a_guess_sets_an_outcome_only_where_it_is_measured_to_be_right(capsys: pytest.CaptureFixture[str]) -> None:
    folders = [shared("traces", name) for name in ("tau_bench", "mini_swe_agent", "agent_history")]
    assert outcomes_bench(folders) == 0
    told = capsys.readouterr().out
    assert "{'failed': 117, 'passed': 86}" in told
    assert "| the last tests passed | 1 | 0 (0%) | no |" in told


def test_a_dry_run_says_what_would_be_read_and_keeps_nothing(tmp_path: Path, prefect_home: Path) -> None:
    log(tmp_path / "logs" / "s1.jsonl")
    log(tmp_path / "logs" / "s2.jsonl").open("a").write("{broken\n")
    (tmp_path / "logs" / "notes.md").write_text("# no log\n")
    harness(tmp_path / "logs", "run-1", "model-x", s2=True)
    before = sorted(tmp_path.rglob("*"))
    said = product.run(tmp_path, prefect_home, "ingest", "logs", "--dry-run").stdout
    assert "s1.jsonl: openai, 1 sessions, 2 steps: 1 unknown (none)" in said
    assert "| s1 | s1:s1: 2 steps, unknown (none; the log has no verdict)" in said
    assert "s2.jsonl: openai, 1 sessions, 2 steps: 1 passed (report)" in said
    assert "  not read: line 2: not JSON" in said
    assert "notes.md: not read\n  not read: no format that is known" in said
    assert "s2/report.json: verdicts, no log" in said
    assert sorted(tmp_path.rglob("*")) == before
    told = product.run(tmp_path, prefect_home, "ingest", "logs", "--dry-run", "--json").stdout
    assert DryRun.model_validate_json(told).sessions == 2


def test_labels_need_logs_and_a_file_before_anything_is_asked(tmp_path: Path, prefect_home: Path) -> None:
    calls, data, skill = tmp_path / "calls", write_math(tmp_path / "data", 8), write_skill_for_sums(tmp_path / "sums")
    command = ["run", "--domain", "math", "--data", data, "--skill", skill, "--model", "sim/office"]
    labelled = [*command, "--labels", "labels.csv"]
    said = product.run(tmp_path, prefect_home, *labelled, calls=calls, code=2)
    assert "--sources" in said.complaint
    log(tmp_path / "logs" / "s1.jsonl")
    said = product.run(tmp_path, prefect_home, *labelled, "--sources", "logs", calls=calls, code=2)
    assert "labels.csv" in said.complaint
    assert "Traceback" not in said.stderr
    assert not calls.exists()


def test_a_reading_says_how_fast_it_is_and_what_is_left(
    tmp_path: Path, prefect_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        log(tmp_path / "logs" / f"s{n}.jsonl")
    monkeypatch.setattr(live, "SAID_EVERY", 0.0)
    monkeypatch.setattr(live, "ENOUGH_SECONDS", 0.0)
    monkeypatch.setattr(readings_of_logs, "UNIT", 60)  # a long file is several units, and moves the display by itself
    said = product.run(tmp_path, prefect_home, "ingest", "logs", "--dry-run").stderr
    total = 4 * (1 + (tmp_path / "logs" / "s0.jsonl").stat().st_size // 60)
    assert re.search(rf"read: 1 of {total}, [\d.e+]+ a second, about \d+ s left", said)
    assert f"read: {total} of {total}, {total} done" in said
