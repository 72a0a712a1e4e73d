"""A smaller skill: what nobody misses goes through the gate; what is needed, unknown or people's stays."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from in_process import Done, refresh, shrink
from product import run
from questions_of_tests import write_math, write_skill_for_sums
from run_settings import run_settings
from typer.testing import CliRunner

from trace2skill.cli.app import app
from trace2skill.consolidate.cut import Place, Rule
from trace2skill.consolidate.groups import Saying, Support
from trace2skill.consolidate.ledger import SupportLedger, SupportRow
from trace2skill.consolidate.less import tokens_of, valid_without, without_lines
from trace2skill.consolidate.lines import LineRange
from trace2skill.consolidate.settle import BookRule, RuleBook, Statement
from trace2skill.evaluation.attribution import RuleEffect
from trace2skill.evaluation.decision import decide
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.dead_weight import DeadWeight, pieces_of, to_try
from trace2skill.runs.estimate import estimate
from trace2skill.runs.night import tonight
from trace2skill.runs.nights_page import nights_of
from trace2skill.runs.past import NO_PAST
from trace2skill.runs.report.page import render_report
from trace2skill.runs.rule_effects import runs_seen
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.sections import ShrinkSettings
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.shrink import shrinking_of
from trace2skill.runs.shrunk import Shrunk
from trace2skill.runs.spread import SkillScores
from trace2skill.runs.summary import RunSummary
from trace2skill.sim.scripted import scripted
from trace2skill.skills.skill import Skill, SkillFile, read_skill
from trace2skill.store import Store
from trace2skill.types.comparison import Interval
from trace2skill.types.evaluation import Cell, Evaluation

sys.path.insert(0, str(ROOT / "bench"))
from replay_world import NOUNS, meant, script, write_world

GOOD, IDLE, HARMFUL, EACH, KNOWN = 3, 3, 1, 20, 8
"""Rules that are needed, that do nothing and that break slips; slips with each field; fields that people's lines state."""
POISONS = frozenset([*NOUNS[-IDLE:], *NOUNS[:HARMFUL]])
HARMS = f"empty {NOUNS[0]}"


def of_night(
    folder: Path, night: int, of: str = "learned", tasks: int = 500, merger: str = "sim/scripted"
) -> RunSettings:
    """The second night has three seeds and room for a trial of every rule, so that one is enough."""
    if not (folder / "data").exists():
        write_world(folder, GOOD, HARMFUL, 1, EACH)
    settings = run_settings(
        data=folder / "data",
        domain=f"{ROOT / 'bench' / 'replay_world.py'}:Slips",
        skill=folder / "slips",
        roles=Roles.all_played_by(ModelSettings(name="sim/scripted")).model_copy(
            update={"merger": ModelSettings(name=merger)}
        ),
        analysts="+error",
        error_analyst="one_call",
        sandbox="process",
        max_cost=None,
        store=folder / "s.duckdb",
        output=folder / "runs",
        promote="auto",
        moving_seeds=True,
        night=night,
        seeds=(41, 42, 43) if night == 2 else (41,),
        spread={"by": "telling"},
        shrink={"of": of, "tasks": tasks},
        gate={"spend": "at_once", "shrink_loss": 0.1, "most_tokens_ratio": None},
    )
    return tonight(settings, runtime(settings).store, f"2026-05-{night:02}")


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Done, Done]]:
    """A night that learns what helps, what harms and what does nothing, and one that shrinks."""
    where = tmp_path_factory.mktemp("slips")
    with scripted(script(POISONS, 0.6, 0.0)):
        yield refresh(of_night(where, 1)), refresh(of_night(where, 2))
    forget_runtimes()


SAYS_NOTHING = {", as the office does": ""}
LOSES = {"Give the field `": "Give `", ", as the office does": ", as office does"}
"""Code, numbers and names are all there, and the agent of this world no longer sees what is meant."""


