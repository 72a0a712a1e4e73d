"""The proposer and the one-call analysts: typed outcomes for whatever a model answers, and exact places for edits."""

import json
import random
from collections import Counter
from typing import Any

import pytest
from conftest import OFFICE, OFFICE_SKILL, Plays

from trace2skill.analysts.contrast import ContrastAnalyst
from trace2skill.analysts.one_call import OneCallErrorAnalyst
from trace2skill.analysts.reading import room_for_trajectory, whole
from trace2skill.analysts.strategy import Analyst, Case, Means
from trace2skill.analysts.success import SuccessAnalyst
from trace2skill.core.budget import Budget
from trace2skill.core.step_label import StepLabel
from trace2skill.domains.spreadsheet import Spreadsheet
from trace2skill.llm import Client, ModelSettings
from trace2skill.proposals.propose import propose
from trace2skill.sim.conversation import Heard, Spoken, answer_json
from trace2skill.skills.apply import apply_edits
from trace2skill.skills.place import EditPolicy
from trace2skill.skills.relevant import relevant_sections
from trace2skill.skills.skill import Skill, SkillFile, problems, read_skill
from trace2skill.store import Store
from trace2skill.types.lesson import Evidence, Extraction, Lesson
from trace2skill.types.trajectory import Observation, Outcome, Step, ToolCall, Trajectory

SKILL = read_skill(OFFICE_SKILL)
MODEL = ModelSettings(name="sim/scripted")
DOMAIN = Spreadsheet("never")
TASK = DOMAIN.load(OFFICE)[0]
LESSON = Lesson(
    trajectory_id="t1",
    task_id="k1",
    kind="error",
    proof="verified",
    title="Dates",
    description="Applies to dates.",
    content="Write dates as dates.",
    evidence=(Evidence(first=3, last=3),),
)
EXTRACTION = Extraction(trajectory_id="t1", task_id="k1", kind="error", verdict="lessons", lessons=(LESSON,))
EDITS: list[dict[str, Any]] = [
    {"op": "append_to_section", "section": ["Dates"], "content": "- Write dates as dates.", "lessons": [LESSON.id]},
    {"op": "append_to_section", "section": ["Writing values"], "content": '- Say "no" to text, {like} [this].'},
]
ANSWER = {"reasoning": "Two rules.", "edits": EDITS, "changelog": ["Add: dates"]}


@pytest.fixture
def client(store: Store) -> Client:
    return Client(store, Budget(None), "run")


def says(*answers: str | dict[str, Any]) -> Any:
    """A model that gives these answers one after the other, the last one for ever."""
    left = list(answers)

    def speak(_: Heard) -> Spoken:
        answer = left.pop(0) if len(left) > 1 else left[0]
        return Spoken(text=answer) if isinstance(answer, str) else answer_json(answer)

    return speak


def run(number: int = 1, outcome: str = "passed", steps: int = 3) -> Trajectory:
    spoken = tuple(Step(number=n, source="agent", message=f"step {n}") for n in range(3, steps + 3))
    opening = (Step(number=1, source="system"), Step(number=2, source="user"))
    kind: Any = outcome
    return Trajectory(
        id=f"T{number:012x}",
        task_id=TASK.id,
        seed=number,
        model="m",
        steps=opening + spoken,
        outcome=Outcome(kind=kind),
    )


# Whatever a model answers.


