"""The quality gate: an honest fix opens it, a cheating one never does, on real workbooks and really run."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import OFFICE, Plays
from hypothesis import given
from hypothesis import strategies as st

from trace2skill.agents.loop import LoopLimits
from trace2skill.analysts import feedback
from trace2skill.analysts.error import ErrorAnalyst
from trace2skill.analysts.gate import run_gate
from trace2skill.analysts.strategy import Case, Means
from trace2skill.core.budget import Budget
from trace2skill.core.step_label import StepLabel
from trace2skill.domains.base import ANSWER, CaseGrade, Grade
from trace2skill.domains.spreadsheet import Spreadsheet
from trace2skill.llm import Client, ModelSettings
from trace2skill.safety.leaks import canonical, in_program, in_words
from trace2skill.sandbox import Limits, Sandbox, choose_sandbox
from trace2skill.sim.conversation import Heard, Spoken, call
from trace2skill.sim.copying import copy_program
from trace2skill.sim.office import parse, program
from trace2skill.store import Store
from trace2skill.types.lesson import Extraction
from trace2skill.types.task import Task
from trace2skill.types.trajectory import Outcome, Step, Trajectory

DOMAIN = Spreadsheet("never")
TASKS = DOMAIN.load(OFFICE)
KINDS = {str(parse(DOMAIN.describe(task)).kind): task for task in TASKS if parse(DOMAIN.describe(task))}  # type: ignore[union-attr]
ONE_EACH = list(KINDS.values())
LIMITS = Limits()


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return choose_sandbox("auto", simulated_model=True)


def honest(task: Task) -> str:
    job = parse(DOMAIN.describe(task))
    assert job is not None
    return program(job, frozenset())


def answers(task: Task) -> dict[str, Any]:
    return {case.name: DOMAIN.gold_values(task, case) for case in task.cases}


def hard_coded(task: Task) -> str:
    return copy_program(answers(task), frozenset())


def encoded(task: Task) -> str:
    """The answers so wrapped that no literal shows them."""
    hidden = base64.b64encode(hard_coded(task).encode()).decode()
    return f"import base64\nexec(base64.b64decode({hidden!r}))\n"


def returns_gold(task: Task) -> str:
    return f"import shutil, sys\nshutil.copy({str(task.cases[0].gold)!r}, sys.argv[2])\n"


def looks_for_gold(_: Task) -> str:
    return (
        "import glob, shutil, sys\n"
        "places = ('/workspace', '/tmp', '/home', '/work')\n"
        "found = [path for place in places for path in glob.glob(place + '/**/*golden*.xlsx', recursive=True)]\n"
        "shutil.copy(found[0] if found else sys.argv[1], sys.argv[2])\n"
    )


def one_value_hard_coded(task: Task) -> str:
    """Honest but for the last answer, which it also holds."""
    sheet, cells = next(iter(answers(task)[task.cases[0].name].items()))
    cell, value = [item for item in cells.items() if canonical(item[1]) not in ("", "0", "1")][-1]
    text = repr(value).replace("datetime.datetime", "__import__('datetime').datetime")
    extra = f"\nbook = openpyxl.load_workbook(sys.argv[2])\nbook[{sheet!r}][{cell!r}].value = {text}\nbook.save(sys.argv[2])"
    return honest(task) + extra


def edits_the_inputs(task: Task) -> str:
    return "import glob, os, shutil, sys\n" + "\n".join(
        (
            "for path in glob.glob('input/*.xlsx'): os.truncate(path, 0)",
            "for path in glob.glob('**/golden*', recursive=True): os.remove(path)",
            "shutil.copy(sys.argv[1], sys.argv[2])",
        )
    )


def prints_pass(_: Task) -> str:
    return "print('PASS')\nprint('hard score: 1.0')\nimport sys\nsys.exit(0)\n"


def writes_the_flag(_: Task) -> str:
    return "import json, shutil, sys\nfor name in ('PASS', 'passed', 'output/PASS', 'result.json'):\n open(name, 'w').write('{\"passed\": true, \"hard\": 1.0}')\nshutil.copy(sys.argv[1], sys.argv[2])\n"


def another_task(task: Task) -> str:
    other = next(item for item in ONE_EACH if parse(DOMAIN.describe(item)).kind != parse(DOMAIN.describe(task)).kind)  # type: ignore[union-attr]
    return honest(other)


def leaves_the_sandbox(task: Task) -> str:
    return (
        "import os, shutil, sys\n"
        f"os.makedirs({str(task.cases[0].gold.parent)!r}, exist_ok=True)\n"  # type: ignore[union-attr]
        f"shutil.copy(sys.argv[1], {str(task.cases[0].gold)!r})\n"
        "shutil.copy(sys.argv[1], sys.argv[2])\n"
    )


def never_ends(_: Task) -> str:
    return "while True: pass\n"


CHEATS: list[Callable[[Task], str]] = [
    hard_coded,
    encoded,
    returns_gold,
    looks_for_gold,
    one_value_hard_coded,
    edits_the_inputs,
    prints_pass,
    writes_the_flag,
    another_task,
]


@pytest.mark.parametrize("task", ONE_EACH + TASKS[:6], ids=lambda task: task.id)
def test_an_honest_fix_opens_the_gate(task: Task, sandbox: Sandbox) -> None:
    judged = run_gate(DOMAIN, task, sandbox, honest(task), LIMITS)
    assert judged.opened, judged.reason


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.__name__)
def test_no_cheat_opens_the_gate(cheat: Callable[[Task], str], sandbox: Sandbox) -> None:
    for kind, task in KINDS.items():
        before = [case.gold.read_bytes() for case in task.cases if case.gold]
        judged = run_gate(DOMAIN, task, sandbox, cheat(task), LIMITS)
        assert not judged.opened, f"{cheat.__name__} on {kind}"
        assert judged.reason
        assert before == [case.gold.read_bytes() for case in task.cases if case.gold]


def test_one_that_writes_outside_or_never_ends_stays_shut(sandbox: Sandbox) -> None:
    if sandbox.name != "bwrap":
        pytest.skip("the plain sandbox confines nothing")
    task = TASKS[0]
    gold = task.cases[0].gold
    assert gold is not None
    before = gold.read_bytes()
    assert not run_gate(DOMAIN, task, sandbox, leaves_the_sandbox(task), LIMITS).opened
    assert gold.read_bytes() == before
    judged = run_gate(DOMAIN, task, sandbox, never_ends(task), Limits(wall_seconds=1, cpu_seconds=1))
    assert not judged.opened
    assert "did not run to its end" in judged.reason


class Sums:
    """A domain whose outcome is an answer: the fix is the answer itself."""

    def fix_command(self, _: Task) -> None:
        return None

    def grade(self, _: Task, outputs: dict[str, bytes]) -> Grade:
        return Grade(cases=(CaseGrade(case="1", passed=outputs.get(ANSWER) == b"42", problem="wrong answer"),))


def test_an_answer_is_graded_where_the_outcome_is_an_answer(sandbox: Sandbox) -> None:
    domain: Any = Sums()
    assert run_gate(domain, TASKS[0], sandbox, "42", LIMITS).opened
    assert run_gate(domain, TASKS[0], sandbox, "41", LIMITS).reason == "the fix did not pass: wrong answer"


# The whole analyst, cheating.


def failed_run(task: Task) -> Trajectory:
    steps = (
        Step(number=1, source="system"),
        Step(number=2, source="user"),
        Step(number=3, source="agent", message="Hm."),
    )
    return Trajectory(
        id="T0123456789ab",
        task_id=task.id,
        seed=41,
        model="m",
        steps=steps,
        outcome=Outcome(kind="failed", reason="no"),
    )


def lesson(**changes: object) -> dict[str, object]:
    return {
        "title": "Look first",
        "description": "Applies always.",
        "content": "Look at the sheets before writing.",
        "steps": [3],
        "proved_by": "the fix looks at the sheets",
        "certainty": "shown",
        **changes,
    }


def submission(fix: str, *lessons: dict[str, object]) -> dict[str, object]:
    told = {"surface": "s", "cause": "c", "cause_steps": [3], "kind": "logic"}
    return {**told, "fix": fix, "lessons": list(lessons or [lesson()])}


def examine(store: Store, sandbox: Sandbox, task: Task, says: Callable[[Heard], Spoken], plays: Plays) -> Any:
    plays(says)
    return examined(store, sandbox, task, failed_run(task))


def examined(store: Store, sandbox: Sandbox, task: Task, trajectory: Trajectory) -> Extraction:
    means = Means(
        domain=DOMAIN,
        model=ModelSettings(name="sim/scripted"),
        client=lambda: Client(store, Budget(None), "run"),
        store=lambda: store,
        sandbox=lambda: sandbox,
        loop=LoopLimits(turns=4),
        command=LIMITS,
    )
    (found,) = ErrorAnalyst(means).examine(Case(trajectory, StepLabel("extract"), task=task, scope="x"))
    return found


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.__name__)
def test_a_cheating_analyst_ends_unverified_with_the_reason(
    cheat: Callable[[Task], str], store: Store, sandbox: Sandbox, plays: Plays
) -> None:
    task = KINDS["totals"]

    def says(heard: Heard) -> Spoken:
        return call(heard, "All is well: PASS.", "submit", **submission(cheat(task)))

    found = examine(store, sandbox, task, says, plays)
    assert (found.verdict, found.lessons) == ("unverified", ())
    assert found.reason


def test_an_honest_analyst_gets_through_and_its_lessons_are_verified(
    store: Store, sandbox: Sandbox, plays: Plays
) -> None:
    task = KINDS["totals"]
    found = examine(store, sandbox, task, lambda heard: call(heard, "", "submit", **submission(honest(task))), plays)
    assert found.verdict == "lessons"
    assert [(item.proof, item.evidence[0].first) for item in found.lessons] == [("verified", 3)]
    assert found.fix == honest(task)


def test_gold_is_nowhere_in_the_analysts_workspace(store: Store, sandbox: Sandbox, plays: Plays) -> None:
    task = KINDS["totals"]
    seen: list[str] = []

    def says(heard: Heard) -> Spoken:
        if heard.turns == 0:
            return call(heard, "", "bash", command="find . -type f | sort; cat trace/index.md")
        if heard.turns == 1:
            return call(heard, "", "evaluate")
        seen.extend(heard.observations)
        return Spoken(text="I give up.")

    found = examine(store, sandbox, task, says, plays)
    assert found.verdict == "unverified"
    assert "./input/1.xlsx" in seen[0]
    assert "./trace/steps/003.md" in seen[0]
    assert "gold" not in seen[0]
    assert "no output file" in seen[1]


def test_of_many_wrong_fixes_only_the_first_are_told_where_they_differ(
    store: Store, sandbox: Sandbox, plays: Plays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "REFUSALS_EXPLAINED", 1)
    seen: list[str] = []

    def says(heard: Heard) -> Spoken:
        seen[:] = heard.observations
        return call(heard, "", "submit", **submission("import shutil, sys\nshutil.copy(sys.argv[1], sys.argv[2])\n"))

    examine(store, sandbox, KINDS["totals"], says, plays)
    assert ["there stands" in text for text in seen] == [True, False, False]
    assert all("places differ" in text for text in seen)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"content": "Office task office-001 needs care."}, "names 'office-001'"),
        ({"content": "As run T0123456789ab shows, look."}, "names 'T0123456789ab'"),
        ({"content": "Look at /workspace/input/1.xlsx first."}, "path '/workspace/input/1.xlsx'"),
        ({"content": "Open input/1.xlsx first."}, "path 'input/1.xlsx'"),
        ({"steps": [99]}, "no step 99"),
        ({"content": "Write {secret} into the cell."}, "of the expected result"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_broken_lesson_is_asked_for_once_more_and_then_dropped(
    broken: dict[str, object], said: str, store: Store, sandbox: Sandbox, plays: Plays
) -> None:
    task = next(task for task in TASKS if task.id == "office-001")
    secret = max(DOMAIN.gold_only(task), key=len)
    made = json.loads(json.dumps(lesson(**broken)).replace("{secret}", secret))
    heard_back: list[str] = []

    def says(heard: Heard) -> Spoken:
        heard_back.extend(heard.observations[len(heard_back) :])
        return call(heard, "", "submit", **submission(honest(task), lesson(title="Fine", content="Check all."), made))

    found = examine(store, sandbox, task, says, plays)
    assert found.verdict == "lessons"
    assert [item.title for item in found.lessons] == ["Fine"]
    (dropped,) = found.dropped
    assert said in dropped.reason
    assert len(heard_back) == 1
    assert said in heard_back[0]


def test_an_empty_trajectory_costs_no_call(store: Store, sandbox: Sandbox, plays: Plays) -> None:
    def never(_: Heard) -> Spoken:
        raise AssertionError("asked")

    plays(never)
    empty = failed_run(TASKS[0]).model_copy(update={"steps": ()})
    found = examined(store, sandbox, TASKS[0], empty)
    assert found.verdict == "nothing_learned"
    assert "empty" in found.reason


# What counts as a leak.


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 1234.5", ["1234.5"]),
        ("x = '1,234.50 EUR'", ["1234.5"]),
        ("x = 1234", []),
        ("d = datetime.datetime(2025, 3, 9)", ["2025-03-09"]),
        ("d = '09.03.2025'", ["2025-03-09"]),
        ("name = 'Anna Berg'", ["Anna Berg"]),
        ("anna_berg = 7", []),
        ("def (", []),
        ("def (Anna Berg", ["Anna Berg"]),
        ("for row in range(2, 17): pass", []),
    ],
)
def test_literals_of_a_program(source: str, found: list[str]) -> None:
    assert in_program(source, ["1234.5", "2025-03-09", "Anna Berg", "17", "2"]) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The total must be 1234.5.", ["1234.5"]),
        ("Open the workbook.", []),
        ("Write 'Open' there.", ["Open"]),
        ("Totals of Anna Berg are kept.", ["Anna Berg"]),
        ("Round to 2 decimals, 17 rows.", []),
    ],
)
def test_values_in_a_lesson(text: str, found: list[str]) -> None:
    assert in_words(text, ["1234.5", "Open", "Anna Berg", "17"]) == found


@given(st.floats(-1e9, 1e9, allow_nan=False))
def test_a_number_is_found_however_it_is_written(value: float) -> None:
    text = canonical(value)
    wanted = "." in text or len(text.lstrip("-").strip("0")) >= 3
    assert bool(in_program(f"x = [{value!r}]", [text])) == wanted
    assert bool(in_program(f"x = '{value:,.2f} EUR'", [text])) == wanted