@pytest.fixture(scope="module")
def shortened(nights: tuple[Done, Done]) -> tuple[Shrunk, Done]:
    """Over the smaller skill a pass whose shorter lines lose what they meant, and a night with others that do not."""
    where = Path(str(nights[1].rt.settings.data.skill)).parent
    with scripted(script(POISONS, 0.0, 0.0, LOSES), "loses") as model:
        rt = runtime(of_night(where, 3, "all", tasks=0, merger=model))
        lost = shrink(Done(rt), shrinking_of(rt, rt.splits.evolve, rt.splits.validation))
    assert lost is not None
    with scripted(script(POISONS, 0.0, 0.0, {**SAYS_NOTHING, f"`{NOUNS[3]}`": NOUNS[3]}), "shortens") as model:
        return lost, refresh(of_night(where, 3, "all", tasks=0, merger=model))


def told(done: Done) -> tuple[RunSummary, Shrunk]:
    assert done.summary is not None
    assert done.summary.shrunk is not None
    return done.summary, done.summary.shrunk


def live(done: Done) -> Skill:
    return read_skill(Path(str(done.rt.settings.data.skill)))


def test_what_nobody_misses_goes_and_what_is_needed_stays(nights: tuple[Done, Done]) -> None:
    summary, shrunk = told(nights[1])
    before = nights[1].rt.skill(shrunk.base)
    assert before is not None
    had, has = (meant(skill.text("SKILL.md") or "") for skill in (before, live(nights[1])))
    gone = had - has
    assert HARMS in gone
    assert len(gone) >= 2
    assert all(theme.startswith("empty") for theme in gone), "and none that is needed"
    assert {theme for part in shrunk.parts for theme in meant(part.group.text)} == gone
    assert shrunk.promoted
    assert live(nights[1]).digest == shrunk.skill
    assert tokens_of(live(nights[1])) == shrunk.left <= 0.9 * shrunk.tokens
    assert shrunk.decision is not None
    assert shrunk.decision.comparison is not None
    assert shrunk.decision.comparison.no_worse is not None
    assert not summary.promoted


def test_a_night_that_promotes_does_not_shrink_as_well(nights: tuple[Done, Done]) -> None:
    assert nights[0].summary is not None
    assert nights[0].summary.promoted
    assert nights[0].summary.shrunk is None


def test_pages_say_what_went_and_why(nights: tuple[Done, Done]) -> None:
    summary, shrunk = told(nights[1])
    store, settings = nights[1].rt.store, nights[1].rt.settings
    why = CliRunner().invoke(app, ["why", str(settings.data.skill), "--store", str(settings.operation.store)]).output
    book = CliRunner().invoke(app, ["book", str(settings.data.skill), "--store", str(settings.operation.store)]).output
    for page in (summary.as_markdown(), render_report(store, summary, settings), why):
        for part in shrunk.parts:
            assert " ".join(part.group.text.removeprefix("- ").split()[:6]) in " ".join(page.split())
            assert part.reason[:40] in " ".join(page.split())
    assert "taken out by shrinking" in " ".join(book.split())
    assert "waiting for evidence (0 of 4 new tasks)" in " ".join(book.split())
    assert len(nights_of(store, "slips").nights[-1].went) == len(shrunk.parts)


def test_each_line_that_is_left_keeps_its_evidence(nights: tuple[Done, Done]) -> None:
    _, shrunk = told(nights[1])
    store = nights[1].rt.store
    before, after = (store.get("support", digest, SupportLedger) for digest in (shrunk.base, shrunk.skill))
    assert before is not None
    assert after is not None
    assert {(row.group, row.support) for row in after.rows} < {(row.group, row.support) for row in before.rows}
    assert len(after.rows) == len(before.rows) - len(shrunk.parts)


def test_shorter_lines_that_lose_what_they_meant_are_not_promoted(shortened: tuple[Shrunk, Done]) -> None:
    shrunk, _ = shortened
    assert shrunk.parts
    assert all(part.why == "shortened" and len(part.says) < len(part.group.text) for part in shrunk.parts)
    assert not shrunk.promoted
    assert shrunk.decision is not None
    assert shrunk.decision.verdict != "promote"
    assert "would be shortened: " in "\n".join(shrunk.as_lines())


