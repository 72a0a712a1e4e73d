"""What of a skill is used, and what an edit group does: read off trajectories, and by leaving it out."""

import random

from conftest import OFFICE_SKILL

from trace2skill.consolidate import EditGroup, Groups, Support, Thresholds
from trace2skill.consolidate.candidate import build_candidate
from trace2skill.evaluation.ablation import AblationSettings, by_cost, judge, without
from trace2skill.evaluation.transfer import transfer
from trace2skill.evaluation.usage import usage_of
from trace2skill.skills.place import EditPolicy
from trace2skill.skills.skill import read_skill
from trace2skill.types.evaluation import Cell, Evaluation, Measured
from trace2skill.types.patch import Edit
from trace2skill.types.trajectory import Outcome, Step, ToolCall, Trajectory

SKILL = read_skill(OFFICE_SKILL)


def trajectory(id: str, text: str, *, hard: float, opened: tuple[str, ...] = ()) -> Trajectory:
    call = ToolCall(id="c", name="bash", arguments={"command": text})
    return Trajectory(
        id=id,
        task_id=id,
        seed=1,
        model="m",
        steps=(
            Step(number=1, source="user", message="Never write dates as text: real datetime values, number formats"),
            Step(number=2, source="agent", tool_calls=(call,)),
        ),
        outcome=Outcome(kind="passed" if hard else "failed", hard=hard),
        skill_files_opened=opened,
    )


def test_files_are_counted_and_guidance_shows_by_its_words() -> None:
    text = "---\nname: s\ndescription: d\n---\n\n# S\n\n## Dates\n\n- Store genuine datetime values with number formats.\n\n## Colours\n\n- Highlight overdue invoices crimson.\n"
    skill = SKILL.with_files({"SKILL.md": text.encode()})
    follows = "# store genuine datetime values\ncell.value = datetime(2025, 1, 2); cell.number_formats = 'iso'"
    runs = [trajectory(f"a{n}", follows, hard=1.0, opened=("references/openpyxl.md",)) for n in range(3)]
    runs.append(trajectory("a4", "print('nothing of the kind')", hard=0.0))
    others = [trajectory(f"b{n}", "print(1)", hard=0.0) for n in range(4)]
    found = usage_of(skill, runs, others)
    assert [(item.path, item.runs, item.of) for item in found.files] == [("references/openpyxl.md", 3, 4)]
    sections = {item.section[-1]: item for item in found.sections}
    dates = sections["Dates"]
    assert (dates.shows, dates.elsewhere, dates.score_where, dates.score_else) == (0.75, 0.0, 1.0, 0.0)
    assert dates.told_apart
    assert not dates.never_helpful
    assert sections["Colours"].unused
    assert not sections["Dates"].unused, "what the task says does not count, what the agent does counts"


def group(text: str, *tasks: str) -> EditGroup:
    ids = tuple(f"t-{task}" for task in tasks)
    edit = Edit(op="append_to_section", section=("Dates",), content=text, lessons=("L1",))
    return EditGroup(edits=(edit,), support=Support(trajectories=ids, tasks=tasks, errors=ids))


def scored(name: str, hard: list[float]) -> Evaluation:
    cells = [Cell(task_id=f"k{n}", seed=1, outcome="passed", hard=value) for n, value in enumerate(hard)]
    return Evaluation.of(name, name, cells)


def test_a_group_is_kept_pruned_or_unknown_by_its_interval() -> None:
    how = AblationSettings(worth=0.1)
    rule = group("- a rule")
    helps, none = scored("whole", [1.0] * 30 + [0.0] * 10), scored("without", [1.0] * 15 + [0.0] * 25)
    assert judge(rule, helps, none, how).verdict == "keep"
    assert judge(rule, none, helps, how).verdict == "prune"
    assert judge(rule, helps, helps, how).verdict == "prune", "no effect on 40 tasks is below ten points"
    few = scored("whole", [1.0, 0.0, 1.0])
    assert judge(rule, few, few, how).verdict == "unknown", "three tasks cannot say so"
    floor = scored("whole", [0.0] * 40)
    assert judge(rule, floor, floor, how).verdict == "unknown"


def test_leaving_a_group_out_takes_its_lines_and_no_others() -> None:
    groups = [group(f"- Rule {n} of several words", "k1", f"k{n}") for n in range(4)]
    skill, made = build_candidate(SKILL, Groups.of(groups), Thresholds(main=1), 9)
    assert without(SKILL, made, [], EditPolicy()) == skill
    for item in made.applied:
        less = without(SKILL, made, [item.id], EditPolicy())
        assert less is not None
        gone = set((skill.text("SKILL.md") or "").splitlines()) - set((less.text("SKILL.md") or "").splitlines())
        assert gone == {item.edits[0].content}
    assert without(SKILL, made, [item.id for item in made.applied], EditPolicy()) == SKILL
    costs = [len(item.text) for item in by_cost(made)]
    assert costs == sorted(costs, reverse=True)


def test_the_transfer_matrix_has_a_cell_for_each_author_user_and_task_set() -> None:
    rng = random.Random(4)
    measured = []
    for user in ("small", "large"):
        for data in ("office", "wiki"):
            for skill, share in ((None, 0.2), ("s1", 0.6), ("s2", 0.4)):
                cells = [
                    Cell(task_id=f"k{n}", seed=1, outcome="passed", hard=float(rng.random() < share))
                    for n in range(200)
                ]
                evaluation = Evaluation.of("x", skill, cells)
                measured.append(
                    Measured(evaluation=evaluation, agent=user, data=data, domain="d", split="validation", run_id="r")
                )
    authors = {None: ("-", "no skill"), "s1": ("large", "one"), "s2": ("small", "two")}
    cells = transfer(measured, lambda digest: authors[digest])
    assert len(cells) == 12
    for cell in cells:
        if cell.skill == "no skill":
            assert cell.delta is None
        else:
            assert cell.delta is not None
            assert cell.delta.low < (0.4 if cell.skill == "one" else 0.2) < cell.delta.high + 0.02
    against = transfer(measured, lambda digest: authors[digest], reference="s2")
    assert all(cell.delta is None for cell in against if cell.skill == "two")
    assert all(cell.delta is not None and cell.delta.mean < 0 for cell in against if cell.skill == "no skill")
