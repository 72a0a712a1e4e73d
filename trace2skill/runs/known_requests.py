"""Requests that users wrote, of the tasks that a skill has learned from and of logs: what queries are written after.

Of the store's runs over a skill, those tasks count that an analyst read; a task that any of these runs held out, or one
of the same words, is never shown.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.forms import from_text_or_none
from trace2skill.mined.requests import SHORTEST, alike, request_alone
from trace2skill.proposals.trigger_queries import KnownRequest, cleaned
from trace2skill.runs.held_out_requests import HEADING, TOLD, HeldOutRequests, asked_in, held_out_of
from trace2skill.runs.reading_progress import ReadingProgress
from trace2skill.runs.skill_usage import whole_of
from trace2skill.runs.sources import Sources
from trace2skill.runs.summary import RunSummary
from trace2skill.safety.redaction import Redactor
from trace2skill.store import Store
from trace2skill.traces import ReadFile, read_paths
from trace2skill.traces.own_format import reader_for
from trace2skill.traces.segments import segmented
from trace2skill.traces.skill_use import skill_uses
from trace2skill.types.trajectory import Trajectory

MOST, MOST_READ = 60, 2000
"""Requests that a writer is shown for a skill, and that are kept of logs."""
AT_ONCE = 100


@dataclass
class KnownRequests:
    """Requests by the words that tell them apart, and those that are held out."""

    by_words: dict[str, KnownRequest] = field(default_factory=dict)
    held_out: HeldOutRequests = field(default_factory=HeldOutRequests)
    left_out: int = 0
    """Requests of held-out tasks that were met."""
    beyond: int = 0
    """Sessions of logs that were not looked at, for there were enough requests."""
    not_read: list[str] = field(default_factory=list)
    """What of the logs could not be read, and why."""

    def add(self, text: str, skill: str, source: str, said: Sequence[str] = ()) -> None:
        """Take a request, unless it is there, too short to say anything, or one of a held-out task; `said` is each
        message of its user alone.
        """
        words = alike(text)
        if self.held_out.has([text, *said]):
            self.left_out += 1
        elif len(text.strip()) >= SHORTEST and (
            words not in self.by_words or (skill and not self.by_words[words].skill)
        ):
            self.by_words[words] = KnownRequest(cleaned(text), skill, source)

    def for_skill(self, name: str, seed: int) -> list[KnownRequest]:
        """Those that a writer for a skill is shown: its own first, then those of which nobody knows, then others'.

        Of each kind they are drawn by seed, the same for the same requests.
        """

        def rank(item: KnownRequest) -> tuple[int, str]:
            return (0 if item.skill == name else 1 if not item.skill else 2), digest_of("requests", seed, item.text)

        found = sorted(self.by_words.values(), key=rank)
        others = [item for item in found if item.skill not in ("", name)][: MOST // 4]
        mine = [item for item in found if item.skill in ("", name)][: MOST - len(others)]
        return [*mine, *others]


def requests_in(store: Store, names: Collection[str]) -> KnownRequests:
    """The requests that runs over skills of these names have learned from, as far as the store has them."""
    found, read, shut = KnownRequests(held_out=held_out_of(store, names)), dict[str, str](), dict[str, str]()
    for row in store.runs("run", "ingest"):
        summary = from_text_or_none(row.summary, RunSummary)
        if summary is not None and summary.skill_name in names:
            read |= {item.trajectory_id: summary.skill_name for item in summary.analyses}
            shut |= {cell.task_id: cell.trajectory_id for scored in summary.evaluations for cell in scored.cells}
    for item in _several(store, shut.values()):
        found.held_out.take([request_alone(item), *asked_in(item)])
    shut_ids = found.held_out.ids | {*shut}
    for item in _several(store, read):
        if item.task_id in shut_ids:
            found.left_out += 1
        else:
            found.add(_asked(item), read[item.id], f"task {item.task_id}", asked_in(item))
    return found


def add_logs(found: KnownRequests, sources: Sources, names: Collection[str]) -> None:
    """Add the requests of logs. Which skill one was for is known where the session took one of these up.

    Raises:
        BadInput: a path or the format is not what it should be, or no request could be read.
    """
    reader = reader_for(sources.format) if sources.format else None
    reading = _Reading(found, frozenset(names))
    readings = read_paths(sources.paths, reading, reader=reader, aside=())
    redactor = Redactor()
    found.not_read += (redactor.text(str(item)) for item in readings.problems)
    if not reading.sessions:
        first = f": {readings.problems[0]}" if readings.problems else ""
        raise BadInput(f"no session was found in {', '.join(map(str, sources.paths[:5]))}{first}")


@dataclass
class _Reading(ReadingProgress):
    found: KnownRequests
    names: frozenset[str]
    sessions: int = 0

    def __post_init__(self) -> None:
        self.before = len(self.found.by_words)

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        """See `Taker`. A sub-agent's request is its agent's, and no user's."""
        del file, number
        self.sessions += 1
        if whole_of(trajectory)[1]:
            return
        if len(self.found.by_words) - self.before >= MOST_READ:
            self.found.beyond += 1
            return
        for part in segmented(trajectory):
            used = [use.skill for use in skill_uses(part, self.names) if use.skill in self.names]
            where = f"log {trajectory.session or trajectory.id}"
            self.found.add(request_alone(part), used[0] if used else "", where, asked_in(part))


def _several(store: Store, ids: Iterable[str]) -> list[Trajectory]:
    wanted: Sequence[str] = sorted(ids)
    found: list[Trajectory] = []
    for start in range(0, len(wanted), AT_ONCE):
        found += store.several("trajectory", wanted[start : start + AT_ONCE], Trajectory).values()
    return sorted(found, key=lambda item: item.id)


def _asked(trajectory: Trajectory) -> str:
    """What was asked for, without what a rollout puts before it."""
    return request_alone(trajectory).rpartition(HEADING)[2].removeprefix(TOLD)
