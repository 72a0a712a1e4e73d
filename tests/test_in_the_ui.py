"""What a refresh and a watch leave on a Prefect server: names, tags, stages, artifacts, events. One refresh for all."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import httpx
import product
import pytest
from questions_of_tests import write_math, write_skill_for_sums

from tasks import events
from trace2skill.cli import evidence
from trace2skill.runs import closing

SKILL = "seen-sums"
"""Whose runs these are, on the server of all tests."""
REPORTS = "https://reports.example.com"


class Seen(NamedTuple):
    """A refresh whose disk was full at its report, the same command twice more, a watch, and scores of the skill."""

    first: product.Said
    calls: list[list[str]]
    told: list[list[str]]
    api: str

    def asked(self, what: str, **filters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.post(f"{self.api}/{what}/filter", json=filters, timeout=60).json()
        return found

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Its flow runs, stages too."""
        return self.asked("flow_runs", flow_runs={"tags": {"all_": [f"skill:{SKILL}"]}}, limit=200)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, prefect_home: Path) -> Seen:
    home = tmp_path_factory.mktemp("seen")
    data, live = write_math(home / "data", 12), write_skill_for_sums(home / SKILL, SKILL)
    given = ("--domain", "math", "--data", data, "--skill", live, "--sandbox", "process", "--model", "sim/office")
    answered, calls, emitted, told = home / "calls", list[list[str]](), list[str](), list[list[str]]()

    def full(*_: object) -> None:
        with Path("/dev/full").open("w") as disk:
            disk.write("x")

    def said(*words: object, code: int = 0) -> product.Said:
        emitted.clear()
        done = product.run(home, prefect_home, *words, *given, "--level", "0.4", calls=answered, code=code)
        calls.append(answered.read_text().split())
        told.append(list(emitted))
        return done

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(events, "emit_event", lambda event, **_: emitted.append(event))
        with patched.context() as filled:
            filled.setattr(closing, "write_report", full)
            first = said("run", code=2)
        said("run")
        said("run", "--reports-at", REPORTS)
        patched.setattr(evidence, "clock", SimpleNamespace(today=str))  # a deployment gives its watches no label
        said("drift")
        product.run(home, prefect_home, "evaluate", *given, calls=answered)
    return Seen(first, calls, told, (prefect_home / "api").read_text())


def test_a_disk_that_is_full_at_the_report_is_one_line_and_nothing_is_paid_again(seen: Seen) -> None:
    assert "No space left on device" in seen.first.complaint
    assert "free some space, then run the same command again" in seen.first.complaint
    assert "Traceback" not in seen.first.stderr
    assert seen.calls[0] == seen.calls[1] == seen.calls[2]


def test_a_night_without_news_is_no_event(seen: Seen) -> None:
    failed, ended, again, watched = seen.told
    assert failed == again == []
    assert ended == ["trace2skill.skill.staged"]
    assert watched == ["trace2skill.skill.steady"]


def test_runs_and_stages_say_whose_they_are_and_each_stage_did_something(seen: Seen) -> None:
    names = sorted(run["name"] for run in seen.runs if run["parent_task_run_id"] is None)
    watch, scored, *refreshed = names
    assert re.fullmatch(rf"drift watch {SKILL} \(math\) \d{{4}}-\d\d-\d\d", watch)
    assert scored == f"evaluate {SKILL} (math)"
    assert [name.startswith(f"refresh {SKILL} (math)") for name in refreshed] == [True] * 3
    for run in seen.runs:
        assert {"domain:math", f"skill:{SKILL}"} <= set(run["tags"])
        if "conditions" in run["parameters"]:
            assert run["parameters"]["conditions"], "a stage without anything to do is none"


def test_artifacts_are_those_of_the_skill_with_links_that_open_and_figures_that_are_read(seen: Seen) -> None:
    ids = [run["id"] for run in seen.runs]
    found = seen.asked("artifacts", flow_runs={"id": {"any_": ids}}, limit=200)
    found = [item for item in found if item["key"]]  # others are Prefect's own
    for item in found:
        assert item["key"].endswith(f"-{SKILL}"), item["key"]
        assert "file://" not in str(item["data"])
        assert not re.search(r"\d\.\d{9}", str(item["data"])), item["key"]
    reports = [str(item["data"]) for item in found if item["key"] == f"refresh-report-{SKILL}"]
    assert sum(f"]({REPORTS}/run-" in text for text in reports) == 1
    assert sum("/report.html`" in text for text in reports) == 1