def test_shorter_lines_that_lose_nothing_are_promoted_with_all_who_asked_for_them(
    shortened: tuple[Shrunk, Done],
) -> None:
    summary, shrunk = told(shortened[1])
    store, settings = shortened[1].rt.store, shortened[1].rt.settings
    assert shrunk.promoted, shrunk.in_words
    assert live(shortened[1]).digest == shrunk.skill
    base = shortened[1].rt.skill(shrunk.base)
    assert base is not None
    had, has = (skill.text("SKILL.md") or "" for skill in (base, live(shortened[1])))
    assert meant(has) == meant(had), "each rule is still there"
    assert "as the office does" in had
    assert has.count("as the office does") == 1, "the line that would have lost its code"
    assert any(f"the code {NOUNS[3]} is lost" in said for said in shrunk.not_shortened)
    old, new = (store.get("support", digest, SupportLedger) for digest in (shrunk.base, shrunk.skill))
    assert old is not None
    assert new is not None
    assert {(row.group, row.support, row.said) for row in old.rows} <= {
        (row.group, row.support, row.said) for row in new.rows
    }
    lines = has.splitlines()
    changed = [row for row in new.rows if row.shortened_from]
    assert len(changed) >= len(shrunk.parts)
    assert all(meant(lines[row.first - 1]) == meant(row.shortened_from[-1]) for row in changed)
    why = CliRunner().invoke(app, ["why", str(settings.data.skill), "--store", str(settings.operation.store)]).output
    for page in (why, summary.as_markdown(), render_report(store, summary, settings)):
        assert " ".join(shrunk.parts[0].group.text.split()[1:6]) in " ".join(page.split())
    assert "shortened from: - Give the field" in " ".join(why.split())
    assert "taken out of" not in why.partition("shortened from")[2].partition("taken out")[0]


@pytest.mark.slow  # a run over Prefect
def test_the_command_says_lines_of_people_in_fewer_words_where_that_is_asked_for(
    tmp_path: Path, prefect_home: Path
) -> None:
    data, live = write_math(tmp_path / "data", 24), write_skill_for_sums(tmp_path / "sums")
    long = (
        "- Please make sure that you really read the whole of the question twice, because people are quick to answer."
    )
    (live / "SKILL.md").write_text(f"{(live / 'SKILL.md').read_text()}{long}\n")
    command = [
        "shrink",
        "--domain",
        "math",
        "--data",
        data,
        "--sandbox",
        "process",
        "--skill",
        live,
        "--promote",
        "auto",
    ]
    command += ["--model", "sim/office", "--shrink-tasks", "0", "--shrink-loss", "0.6", "--spend", "at_once", "--json"]
    assert json.loads(run(tmp_path, prefect_home, *command).stdout)["parts"] == [], "people's"
    found = json.loads(run(tmp_path, prefect_home, *command, "--shrink", "all").stdout)
    assert [part["says"] for part in found["parts"]] == ["- You read the whole of the question twice."]
    assert found["promoted"]
    assert f"shortened from: {long[:40]}" in run(tmp_path, prefect_home, "why", live).stdout


def test_the_bill_counts_the_trials_and_both_skills_on_held_out_tasks(tmp_path: Path) -> None:
    settings = of_night(tmp_path, 1)
    runs = [
        next(stage.steps for stage in estimate(runtime(how)).stages if stage.stage == "rollout")
        for how in (settings, settings.changed(shrink=ShrinkSettings()))
    ]
    splits = runtime(settings).splits
    assert runs[0] - runs[1] == 500 + len(splits.evolve) + 2 * len(splits.validation), "each trial has tasks of its own"


TEXT = """---
name: s
description: "d"
---

# Of people

- A line of people.

## Learned

- Round to cents.
- Round amounts to cents.
- Sort by date.

## Alone

- Count twice.
"""


