"""What the screening and a second look held back or let through, as a person reviews it."""

from collections.abc import Iterable, Iterator, Sequence

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.quarantine import Quarantined
from trace2skill.safety.code_spans import code_span

LET_THROUGH = "Suspected, and let through"
NOT_LOOKED_AT = "Written, but the second look gave no answer on it"
LONGEST = 160


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


def as_sections(quarantined: Sequence[Quarantined], made: Candidate) -> Iterator[str]:
    """What was kept out of a candidate, what was let through, and what nobody judged, as sections of a page."""
    if quarantined:
        listed = _listed((f"{item.reason}: ", item.text) for item in quarantined)
        yield f"## In quarantine\n\n{listed}\n\nReview it with `trace2skill quarantine`."
    if made.let_through:
        passed = _listed((f"{code_span(item.in_words)}: ", item.text) for item in made.let_through)
        yield f"## {LET_THROUGH}\n\n{passed}"
    if made.unjudged:
        yield f"## {NOT_LOOKED_AT}\n\n{_listed(('', text) for text in made.unjudged)}"


def one_line(text: str) -> str:
    """A text as a cell or an item: one line, at most 160 characters of it."""
    line = " ".join(text.split()).removeprefix("- ").replace("|", "\\|")
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _listed(texts: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- {said}{code_span(text.removeprefix('- '), LONGEST)}" for said, text in texts)
