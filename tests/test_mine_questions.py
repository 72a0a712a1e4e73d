"""Questions mined from logs of evaluations: which become tasks, which do not and why, and who never sees an answer."""

import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asked_logs import SECRET_TARGET, Sample, write_eval
from product import run

from trace2skill.domains import load_domain
from trace2skill.domains.base import ANSWER
from trace2skill.domains.splits import split_tasks
from trace2skill.runs.gate_on_mined import tasks_in
from trace2skill.runs.ingest import of_logs
from trace2skill.runs.intake import take_in
from trace2skill.runs.mined_tasks import MinedTasks, mine
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.sources import Sources
from trace2skill.sandbox import Sandbox, choose_sandbox
from trace2skill.sandbox.bubblewrap import works
from trace2skill.store import open_store
from trace2skill.traces.gold_fields import LEFT_OUT
from trace2skill.types.trajectory import Trajectory

pytestmark = pytest.mark.skipif(bool(works()), reason=f"commands of logs run in bubblewrap alone: {works()}")
CAPITALS = {
    "Peru": "Lima",
    "Chad": "N'Djamena",
    "Fiji": "Suva",
    "Laos": "Vientiane",
    "Mali": "Bamako",
    "Oman": "Muscat",
}


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return choose_sandbox("bwrap", simulated_model=False)


@pytest.fixture
def mined(tmp_path: Path, sandbox: Sandbox) -> Callable[..., MinedTasks]:
    """Mines one log of samples."""

    def make(*samples: Sample, **how: Any) -> MinedTasks:
        write_eval(tmp_path / "logs" / "a.eval", samples, **how)
        return mine(Sources(paths=(tmp_path / "logs",)), sandbox, tmp_path / "tasks")

    return make


def asked(country: str, output: str = "", **more: Any) -> Sample:
    target = CAPITALS[country]
    return Sample(country, f"What is the capital of {country}?", target, output or f"It is {target}.", **more)


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "questions.jsonl").read_text().splitlines()]


def test_samples_become_questions_that_are_judged_as_in_their_log(mined: Any, tmp_path: Path) -> None:
    samples = [asked(country, system="Be brief.") for country in CAPITALS]
    samples[0] = asked("Peru", "Cusco", right=False)
    found = mined(*samples)
    assert (found.counts, found.checks) == ({"self-contained": 6}, {"answer": 6})
    assert (found.agreement, found.tried, found.groups_of) == ((6, 6), 6, {"shell": 0, "questions": 6})
    domain = load_domain("questions")
    for task in domain.load(tmp_path / "tasks"):
        assert domain.audit(task).verdict == "usable"
        right = CAPITALS[task.instruction.partition(" of ")[2].rstrip("?")]
        assert domain.grade(task, {ANSWER: f"Answer: {right}".encode()}).hard == 1.0
        assert domain.grade(task, {ANSWER: b"Answer: Cusco"}).hard == 0.0
    assert sorted(path.name for path in (tmp_path / "tasks").iterdir()) == ["mined.json", "questions.jsonl"]
    assert rows_in(tmp_path / "tasks")[1]["context"] == "Be brief."
    first = (tmp_path / "tasks" / "questions.jsonl").read_bytes()
    mined(*samples)
    assert (tmp_path / "tasks" / "questions.jsonl").read_bytes() == first, "the same logs, the same bytes"


TOOL = {"role": "tool", "content": "Lima", "tool_call_id": "1", "function": "search"}
USER = {"role": "user", "content": "What is the capital of Peru?"}
LIMA = {"role": "assistant", "content": "It is Lima."}
SEARCH = {"type": "tool_use", "tool_type": "web_search", "id": "1", "name": "web_search", "result": "Lima"}
SEARCHED = {"role": "assistant", "content": [SEARCH, {"type": "text", "text": "It is Lima."}]}
PICTURE = [{"role": "user", "content": [{"type": "image", "image": "data:image/png;base64,AA"}]}]