SKILL = Skill(files=(SkillFile(path="SKILL.md", content=TEXT.encode()),))
LINES = ("SKILL.md", 12, 12), ("SKILL.md", 13, 13), ("SKILL.md", 14, 14), ("SKILL.md", 18, 18)
CENTS, AGAIN, SORTED, ALONE = LINES


def saying(who: str, text: str) -> Saying:
    return Saying(trajectory_id=who, task_id=f"task {who}", text=text)


def rows(*told: tuple[LineRange, list[Saying]], group: str = "G1") -> SupportLedger:
    found = []
    for (file, first, last), sayings in told:
        support = Support.union([Support.of(one.trajectory_id, one.task_id, "error") for one in sayings])
        found.append(SupportRow(file=file, first=first, last=last, group=group, support=support, said=tuple(sayings)))
    return SupportLedger(skill=SKILL.digest, parent="", rows=tuple(found))


def rule(says: str, *sayings: Saying, how: str = "same") -> BookRule:
    stated = [
        Rule(text=one.text, place=Place(), trajectory_id=one.trajectory_id, task_id=one.task_id, kind="error")
        for one in sayings
    ]
    return BookRule(says=says, said=tuple(Statement.model_validate({"rule": one, "how": how}) for one in stated))


def weighed(ledger: SupportLedger | None, *rules: BookRule, effects: dict[str, RuleEffect] | None = None) -> DeadWeight:
    book = RuleBook(rules=rules)
    return DeadWeight(SKILL, pieces_of(SKILL, ledger, book), book, effects or {}, {}, 0)


def effect(low: float, high: float, *, over_all: tuple[float, float] = (-0.1, 0.1)) -> RuleEffect:
    mean, (all_low, all_high) = (low + high) / 2, over_all
    whole = Interval(mean=(all_low + all_high) / 2, low=all_low, high=all_high)
    return RuleEffect(effect=whole, tasks=9, runs=40, on_asking=Interval(mean=mean, low=low, high=high))


@pytest.mark.parametrize(
    ("known", "why"),
    [
        (effect(-0.3, 0.3), "no_effect"),
        (effect(-0.6, -0.1), "harms"),
        (effect(-0.3, 0.3, over_all=(-0.3, -0.1)), "harms"),
        (effect(0.1, 0.4), ""),
        (effect(-0.5, 0.9), ""),
        (None, ""),
    ],
)
def test_only_what_is_measured_and_not_missed_may_go(known: RuleEffect | None, why: str) -> None:
    one = rule("Sort by date.", saying("a", "Sort by date."), saying("b", "Order by date."))
    found = weighed(rows((SORTED, [saying("a", "Sort by date.")])), one, effects={one.id: known} if known else {})
    assert [item.why for item in found.goes()] == [why] * bool(why)
    if not why:
        missed = known is not None and known.on_asking is not None and known.on_asking.low > 0
        assert len(found.open()) == (not missed), "what is not known is tried, what is missed is not"


def test_a_line_whose_supporters_say_what_stands_elsewhere_may_go_and_the_other_stays() -> None:
    said = [saying("a", "Round to cents."), saying("b", "Cents, rounded.")]
    narrow = [saying("c", "Round amounts to cents."), saying("d", "Amounts are rounded.")]
    ledger = rows((CENTS, said), (AGAIN, narrow[:1]))
    (same,) = weighed(ledger, rule("Round to cents.", *said, narrow[0])).goes()
    assert (same.piece.id, same.why) == (AGAIN, "doubled")
    wide = rule("Round to cents.", *said)
    both = wide.model_copy(update={"said": (*wide.said, *rule("", *narrow, how="narrower").said)})
    (case,) = weighed(ledger, both).goes()
    assert (case.piece.id, case.why) == (AGAIN, "explained")
    assert "SKILL.md:12" in case.reason


