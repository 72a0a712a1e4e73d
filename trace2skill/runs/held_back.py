"""What is in quarantine, as a person reviews it: each text once, with all who asked for it."""

from collections.abc import Iterable

from trace2skill.consolidate.quarantine import Quarantined


def united(items: Iterable[Quarantined]) -> list[Quarantined]:
    """The texts, each once: a rule that fifty trajectories asked for is reviewed once and not fifty times."""
    found: dict[tuple[str, frozenset[str]], Quarantined] = {}
    for item in items:
        words = " ".join(item.text.split())
        key = (words, frozenset(finding.id for finding in item.findings))
        known = found.get(key)
        trajectories = dict.fromkeys((*known.trajectories, *item.trajectories)) if known else item.trajectories
        found[key] = (known or item).model_copy(update={"trajectories": tuple(trajectories)})
    return list(found.values())
