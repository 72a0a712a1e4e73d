"""Lines that were said in fewer words and did not do: once enough tasks fail for want of them, the longer ones return.

Votes for a rule go to its line, whatever its words. Where trajectories that failed ask for a rule after its line was
shortened, as many as bring a refuted rule back, the longer line is proposed in the place of the shorter one, and the
gate decides. What came back is not shortened again.
"""

from collections.abc import Mapping, Sequence

from trace2skill.consolidate.groups import EditGroup, Saying, Support
from trace2skill.consolidate.settle import BookRule, saying_of
from trace2skill.consolidate.standing import Standing
from trace2skill.runs.past import Past
from trace2skill.runs.shrunk import ShrunkPart
from trace2skill.skills.markdown import section_at, split_lines
from trace2skill.skills.skill import Skill
from trace2skill.types.patch import Edit


def lengthened(skill: Skill, standing: Mapping[str, Standing], past: Past, needed: int) -> list[EditGroup]:
    """Groups that put longer lines in the place of those that they were shortened to.

    Args:
        skill: S0.
        standing: the rules of the book that it states.
        past: the runs that count.
        needed: tasks that have to fail for want of a rule since.
    """
    shorter = {part.says.strip(): (at, part) for at, part in shortened_in(past)}
    by_place: dict[tuple[str, int, int], list[BookRule]] = {}
    for item in standing.values():
        by_place.setdefault((item.file, item.first, item.last), []).append(item.rule)
    found = []
    for (file, first, last), rules in sorted(by_place.items()):
        line = "".join(split_lines(skill.text(file) or "")[first - 1 : last]).strip()
        at, part = shorter.get(line, (0, None))
        if part is None:
            continue
        asking = [
            said.rule.support
            for rule in rules
            for said in rule.said
            if said.rule.kind == "error" and past.is_after(said.rule.trajectory_id, at)
        ]
        weight = Support.union(asking).weight if asking else 0.0
        if weight >= needed:
            found.append(_longer(skill, (file, first, line), rules, part, weight))
    return found


def shortened_in(past: Past) -> Sequence[tuple[int, ShrunkPart]]:
    """What was said in fewer words in versions that were put in use, with the place of each run."""
    return [(at, part) for at, one in past.shrunk if one.promoted for part in one.parts if part.says]


def was_shortened(past: Past, text: str) -> bool:
    """Was a line that stands in a skill one of those, alone or as one of several, so that it has come back since?"""
    line = f"\n{_flat(text)}\n"
    return any(line in f"\n{_flat(part.group.text)}\n" for _, part in shortened_in(past))


def _flat(text: str) -> str:
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


def _longer(
    skill: Skill, at: tuple[str, int, str], rules: Sequence[BookRule], part: ShrunkPart, weight: float
) -> EditGroup:
    file, first, line = at
    said: dict[str, Saying] = {one.rule.id: saying_of(one) for rule in rules for one in rule.said}
    edit = Edit(
        op="replace_in_section",
        file=file,
        section=section_at(skill.text(file) or "", first),
        anchor=line,
        content=part.group.text.strip(),
        lessons=tuple(sorted({id for one in said.values() for id in one.lessons})),
    )
    return EditGroup(
        edits=(edit,),
        support=Support.union(rule.support for rule in rules),
        stands_for=tuple(sorted(said)) if len(said) > 1 else (),
        said=tuple(said[id] for id in sorted(said)),
        note=f"it was said in fewer words, and {weight:g} tasks have failed for want of it since",
    )
