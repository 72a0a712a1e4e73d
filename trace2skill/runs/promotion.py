"""From a candidate to a champion: what is scored, what the scores decide, and the change itself."""

from collections import Counter
from collections.abc import Sequence

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.limits import CHARS_PER_TOKEN
from trace2skill.core.errors import ChampionChanged
from trace2skill.core.failures import Failure
from trace2skill.core.record import Record
from trace2skill.evaluation.conditions import Condition
from trace2skill.evaluation.decision import decide, is_covered
from trace2skill.evaluation.ends import of_each
from trace2skill.runs.library_read import among_others
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.selection import SEED_STEP, Evolution
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import RunSummary
from trace2skill.skills.skill import Skill
from trace2skill.types.decision import Decision
from trace2skill.types.evaluation import Evaluation
from trace2skill.versions.places import SkillPlace
from trace2skill.versions.registry import Registry, Version
from trace2skill.versions.spending import single_look


class Approval(Record):
    """A person's answer to a promotion that waits for it."""

    given: bool
    reason: str = ""

    def in_words(self) -> str:
        """'approved' or 'not approved', with the reason given."""
        said = "approved" if self.given else "not approved"
        return f"{said}: {self.reason}" if self.reason else said


def conditions(rt: Runtime, candidate: Candidate, champion: str) -> list[Condition]:
    """What is evaluated: the champion and the candidate, then what was asked for besides.

    Nothing when the skill did not change or nobody asked.
    """
    if candidate.skill == candidate.base or not rt.settings.gate.evaluate:
        return []
    name = "S0" if champion == candidate.base else "champion"
    found = [Condition(name=name, skill=champion), Condition(name="candidate", skill=candidate.skill)]
    if rt.settings.gate.no_skill:
        found.append(Condition(name="no skill", skill=None))
    return among_others(rt, found)


def conditions_to_choose(grown: Sequence[Evolution]) -> list[Condition]:
    """The candidates among which one is chosen, each once."""
    found = {item.candidate.skill: f"candidate {item.number + 1}" for item in reversed(grown)}
    return [Condition(name=name, skill=skill) for skill, name in sorted(found.items(), key=lambda entry: entry[1])]


def fresh_seeds(settings: RunSettings) -> tuple[int, ...]:
    """Seeds for the A/A arm that nothing else in the run uses."""
    return tuple(seed + SEED_STEP * 500 for seed in settings.gate.held_out_seeds)


def repeat_of(rt: Runtime, candidate: Candidate, champion: str) -> list[Condition]:
    """The A/A arm: the champion again, to be scored with fresh seeds; nothing unless asked for."""
    if not rt.settings.gate.repeat_champion or not conditions(rt, candidate, champion):
        return []
    return among_others(rt, [Condition(name="S0 again", skill=champion)])


def verdict(
    rt: Runtime,
    candidate: Candidate,
    evaluations: Sequence[Evaluation],
    repeat: Sequence[Evaluation] = (),
    missing: Sequence[Failure] = (),
) -> Decision:
    """The decision over the evaluations of a run. It spends a look at the champion where enough runs have a score.

    What the run had to go on without stands in the decision's reason.
    """
    decision = _verdict(rt, candidate, evaluations, repeat)
    if not missing:
        return decision
    counts = Counter(failure.stage for failure in missing)
    words = ", ".join(f"{stage} {count}" for stage, count in sorted(counts.items()))
    reason = f"{decision.reason}; made without {len(missing)} items that failed ({words}), which the next run picks up"
    return decision.model_copy(update={"reason": reason, "missing": len(missing)})


def ways_of(settings: RunSettings) -> int:
    """Of how many candidates the held-out tasks choose the one that competes: each has its share of a look's level."""
    how = settings.learning
    return how.candidates if how.select == "validation" else 1


def _verdict(
    rt: Runtime, candidate: Candidate, evaluations: Sequence[Evaluation], repeat: Sequence[Evaluation]
) -> Decision:
    if not evaluations and not rt.settings.gate.evaluate:
        return Decision(verdict="not_enough_evidence", reason="the candidate was not evaluated, as asked for")
    if not evaluations:
        return Decision(verdict="reject", reason="nothing was learned, so there is nothing to promote")
    champion, scored = evaluations[:2]
    gate, skill = rt.settings.gate, rt.skill(candidate.skill)
    ways = ways_of(rt.settings)
    look = single_look(gate.level / ways)
    if gate.spend != "at_once" and skill is not None and is_covered(champion, scored, gate):
        evidence = (candidate.skill, [(cell.task_id, cell.seed) for cell in scored.cells])
        earns = gate.spend == "over_nights"
        look = Registry(rt.store).look(skill.name, str(champion.skill), evidence, gate.level, ways=ways, earns=earns)
    size = len(skill.body) // CHARS_PER_TOKEN if skill else 0
    return decide(champion, scored, gate, look=look, skill_tokens=size, repeat=next(iter(repeat), None))