@pytest.mark.parametrize(
    ("sample", "how", "expected"),
    [
        (asked("Peru", right=False), {}, "by our `match` its answer passed, and it failed (log)"),
        (asked("Peru", "Cusco"), {}, "by our `match` its answer failed, and it passed (log)"),
        (asked("Peru", right=None), {}, "no verdict says whether it was answered right"),
        (asked("Peru", more={"error": {"message": "rate limit"}}), {}, "no verdict says"),
        (asked("Peru"), {"scorer": "model_graded_fact"}, "its scorer is none of match, includes, exact, choice, answer, exact_match"),
        (asked("Peru"), {"scorer": "pattern", "options": {"pattern": "(a+)+$"}}, "its scorer is none of"),
        (asked("Peru"), {"options": {"location": "nearby"}}, "has arguments that are not known here"),
        (asked("Peru"), {"options": {"fuzzy": True}}, "has arguments that are not known here"),
        (asked("Peru", more={"target": ""}), {}, "its target is empty"),
        (asked("Peru", more={"target": ["Lima", ""]}), {}, "its target is empty"),
        (asked("Peru", more={"target": {"a": "Lima"}}), {}, "neither a text nor a list of texts"),
        (asked("Peru", more={"target": None}), {}, "neither a text nor a list of texts"),
        (asked("Peru", more={"target": "..."}), {}, "by its rule its target decides nothing"),
        (asked("Peru", more={"target": "Li\u200bma"}), {}, "signs that nobody sees"),
        (asked("Peru", more={"target": "ghp_" + "a1B2c3D4e5" * 4}), {}, "its target holds a secret"),
        (asked("Peru", more={"target": "x" * 20_000}), {}, "by its rule its target decides nothing"),
        (asked("Peru", more={"sandbox": {"type": "docker"}}), {}, "it had tools or a sandbox"),
        (asked("Peru", more={"files": {"a": "b"}}), {}, "it had tools or a sandbox"),
        (asked("Peru", more={"messages": [USER, LIMA, TOOL, LIMA]}), {}, "it had tools or a sandbox"),
        (asked("Peru", more={"messages": [USER, LIMA, USER, LIMA]}), {}, "more was said to it than the question"),
        (asked("Peru", more={"messages": [USER, USER, LIMA]}), {}, "more was said to it than the question"),
        (asked("Peru", more={"input": [USER, LIMA, USER]}), {}, "its input holds what an agent said"),
        (asked("Peru", more={"input": PICTURE, "messages": PICTURE}), {}, "its question is no text alone"),
        (asked("Peru", put="x" * 30_000), {}, "its request is too long"),
        (asked("Peru", more={"target": "x" * 200_000}), {}, "its request is too long"),
        (asked("Peru", more={"choices": ["x"] * 100_000}), {}, "its request is too long"),
        (asked("Peru", "x" * 200_000, right=False), {}, ""),
        (asked("Peru", put="Is it Lima?"), {"scorer": "includes"}, "who repeats the question passes"),
        (asked("Peru", put="Is it Cusco or Lima?"), {}, "who repeats the question passes"),
        (asked("Peru", more={"invalidation": {"author": "me", "reason": "wrong"}}), {}, "does not count"),
        (asked("Peru", more={"error": "boom"}), {}, "no verdict says"),
        (asked("Peru", more={"messages": [USER, SEARCHED]}), {}, "it had tools or a sandbox"),
        (Sample(1, "Which?", "A", "ANSWER: A", choices=["x", "y"], put="Which?\n\nA) y\nB) x"), {"scorer": "choice"}, "not shown with their letters"),
        (Sample(1, "Which?", "D", "ANSWER: A", choices=["x", "y"]), {"scorer": "choice"}, "by its rule its target decides nothing"),
    ],
)  # fmt: skip
def test_what_becomes_no_question_says_why(mined: Any, sample: Sample, how: dict[str, Any], expected: str) -> None:
    segment, *_ = mined(sample, asked("Fiji"), **how).segments
    assert bool(segment.task) == (not expected)
    assert expected in segment.why
    assert "Lima" not in segment.why


def test_lists_numbers_and_choices_are_targets(mined: Any, tmp_path: Path) -> None:
    numeric = {"options": {"numeric": True}}
    assert mined(Sample(1, "How many are there in all?", 1200, "So it is $1,200."), **numeric).checks == {"answer": 1}
    assert rows_in(tmp_path / "tasks")[0]["rule"] == {"name": "match", "numeric": True}
    assert mined(Sample(1, "Which of them?", ["red", "blue"], "Blue")).checks == {"answer": 1}
    assert rows_in(tmp_path / "tasks")[0]["answer"] == ["red", "blue"]
    choice = Sample(1, "Which?", ["A", "C"], "ANSWER: A, C", choices=["x", "y", "z"])
    assert mined(choice, scorer="choice").checks == {"answer": 1}
    assert rows_in(tmp_path / "tasks")[0]["choices"] == ["x", "y", "z"]