def test_a_reference_that_nobody_opened_where_it_would_be_seen_may_go_with_its_link() -> None:
    link = "- For dates read [references/dates.md](references/dates.md)."
    text, path = TEXT.replace("- Sort by date.", link), "references/dates.md"
    skill = SKILL.with_files({"SKILL.md": text.encode(), path: b"# Dates\n\n- Sort by date.\n"})
    ledger = rows((SORTED, [saying("a", "Sort by date.")]), ((path, 3, 3), [saying("a", "Sort by date.")]))
    pieces = pieces_of(skill, ledger, RuleBook())
    found = [
        DeadWeight(skill, pieces, RuleBook(), {}, {path: used}, runs) for used, runs in ((0, 20), (1, 20), (0, 19))
    ]
    (gone,), *others = [item.goes() for item in found]
    assert (gone.why, gone.piece.places) == ("unused", ((path, 3, 3), SORTED))
    assert others == [[], []], "it was opened once, or too few runs would show it"
    assert [file.path for file in without_lines(skill, gone.piece.places).files] == ["SKILL.md"]
    more = skill.with_files({path: b"# Dates\n\n- Sort by date.\n- Of people.\n"})
    assert not DeadWeight(more, pieces, RuleBook(), {}, {}, 99).goes(), "people wrote some of it"


def test_a_line_that_names_an_unopened_file_stays_where_it_is_missed_or_names_another() -> None:
    path = "references/dates.md"
    line = "- Sort by date; see references/dates.md."
    longer = "- Read old/references/dates.md and references/dates.md.bak."
    text = TEXT.replace("- Sort by date.", line).replace("- Count twice.", longer)
    skill = SKILL.with_files({"SKILL.md": text.encode(), path: b"# Dates\n\n- Sort by date.\n"})
    sayings = [saying("a", line[2:]), saying("b", line[2:])]
    ledger = rows((SORTED, sayings), (ALONE, [saying("c", longer[2:])]), ((path, 3, 3), [saying("d", "Sort.")]))
    one = rule(line[2:], *sayings)
    pieces = pieces_of(skill, ledger, RuleBook(rules=(one,)))
    unknown = DeadWeight(skill, pieces, RuleBook(rules=(one,)), {}, {}, 20)
    assert [place for item in unknown.goes() for place in item.piece.places] == [(path, 3, 3), SORTED]
    missed = DeadWeight(skill, pieces, RuleBook(rules=(one,)), {one.id: effect(0.1, 0.4)}, {}, 20)
    assert not missed.goes()


def test_what_people_wrote_is_told_from_what_was_learned() -> None:
    by_people = rule("A line of people.", saying("a", "A line of people."))
    learned = rule("Sort by date.", saying("b", "Sort by date."))
    pieces = weighed(rows((SORTED, [saying("b", "Sort by date.")])), by_people, learned).pieces
    assert [(piece.text.strip(), piece.by_people) for piece in pieces] == [
        ("- A line of people.", True),
        ("- Sort by date.", False),
    ]


def test_trials_begin_with_what_is_known_least_and_keep_to_their_tasks() -> None:
    one, two, three = (
        rule(text, *(saying(f"{text}{n}", text) for n in range(count)))
        for text, count in (("Round to cents.", 3), ("Sort by date.", 2), ("Count twice.", 2))
    )
    found = weighed(None, one, two, three, effects={three.id: effect(-0.5, 0.9)})
    every = {task for piece in found.pieces for task in piece.asked_by}
    chosen, tasks = to_try(found.open(), found.effects, every, most=5, parts=2)
    assert [piece.text.strip() for piece in chosen] == ["- Sort by date.", "- Round to cents."]
    assert len(tasks) == 5
    assert to_try(found.open(), found.effects, every, most=4, parts=3)[0] != chosen
    assert to_try(found.open(), found.effects, [], most=9, parts=9) == ([], [])


