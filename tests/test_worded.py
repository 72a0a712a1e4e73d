"""From the book to groups: what is replaced, where a rule goes today, what stands against the skill, who counts for what."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trace2skill.consolidate import Thresholds
from trace2skill.consolidate.assign import Coding
from trace2skill.consolidate.book import Grouping
from trace2skill.consolidate.bounded import Bounds, ModelAsker
from trace2skill.consolidate.candidate import build_candidate
from trace2skill.consolidate.cut import Place, Rule
from trace2skill.consolidate.ledger import build_ledger
from trace2skill.consolidate.places import today
from trace2skill.consolidate.settle import BookRule, Opposition, RuleBook, Statement
from trace2skill.consolidate.worded import worded
from trace2skill.consolidate.write import Sheet, SheetWording, write
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import ModelSettings, Request
from trace2skill.skills.skill import Skill, SkillFile

TEXT = b"""---
name: small
description: A small skill.
---

# Small

## 1. Work

- Read it once.

## End

- Stop.
"""
BASE = Skill(files=(SkillFile(path="SKILL.md", content=TEXT),))
WORK = Place(section=("Small", "1. Work"))


class OwnWords:
    """A runner whose writer words nothing, so that every rule keeps its own words."""

    def induce(self, jobs: object) -> list[Grouping]:
        raise AssertionError(jobs)

    def assign(self, jobs: object) -> list[Coding]:
        raise AssertionError(jobs)

    def write(self, jobs: object) -> list[SheetWording]:
        return [
            SheetWording(lines=("",) * len(job.sheet.rules), conditional=("",) * len(job.sheet.pairs))  # type: ignore[attr-defined]
            for job in jobs  # type: ignore[attr-defined]
        ]


def test_a_writer_is_shown_what_is_refuted_for_its_section_and_sheets_without_are_what_they_were() -> None:
    sheets: list[Sheet] = []

    class Watched(OwnWords):
        def write(self, jobs: object) -> list[SheetWording]:
            sheets.extend(job.sheet for job in jobs)  # type: ignore[attr-defined]
            return super().write(jobs)

    two = stated("Read it twice.", range(3))
    two = two.model_copy(update={"said": (*two.said, *stated("Twice read it.", range(3, 5)).said)})
    harm, elsewhere = (
        stated("Read it backwards.", range(5, 9)),
        stated("Run.", range(9, 12), Place(section=("Small", "End"))),
    )
    book = RuleBook(rules=(two, harm, elsewhere))
    out = {harm.id: "refuted by the gate", elsewhere.id: "refuted by the gate"}
    made = worded(BASE, book, (), 2, Watched(), out=out, refuted=out)
    assert {item.reason for item in made.dropped} == {"refuted by the gate"}
    (sheet,) = sheets
    assert sheet.refuted == ("Read it backwards.",), "what was asked for elsewhere is not shown here"
    worded(BASE, RuleBook(rules=(two,)), (), 2, Watched())
    assert "refuted" not in sheets[1].model_dump()
    prompts = [prompt_of(sheet) for sheet in sheets]
    assert "Refuted before" in prompts[0]
    assert "Read it backwards." in prompts[0].split("Refuted before")[1]
    assert "Refuted before" not in prompts[1]


def prompt_of(sheet: Sheet) -> str:
    """What a writer of a sheet is sent."""

    class Sent(Exception):
        pass

    class Asked:
        def complete(self, request: Request, *, step: StepLabel) -> None:
            raise Sent(request.messages[-1]["content"])

    with pytest.raises(Sent) as sent:
        write(ModelAsker(Asked(), ModelSettings(name="sim/office"), StepLabel("write")), sheet, Bounds())  # type: ignore[arg-type]
    return str(sent.value)


def stated(text: str, tasks: range, place: Place = WORK, replaces: str = "") -> BookRule:
    said = tuple(
        Statement(
            rule=Rule(text=text, place=place, trajectory_id=f"t{n}", task_id=f"k{n}", kind="error", replaces=replaces)
        )
        for n in tasks
    )
    return BookRule(says=text, said=said)


def test_a_line_is_replaced_where_most_wanted_that_and_by_one_rule_only() -> None:
    old = "- Read it once."
    most = stated("Read it twice.", range(3), replaces=old)
    also = stated("Read it aloud.", range(3, 5), replaces=old)
    groups = worded(BASE, RuleBook(rules=(most, also)), (), 2, OwnWords())
    ops = {group.edits[0].content: group.edits[0].op for group in groups.groups}
    assert ops == {"- Read it twice.": "replace_in_section", "- Read it aloud.": "append_to_section"}
    skill, made = build_candidate(BASE, groups, Thresholds(main=2), 5)
    assert "once" not in (skill.text("SKILL.md") or "")
    assert len(made.applied) == 2
    halves = {old: range(2), "- Stop.": range(2, 3), "": range(3, 4)}
    half = tuple(one for line, tasks in halves.items() for one in stated("Read it.", tasks, replaces=line).said)
    (group,) = worded(BASE, RuleBook(rules=(BookRule(says="Read it.", said=half),)), (), 2, OwnWords()).groups
    assert group.edits[0].op == "append_to_section", "half is not most"


def test_a_place_is_the_one_that_the_skill_has_today() -> None:
    assert today(BASE, WORK) == WORK
    assert today(BASE, Place(section=("Small", "3. Work"))).section == ("Small", "1. Work")
    assert today(BASE, Place(section=("Small", "Gone"))) == Place(title="Gone")
    assert today(BASE, Place(section=("Small",), title="2. End")).section == ("Small", "End")
    assert today(BASE, Place(section=("Old",), title="New")) == Place(title="New")


def test_what_the_skill_states_is_not_rewritten_for_its_opposite() -> None:
    there, against = stated("Read it once.", range(2)), stated("Never read it.", range(2, 5))
    pair = Opposition(first=there.id, second=against.id, tasks=("k2", "k3"))
    book = RuleBook(rules=(against, there), opposed=(pair,))
    groups = worded(BASE, book, (), 2, OwnWords(), standing={there.id: "SKILL.md:10"})
    assert groups.groups == ()
    (conflict,) = groups.open
    assert conflict.reason == "SKILL.md:10 says the opposite"
    assert [side.edits[0].content for side in conflict.sides] == ["- Never read it."]
    # Nothing stands against it where the other is not to be written at all.
    out = worded(BASE, book, (), 2, OwnWords(), out={there.id: "it was taken out"})
    assert [group.edits[0].content for group in out.groups] == ["- Never read it."]
    assert [item.reason for item in out.dropped] == ["it was taken out"]


def test_rules_of_one_file_count_what_each_counts_alone() -> None:
    often, seldom = stated("Read it twice.", range(3)), stated("Read it aloud.", range(3, 5))
    groups = worded(BASE, RuleBook(rules=(often, seldom)), (), 2, OwnWords())
    skill, made = build_candidate(BASE, groups, Thresholds(main=4, reference=2), 9)
    assert len(made.applied) == 1
    assert [len(rule.support.tasks) for rule in made.written] == [3, 2]
    ledger = build_ledger(BASE, skill, made, lambda _: None, None)
    counted = {row.first: len(row.support.tasks) for row in ledger.rows if row.file != "SKILL.md"}
    assert sorted(counted.values()) == [2, 3]
    (link,) = (row for row in ledger.rows if row.file == "SKILL.md")
    assert len(link.support.tasks) == 5


def section_titles(skill: Skill) -> list[str]:
    return [line.removeprefix("## ") for line in (skill.text("SKILL.md") or "").split("\n") if line.startswith("## ")]


def titled(*asked: tuple[str, range]) -> list[BookRule]:
    return [
        stated(f"Rule number {n} of {title}.", tasks, Place(section=("Small",), title=title))
        for n, (title, tasks) in enumerate(asked)
    ]


def written(rules: list[BookRule]) -> Skill:
    groups = worded(BASE, RuleBook(rules=tuple(rules)), (), 2, OwnWords())
    skill, _ = build_candidate(BASE, groups, Thresholds(main=2), 40)
    return skill


def test_new_sections_whose_titles_name_one_topic_are_one_under_the_title_that_most_asked_for() -> None:
    rules = titled(("Reports", range(2)), ("Reports of this house", range(2, 9)), ("Dates", range(4)))
    rules += titled(("x", range(0)), ("Date handling", range(4, 7)))[1:]
    titles = section_titles(written(rules))
    assert sorted(titles) == ["1. Work", "Dates", "End", "Reports of this house"]
    groups = worded(BASE, RuleBook(rules=tuple(rules)), (), 2, OwnWords()).groups
    assert {group.note for group in groups if group.note} == {
        "the new section 'Reports' was taken for 'Reports of this house'",
        "the new section 'Date handling' was taken for 'Dates'",
    }


def test_a_new_title_that_names_a_section_of_the_skill_is_that_section() -> None:
    assert today(BASE, Place(section=("Small",), title="Work rules")).section == ("Small", "1. Work")
    assert today(BASE, Place(section=("Small",), title="Work from home")).title == "Work from home"


@pytest.mark.parametrize(
    "titles",
    [
        ("Rows", "Columns"),
        ("Reading", "Writing"),
        ("Dates", "Dates and amounts"),
        ("Dates", "Due dates"),
        ("Reports", "Report dates"),
        ("Formulas", "No formulas"),
        ("Dates to text", "Text to dates", "Dates from text"),
        ("Before the run", "After the run"),
        ("Rules", "Further rules"),
        ("Errors of this house", "Reports of this house"),
    ],
)
def test_titles_of_two_topics_stay_two_sections(titles: tuple[str, ...]) -> None:
    made = section_titles(written(titled(*((title, range(3 * n, 3 * n + 3)) for n, title in enumerate(titles)))))
    assert set(titles) <= set(made)


TITLES = ["Dates", "Date handling", "Date rules", "Due dates", "Reports", "Reports here", "Rows", "Columns"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(TITLES), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_what_is_asked_for_makes_no_difference(titles: list[str], random: Random) -> None:
    rules = titled(*((title, range(2 * n, 2 * n + 2)) for n, title in enumerate(titles)))
    other = list(rules)
    random.shuffle(other)
    assert written(rules).digest == written(other).digest
