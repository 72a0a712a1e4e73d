"""What a written line is held to, and what becomes of one that is not."""

from collections.abc import Sequence
from typing import Any

import pytest

from trace2skill.consolidate.bounded import Bounds
from trace2skill.consolidate.cut import Place, Rule
from trace2skill.consolidate.places import place_of, places_of
from trace2skill.consolidate.settle import BookRule, Opposition, RuleBook, Statement
from trace2skill.consolidate.write import Sheet, ToWord, sheets, write
from trace2skill.skills.skill import Skill, SkillFile

TEXT = b"---\nname: small\ndescription: A small skill.\n---\n\n# Small\n\n## Work\n\n- Read.\n\n## End\n\n- Stop.\n"
BASE = Skill(files=(SkillFile(path="SKILL.md", content=TEXT),))
SHEET = Sheet(
    place=Place(section=("Small", "Work")),
    section="",
    rules=(
        ToWord(says="Weigh the flour on a scale.", quotes=("500 g of flour means 500 g on a scale, when it is rye",)),
        ToWord(says="Let the bread cool before cutting it.", quotes=("I cut a hot loaf of bread and got glue",)),
    ),
    pairs=((0, 1),),
)


def said(task: int, text: str, *section: str, title: str = "") -> Statement:
    place = Place(section=("Small", *section), title=title)
    return Statement(rule=Rule(text=text, place=place, trajectory_id=f"t{task}", task_id=f"k{task}", kind="error"))


def worded(*answers: dict[str, Any]) -> tuple[Any, list[str]]:
    complaints: list[str] = []
    left = list(answers)

    def ask(prompt: str, wanted: Any, values: dict[str, Any], before: Sequence[str]) -> Any:
        complaints.extend(before[1:])
        return wanted.model_validate(left.pop(0) if len(left) > 1 else left[0])

    return write(ask, SHEET, Bounds()), complaints


GOOD = {"rule": "k2", "says": "Let bread cool before cutting it."}


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        ("Then weigh the flour on a scale.", "leans"),
        ("Weigh the flour on a scale " + "very " * 80, "characters"),
        ("Remember that flour is weighed on a scale.", "tells nobody"),
        ("# Weigh flour on a scale", "plain sentence"),
        ("Polish every window of the greenhouse twice daily.", "not in the words of its rule"),
        ("Weigh flour [on a scale](https://x.test).", "link"),
        ("", "empty"),
    ],
)
def test_a_bad_line_is_asked_for_again_and_then_left_to_the_rule(says: str, complaint: str) -> None:
    wording, complaints = worded({"lines": [{"rule": "k1", "says": says}, GOOD]})
    assert complaint in complaints[0]
    assert wording.lines == ("", "Let bread cool before cutting it.")


def test_a_condition_comes_from_the_words_of_supporters() -> None:
    fine = {"lines": [{"rule": "k1", "says": "Weigh flour on a scale when it is rye."}, GOOD]}
    assert worded(fine)[0].lines[0] == "Weigh flour on a scale when it is rye."
    new = {
        "lines": [{"rule": "k1", "says": "Weigh flour."}, {**GOOD, "says": "Let bread cool unless it is for toast."}]
    }
    wording, complaints = worded(new)
    assert "makes a condition" in complaints[0]
    assert wording.lines[1] == ""


def test_a_condition_of_one_quote_among_several_is_not_put_on_all() -> None:
    quotes = ("Weigh flour, when it is rye", "Put the flour on a scale", "Flour goes on a scale")
    sheet = SHEET.model_copy(update={"rules": (ToWord(says=SHEET.rules[0].says, quotes=quotes),), "pairs": ()})

    def ask(prompt: str, wanted: Any, values: dict[str, Any], before: Sequence[str]) -> Any:
        return wanted.model_validate({"lines": [{"rule": "k1", "says": "Weigh flour on a scale when it is rye."}]})

    assert write(ask, sheet, Bounds()).lines == ("",)


def test_a_conditional_rule_needs_evidence_of_both_sides() -> None:
    lines = [{"rule": "k1", "says": "Weigh flour on a scale."}, GOOD]
    says = "Weigh flour on a scale when it is rye; let hot bread cool before cutting."
    one_sided = {"lines": lines, "conditional": [{"pair": "p1", "says": says, "evidence": ["q1.1"]}]}
    wording, complaints = worded(one_sided)
    assert "no evidence" in complaints[0]
    assert wording.conditional == ("",)
    both = {"lines": lines, "conditional": [{"pair": "p1", "says": says, "evidence": ["q1.1", "k2"]}]}
    assert worded(both)[0].conditional == (says,)


def test_the_place_is_where_most_wanted_it_and_a_new_one_needs_two() -> None:
    rule = BookRule(says="x", said=(said(1, "a", "Work"), said(2, "b", "End"), said(3, "c", "End")))
    assert place_of(BASE, rule).section == ("Small", "End")
    new = [said(n, f"n{n}", title=title) for n, title in ((4, "Edge Cases"), (5, "3. Edge case"))]
    assert place_of(BASE, BookRule(says="x", said=(said(1, "a", "Work"), new[0]))).section == ("Small", "Work")
    assert same_start(place_of(BASE, BookRule(says="x", said=(said(1, "a", "Work"), *new))).title)


def same_start(title: str) -> bool:
    return title.lower().removeprefix("3. ").startswith("edge case")


def test_one_wording_needs_no_writer_and_opposed_rules_share_a_sheet() -> None:
    same = BookRule(says="Stay.", said=(said(1, "Stay.", "Work"), said(2, "stay", "Work")))
    assert sheets(BASE, RuleBook(rules=(same,)), [same], places_of(BASE, [same])) == []
    one = BookRule(says="Go on.", said=(said(1, "Go on.", "Work"), said(2, "keep going", "Work")))
    other = BookRule(says="Halt.", said=(said(3, "Halt.", "End"),))
    book = RuleBook(rules=(one, other), opposed=(Opposition(first=one.id, second=other.id, tasks=("k1", "k2")),))
    ((sheet, order),) = sheets(BASE, book, [one, other], places_of(BASE, [one, other]))
    assert sheet.place.section == ("Small", "Work")
    assert {rule.id for rule in order} == {one.id, other.id}
    assert sheet.pairs == ((0, 1),)


def test_a_long_quote_is_cut_around_what_it_says_of_the_rule() -> None:
    story = "It was a long day and nothing went well at first. " * 9
    texts = (f"{story}Then: strip text before it is compared. {story}", "Strip all of the text first.")
    made = BookRule(says="Strip text before comparing.", said=tuple(said(n, text) for n, text in enumerate(texts)))
    ((sheet, _),) = sheets(BASE, RuleBook(rules=(made,)), [made], places_of(BASE, [made]))
    quotes = sheet.rules[0].quotes
    assert max(len(quote) for quote in quotes) <= 320
    (cut,) = (quote for quote in quotes if "day" in quote)
    assert "strip text before it is compared" in cut
    assert cut.startswith("\u2026")
    assert cut.endswith("\u2026")
