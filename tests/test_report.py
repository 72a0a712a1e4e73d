"""The report in a real browser: offline, without errors or scripts, links that lead somewhere, and large runs."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE, OFFICE_SKILL
from run_settings import run_settings

from trace2skill.consolidate import EditGroup, Groups, Support, Thresholds
from trace2skill.consolidate.candidate import build_candidate
from trace2skill.consolidate.contradiction import OpenConflict
from trace2skill.consolidate.ledger import build_ledger
from trace2skill.core.record import Record
from trace2skill.evaluation.decision import decide
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.report import render_report
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import Analysis, LeftOut, RunSummary, Spent
from trace2skill.skills.skill import read_skill
from trace2skill.store import RecordKind, Store, open_store
from trace2skill.types.evaluation import Cell, Evaluation
from trace2skill.types.lesson import Evidence, Extraction, Lesson
from trace2skill.types.patch import Edit, Patch
from trace2skill.types.trajectory import Outcome, Step, Trajectory

SKILL = read_skill(OFFICE_SKILL)
HOSTILE = '</pre><script>document.title="owned"</script><img src=x onerror=alert(1)> $x^2$ {{ 7*7 }}'


def big_run(store: Store, tasks: int, edits: int) -> RunSummary:
    """A run over so many tasks whose candidate has so many edit groups, every text of it hostile."""
    groups, analyses = [], []
    kept: list[tuple[RecordKind, str, Record]] = []
    for n in range(edits):
        ids = [f"T{n:05}x{k}" for k in range(2)]
        lessons = []
        for k, id in enumerate(ids):
            lesson = Lesson(
                trajectory_id=id,
                task_id=f"task-{n}-{k}",
                kind="error",
                proof="verified",
                title=f"Lesson {n} {HOSTILE}"[:120],
                description="d",
                content=f"Rule number {n}. {HOSTILE}",
                evidence=(Evidence(first=1, last=1),),
            )
            lessons.append(lesson)
            kept.append(("lesson", lesson.id, lesson))
            steps = (Step(number=1, source="agent", message=f"I do {n}. {HOSTILE}"),)
            outcome = Outcome(kind="failed", reason=HOSTILE)
            trajectory = Trajectory(id=id, task_id=lesson.task_id, seed=1, model="m", steps=steps, outcome=outcome)
            kept.append(("trajectory", id, trajectory))
        content = f"- Rule number {n} about {HOSTILE.replace('<', '(')}"
        edit = Edit(op="append_to_section", section=("Dates",), content=content, lessons=tuple(x.id for x in lessons))
        support = Support(trajectories=tuple(ids), tasks=tuple(x.task_id for x in lessons), errors=tuple(ids))
        groups.append(EditGroup(edits=(edit,), support=support))
        extraction = Extraction(
            trajectory_id=ids[0], task_id=f"task-{n}-0", kind="error", verdict="lessons", lessons=(lessons[0],)
        )
        patch = Patch(trajectory_id=ids[0], task_id=f"task-{n}-0", base=SKILL.digest, edits=(edit,))
        kept += [("extraction", extraction.digest, extraction), ("patch", patch.digest, patch)]
        analyses.append(
            Analysis(
                trajectory_id=ids[0],
                task_id=f"task-{n}-0",
                seed=1,
                verdict="lessons",
                extraction=extraction.digest,
                patch=patch.digest,
            )
        )
    store.put_all(kept)
    skill, made = build_candidate(SKILL, Groups.of(groups), Thresholds(main=1, reference=1), edits)
    made = made.model_copy(update={"open": (OpenConflict(sides=tuple(groups[:2]), reason=HOSTILE),)})
    store.put("skill", skill.digest, skill)
    ledger = build_ledger(SKILL, skill, made, lambda id: store.get("lesson", id, Lesson), None)
    store.put("support", skill.digest, ledger)
    evaluations, scored = [], list[tuple[RecordKind, str, Record]]()
    for which, name in enumerate(("S0", "candidate")):
        cells = []
        for n in range(tasks):
            hard = float(n % 4 == 0 or (which == 1 and n % 4 < 3))
            id = f"E{which}{n:05}"
            outcome = Outcome(kind="passed" if hard else "failed", hard=hard, soft=hard, reason=HOSTILE)
            steps = tuple(Step(number=k, source="agent", message=f"step {k} {HOSTILE}" * 3) for k in range(1, 6))
            trajectory = Trajectory(id=id, task_id=f"held-{n}", seed=1, model="m", steps=steps, outcome=outcome)
            scored.append(("trajectory", id, trajectory))
            cells.append(Cell.of(trajectory))
        evaluations.append(Evaluation.of(name, SKILL.digest if which == 0 else skill.digest, cells))
    store.put_all(scored)
    return RunSummary(
        run_id="run-0123456789",
        mode="deepening",
        domain="spreadsheet",
        models=("sim/office",),
        simulated=True,
        skill_name=SKILL.name,
        base=SKILL.digest,
        verdicts={"lessons": edits},
        lessons=2 * edits,
        analyses=tuple(analyses),
        candidate=made,
        evaluations=tuple(evaluations),
        decision=decide(*evaluations),
        disputed=(LeftOut(task_id="task-0-0", verdict="reference", reason=f"It contradicts. {HOSTILE}"),),
        spent=Spent(calls=10, cost=1.0),
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(tmp_path_factory.mktemp("report") / "s.duckdb")
    yield opened
    opened.close()


def settings() -> RunSettings:
    return run_settings(data=OFFICE, roles=Roles.all_played_by(ModelSettings(name="sim/office")))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium here (Debian package chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


def visit(browser: Any, path: Path, **more: Any) -> tuple[Any, list[str], float]:
    """The page open in a browser that has no network, what it complained about, and the seconds it took."""
    context = browser.new_context(offline=True, **more)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    started = time.monotonic()
    page.goto(path.as_uri())
    return page, complaints, time.monotonic() - started


def test_the_page_loads_offline_with_every_text_shown_as_text(store: Store, tmp_path: Path, browser: Any) -> None:
    path = tmp_path / "report.html"
    summary = big_run(store, 12, 6)
    path.write_text(render_report(store, summary, settings()))
    for scheme in ("light", "dark"):
        page, complaints, _ = visit(browser, path, color_scheme=scheme)
        assert complaints == []
        assert "owned" not in page.title()
        assert page.locator("script").count() == 0
        assert page.locator("img").count() == 0
        assert "<script>document.title" in page.locator("#trajectories").inner_html().replace("&lt;", "<").replace(
            "&gt;", ">"
        )
        assert "{{ 7*7 }}" in page.content()
        heading = page.locator("h1").inner_text()
        assert heading.startswith(
            {"promote": "Promote", "reject": "Do not", "not_enough_evidence": "Not enough"}[summary.decision.verdict]
        )
        ink = page.evaluate("getComputedStyle(document.querySelector('#scores svg text')).fill")
        assert ink == page.evaluate("getComputedStyle(document.body).color"), "the chart reads in both schemes"
        page.context.close()


def test_every_link_leads_somewhere_and_a_line_opens_its_evidence(store: Store, tmp_path: Path, browser: Any) -> None:
    path = tmp_path / "report.html"
    path.write_text(render_report(store, big_run(store, 12, 6), settings()))
    page, complaints, _ = visit(browser, path)
    targets = page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    assert targets
    assert all(target.startswith("#") and page.locator(target).count() == 1 for target in targets)
    flips = [target for target in targets if target.startswith("#t-")]
    assert len(flips) == 2 * 6
    line = page.locator(".diff details").first
    line.locator("summary").click()
    shown = line.inner_text()
    assert re.search(r"2 tasks, 2 failures, 0 successes", shown)
    assert "I do " in shown
    assert complaints == []
    phone, _, _ = visit(browser, path, viewport={"width": 360, "height": 700})
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.slow  # the largest page; a small one is looked at above
def test_400_tasks_and_300_edits_stay_responsive(
    store: Store, tmp_path: Path, browser: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.html"
    path.write_text(render_report(store, big_run(store, 400, 300), settings()))
    page, complaints, seconds = visit(browser, path)
    with capsys.disabled():
        print(f"\nreport of 400 tasks and 300 edits: {path.stat().st_size / 1e6:.1f} MB, loaded in {seconds:.1f} s")
    assert complaints == []
    assert path.stat().st_size < 15_000_000
    started = time.monotonic()
    page.locator(".diff details summary").last.click()
    page.locator("#trajectories details").last.scroll_into_view_if_needed()
    assert time.monotonic() - started < 20, "it hangs"


def test_the_same_run_gives_the_same_bytes(store: Store) -> None:
    summary = big_run(store, 8, 4)
    page = render_report(store, summary, settings())
    assert page == render_report(store, summary, settings())
    for shown in (page, summary.as_markdown()):
        assert "Tasks that a person should look at" in shown
        assert re.search(r"task-0-0: `?It contradicts\.", shown)
