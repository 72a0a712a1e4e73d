"""Auditing a skill by assertions: a control of the judges, then the agent without it and with it, blind to both."""

from collections.abc import Mapping, Sequence

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput, ModelUnusable
from trace2skill.evaluation.assertions import (
    PLAIN,
    Assertion,
    AuditedAssertion,
    AuditedSegment,
    JudgeControl,
    ShareOf,
    majority,
    shared_words,
)
from trace2skill.evaluation.audit import NO_SKILL, AuditReport, comparisons
from trace2skill.runs.audit_asking import Panel, Said
from trace2skill.runs.audit_assertions import Confirmed
from trace2skill.runs.audit_sessions import ShownSegment
from trace2skill.skills.skill import Skill

MOST_TRIED = 200
"""Segments among which another task's answer is looked for."""


def audited(
    panel: Panel, segments: Sequence[ShownSegment], counted: Confirmed, before: Skill | None, after: Skill
) -> AuditReport:
    """The control, then both arms.

    Args:
        panel: who is asked.
        segments: that were chosen; those with assertions that count are audited.
        counted: the assertions that count.
        before: the skill of the first arm; None is no skill.
        after: the skill of the second arm.

    Raises:
        ModelUnusable, BadInput: see `control_judges`; or there is nothing to compare.
            And as `Client.complete`; what was asked is in the store.
    """
    asked = [item for item in segments if counted.kept.get(item.id)]
    if not asked:
        written, dropped = counted.told.written, counted.told.dropped
        why = "; ".join(f"{count}: {reason}" for reason, count in dropped.items())
        lost = counted.told.unusable
        none = f"the writer's answer was unusable in {lost} of them" if lost else "none was written"
        said = f"none of {written} assertions counts: {why}" if written else none
        raise BadInput(f"there are no assertions over {len(segments)} segments to audit by: {said}")
    judged = control_judges(panel, asked, counted.kept)
    plans = panel.plans(asked, before, after)
    answered = [item for item in asked if all(plans[item.id])]
    rows = panel.of_answers("judge", answered, counted.kept, plans)
    found = tuple(_audited(item, counted.kept[item.id], rows[item.id]) for item in answered)
    missing = sum(one is None for item in answered for sides in rows[item.id] for said in sides for one in said)
    if not any(item.decided for item in found):
        why = f"of no assertion most judges could tell both answers ({missing} verdicts are missing)"
        silent = f"{panel.agent.name} gave no answer in any of {len(asked)} segments, without the skill and with it"
        raise ModelUnusable(f"nothing was compared: {why if answered else silent}")
    names = (before.digest if before else NO_SKILL, after.digest)
    soft, hard = comparisons(found, *names)
    return AuditReport(
        skill=after.name,
        version=after.digest,
        before=names[0],
        agent=panel.agent.name,
        writer=panel.writer.name,
        judges=tuple(judge.model.name for judge in panel.judges),
        kept=counted.told,
        control=judged,
        segments=found,
        unplanned=len(asked) - len(answered),
        undecided=sum(len(item.assertions) - len(item.decided) for item in found),
        missing=missing,
        soft=soft,
        hard=hard,
    )


def control_judges(
    panel: Panel, segments: Sequence[ShownSegment], kept: Mapping[str, Sequence[Assertion]]
) -> tuple[JudgeControl, ...]:
    """Put before each judge another task's answer, and the recorded work in the same form; say how each did.

    Raises:
        ModelUnusable: a judge takes wrong answers for right ones, or right ones for wrong: nothing is judged.
        BadInput: there is nothing to hold the judges against; nobody was asked. And as `Client.complete`.
    """
    others = _others(segments, kept)
    wrong = {
        item.id: [_is_plainly_wrong(one, item, others[item.id]) for one in kept[item.id]]
        for item in segments
        if item.id in others
    }
    right = {item.id: [one.recorded == "holds" for one in kept[item.id]] for item in segments}
    if why := _why_no_control(segments, wrong, right):
        raise BadInput(f"judges cannot be tried: {why}. Give more logs, of other work too, or other judges")
    tried = [item for item in segments if item.id in others]
    pairs = {item.id: (item.answer, others[item.id].answer) for item in tried}
    rows = panel.of_answers("control", tried, kept, pairs)
    found = []
    for place, judge in enumerate(panel.judges):
        said = [
            (item.id, n, own[place], other[place]) for item in tried for n, (own, other) in enumerate(rows[item.id])
        ]
        of_wrong = [other for id, n, _, other in said if wrong[id][n]]
        of_right = [own for id, n, own, _ in said if right[id][n]]
        shares = {
            "wrong_taken": ShareOf.counted(other in ("holds", None) for other in of_wrong),
            "right_taken": ShareOf.counted(own == "holds" for own in of_right),
        }
        missing = [*of_wrong, *of_right].count(None)
        found.append(JudgeControl(judge=judge.name, **shares, missing=missing))
    if broken := [item.why_broken for item in found if item.why_broken]:
        raise ModelUnusable(
            f"{'; '.join(broken[:3])}: such verdicts say nothing of a skill, and none was asked for. Name other "
            "judges (--judge-model), or see whether the assertions are any good (--write-assertions FILE)"
        )
    return tuple(found)


def _why_no_control(
    segments: Sequence[ShownSegment], wrong: Mapping[str, Sequence[bool]], right: Mapping[str, Sequence[bool]]
) -> str:
    if not any(any(items) for items in wrong.values()):
        return f"{len(segments)} segments have assertions that count, and the work of none is plainly wrong for another"
    if not any(any(items) for items in right.values()):
        return "no assertion holds of any recorded work, and who always says no could not be told"
    return ""


def _is_plainly_wrong(one: Assertion, segment: ShownSegment, other: ShownSegment) -> bool:
    return shared_words(one.says, segment.request, other.answer) < PLAIN


def _others(segments: Sequence[ShownSegment], kept: Mapping[str, Sequence[Assertion]]) -> dict[str, ShownSegment]:
    """For each segment one of another task: whose work has fewest of its assertions' words, and as many assertions."""

    def strangest(segment: ShownSegment, others: Sequence[ShownSegment]) -> ShownSegment:
        def rank(other: ShownSegment) -> tuple[int, int, str]:
            near = sum(not _is_plainly_wrong(one, segment, other) for one in kept[segment.id])
            return near, abs(len(kept[other.id]) - len(kept[segment.id])), digest_of("other", segment.id, other.id)

        return min(others, key=rank)

    found = {}
    for segment in segments:
        strange = sorted((item for item in segments if item.group != segment.group), key=lambda item: item.id)
        if strange:
            found[segment.id] = strangest(segment, strange[:MOST_TRIED])
    return found


def _audited(
    segment: ShownSegment,
    kept: Sequence[Assertion],
    rows: Sequence[tuple[Said, Said]],
) -> AuditedSegment:
    told = tuple(
        AuditedAssertion(**item.model_dump(), before=majority(before), after=majority(after))
        for item, (before, after) in zip(kept, rows, strict=True)
    )
    named = {"id": segment.id, "session": segment.session, "group": segment.group, "outcome": segment.outcome}
    return AuditedSegment(request=" ".join(segment.request.split())[:300], assertions=told, **named)