def spoiled(text: str, rng: random.Random) -> tuple[str, str]:
    """A valid answer made invalid or odd, and the name of the way."""
    ways: dict[str, Any] = {
        "cut off": lambda: text[: rng.randrange(1, len(text) - 1)],
        "cut off in a fence": lambda: "```json\n" + text[: rng.randrange(1, len(text) - 1)] + "\n```",
        "single quotes": lambda: text.replace('"', "'"),
        "broken quotes": lambda: text.replace('\\"', '"'),
        "a quote lost": lambda: _without(text, '"', rng),
        "prose around": lambda: f"Here you are:\n\n{text}\n\nI hope that helps {{really}}.",
        "prose in other languages": lambda: f"好的，这是补丁：\n```json\n{text}\n```\nВот и всё. ¿Algo más?",
        "prose alone": lambda: "I would rather explain it: write dates as dates.",
        "a type wrong": lambda: text.replace(
            '"op": "append_to_section"', f'"op": {rng.choice(["7", "null", "[]"])}', 1
        ),
        "an unknown op": lambda: text.replace("append_to_section", rng.choice(["rewrite_all", "rm", "APPEND"]), 1),
        "nested fences": lambda: f"```\n```json\n{text}\n```\n```",
        "trailing commas": lambda: text.replace("}]", "},]").replace("]}", "],}"),
        "two blocks": lambda: f"```json\n{json.dumps({'edits': []})}\n```\nBetter:\n```json\n{text}\n```",
        "a list": lambda: f"[{text}]",
        "a bracket lost": lambda: _without(text, rng.choice("]}"), rng),
        "empty": lambda: "",
        "a key lost": lambda: text.replace('"edits"', '"changes"'),
        "control characters": lambda: text.replace("dates", "da\x00tes", 1),
    }
    name = rng.choice(sorted(ways))
    return ways[name](), name


def _without(text: str, mark: str, rng: random.Random) -> str:
    places = [at for at, char in enumerate(text) if char == mark]
    at = rng.choice(places)
    return text[:at] + text[at + 1 :]


def letters(text: str) -> str:
    """A text without its punctuation, which is what a lost bracket or quote may cost."""
    return "".join(char for char in text if char.isalnum())


MALFORMED = 120
"""Answers: some seven of each way to spoil one."""


def test_malformed_answers_of_every_kind_are_all_accounted_for(client: Client, plays: Plays) -> None:
    rng = random.Random(5)
    whole_patch = {(edit["op"], letters(edit["content"])) for edit in EDITS}
    ended: Counter[tuple[str, str]] = Counter()
    for number in range(MALFORMED):
        text, way = spoiled(json.dumps(ANSWER, ensure_ascii=False), rng)
        plays(says(text))
        about = EXTRACTION.model_copy(update={"trajectory_id": f"t{number}"})
        unique = LESSON.model_copy(update={"content": f"Write dates as dates ({number})."})
        patch = propose(
            client,
            MODEL,
            about.model_copy(update={"lessons": (unique,)}),
            SKILL,
            EditPolicy(),
            step=StepLabel("propose"),
        )
        ended[way, patch.verdict] += 1
        if patch.verdict == "patch" and way != "control characters":
            assert {(edit.op, letters(edit.content)) for edit in patch.edits} == whole_patch, (way, text)
        if patch.verdict == "bad_answer":
            assert patch.edits == ()
            assert patch.raw == text
        result = apply_edits(SKILL, patch.edits)
        assert result.problems == ()
    assert sum(ended.values()) == MALFORMED
    verdicts = {way: {verdict for w, verdict in ended if w == way} for way, _ in ended}
    for way in ("prose around", "prose in other languages", "trailing commas", "two blocks"):
        assert verdicts[way] == {"patch"}, way
    for way in ("cut off", "cut off in a fence", "prose alone", "empty", "a key lost", "a type wrong", "an unknown op"):
        assert verdicts[way] == {"bad_answer"}, way


def test_a_malformed_answer_is_mended_when_asked_again(client: Client, plays: Plays) -> None:
    plays(says("No.", '{"edits": [', ANSWER))
    assert propose(client, MODEL, EXTRACTION, SKILL, EditPolicy(), step=StepLabel("propose")).verdict == "patch"