def test_one_question_is_one_task_however_often_and_wherever_it_was_asked(tmp_path: Path, sandbox: Sandbox) -> None:
    logs = tmp_path / "logs"
    write_eval(
        logs / "a.eval",
        [asked("Peru"), asked("Peru", epoch=2, right=False, output="Cusco"), asked("Fiji"), asked("Mali")],
    )
    other = asked("Peru", put="Answer in a word.\n\nWhat is the capital of Peru?", system="You know it.", right=None)
    write_eval(logs / "b.eval", [other], task="again")
    found = mine(Sources(paths=(logs,)), sandbox, tmp_path / "tasks")
    assert (len(found.tasks), found.groups) == (3, 3)
    assert [item.why.startswith("it asks what") for item in found.segments if not item.task] == [True, False]
    (peru,) = [row for row in rows_in(tmp_path / "tasks") if "Peru" in row["question"]]
    assert {item.session for item in found.segments if item.task_id.endswith(":Peru")} <= set(peru["sessions"])
    assert not any(id.startswith("question") for id in peru["sessions"])


def test_targets_that_contradict_one_another_make_no_task(mined: Any, tmp_path: Path) -> None:
    wrong = asked("Peru", "Cusco", epoch=2, more={"target": "Cusco"})
    found = mined(asked("Peru"), wrong, asked("Fiji"))
    assert [item.task_id for item in found.tasks] == ["capitals:Fiji"]
    assert ["logs accept different answers of its question" in item.why for item in found.segments[:2]] == [True, True]
    assert len(rows_in(tmp_path / "tasks")) == 1
    shown = [["x", "y"], ["y", "x"]]
    turned = [
        Sample(n, "Which?", "AB"[n], f"ANSWER: {'AB'[n]}", choices=choices, epoch=n) for n, choices in enumerate(shown)
    ]
    assert len(mined(*turned, scorer="choice").tasks) == 1, "the same option under another letter"


def test_a_question_that_is_an_example_of_others_is_no_task(mined: Any) -> None:
    """Who is shown it as an example knows its answer, and the session would be learned from."""
    examples = "Some examples.\n\nWhat is the capital of Peru?\nANSWER: Lima"
    in_template = "What is the capital of Chad?\nN'Djamena\n\nWhat is the capital of Mali?"
    found = mined(asked("Peru"), asked("Fiji", system=examples), asked("Chad"), asked("Mali", put=in_template))
    assert [item.task_id for item in found.tasks] == ["capitals:Fiji", "capitals:Mali"]
    assert {item.why for item in found.segments} == {"", "its question stands in what was told with another one"}


def test_the_older_form_of_a_log_says_the_same(tmp_path: Path, sandbox: Sandbox) -> None:
    samples = [Sample(n, f"How many are {n} and {n}, in all?", 2 * n, f"= {2 * n}.0", n != 3) for n in (1, 2, 3)]
    logs = write_eval(tmp_path / "logs" / "a.json", samples, options={"numeric": True})
    found = mine(Sources(paths=(logs,)), sandbox, tmp_path / "tasks")
    assert (found.agreement, len(found.tasks)) == ((2, 3), 2)
    assert rows_in(tmp_path / "tasks")[0]["rule"] == {"name": "match", "numeric": True}


def test_what_another_kind_of_scorer_is_given_contradicts_nothing(tmp_path: Path, sandbox: Sandbox) -> None:
    rubric = asked("Peru", more={"target": "Says Lima, and nothing of Cusco."})
    write_eval(tmp_path / "logs" / "a.eval", [rubric], scorer="model_graded_qa")
    write_eval(tmp_path / "logs" / "b.eval", [asked("Peru")])
    assert len(mine(Sources(paths=(tmp_path / "logs",)), sandbox, tmp_path / "tasks").tasks) == 1


