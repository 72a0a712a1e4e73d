"""Which rules of a book are refuted, on what evidence, and whether enough has come since for them to return.

A rule is refuted by one of four things, each of which blames it and not only the candidate that it was in; and two more
take it out on the same terms:

- `ablation`: left out of the candidate, the skill scores higher, with the whole 95% interval, and the gate has let the
  pruned skill through. Without the gate's answer, what held-out tasks say of single rules would steer what is proposed
  to the same gate: ablated every night, wrong promotions come twice as often (`bench/gate.py --ablate`).
- `gate`: the candidate is surely worse than the champion, and of its lines this alone can be to blame: every other one
  has been in a candidate that won. So does the algorithm DD of group testing name
  a defective: Aldridge, Baldassini and Johnson 2014, https://doi.org/10.1109/TIT.2014.2314472.
- `flips`: of the evolve tasks that asked for it, more failed with the candidate only than passed with it only, by a
  one-sided sign test.
- `replay`: trials of parts of the candidate on evolve tasks blame it alone, and it was taken out before the gate
  (`trace2skill.evaluation.culprits`).
- `shrinking`: a smaller champion without it was promoted, and what it says is said nowhere else
  (`trace2skill.runs.shrink`). That refutes nothing, and it returns on the same terms.
- `reviewer`: somebody who may write has rejected its line in a pull request (`trace2skill.runs.skill_reviews`).

A candidate of several suspects that lost refutes none of them: one of them may be right. That no task which asked for a
rule passes with it refutes nothing: another cause may stand behind the first. A win later than a refutation ends it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import comb

from trace2skill.consolidate.groups import Support
from trace2skill.consolidate.settle import BookRule
from trace2skill.runs.past import Past
from trace2skill.runs.rule_trials import SURE, Line, RulesByWords, Tried, candidates_of
from trace2skill.runs.rule_verdict import Evidence, Refutation, RuleVerdict


def verdicts_of(past: Past, rules: Sequence[BookRule], needed: int) -> Mapping[str, RuleVerdict]:
    """The rules of a book that stand refuted, by id.

    Args:
        past: the runs that count.
        rules: of the book; what they hold that no run of the past has read has come since.
        needed: new tasks that bring a rule back after its first refutation; each further one doubles them.
    """
    tried = candidates_of(past, rules)
    refuted = _since_the_last_win(_refutations(past, rules, tried), _wins(tried))
    found: dict[str, RuleVerdict] = {}
    for rule in rules:
        if known := _counted(refuted.get(rule.id, []), rule, past, needed):
            at = known[-1][0]
            new = [said.rule.support for said in rule.said if past.is_after(said.rule.trajectory_id, at)]
            found[rule.id] = RuleVerdict(
                rule=rule.id,
                says=rule.says,
                refuted=tuple(item for _, item in known),
                tasks=Support.union(new).weight,
                needed=needed * 2 ** (len(known) - 1),
            )
    return found


def _counted(
    known: Sequence[tuple[int, Refutation]], rule: BookRule, past: Past, needed: int
) -> list[tuple[int, Refutation]]:
    """The refutations of a rule without those by which reviewers only say again what they have said.

    A rejection counts anew once the rule had come back: else two people, or two comments, would be two refutations.
    """
    kept: list[tuple[int, Refutation]] = []
    for at, item in known:
        if kept and item.by == kept[-1][1].by == "reviewer":
            before = kept[-1][0]
            said = [one.rule for one in rule.said if past.is_after(one.rule.trajectory_id, before)]
            since = [one.support for one in said if not past.is_after(one.trajectory_id, at)]
            if Support.union(since).weight < needed * 2 ** (len(kept) - 1):
                continue
        kept.append((at, item))
    return kept


def refutations_of(past: Past, rules: Sequence[BookRule]) -> Mapping[str, tuple[Refutation, ...]]:
    """All refutations of the rules of a book, by id, oldest first, also those that a win has ended."""
    found = _refutations(past, rules, candidates_of(past, rules))
    return {id: tuple(item for _, item in items) for id, items in found.items()}


def _refutations(
    past: Past, rules: Sequence[BookRule], tried: Sequence[Tried]
) -> dict[str, list[tuple[int, Refutation]]]:
    """By rule: the place of the run that refuted it, and the refutation, in the order of places."""
    cleared = {id for one in tried for line in one.lines if line.trial.won for id in line.rules}
    found: defaultdict[str, list[tuple[int, Refutation]]] = defaultdict(list)
    for one in tried:
        suspects = [line for line in one.lines if not line.rules & cleared]
        for line in one.lines:
            if said := _against(one, line, alone=[line] == suspects):
                by, reason = said
                summary, at = one.summary, one.measured_at if by == "ablation" else one.at
                known = {"run_id": summary.run_id, "night": summary.night, "candidate": summary.candidate.skill}
                for id in line.rules:
                    found[id].append((at, Refutation(**known, by=by, reason=reason)))
    for at, of, refutation in (*_by_replay(past, rules), *_by_shrinking(past, rules), *_by_reviewers(past, rules)):
        for id in of:
            found[id].append((at, refutation))
    # An ablation of a candidate that came again is one, and so is a run that blames several lines of one rule.
    return {id: _each_once(items) for id, items in found.items()}


def _each_once(items: Sequence[tuple[int, Refutation]]) -> list[tuple[int, Refutation]]:
    """One of each run, and one of reviewers besides, in the order of places."""
    once = {(at, item.by == "reviewer"): item for at, item in reversed(items)}
    return [(at, once[at, person]) for at, person in sorted(once)]


def _by_replay(past: Past, rules: Sequence[BookRule]) -> Iterator[tuple[int, frozenset[str], Refutation]]:
    """The rules that replay took out, unless others went with them that no trial told from them."""
    known = RulesByWords(rules)
    for at, summary in past.runs:
        for record in summary.replays:
            for item in record.out:
                if not item.beside:
                    where = {"run_id": summary.run_id, "night": summary.night, "candidate": record.skill}
                    yield at, known.of(item.group), Refutation(**where, by="replay", reason=item.reason)


def _by_shrinking(past: Past, rules: Sequence[BookRule]) -> Iterator[tuple[int, frozenset[str], Refutation]]:
    known = RulesByWords(rules)
    for at, one in past.shrunk:
        for part in one.parts if one.promoted else ():
            if part.is_out_of_use:
                where = {"run_id": one.run_id, "night": one.night, "candidate": one.skill}
                yield at, known.of(part.group), Refutation(**where, by="shrinking", reason=part.reason)


def _by_reviewers(past: Past, rules: Sequence[BookRule]) -> Iterator[tuple[int, frozenset[str], Refutation]]:
    """The rules whose lines reviewers have rejected. The reason names who and where, and repeats nobody's words."""
    known = RulesByWords(rules)
    for vote in past.votes:
        if not vote.wording:
            request = vote.request
            where = {"run_id": request.run_id, "night": request.night, "candidate": request.version}
            reason = f"by {vote.person}, {vote.where or 'at an unknown address'}"
            yield vote.at, known.of(vote.group), Refutation(**where, by="reviewer", reason=reason)


