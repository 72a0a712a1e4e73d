"""A skill's earlier versions: lines that people left alone keep their evidence, and what was taken out stays out.

A rule that stood in a champion and stands there no longer was taken out, by a person, a rollback or a pruning. It is
not proposed again on the evidence that it had then.
"""

from collections.abc import Iterable, Mapping

from trace2skill.consolidate.ledger import SupportLedger, inherited_ledger, united_ledgers, with_shorter_lines
from trace2skill.consolidate.settle import RuleBook
from trace2skill.consolidate.standing import stated_by_rows
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.shrunk import ShrunkPart
from trace2skill.skills.skill import Skill
from trace2skill.versions.registry import Registry


def keep_evidence(rt: Runtime, skill: Skill) -> None:
    """Give a version that people made a ledger: what that of the champion before it says of lines that it still has."""
    store = rt.store
    if store.get("support", skill.digest, SupportLedger) is not None:
        return
    for change in reversed(Registry(store).history(skill.name)):
        ledger = store.get("support", change.skill, SupportLedger)
        before = store.get("skill", change.skill, Skill) if ledger else None
        made = inherited_ledger(before, skill, ledger) if ledger and before else None
        if made is not None and made.rows:
            store.put("support", skill.digest, made)
            return


def hand_on(rt: Runtime, base: Skill, skill: Skill, parts: Iterable[ShrunkPart] = ()) -> None:
    """Give a version that is `base` with fewer lines what the ledger of `base` says by now of those that are left.

    A line that took the place of longer ones has their supporters; `parts` name these.
    """
    ledger = rt.store.get("support", base.digest, SupportLedger)
    shorter = [(part.lines, part.says, part.group) for part in parts if part.says]
    if ledger is not None or shorter:
        before = ledger or SupportLedger(skill=base.digest, parent="")
        made = inherited_ledger(base, skill, before)
        made = with_shorter_lines(made, before, skill, shorter)
        known = rt.store.get("support", skill.digest, SupportLedger)  # it was a version before, and people spoke for it
        rt.store.put("support", skill.digest, made if known is None else united_ledgers(made, known))


def taken_out(
    rt: Runtime, skill: Skill, book: RuleBook, standing: Mapping[str, object], enough: float
) -> dict[str, str]:
    """Rules that a former champion stated and S0 does not, by id, with the reason they are not written.

    One that so many tasks more ask for than did then, as a rule needs at all, is new evidence and not among them.
    """
    found: dict[str, str] = {}
    rules = {rule.id: rule for rule in book.rules}
    history = [change.skill for change in Registry(rt.store).history(skill.name)]
    since = max((n for n, digest in enumerate(history) if digest == skill.digest), default=0)
    for digest in dict.fromkeys(history[:since]):  # not what another run has promoted since S0 was the champion
        ledger = rt.store.get("support", digest, SupportLedger) if digest != skill.digest else None
        for id, row in stated_by_rows(ledger, book).items() if ledger else ():
            more = set(rules[id].support.tasks) - set(row.support.tasks)
            if id not in standing and len(more) < enough:
                found[id] = f"it stood in version {digest[:12]} and was taken out"
    return found