def test_a_rule_is_confirmed_by_an_answer_that_passed(tmp_path: Path, sandbox: Sandbox) -> None:
    """By any rule most answers are wrong: that both say so tells nothing of the rule, nor of a refusal to answer."""
    rubric = Sample("sky", "Why is the sky blue?", "Names scattering, and is kind", "Magic.", right=False)
    cut = asked("Mali", "I cannot.", right=False, more={"limit": {"type": "token", "limit": 10}})
    write_eval(tmp_path / "logs" / "a.eval", [rubric, cut], scorer="includes")
    write_eval(tmp_path / "logs" / "b.eval", [asked("Peru"), asked("Fiji", "Nadi", right=False)])
    found = mine(Sources(paths=(tmp_path / "logs",)), sandbox, tmp_path / "tasks")
    assert [item.task_id for item in found.tasks] == ["capitals:Peru", "capitals:Fiji"]
    why = "no answer that its log calls right shows that it is judged by our rule"
    assert [item.why for item in found.segments if not item.task] == [why, why]
    assert (found.agreement_on("passed"), found.agreement_on("failed"), found.agreement) == ((1, 1), (3, 3), (4, 4))
    told = json.loads((tmp_path / "tasks" / "mined.json").read_text())
    assert (told["passed"], told["failed"]) == ({"agree": 1, "with_verdict": 1}, {"agree": 3, "with_verdict": 3})


@pytest.mark.parametrize(
    ("values", "planned", "scored", "rule"),
    [
        (
            (None, "C"),
            [{"location": "exact"}, {"location": "any"}],
            [{"location": "exact"}, {"location": "any"}],
            "any",
        ),
        (("C", None), [None], [{"location": "any"}], "any"),
        (("C", None), [{"location": "any"}], [{}], "any"),
        (("C", None), [{"location": "exact"}, {"location": "any"}], [], None),
    ],
)
def test_the_arguments_are_those_of_the_scorer_that_gave_the_verdict(
    tmp_path: Path, sandbox: Sandbox, values: tuple[Any, Any], planned: list[Any], scored: list[Any], rule: str | None
) -> None:
    names = ("match", "match1")
    scores = {name: {"value": value} for name, value in zip(names, values, strict=True)}
    path = write_eval(tmp_path / "logs" / "a.eval", [asked("Peru", "Lima", more={"scores": scores})])
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    head = json.loads(members["header.json"])
    head["eval"]["scorers"] = [{"name": "match", "options": options} for options in planned]
    results = zip(names, scored, strict=False)
    head["results"] = {"scores": [{"name": name, "scorer": "match", "params": params} for name, params in results]}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**members, "header.json": json.dumps(head)}.items():
            archive.writestr(name, content)
    found = mine(Sources(paths=(path,)), sandbox, tmp_path / "tasks")
    assert len(found.tasks) == (rule is not None)
    if rule is not None:
        assert rows_in(tmp_path / "tasks")[0]["rule"] == {"name": "match", "location": rule}


def test_references_that_unfold_without_end_are_left_as_they_are(tmp_path: Path, sandbox: Sandbox) -> None:
    named, text = "0" * 32, "What is the capital of Peru? " * 40_000
    many, held = f"attachment://{named}" * 300, {"attachments": {named: text}}
    messages = [{"role": "user", "content": many}, LIMA]
    samples = [asked("Peru", more={**held, "input": many}), asked("Chad", more={**held, "choices": [many] * 20})]
    write_eval(
        tmp_path / "logs" / "a.eval", [*samples, asked("Mali", more={**held, "messages": messages}), asked("Fiji")]
    )
    tracemalloc.start()
    found = mine(Sources(paths=(tmp_path / "logs",)), sandbox, tmp_path / "tasks")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [item.task_id for item in found.tasks] == ["capitals:Fiji"]
    assert found.segments[0].why == "its request is too long"
    assert "references to attachments are left as they are" in found.first_problems[0]
    assert peak < 250_000_000, "as it is unfolded, each is 348 MB"


def test_a_number_is_the_same_target_however_it_is_written(tmp_path: Path, sandbox: Sandbox) -> None:
    for name, target in (("a", "1,200"), ("b", 1200), ("c", "1200.0")):
        sample = Sample(1, "How many are there in all?", target, f"= {target}")
        write_eval(tmp_path / "logs" / f"{name}.eval", [sample], options={"numeric": True})
    assert len(mine(Sources(paths=(tmp_path / "logs",)), sandbox, tmp_path / "tasks").tasks) == 1