def _against(one: Tried, line: Line, *, alone: bool) -> tuple[Evidence, str] | None:
    effect = line.effect
    if one.pruned_won and effect is not None and effect.verdict == "prune" and effect.effect.high < 0:
        return "ablation", f"the skill scores higher without it ({-effect.effect.mean:+.1%})"
    if one.harms and alone:
        return (
            "gate",
            f"the candidate was surely worse ({one.summary.decision.lift:+.1%}), and nothing else can be to blame",
        )
    gained, lost = line.trial.gained, line.trial.lost
    if lost and _chance(gained, lost) <= SURE:
        return "flips", f"{lost} tasks that asked for it failed only with it, {gained} passed only with it"
    return None


def _chance(gained: int, lost: int) -> float:
    """That of at least so many losses among the tasks that turned, if a rule does neither good nor harm."""
    turned = gained + lost
    return sum(comb(turned, n) for n in range(lost, turned + 1)) / float(2**turned)


def _wins(tried: Sequence[Tried]) -> dict[str, int]:
    """By rule: the place of the last run whose candidate it was in and which the gate let through."""
    found: dict[str, int] = {}
    for one in tried:
        for id in (id for line in one.lines if line.trial.won for id in line.rules):
            found[id] = max(one.at, found.get(id, -1))
    return found


def _since_the_last_win(
    refuted: Mapping[str, Sequence[tuple[int, Refutation]]], wins: Mapping[str, int]
) -> dict[str, list[tuple[int, Refutation]]]:
    return {id: [item for item in items if _is_later(item, wins.get(id, -1))] for id, items in refuted.items()}


def _is_later(item: tuple[int, Refutation], win: int) -> bool:
    """Did it come after a win? What was rejected when a run had ended came after that run's win, too."""
    return item[0] > win or (item[0] == win and item[1].by == "reviewer")
