"""From a candidate to a champion: what is scored, what the scores decide, and the change itself."""

from collections.abc import Sequence

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.limits import CHARS_PER_TOKEN
from trace2skill.errors import ChampionChanged
from trace2skill.evaluation.conditions import Condition
from trace2skill.evaluation.decision import Decision, decide, is_covered
from trace2skill.evaluation.matrix import Evaluation
from trace2skill.evaluation.selection import SEED_STEP, Evolution
from trace2skill.evaluation.spending import single_look
from trace2skill.registry import Registry, State, Version
from trace2skill.runtime import Runtime
from trace2skill.settings import RunSettings


def conditions(rt: Runtime, candidate: Candidate, champion: str) -> list[Condition]:
    """What is evaluated: the champion and the candidate, then what was asked for besides.

    Nothing when the skill did not change or nobody asked.
    """
    if candidate.skill == candidate.base or not rt.settings.evaluate:
        return []
    name = "S0" if champion == candidate.base else "champion"
    found = [Condition(name=name, skill=champion), Condition(name="candidate", skill=candidate.skill)]
    if rt.settings.no_skill:
        found.append(Condition(name="no skill", skill=None))
    return found


def conditions_to_choose(grown: Sequence[Evolution]) -> list[Condition]:
    """The candidates among which one is chosen, each once."""
    found = {item.candidate.skill: f"candidate {item.number + 1}" for item in reversed(grown)}
    return [Condition(name=name, skill=skill) for skill, name in sorted(found.items(), key=lambda entry: entry[1])]


def fresh_seeds(settings: RunSettings) -> tuple[int, ...]:
    """Seeds for the A/A arm that nothing else in the run uses."""
    return tuple(seed + SEED_STEP * 500 for seed in settings.held_out_seeds)


def repeat_of(rt: Runtime, candidate: Candidate, champion: str) -> list[Condition]:
    """The A/A arm: the champion again, to be scored with fresh seeds; nothing unless asked for."""
    if not rt.settings.repeat_champion or not conditions(rt, candidate, champion):
        return []
    return [Condition(name="S0 again", skill=champion)]


def verdict(
    rt: Runtime, candidate: Candidate, evaluations: Sequence[Evaluation], repeat: Sequence[Evaluation] = ()
) -> Decision:
    """The decision over the evaluations of a run. It spends a look at the champion where enough runs have a score."""
    if not evaluations and not rt.settings.evaluate:
        return Decision(verdict="not_enough_evidence", reason="the candidate was not evaluated, as asked for")
    if not evaluations:
        return Decision(verdict="reject", reason="nothing was learned, so there is nothing to promote")
    champion, scored = evaluations[:2]
    gate, skill = rt.settings.gate, rt.skill(candidate.skill)
    level = gate.level / (rt.settings.candidates if rt.settings.select == "validation" else 1)
    look = single_look(level)
    if gate.spend == "over_nights" and skill is not None and is_covered(champion, scored, gate):
        evidence = (candidate.skill, [(cell.task_id, cell.seed) for cell in scored.cells])
        look = Registry(rt.store).look(skill.name, str(champion.skill), evidence, level)
    size = len(skill.body) // CHARS_PER_TOKEN if skill else 0
    return decide(champion, scored, gate, look=look, skill_tokens=size, repeat=next(iter(repeat), None))


def promote(rt: Runtime, candidate: Candidate, champion: str, decision: Decision) -> str | None:
    """Keep the candidate as a version, and make it champion where it won and the settings say so.

    Returns the digest of a champion that somebody else promoted since, which the candidate has to beat now; None where
    there is none.
    """
    skill = rt.skill(candidate.skill)
    if skill is None or candidate.skill == candidate.base:
        return None
    registry = Registry(rt.store)
    state: State = "rejected" if decision.verdict == "reject" else "candidate"
    version = Version(
        name=skill.name,
        skill=skill.digest,
        parent=candidate.base,
        run_id=rt.run_id,
        state=state,
        decision=decision,
        author=rt.settings.roles.analyst.name,
    )
    registry.record(skill, version)
    if decision.verdict != "promote" or rt.settings.promote != "auto" or rt.settings.skill is None:
        return None
    try:
        registry.promote(skill, rt.settings.skill, expected=champion, run_id=rt.run_id, reason=decision.reason)
    except ChampionChanged as changed:
        return changed.champion
    registry.record(skill, version.model_copy(update={"state": "promoted"}))
    return None


def is_champion(rt: Runtime, candidate: Candidate) -> bool:
    """Did this run make its candidate the champion?"""
    skill = rt.skill(candidate.skill)
    changes = Registry(rt.store).history(skill.name) if skill else []
    return bool(changes) and (changes[-1].skill, changes[-1].run_id) == (candidate.skill, rt.run_id)
