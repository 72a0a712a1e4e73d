"""A rule that was refuted stays out of candidates until enough tasks ask for it anew, and the record says so."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import forms_of_tests
import nights_world
import pytest
from in_process import Done, refresh
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.consolidate.settle import RuleBook
from trace2skill.evaluation.ablation import Ablation, GroupEffect
from trace2skill.runs.night import tonight
from trace2skill.runs.nights_page import nights_of
from trace2skill.runs.past import MeasuredCandidate, Past
from trace2skill.runs.refutation import verdicts_of
from trace2skill.runs.report.page import render_report
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.summary import RunSummary
from trace2skill.runs.turned import Turned
from trace2skill.sim.conversation import Heard, Spoken
from trace2skill.sim.profile import chance
from trace2skill.sim.scripted import scripted
from trace2skill.types.comparison import Interval

HARM = "Sort the fields of the form by length."
"""What the analyst blames each failure on. With it, every form comes back."""
NIGHTS = 12
heard: list[Heard] = []


def speak(request: Heard) -> Spoken:
    """Three forms in four are filled in right, by the luck of the seed, as long as the skill has no rule that harms."""
    heard.append(request)
    if request.system.startswith("You are an agent"):
        asked = nights_world.re.search(r"form (\S+) \(.*order: (.+)\.", request.opening)
        assert asked is not None
        plain = HARM in request.system or (request.seed != 41 and chance("luck", asked[1], str(request.seed)) < 0.3)
        right = "plain" if "abroad" in asked[1] else "office"
        form = "wrong" if plain else right
        return Spoken(text="Answer: " + "; ".join(f"{field}={form}" for field in asked[2].split(", ")))
    if request.system.startswith("You are a one-call error analyst"):
        lesson = {
            "title": "Order",
            "description": "When a form is filled in.",
            "content": HARM,
            "steps": [3],
            "proved_by": "the check",
            "certainty": "shown",
            "stands": "new",
        }
        report = {"surface": "It came back.", "cause": "Its order.", "cause_steps": [3], "kind": "form"}
        return nights_world.answer_json({**report, "lessons": [lesson]})
    return nights_world.speak(request)


def night(where: Path, number: int, **more: Any) -> Done:
    settings = forms_of_tests.forms(where, 24, moving_seeds=True, night=number, **more)
    return refresh(tonight(settings, runtime(settings).store, f"2026-03-{number:02}"))


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Done]]:
    where = tmp_path_factory.mktemp("forms")
    heard.clear()
    with scripted(speak):
        yield [night(where, number) for number in range(1, NIGHTS + 1)]
    forget_runtimes()


def summaries(nights: list[Done]) -> list[RunSummary]:
    return [done.summary for done in nights if done.summary is not None]


def has_harm(summary: RunSummary) -> bool:
    return any(HARM in line.text for line in summary.candidate.written)


def test_over_many_nights_no_refuted_rule_is_proposed_again_without_new_evidence(nights: list[Done]) -> None:
    """Counted here from what each night analysed, and not from what the product says of it."""
    found = summaries(nights)
    refuted, since, times = False, set[str](), 0
    proposed = []
    for summary in found:
        since |= {item.task_id for item in summary.analyses}
        if has_harm(summary):
            proposed.append(summary.night)
            assert not refuted or len(since) >= 4 * 2 ** (times - 1), f"night {summary.night}"
            assert summary.outcome == "rejected"
            refuted, since, times = True, set(), times + 1
    assert proposed[0] == 1
    assert 2 <= len(proposed) <= 4, "it does return, and is refuted again, each time for longer"
    assert len(found) == NIGHTS


def test_the_record_says_refuted_waiting_and_returned(nights: list[Done]) -> None:
    found = summaries(nights)
    assert found[0].refuted == ()
    back = next(summary for summary in found[1:] if has_harm(summary))
    (verdict,) = back.refuted
    assert not verdict.waits
    assert f"returned with {verdict.tasks:g} new tasks" in back.as_markdown()
    (last,) = found[-1].refuted
    assert last.waits
    assert (last.refuted[0].night, last.refuted[0].by) == (1, "gate")
    words = f"waiting for evidence ({last.tasks:g} of {last.needed} new tasks)"
    assert [item.reason for item in found[-1].candidate.dropped if words in item.reason]
    assert words in found[-1].as_markdown()
    done = nights[-1]
    assert words in render_report(done.rt.store, found[-1], done.rt.settings)


def test_a_line_a_night_says_what_was_tried_and_what_waits(nights: list[Done]) -> None:
    found = summaries(nights)
    settings = nights[-1].rt.settings
    told = ("nights", str(settings.data.skill), "--store", str(settings.operation.store))
    asked = json.loads(CliRunner().invoke(app, [*told, "--json"]).output)["nights"]
    assert [item["night"] for item in asked[:NIGHTS]] == list(range(1, NIGHTS + 1))
    assert [item["calls"] for item in asked[:NIGHTS]] == [summary.spent.calls for summary in found]
    first, last = asked[0], asked[NIGHTS - 1]
    assert (first["tried"], first["refuted"], first["came"], first["waiting"]) == (1, [HARM], [], [])
    assert first["champion"]["mean"] == 1.0 > first["candidate"]["mean"] == 0.0
    assert first["champion"]["low"] < 1.0, "it has an interval"
    assert (last["refuted"], [item["says"] for item in last["waiting"]]) == ([], [HARM])
    assert last["candidate"] is None, "nothing was scored, which is not a score of 0"
    shown = CliRunner().invoke(app, list(told)).output
    assert "waiting for evidence" in shown
    done = nights[2]
    page = nights_of(done.rt.store, "forms", found[2])
    assert [item.night for item in page.nights] == [1, 2, 3], "a report ends with its own night"
    assert "| 1 (2026-03-01) | rejected | 100.0%" in page.as_markdown()
    assert ">Nights of this skill<" in render_report(done.rt.store, found[2], done.rt.settings)


def test_a_line_says_which_rules_the_skill_has_after_it_and_has_no_more(nights: list[Done]) -> None:
    store, first = nights[0].rt.store, summaries(nights)[0]
    promoted = first.model_copy(update={"promoted": True})
    assert [(line.came, line.went) for line in nights_of(store, "forms", promoted).nights] == [((HARM,), ())]
    back = first.candidate.model_copy(update={"skill": first.base})
    without = promoted.model_copy(update={"base": first.candidate.skill, "candidate": back})
    assert [(line.came, line.went) for line in nights_of(store, "forms", without).nights] == [((), (HARM,))]


def test_the_book_command_says_so_too(nights: list[Done]) -> None:
    settings = nights[-1].rt.settings
    assert settings.data.skill is not None
    told = ("book", str(settings.data.skill), "--store", str(settings.operation.store))
    asked = CliRunner().invoke(app, [*told, "--json"])
    (rule,) = [rule for rule in json.loads(asked.output)["rules"] if rule["says"] == HARM]
    assert rule["verdict"]["refuted"][0]["by"] == "gate"
    assert "waiting for evidence" in " ".join(CliRunner().invoke(app, list(told)).output.split())


def test_proposers_are_shown_what_is_refuted_and_agents_never(nights: list[Done]) -> None:
    def shows(request: Heard) -> bool:
        return 'name="refuted"' in request.system + request.opening or "Refuted before" in request.opening

    proposers = [request for request in heard if request.system.startswith("You keep a skill")]
    agents = [request for request in heard if request.system.startswith("You are an agent")]
    first = len([item for item in summaries(nights)[0].analyses if item.patch])
    assert not any(map(shows, proposers[:first])), "where nothing was refuted, a prompt is what it always was"
    assert shows(proposers[first])
    assert HARM in proposers[first].opening.split("Refuted before")[1]
    assert not any(map(shows, agents))
    held_out = {task for done in nights for task in done.rt.splits.validation}
    assert not any(
        task in request.opening.split("Refuted before")[1]
        for request in proposers[first:]
        for task in held_out
        if shows(request)
    )


def test_a_night_that_is_run_again_knows_what_it_knew(nights: list[Done]) -> None:
    again = refresh(nights[1].rt.settings)
    assert again.summary is not None
    first = nights[1].summary
    assert first is not None
    assert (again.summary.candidate, again.summary.refuted) == (first.candidate, first.refuted)
    assert not again.missed


def test_without_memory_nothing_is_known_of_verdicts(nights: list[Done]) -> None:
    settings = nights[0].rt.settings.changed(memory=False, night=NIGHTS + 1, seeds=(7,))
    done = refresh(settings)
    assert done.summary is not None
    assert has_harm(done.summary)
    assert done.summary.refuted == ()


# --- what refutes -----------------------------------------------------------------------------------------------------


def verdicts(
    nights: list[Done], *summaries: RunSummary, measured: dict[str, MeasuredCandidate] | None = None
) -> list[str]:
    """By what the rule is refuted, after these runs alone."""
    store = nights[0].rt.store
    book = store.get("book", summaries[0].book, RuleBook)
    assert book is not None
    past = Past(tuple(enumerate(summaries)), measured or {}, {})
    return [item.by for found in verdicts_of(past, book.rules, 4).values() for item in found.refuted]


def with_decision(summary: RunSummary, **change: Any) -> RunSummary:
    assert summary.decision.comparison is not None
    comparison = summary.decision.comparison.model_copy(update=change)
    return summary.model_copy(update={"decision": summary.decision.model_copy(update={"comparison": comparison})})


def test_the_gate_refutes_what_alone_can_be_to_blame_for_a_candidate_that_is_surely_worse(nights: list[Done]) -> None:
    first = summaries(nights)[0]
    assert verdicts(nights, first) == ["gate"]
    assert verdicts(nights, with_decision(first, p_worse=0.06)) == [], "that may be luck"
    unsure = Interval(mean=-0.3, low=-0.6, high=0.01)
    assert verdicts(nights, with_decision(first, lift=unsure)) == []
    (line,) = first.candidate.applied
    other = line.model_copy(update={"said": (), "edits": (line.edits[0].model_copy(update={"content": "- Other."}),)})
    two = first.candidate.model_copy(update={"applied": (line, other)})
    assert verdicts(nights, first.model_copy(update={"candidate": two})) == [], "one of the two may be right"


def test_ablation_refutes_what_does_harm_once_the_gate_has_let_the_pruned_skill_through(nights: list[Done]) -> None:
    first = summaries(nights)[0]
    unsure = with_decision(first, p_worse=0.5)
    (line,) = first.candidate.applied

    def found(mean: float, high: float, verdict: str, *, won: bool = True) -> list[str]:
        common = {"group": line.id, "text": line.text, "tokens": 9, "tasks": 2, "seeds": 1, "reason": ""}
        effect = GroupEffect(**common, effect=Interval(mean=mean, low=-0.5, high=high), verdict=verdict)
        made = Ablation(candidate=first.candidate.skill, effects=(effect,), rollouts=10)
        return verdicts(nights, unsure, measured={first.candidate.skill: MeasuredCandidate(1, made, won)})

    assert found(-0.3, -0.1, "prune") == ["ablation"]
    assert found(-0.3, -0.1, "prune", won=False) == [], "beyond the gate's own answer held-out tasks steer nothing"
    assert found(-0.01, 0.02, "prune") == []
    assert found(-0.3, 0.2, "unknown") == []


def test_tasks_that_asked_for_a_rule_and_fail_with_it_refute_it_and_a_win_ends_that(nights: list[Done]) -> None:
    first = with_decision(summaries(nights)[0], p_worse=0.5)
    tasks = sorted({saying.task_id for saying in first.candidate.applied[0].said})
    five = tuple(f"t{number}" for number in range(5))
    assert verdicts(nights, first.model_copy(update={"turned": Turned(lost=five)})) == [], "none of them asked for it"
    said = tuple(
        saying.model_copy(update={"task_id": task})
        for saying, task in zip(first.candidate.applied[0].said * 5, five, strict=False)
    )
    line = first.candidate.applied[0].model_copy(update={"said": said})
    asked = first.model_copy(update={"candidate": first.candidate.model_copy(update={"applied": (line,)})})
    lost = asked.model_copy(update={"turned": Turned(lost=five)})
    assert verdicts(nights, lost) == ["flips"]
    assert verdicts(nights, asked.model_copy(update={"turned": Turned(lost=five[:4])})) == []
    assert verdicts(nights, asked.model_copy(update={"turned": Turned(lost=five, gained=(tasks[0],))})) == ["flips"]
    won = asked.model_copy(update={"promoted": True})
    assert verdicts(nights, lost, won) == []