@pytest.mark.parametrize(
    "edit",
    [
        {"op": "create", "file": "../escape.md", "content": "x"},
        {"op": "create", "file": "/etc/cron.d/x", "content": "x"},
        {"op": "append_to_section", "file": "references/none.md", "content": "x"},
        {"op": "create", "file": "scripts/run.py", "content": "print(1)"},
        {"op": "set_description", "content": "Does everything."},
        {"op": "append_to_section", "file": "assets/logo.svg", "content": "x"},
    ],
    ids=lambda edit: f"{edit['op']} {edit.get('file', '')}",
)
def test_what_may_not_be_touched_is_unplaced_with_its_reason(
    edit: dict[str, Any], client: Client, plays: Plays
) -> None:
    plays(says({"edits": [edit, EDITS[0]]}))
    patch = propose(client, MODEL, EXTRACTION, SKILL, EditPolicy(), step=StepLabel("propose"))
    assert [item.op for item in patch.edits] == ["append_to_section"]
    assert patch.unplaced[0].reason


# Places.


def test_a_lost_edit_is_moved_once_and_never_reworded(client: Client, plays: Plays) -> None:
    lost = {"op": "append_to_section", "section": ["No such"], "content": "- Keep this wording.", "lessons": []}

    def speak(heard: Heard) -> Spoken:
        if heard.system.startswith("You keep a skill"):
            return answer_json({"edits": [lost, {**lost, "content": "- And this gets a section of its own."}]})
        ids = [line.split()[1].rstrip(":") for line in heard.opening.splitlines() if line.startswith("## E")]
        places = [{"id": ids[0], "section": ["Dates"], "content": "- Reworded!"}, {"id": "E000", "section": ["Dates"]}]
        return answer_json({"places": places})

    plays(speak)
    patch = propose(client, MODEL, EXTRACTION, SKILL, EditPolicy(), step=StepLabel("propose"))
    assert [(item.section, item.content) for item in patch.edits] == [
        (("Dates",), "- Keep this wording."),
        ((), "- And this gets a section of its own."),
    ]
    assert (patch.edits[1].op, patch.edits[1].title) == ("add_section", "No such")
    assert not patch.unplaced
    assert any("it becomes one" in note for note in patch.read_as)


def test_scripts_and_the_description_change_only_where_that_is_allowed(client: Client, plays: Plays) -> None:
    edits = [
        {"op": "create", "file": "scripts/check.py", "content": "print('ok')"},
        {"op": "append_to_section", "section": ["Dates"], "content": "- Run [the check](scripts/check.py)."},
        {"op": "set_description", "content": 'Works on workbooks: "all" of them.'},
    ]
    plays(says({"edits": edits}))
    policy = EditPolicy(allow_scripts=True, allow_description=True)
    patch = propose(client, MODEL, EXTRACTION, SKILL, policy, step=StepLabel("propose"))
    assert patch.unplaced == ()
    changed = apply_edits(SKILL, patch.edits, policy).skill
    assert problems(changed) == []
    assert changed.description == 'Works on workbooks: "all" of them.'
    assert changed.name == SKILL.name
    assert changed.text("scripts/check.py") == "print('ok')\n"


def test_of_a_large_skill_only_what_bears_on_the_lessons_is_shown() -> None:
    body = "".join(f"## Part {n}\n\n{'word ' * 400}\n\n" for n in range(20)) + "## Dates\n\nWrite dates as dates.\n"
    head = "---\nname: big\ndescription: d\n---\n\n# Big\n\n"
    skill = Skill(files=(SkillFile(path="SKILL.md", content=(head + body).encode()),))
    shown = relevant_sections(skill, ["Write dates as dates, always"])
    assert len(shown) < 13_000
    assert "Write dates as dates." in shown
    assert relevant_sections(SKILL, []).count("[file ") == len([f for f in SKILL.files if f.path.endswith(".md")])


# The analysts of one call.


def examined(
    analyst: type[Analyst], client: Client, trajectory: Trajectory, other: Trajectory | None = None
) -> Extraction:
    means = Means(domain=DOMAIN, model=MODEL, client=lambda: client)
    (found,) = analyst(means).examine(Case(trajectory, StepLabel("extract"), task=TASK, other=other))
    return found


GOOD = {
    "title": "Look first",
    "description": "Always.",
    "content": "Look at the sheets first.",
    "steps": [3],
    "proved_by": "step 3 finds a second sheet",
    "certainty": "shown",
}