def test_the_passage_of_a_data_set_and_the_case_of_a_sign_tell_questions_apart(mined: Any) -> None:
    def of_passage(number: int, answer: str) -> Sample:
        passage = {"role": "system", "content": f"Passage {number}: the river is long."}
        said = [passage, {"role": "user", "content": "Is the river a long one?"}]
        more = {"input": said, "messages": [*said, {"role": "assistant", "content": answer}]}
        return Sample(number, "", answer, answer, more=more)

    units = [Sample("m", "What is the unit m?", "metre", "metre"), Sample("M", "What is the unit M?", "mega", "mega")]
    assert len(mined(*(of_passage(n, ["yes", "no"][n % 2]) for n in range(4)), *units).tasks) == 6


def test_signs_tell_questions_apart(mined: Any) -> None:
    numeric = {"options": {"numeric": True}}
    samples = [Sample(n, f"What is {n}/2 times four?", 2 * n, f"= {2 * n}") for n in (1, 3)]
    assert len(mined(*samples, **numeric).tasks) == 2


def test_an_id_that_is_used_again_is_one_group_and_asks_what_it_asks(mined: Any) -> None:
    found = mined(asked("Peru"), Sample("Peru", "What is the capital of Fiji?", "Suva", "Suva", epoch=2))
    assert (len(found.tasks), found.groups) == (2, 1)


def test_odd_samples_cost_their_own_task_alone(mined: Any, tmp_path: Path) -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    odd = [5, None, [], {}, "", [None], ["\ud800"], "a\0b", {"role": []}, deep, 1e300, True]
    samples = [asked("Fiji")]
    for name in ("input", "messages", "target", "output", "choices", "scores", "id", "epoch", "sandbox", "attachments"):
        samples += [asked("Peru", more={name: value}) for value in odd]
    samples += [asked("Peru", more={"scores": {"match": value}}) for value in odd]
    samples += [asked("Peru", more={"output": {"choices": [{"message": {"content": value}}]}}) for value in odd]
    found = mined(*samples)
    assert "capitals:Fiji" in {item.task_id for item in found.tasks}
    json.loads((tmp_path / "tasks" / "mined.json").read_text())
    assert load_domain("questions").load(tmp_path / "tasks")


SECRET = "ghp_" + "a1B2c3D4e5" * 4


def test_secrets_stay_out_of_questions(mined: Any, tmp_path: Path) -> None:
    put = f"With the token {SECRET}: what is the capital of Chad?"
    samples = [
        asked("Peru", put="What is the\u200b capital of Peru?", system=f"token={SECRET}"),
        asked("Chad", put=put),
    ]
    found = mined(*samples)
    assert [item.task_id for item in found.tasks] == ["capitals:Peru"]
    assert found.segments[1].why == "its question holds a secret, and is not the same without it"
    (row,) = rows_in(tmp_path / "tasks")
    assert "\u200b" not in row["question"]
    assert SECRET not in json.dumps(row)
    assert SECRET not in (tmp_path / "tasks" / "mined.json").read_text()


@pytest.mark.parametrize(
    ("question", "target"),
    [
        ("Which is the password? password: hunter2hunter2X or swordfish9?", "hunter2hunter2X"),
        ("export API_KEY=9f8e7d6c5b4a39281706f5e4d3c2b1a0\nWhich value has it?", "9f8e7d6c5b4a39281706f5e4d3c2b1a0"),
        ("postgres://bob:s3cr3tPassw0rd@db/x - with which password does bob log in?", "s3cr3tPassw0rd"),
        (f"What are the last signs of the token {SECRET}?", "c3D4e5"),
    ],
)
def test_what_is_a_secret_in_the_question_is_none_of_the_answers(
    mined: Any, tmp_path: Path, question: str, target: str
) -> None:
    """A target that stands alone looks like no secret: what the session's other words say counts."""
    found = mined(Sample("a", question, target, target), asked("Fiji"), asked("Mali", system=question))
    assert [item.task_id for item in found.tasks] == ["capitals:Fiji", "capitals:Mali"]
    assert target not in (tmp_path / "tasks" / "questions.jsonl").read_text()


