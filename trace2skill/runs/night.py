"""Seeds that move: which night of a skill a run is, and the rollout seeds that follow from it.

A night is a number, counted for each skill and store. A run is that of the day for which it was planned, in all its
attempts; a night that no run has finished yet is gone on with, on whatever day. So a rerun of a night rolls out with
the seeds it had, and finds in the store what it paid for. Held-out seeds do not move: the gate compares like with like.
"""

from collections.abc import Iterator

from trace2skill.core.digest import digest_of
from trace2skill.core.forms import from_text_or_none
from trace2skill.runs.settings import RunSettings
from trace2skill.skills.git_address import lineage_name
from trace2skill.store import Store

FIRST_SEED, STEP, PLACES = 1_000_000, 100_000, 20_000
"""Above the seeds that people give, those of candidates and A/A arms included; as far apart; below 2 to the 31st."""


def tonight(settings: RunSettings, store: Store, day: str) -> RunSettings:
    """The settings with their night and its seeds filled in. The same settings, where seeds are not to move.

    Args:
        settings: of the run. Where they name a night, as those that a run has written down do, it is that one.
        store: where the earlier nights of the skill are.
        day: for which the run was planned (ISO 8601).
    """
    how = settings.learning
    if how.night_of or not (how.moving_seeds or how.night):
        return settings
    if how.night is not None:
        return _on(settings, how.night, day)
    number, last_day, done = _last(settings, store)
    if number and (not done or last_day == day):
        return _on(settings, number, last_day)
    return _on(settings, number + 1, day)


def lineage_of(settings: RunSettings) -> str:
    """What the nights are counted for: the name of the skill, or its repository and path; '' for one to be drafted."""
    return lineage_name(settings.data.skill) if settings.data.skill else ""


def is_night_of(found: RunSettings, settings: RunSettings) -> bool:
    """Are these the settings, with some night filled in?"""
    how = found.learning
    if how.night is None or how.night_of == "" or settings.learning.night_of:
        return False
    return _on(settings, how.night, how.night_of).identity == found.identity


def _on(settings: RunSettings, number: int, day: str) -> RunSettings:
    place = (int(digest_of("night", lineage_of(settings))[:8], 16) + number) % PLACES
    seeds = tuple(FIRST_SEED + STEP * place + seed for seed in settings.learning.seeds)
    return settings.changed(seeds=seeds, night=number, night_of=day)


def _last(settings: RunSettings, store: Store) -> tuple[int, str, bool]:
    """The last night of the skill: its number, 0 for none, its day, and whether a run has finished it."""
    nights: dict[int, tuple[str, bool]] = {}
    for found, done in _nights(store):
        how = found.learning
        if how.night is not None and lineage_of(found) == lineage_of(settings):
            day, before = nights.get(how.night, (how.night_of, False))
            nights[how.night] = (day, before or done)
    number = max(nights, default=0)
    return (number, *nights[number]) if number else (0, "", True)


def _nights(store: Store) -> Iterator[tuple[RunSettings, bool]]:
    for row in store.runs("run"):
        if '"night_of"' in row.settings:
            found = from_text_or_none(row.settings, RunSettings)
            if found is not None:
                yield found, row.state == "completed"