def awaits_approval(rt: Runtime, candidate: Candidate, decision: Decision) -> bool:
    """Is there a promotion that a person is to approve?"""
    changed = candidate.skill != candidate.base
    return (
        rt.settings.operation.promote == "approve"
        and decision.verdict == "promote"
        and bool(rt.settings.data.skill)
        and changed
    )


def question(rt: Runtime, summary: RunSummary, champion: str) -> tuple[str, str]:
    """What a person is asked, as Markdown, and the key of the question: the same candidate and champion, once."""
    lines = [
        f"**{summary.skill_name}**: {summary.decision.reason}.",
        "| skill | hard | soft | runs scored |\n|---|---|---|---|\n"
        + "\n".join(
            f"| {item.condition} | {item.hard:.1%} | {item.soft:.1%} | {len(item.scored)} of {len(item.cells)} |"
            for item in summary.evaluations
        ),
        *of_each(summary.evaluations),
        f"{len(summary.candidate.written)} rules. For {summary.spent.calls} calls: {summary.cost_in_words()}.",
        f"{report_in_words(rt)} shows every edit with the traces that asked for it.",
    ]
    return "\n\n".join(lines), question_key(summary.candidate.skill, champion)


def question_key(candidate: str, champion: str) -> str:
    """Names the question whether a candidate is to replace a champion."""
    return f"promote-{candidate[:16]}-over-{champion[:16]}"


def report_address(rt: Runtime) -> str:
    """Where a browser can open the report: below `reports_at` where run directories are served, else nowhere, ''."""
    at = rt.settings.operation.reports_at
    return f"{at.rstrip('/')}/{rt.run_id}/report.html" if at else ""


def report_in_words(rt: Runtime) -> str:
    """The report as Markdown: a link, or the place of its file."""
    if address := report_address(rt):
        return f"[The report]({address})"
    return f"The report (`{rt.run_directory().resolve() / 'report.html'}`)"


def promote(
    rt: Runtime, candidate: Candidate, champion: str, decision: Decision, approval: Approval | None = None
) -> str | None:
    """Keep the candidate as a version, and make it champion where it won and the settings or a person say so.

    Returns the digest of a champion that somebody else promoted since, which the candidate has to beat now; None where
    there is none.
    """
    skill = rt.skill(candidate.skill)
    if skill is None or candidate.skill == candidate.base:
        return None
    version = Version(
        name=skill.name,
        skill=skill.digest,
        parent=candidate.base,
        run_id=rt.run_id,
        state="candidate",
        decision=decision,
        author=rt.settings.models.analyst.name,
    )
    return settled(Registry(rt.store), rt.settings, rt.place, skill, version, champion, approval)


def settled(
    registry: Registry,
    settings: RunSettings,
    place: SkillPlace | None,
    skill: Skill,
    version: Version,
    champion: str,
    approval: Approval | None = None,
) -> str | None:
    """Keep a version with the decision it has, and make it champion where the settings or a person say so.

    Done again after a crash it finishes what was begun. Returns as `promote` does.
    """
    decision = version.decision
    if decision is None:
        return None
    if approval is not None:
        decision = decision.model_copy(update={"reason": f"{decision.reason}; {approval.in_words()}"})
    refused = decision.verdict == "reject" or (approval is not None and not approval.given)
    version = version.model_copy(update={"state": "rejected" if refused else "candidate", "decision": decision})
    registry.record(skill, version, champion)
    allowed = settings.operation.promote == "auto" or (approval is not None and approval.given)
    if decision.verdict != "promote" or not allowed or place is None:
        return None
    if registry.is_by(skill, version.run_id):
        registry.recover(skill.name, place)
    else:
        run, reason = version.run_id, decision.reason
        try:
            registry.promote(skill, place, expected=champion, run_id=run, reason=reason)
        except ChampionChanged as changed:
            return changed.champion
    registry.record(skill, version.model_copy(update={"state": "promoted"}), champion)
    return None


def is_champion(rt: Runtime, candidate: Candidate) -> bool:
    """Did this run make its candidate the champion?"""
    skill = rt.skill(candidate.skill)
    return skill is not None and Registry(rt.store).is_by(skill, rt.run_id)