def test_targets_are_in_nothing_that_is_learned_from_or_said(tmp_path: Path, sandbox: Sandbox) -> None:
    """What an evaluation wants is in the tasks' own file, and in no trajectory, no report and no reason."""
    samples = [
        Sample(n, f"What is the name of place {n}?", SECRET_TARGET, "I do not know.", right=n % 2 == 0)
        for n in range(6)
    ]
    told = {"solution": "in words", "note": f"so {SECRET_TARGET.upper()}.", "level": 3}
    samples[1].more = {"metadata": told, "other": [{"said": SECRET_TARGET}]}
    samples.append(Sample(6, "Which town is it?", "Rome", "Rome"))
    logs = write_eval(tmp_path / "logs" / "a.eval", samples)
    found = mine(Sources(paths=(logs,)), sandbox, tmp_path / "tasks")
    assert len(found.tasks) == 4
    assert SECRET_TARGET not in found.model_dump_json()
    assert SECRET_TARGET not in (tmp_path / "tasks" / "mined.json").read_text()
    domain = load_domain("questions")
    for task in domain.load(tmp_path / "tasks"):
        assert domain.gold_only(task) in ({SECRET_TARGET}, {"Rome"})
        assert SECRET_TARGET not in domain.describe(task)
        assert SECRET_TARGET not in domain.grade(task, {ANSWER: b"Answer: Oslo"}).reason
    store = open_store(tmp_path / "s.duckdb")
    taken = take_in(store, Sources(paths=(logs,), analyst="rules")).taken
    kept = store.several("trajectory", [item.id for item in taken], Trajectory).values()
    assert len(kept) == 7
    assert not [item.id for item in kept if SECRET_TARGET in item.model_dump_json().lower()]
    (told,) = [item.extra["metadata"] for item in kept if item.task_id == "capitals:1"]
    assert told == {"solution": LEFT_OUT, "note": LEFT_OUT, "level": 3}
    store.close()


def test_nothing_held_out_is_learned_from(tmp_path: Path, sandbox: Sandbox) -> None:
    logs = tmp_path / "logs"
    write_eval(logs / "a.eval", [asked(country, epoch=epoch) for country in CAPITALS for epoch in (1, 2)])
    write_eval(
        logs / "b.eval",
        [asked(country, put=f"Say it: what is the capital of {country}?", right=None) for country in CAPITALS],
    )
    found = mine(Sources(paths=(logs,)), sandbox, tmp_path / "tasks")
    tasks = load_domain("questions").load(tmp_path / "tasks")
    of_country = {id: item.task_id.rpartition(":")[2] for item in found.segments for id in (item.session, item.task)}
    for seed in range(3):
        splits = split_tasks(tasks, seed=seed)
        held_out = [task for task in tasks if task.id not in splits.evolve]
        store = open_store(tmp_path / f"{seed}.duckdb")
        ids = sorted({id for task in held_out for id in task.sessions})
        taken = take_in(store, Sources(paths=(logs,), analyst="rules"), ids).taken
        store.close()
        assert {of_country[item.id] for item in taken} == {of_country[task.id] for task in tasks} - {
            of_country[task.id] for task in held_out
        }
        assert len(taken) == 3 * (len(tasks) - len(held_out))