def test_a_lesson_that_breaks_a_rule_is_asked_for_once_more(client: Client, plays: Plays) -> None:
    twice = {"lessons": [GOOD, {**GOOD, "title": "Look first!"}]}
    plays(says(twice, {"lessons": [GOOD]}))
    found = examined(SuccessAnalyst, client, run(1))
    assert (len(found.lessons), found.dropped) == (1, ())
    plays(says(twice))
    found = examined(SuccessAnalyst, client, run(2))
    assert len(found.lessons) == 1
    assert found.dropped[0].reason == "it says the same as another lesson"


def test_a_lesson_without_evidence_is_dropped(client: Client, plays: Plays) -> None:
    plays(says({"lessons": [{**GOOD, "steps": []}]}))
    found = examined(SuccessAnalyst, client, run())
    assert found.verdict == "nothing_learned"
    assert "points at no step" in found.dropped[0].reason


def test_the_one_call_analyst_is_marked_ungated(client: Client, plays: Plays) -> None:
    report = {"surface": "s", "cause": "c", "cause_steps": [4], "kind": "logic", "lessons": [{**GOOD, "steps": []}]}
    plays(says(report))
    found = examined(OneCallErrorAnalyst, client, run(outcome="failed"))
    assert [(item.proof, item.kind, item.evidence[0].first) for item in found.lessons] == [("ungated", "error", 4)]
    assert (found.surface, found.fix) == ("s", "")


def test_the_contrast_analyst_sees_both_runs_and_votes_for_the_pass(client: Client, plays: Plays) -> None:
    seen: list[str] = []

    def speak(heard: Heard) -> Spoken:
        seen.extend((heard.block("passed"), heard.block("failed")))
        return answer_json({"lessons": [GOOD]})

    plays(speak)
    found = examined(ContrastAnalyst, client, run(1), run(2, "failed", steps=5))
    assert "Step 5" in seen[0]
    assert "Step 7" in seen[1]
    assert (found.trajectory_id, found.against, found.kind) == (run(1).id, run(2).id, "success")
    assert len(found.lessons) == 1


@pytest.mark.parametrize("text", ["prose", "{}", '{"lessons": [{"title": ""}]}'])
def test_an_answer_that_stays_malformed_is_a_verdict_with_the_raw_answer(
    text: str, client: Client, plays: Plays
) -> None:
    plays(says(text))
    found = examined(SuccessAnalyst, client, run())
    assert (found.verdict, found.raw, found.lessons) == ("bad_answer", text, ())


# Long trajectories.


def long_run(turns: int, size: int) -> Trajectory:
    steps = []
    for number in range(3, turns + 3):
        failed, writes = number == 40, number == 60
        command = "cat > out.py <<'E'\nWRITES\nE" if writes else "cat data.txt"
        observed = "FAILED HERE" if failed else "\x00\ufffd" * 10 + "x" * size
        steps.append(
            Step(
                number=number,
                source="agent",
                message="FIRST" if number == 3 else "LAST" if number == turns + 2 else "going on",
                tool_calls=(ToolCall(id="c", name="bash", arguments={"command": command}),),
                observations=(Observation(call_id="c", content=observed, exit_code=int(failed)),),
            )
        )
    return run().model_copy(update={"steps": tuple(steps)})


def test_a_trajectory_of_120_turns_and_a_megabyte_keeps_ends_errors_and_writes() -> None:
    trajectory = long_run(120, 10_000)
    room = room_for_trajectory(MODEL)
    text = whole(trajectory, room)
    assert len(text) <= room + 100
    for mark in ("FIRST", "LAST", "FAILED HERE", "WRITES"):
        assert mark in text
    assert whole(trajectory, 3_000).count("\n") > 3
    assert len(whole(trajectory, 3_000)) < 3_200


def test_the_room_follows_the_context_that_litellm_reports() -> None:
    small = ModelSettings(name="openai/gpt-4", max_tokens=1024)
    unknown = ModelSettings(name="openai/mine", api_base="http://localhost:1")
    assert room_for_trajectory(small) < room_for_trajectory(unknown) < room_for_trajectory(MODEL)
