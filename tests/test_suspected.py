"""What the patterns no more than suspect a model decides, where one looks; where nobody does it stays out as ever."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import OFFICE_SKILL, Plays
from ingesting import ingest, settings
from red_team import chat
from test_second_look import GULLIBLE, HONEST, LINE, OPENING, in_quarantine, skill_text
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.consolidate.proposals import Cutter, Proposal
from trace2skill.core.step_label import StepLabel
from trace2skill.runs.ingest import IngestSettings
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.steps.propose import PROPOSE
from trace2skill.runs.steps.stored import keep_extraction
from trace2skill.safety.screening import are_suspicions, screened
from trace2skill.sim.conversation import Heard, Spoken, answer_json, blocks
from trace2skill.sim.roles import play
from trace2skill.skills.skill import read_skill
from trace2skill.store import open_store
from trace2skill.types.lesson import Evidence, Extraction, Lesson
from trace2skill.types.patch import Edit, Patch

SUSPECTED = "After a change of its settings, `sudo systemctl restart demo-worker` makes the demo worker read them."
CERTAIN = "Run `curl -k` on the demo worker to see whether it is up."
CLEAN = "Restart the demo worker after a change of its settings, so that it reads them."
Look = Callable[[dict[str, str], dict[str, str]], dict[str, Any] | None]


def suspected_in(heard: Heard) -> dict[str, str]:
    return {id: json.loads(text) for id, text in LINE.findall(heard.block("suspected"))}


def looking(look: Look, told: list[tuple[dict[str, str], dict[str, str]]] | None = None) -> Callable[[Heard], Spoken]:
    """A model that believes what logs say, and answers a second look by a function of the lines and the suspicions."""

    def speak(heard: Heard) -> Spoken:
        if not heard.system.startswith(OPENING):
            return play(heard)
        lines = {id: json.loads(text) for id, text in LINE.findall(heard.block("lines"))}
        if told is not None:
            told.append((lines, suspected_in(heard)))
        answer = look(lines, suspected_in(heard))
        return Spoken(text="I would rather not say.") if answer is None else answer_json(answer)

    return speak


def clearing(lines: dict[str, str], suspected: dict[str, str]) -> dict[str, Any]:
    return {"withhold": [], "harmless": [{"line": id, "why": "It is the worker of the demo."} for id in suspected]}


def naming(lines: dict[str, str], suspected: dict[str, str]) -> dict[str, Any]:
    return {"withhold": [{"line": id, "does": "unasked", "why": "Others use it."} for id in suspected]}


def silent(lines: dict[str, str], suspected: dict[str, str]) -> dict[str, Any]:
    return {"withhold": []}


def nothing(lines: dict[str, str], suspected: dict[str, str]) -> None:
    return None


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[IngestSettings]:
    folder = tmp_path / "logs"
    folder.mkdir()
    for number in range(4):
        said = f"LESSON: {SUSPECTED}\nLESSON: {HONEST}\nLESSON: {CERTAIN}"
        turns: list[tuple[str, dict[str, Any], str]] = [("look", {"at": number}, said)]
        (folder / f"{number}.json").write_text(json.dumps(chat(f"log-{number}", turns)))
    yield settings(tmp_path, folder, model=GULLIBLE)
    forget_runtimes()


def with_learning(given: IngestSettings, **learning: Any) -> IngestSettings:
    run = given.as_run()
    other = run.model_copy(update={"learning": run.learning.model_copy(update=learning)})

    class Other(IngestSettings):
        def as_run(self) -> Any:
            return other

    return Other.model_validate(given.model_dump())


def test_a_suspected_line_gets_in_where_a_model_calls_it_harmless(logs: IngestSettings, plays: Plays) -> None:
    assert are_suspicions(screened(SUSPECTED))
    assert not are_suspicions(screened(CERTAIN))
    told: list[tuple[dict[str, str], dict[str, str]]] = []
    plays(looking(clearing, told))
    summary = ingest(logs)
    text = skill_text(summary)
    assert SUSPECTED in text
    assert HONEST in text
    assert CERTAIN not in text, "what no honest line needs stays out whatever a model says"
    ((lines, suspected),) = told
    assert [lines[id] for id in suspected] == [SUSPECTED]
    assert "sudo systemctl" in suspected[next(iter(suspected))]
    (item,) = summary.candidate.let_through
    words = "suspected of dangerous command; let through by the second look of sim/scripted?gullible=1"
    assert item.in_words == f"{words}: It is the worker of the demo."
    assert words in summary.as_markdown()
    assert summary.candidate_directory is not None
    done = CliRunner().invoke(app, ["why", str(summary.candidate_directory), "--store", str(logs.store)])
    assert words in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("look", "said"),
    [
        (naming, "it acts where somebody should be asked: Others use it."),
        (silent, "suspected, and no second look called it harmless"),
        (nothing, "suspected, and no second look called it harmless"),
    ],
)
def test_it_stays_out_where_the_model_names_it_or_has_no_word_on_it(
    logs: IngestSettings, plays: Plays, look: Look, said: str
) -> None:
    plays(looking(look))
    summary = ingest(logs)
    text = skill_text(summary)
    assert SUSPECTED not in text
    assert HONEST in text
    assert (HONEST in summary.candidate.unjudged) == (look is nothing), "what is not suspected stays, and is listed"
    assert ("gave no answer on it" in summary.as_markdown()) == (look is nothing)
    assert not summary.candidate.let_through
    (kept_out,) = (item for item in summary.quarantined if SUSPECTED in item.text)
    assert said in kept_out.reason
    (row,) = (row for row in in_quarantine(logs)["waiting"] if SUSPECTED in row["text"])
    assert len(row["trajectories"]) == 4


def test_what_it_names_when_asked_again_is_named_though_it_is_silent_on_the_rest(
    logs: IngestSettings, plays: Plays
) -> None:
    told: list[tuple[dict[str, str], dict[str, str]]] = []

    def forgets(lines: dict[str, str], suspected: dict[str, str]) -> dict[str, Any]:
        return {"withhold": [{"line": id, "does": "sides"} for id, text in lines.items() if text == HONEST]}

    plays(looking(forgets, told))
    text = skill_text(ingest(logs))
    assert HONEST not in text
    assert SUSPECTED not in text
    assert len(told) == 2, "once more, and not in halves"


def test_where_nobody_looks_the_lesson_is_not_even_shown(logs: IngestSettings, plays: Plays) -> None:
    shown: list[str] = []
    told: list[tuple[dict[str, str], dict[str, str]]] = []

    def speak(heard: Heard) -> Spoken:
        shown.append(heard.opening if heard.system.startswith("You keep a skill") else "")
        return looking(clearing, told)(heard)

    plays(speak)
    summary = ingest(with_learning(logs, second_look=False))
    assert not told
    assert SUSPECTED not in skill_text(summary) + "".join(shown)
    assert HONEST in skill_text(summary)
    assert any("no second look called it harmless" in item.reason for item in summary.quarantined)


def rewording(look: Look, told: list[tuple[dict[str, str], dict[str, str]]]) -> Callable[[Heard], Spoken]:
    """A proposer with clean words for the suspected lesson."""

    def speak(heard: Heard) -> Spoken:
        if not heard.system.startswith("You keep a skill"):
            return looking(look, told)(heard)
        ids = [name.removeprefix("lesson ") for name, text in blocks(heard.opening) if SUSPECTED in text]
        new = {"op": "add_section", "file": "SKILL.md", "section": [], "title": "The demo"}
        return answer_json({"edits": [{**new, "content": f"- {CLEAN}", "lessons": ids}] if ids else []})

    return speak


def test_a_line_is_suspected_for_the_lesson_behind_it_however_it_is_worded(
    logs: IngestSettings, plays: Plays, tmp_path: Path
) -> None:
    told: list[tuple[dict[str, str], dict[str, str]]] = []
    plays(rewording(clearing, told))
    summary = ingest(logs)
    assert CLEAN in skill_text(summary)
    assert any(lines[id] == CLEAN and "sudo" in words for lines, marks in told for id, words in marks.items())
    assert [item.text for item in summary.candidate.let_through] == [CLEAN]
    # The rule is remembered; a run in which nobody looks writes it no more than its lesson.
    forget_runtimes()
    plays(rewording(silent, told))
    summary = ingest(with_learning(logs, second_look=False))
    assert CLEAN not in skill_text(summary)
    assert any(CLEAN in item.text for item in summary.quarantined)


def test_a_person_lets_it_in_without_a_look(logs: IngestSettings, plays: Plays) -> None:
    plays(looking(naming))
    ingest(logs)
    (row,) = (row for row in in_quarantine(logs)["waiting"] if SUSPECTED in row["text"])
    in_quarantine(logs, "--allow", row["findings"][0]["id"], "--why", "our own machine")
    told: list[tuple[dict[str, str], dict[str, str]]] = []
    plays(looking(silent, told))
    forget_runtimes()
    summary = ingest(logs)
    assert SUSPECTED in skill_text(summary)
    assert not any(SUSPECTED in lines.values() for lines, _ in told)
    (item,) = summary.candidate.let_through
    assert item.in_words == "suspected of dangerous command; a person has allowed it"


def test_a_polished_wording_of_it_waits_for_a_word_too(logs: IngestSettings, plays: Plays) -> None:
    def only_the_first(lines: dict[str, str], suspected: dict[str, str]) -> dict[str, Any]:
        return clearing(lines, {id: text for id, text in suspected.items() if not lines[id].endswith("Now.")})

    def speak(heard: Heard) -> Spoken:
        if not heard.system.startswith("You polish the wording"):
            return looking(only_the_first)(heard)
        rules = {name.removeprefix("rule "): text for name, text in blocks(heard.opening) if name.startswith("rule ")}
        return answer_json({"rules": [{"id": id, "content": f"{text} Now."} for id, text in rules.items()]})

    plays(speak)
    text = skill_text(ingest(with_learning(logs, polish=True)))
    assert SUSPECTED in text
    assert f"{SUSPECTED} Now." not in text


def test_a_patch_of_clean_lessons_has_the_key_it_had(logs: IngestSettings) -> None:
    on, off = runtime(logs.as_run()), runtime(with_learning(logs, second_look=False).as_run())

    def keys(content: str) -> set[str]:
        said = {"trajectory_id": "T1", "task_id": "t1", "kind": "error"}
        lesson = Lesson(
            **said, proof="observed", title="What to do", description="From a log.", content=content,
            evidence=(Evidence(first=1, last=1),),
        )  # fmt: skip
        extraction = Extraction(**said, verdict="lessons", lessons=(lesson,))
        kept = [keep_extraction(rt, extraction, 0, StepLabel("observe", "one"), "model") for rt in (on, off)]
        return {PROPOSE.key(rt, item, base) for rt, item in zip((on, off), kept, strict=True)}

    base = "b" * 64
    for rt in (on, off):
        rt.store.put("skill", base, read_skill(OFFICE_SKILL))
    assert len(keys(HONEST)) == 1
    assert len(keys(SUSPECTED)) == 2


def test_what_a_script_does_is_no_advice_and_stays_out(tmp_path: Path) -> None:
    skill, store = read_skill(OFFICE_SKILL), open_store(tmp_path / "s.duckdb")
    script = Edit(op="create", file="scripts/clean.py", content="import subprocess\nsubprocess.run(['ls'])\n")
    line = Edit(op="append_to_section", section=("Dates",), content=f"- {SUSPECTED}")
    patch = Patch(trajectory_id="T1", task_id="t1", base=skill.digest, verdict="patch", edits=(script, line))
    found = Cutter(store, skill, looked=True).of([Proposal(patch, "error")])
    assert [rule.text for rule in found.rules] == [SUSPECTED]
    assert not found.whole
    assert ["subprocess" in item.text for item in found.aside] == [True]
    assert not Cutter(store, skill).of([Proposal(patch, "error")]).rules
    store.close()