def test_what_the_gate_could_not_see_is_asked_again_and_what_it_refused_is_not() -> None:
    passing = [Cell(task_id=f"t{n}", seed=1, outcome="passed", hard=1.0) for n in range(60)]
    failing = [cell.model_copy(update={"outcome": "failed", "hard": 0.0}) for cell in passing]
    broken = [cell.model_copy(update={"outcome": "infrastructure_error", "hard": 0.0}) for cell in passing]

    def after(smaller: list[Cell], **changes: Any) -> Shrunk:
        decision = decide(Evaluation.of("champion", "a", passing), Evaluation.of("smaller", "b", smaller), beside=())
        who = {"run_id": "r", "skill_name": "s", "base": "a", "skill": "b", "tokens": 9, "left": 8}
        return Shrunk(**who, decision=decision.model_copy(update=changes))

    assert after(failing).was_refused(99, 0.5), "it lost"
    assert after(passing).was_refused(60, 0.02), "too few tasks, and there are no more of them"
    assert not after(passing).was_refused(61, 0.02)
    assert not after(passing).was_refused(60, 0.1)
    assert not after(passing, missing=1).was_refused(60, 0.02)
    assert not after(broken).was_refused(60, 0.02)


def test_nights_with_seeds_of_their_own_add_up_and_the_same_seeds_count_once(store: Store) -> None:
    def told_by(seeds: tuple[int, ...], passed: int, scored: int) -> Shrunk:
        scores = (SkillScores(skill=SKILL.digest, tasks={"t": (passed, scored)}),)
        who = {"run_id": "r", "skill_name": "s", "base": SKILL.digest, "skill": SKILL.digest, "tokens": 1, "left": 1}
        return Shrunk.model_validate({**who, "scores": scores, "seeds": seeds})

    store.put("skill", SKILL.digest, SKILL)
    passes = [told_by((1,), 1, 1), told_by((2, 3), 1, 2), told_by((2, 3), 1, 1), told_by((), 2, 2), told_by((), 3, 3)]
    past = NO_PAST._replace(shrunk=tuple(enumerate(passes)))
    (row,) = runs_seen(store, past, RuleBook())
    assert (row.passed, row.scored) == (1 + 1 + 3, 1 + 2 + 3)


def test_a_skill_without_lines_has_no_empty_section_but_those_of_people() -> None:
    left = without_lines(SKILL, [SORTED, ALONE])
    assert left.text("SKILL.md") == TEXT.replace("- Sort by date.\n", "").partition("\n## Alone")[0]
    kept = without_lines(SKILL, [ALONE], keep={("SKILL.md", "## Alone"), ("a.md", "## Learned")}).text("SKILL.md")
    assert kept is not None
    assert kept.endswith("## Alone\n")
    more = SKILL.with_files({"references/more.md": b"# More\n\n- One.\n\n- Two.\n"})
    assert without_lines(more, [("references/more.md", 3, 3)]).text("references/more.md") == "# More\n\n- Two.\n"
    both = [("references/more.md", 3, 3), ("references/more.md", 5, 5)]
    assert without_lines(more, both).digest == SKILL.digest
    of_people = without_lines(more, both, keep={("references/more.md", "# More")})
    assert of_people.text("references/more.md") == "# More\n", "a file that people began with headings alone"


def test_a_part_that_the_skill_is_not_valid_without_stays_and_the_others_go() -> None:
    link, path = "- For dates read [references/dates.md](references/dates.md).", "references/dates.md"
    skill = SKILL.with_files({path: b"# Dates\n\n- Sort by date.\n", "SKILL.md": f"{TEXT}{link}\n".encode()})
    file, its_link = (path, 3, 3), ("SKILL.md", 19, 19)
    left, stay = valid_without(skill, [[file], [ALONE]])
    assert stay == [0]
    assert "Count twice" not in (left.text("SKILL.md") or "")
    assert left.text(path)
    left, stay = valid_without(skill, [[file], [ALONE], [its_link]])
    assert (left.text(path), stay) == (None, [])
    broken = skill.with_files({"SKILL.md": f"{TEXT}{link}\n[gone](gone.md)\n".encode()})
    assert valid_without(broken, [[ALONE]])[1] == [], "what is broken already is nobody's fault"
