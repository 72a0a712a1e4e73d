"""Before a night begins: what reviewers have said of the versions that earlier nights have proposed."""

import logging
from collections.abc import Iterator

from trace2skill.core.errors import BadInput, Interrupted, Trace2SkillError
from trace2skill.runs.commented_lines import own_out
from trace2skill.runs.read_reviews import read_reviews, summary_again
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.skill_reviews import ProposedRun, reviews_of
from trace2skill.runs.summary import RunSummary
from trace2skill.skills.git_address import GitAddress, parse
from trace2skill.store import Store
from trace2skill.versions.forges import forge_of
from trace2skill.versions.pull_request import Forge

log = logging.getLogger("trace2skill.reviews")
MOST = 3
"""Requests that are read before a night, the newest ones."""


def read_before(rt: Runtime) -> None:
    """Read what was said of the requests of this skill that were open when they were last read.

    A forge that cannot be reached, or refuses, is a warning: the night goes on with what was read of it before.
    """
    how = rt.settings
    if rt.given_skill is None or how.operation.part_of or not how.learning.memory:
        return
    for proposed, summary in _open_ones(rt.store, rt.given_skill.name):
        try:
            address, forge = forge_again(how, proposed)
            read_reviews(rt.store, summary, address, forge)
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a forge answers, a night goes on
            why = error if isinstance(error, Trace2SkillError) else f"{type(error).__name__}: {error}"
            words = "%s: what reviewers said of the pull request of %s is not read: %s"
            log.warning(words, rt.run_id, proposed.run_id, own_out(str(why)))


def forge_again(how: RunSettings, proposed: ProposedRun) -> tuple[GitAddress, Forge]:
    """Where a version was proposed. A store may be others' as well, so that no token goes where it alone says.

    Raises:
        BadInput: see `forge_of`; or the API is one that neither its host nor these settings name.
    """
    address = parse(proposed.address)
    if not isinstance(address, GitAddress):
        raise BadInput(f"{proposed.address} is in no repository")
    forge = forge_of(address, proposed.forge, how.operation.forge_api)
    if forge is None or forge.api != proposed.api:
        raise BadInput(f"it was opened by the API {proposed.api}: name that in `operation.forge_api` (--forge-api)")
    return address, forge


def _open_ones(store: Store, skill: str) -> Iterator[tuple[ProposedRun, RunSummary]]:
    """The runs whose requests are to be read, the newest first; runs that share a request, or a branch, have one."""
    known = reviews_of(store, skill)
    settled = {id for item in known.requests if item.state != "open" for id in (item.id, item.run_id)}
    seen: set[str] = set()
    for proposed in reversed(known.proposed):
        request = proposed.request or f"{proposed.address} {proposed.base}"
        if request in seen or (proposed.request or proposed.run_id) in settled:
            continue
        if len(seen) >= MOST:
            return
        seen.add(request)
        summary = summary_again(store, proposed.run_id)
        if summary is not None and summary.learned:
            yield proposed, summary