def test_questions_are_gated_on_where_these_have_more_groups(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "mined"
    folder.mkdir()
    question = {"question": "What is it?", "answer": "x"}
    (folder / "questions.jsonl").write_text("".join(json.dumps({"id": f"q{n}", **question}) + "\n" for n in range(3)))
    assert tasks_in(folder) == (folder, "questions")
    (folder / "notes.jsonl").write_text("{}\n")
    assert tasks_in(folder) == (folder, "questions"), "another file beside it changes nothing"
    (folder / "notes.jsonl").unlink()
    (folder / "tasks.jsonl").write_text(json.dumps({"id": "t", "prompt": "Do it.", "check": "true"}) + "\n")
    assert tasks_in(folder) == (folder / "questions.jsonl", "questions")
    assert "3 groups of tasks are of the domain questions and 1 of shell" in caplog.text
    assert tasks_in(folder / "tasks.jsonl") == (folder / "tasks.jsonl", "shell")
    sources = {"paths": [str(tmp_path)], "analyst": "rules"}
    first = of_logs({"data": {"sources": sources}, "models": {"agent": {"name": "sim/office"}}}, folder)
    kept = RunSettings.model_validate(first).model_dump(mode="json")
    again = RunSettings.model_validate(of_logs(kept))
    assert (again.data.path, again.data.domain) == (folder / "questions.jsonl", "questions")
    for domain in ("shell", "questions"):
        assert len(load_domain(domain).load(folder)) == {"shell": 1, "questions": 3}[domain]


def test_from_an_evaluations_log_to_held_out_questions_in_one_command(tmp_path: Path, prefect_home: Path) -> None:
    write_eval(tmp_path / "logs" / "a.eval", [asked(country) for country in CAPITALS])
    seen = run(tmp_path, prefect_home, "mine", tmp_path / "logs", "--dry-run").stdout
    assert "6 tasks (6 of questions) in 6 groups of 6 segments" in " ".join(seen.split())
    assert "checks tried 6, agree with the log's own verdict in 6 of 6" in " ".join(seen.split())
    told = json.loads(run(tmp_path, prefect_home, "mine", tmp_path / "logs", "--dry-run", "--json").stdout)
    assert (told["tried"], told["agree"], told["with_verdict"]) == (6, 6, 6)
    given = (
        "--gate-on",
        "mined",
        "--analyst",
        "rules",
        "--agent-model",
        "sim/office",
        "--store",
        tmp_path / "s.duckdb",
    )
    done = json.loads(run(tmp_path, prefect_home, "ingest", tmp_path / "logs", *given, "--json").stdout)
    assert done["sources"]["held_out"] + done["sources"]["trajectories"] == 6
    assert done["sources"]["held_out"] >= 2
    assert "mined from sessions" in done["sources"]["tested_on"]
    assert "by match" in done["sources"]["tested_on"]


def braintrust_rows(number: int, output: str, score: Any, root: dict[str, Any]) -> list[dict[str, Any]]:
    """A trace of an experiment: its row, one call of a model, and the span of its scorer."""
    kinds = (("r", "task", None), ("m", "llm", ["r"]), ("s", "score", ["r"]))
    rows = [
        {
            "span_id": f"{number}{id}",
            "root_span_id": f"{number}r",
            "_xact_id": "1",
            "span_parents": above and [f"{number}{one}" for one in above],
            "span_attributes": {"name": kind, "type": kind},
            "created": f"2026-01-01T00:00:0{place}Z",
        }
        for place, (id, kind, above) in enumerate(kinds)
    ]
    asked = f"What is the capital of land {number}?"
    rows[0] |= {"input": asked, "output": output, "expected": "Lima", "scores": {"ExactMatch": score}} | root
    said = {"role": "assistant", "content": output}
    rows[1] |= {"input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": asked}]}
    return [rows[0], {**rows[1], "output": [{"index": 0, "message": said}]}, rows[2]]


def test_experiments_that_exact_match_has_scored_give_questions(tmp_path: Path, sandbox: Sandbox) -> None:
    """Of other scorers the name does not say what they compare, and what the log shows says nothing of them."""
    cases: list[tuple[str, Any, dict[str, Any]]] = [
        ("Lima", 1, {}),
        ("Quito", 0, {}),
        ("Lima", 0, {}),
        ("Lima", 1, {"expected": ["Lima", "Quito"]}),
        ("Lima", 1, {"expected": {"city": "Lima"}}),
        ("Lima", None, {"scores": {"Factuality": 1}}),
        ("Lima", 1, {"input": {"messages": [{"role": "assistant", "content": "Hello."}]}}),
        ("Lima", 1, {"output": [[1], None], "input": [None, 5]}),
    ]
    rows = [row for n, (output, score, root) in enumerate(cases) for row in braintrust_rows(n, output, score, root)]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = mine(Sources(paths=(tmp_path / "logs",)), sandbox, tmp_path / "tasks")
    assert [bool(item.task) for item in found.segments] == [True, True] + [False] * 6
    assert (found.tried, found.agreement) == (3, (2, 3))
    told = [item.why for item in found.segments[2:6]]
    assert told[0] == "by our `exact_match` its answer passed, and it failed (log)"
    assert told[1:3] == [
        "its target is a list, which is compared as one",
        "its target is neither a text nor a list of texts",
    ]
    assert rows_in(tmp_path / "tasks")[0]["context"] == "Be brief."
    assert rows_in(tmp_path / "tasks")[0]["rule"] == {"name": "exact_match"}
