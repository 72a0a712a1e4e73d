"""Verdicts that stand in files of their own beside logs, found by their layout and joined by id.

| written by | file | joined by |
|---|---|---|
| SWE-bench's harness | `logs/run_evaluation/RUN/MODEL/INSTANCE/report.json`, `NAME.report.json` | the instance |
| the same, its summary | `MODEL.RUN.json` with `resolved_ids` and `unresolved_ids` | the instance |
| Harbor, Terminal-Bench 2 | `TRIAL/verifier/reward.txt` or `reward.json` | the folder TRIAL around the log |
| tau-bench | a list of results with `task_id`, `trial` and `reward`, without the conversations | task and trial |

A verdict that a log holds itself (tau-bench's and tau2's rewards, inspect_ai's scores) is its reader's business. An
instance with two different verdicts takes that of the run or model whose name stands in the log's path, else none.
"""

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from trace2skill.core.digest import digest_of
from trace2skill.core.foreign_json import parse
from trace2skill.traces.outcome_of import from_score
from trace2skill.traces.values import label, mapping
from trace2skill.types.trajectory import Outcome, Trajectory

Labels = dict[str, float]
LARGEST = 16 * 1024 * 1024
HEAD = 4096
FOLDERS_ABOVE = 3
"""So many folders above a log may be the trial whose verdict it has."""
LEAST_PART = 4


class Verdict(NamedTuple):
    """One verdict: a score from 0 to 1, and the file that says it."""

    score: float
    path: Path


@dataclass
class Verdicts:
    """All that is known of how sessions ended besides what their logs say: a person's labels, and verdict files."""

    labels: Labels = field(default_factory=dict)
    found: dict[str, list[Verdict]] = field(default_factory=dict)
    files: frozenset[Path] = frozenset()
    """The files that hold verdicts. They are no logs."""
    used: set[str] = field(default_factory=set)
    """Ids under which a session was found in this reading."""

    def label_of(self, trajectory: Trajectory) -> Outcome | None:
        """What a person said. A label names a trajectory, a session or a task, in that order."""
        for id in names_of(trajectory):
            if id in self.labels:
                self.used.add(id)
                return from_score(self.labels[id], "labels", f"label {self.labels[id]:g}")
        return None

    def verdict_of(self, trajectory: Trajectory, path: str = "") -> Outcome | None:
        """What a verdict file says."""
        for id in keys_of(trajectory, path):
            given = self.found.get(id)
            if not given:
                continue
            self.used.add(id)
            one = _the_one(given, path)
            if one is None:
                told = ", ".join(sorted(str(item.path) for item in given)[:3])
                return Outcome(kind="unknown", reason=f"verdicts differ: {told}"[:300], source="none")
            return from_score(one.score, "report", f"{one.path.parent.name}/{one.path.name}: {one.score:g}")
        return None

    def heard(self, ids: Iterable[str]) -> str:
        """Digest of what is said under these ids, '' for nothing: when it changes, a log is read again."""
        said = {
            id: [self.labels.get(id), sorted((item.score, str(item.path)) for item in self.found.get(id, ()))]
            for id in ids
            if id in self.labels or id in self.found
        }
        return digest_of(said)[:16] if said else ""

    def note(self, ids: Iterable[str]) -> None:
        """These ids belong to sessions that were read before."""
        self.used.update(id for id in ids if id in self.labels or id in self.found)

    @property
    def unmatched(self) -> list[str]:
        """Labels that no session bears."""
        return sorted(self.labels.keys() - self.used)


def names_of(trajectory: Trajectory) -> list[str]:
    """The ids by which a label may name a session; the first that has one counts."""
    return list(dict.fromkeys(id for id in (trajectory.id, trajectory.session, trajectory.task_id) if id))


def keys_of(trajectory: Trajectory, path: str = "") -> list[str]:
    """The same, and what a log's place says of it: its name, its folder's name, and the folders above it."""
    where = Path(path) if path else None
    trial = [f"{trajectory.task_id}#{trajectory.seed}", f"{trajectory.task_id.rpartition(':')[2]}#{trajectory.seed}"]
    named = [where.name.split(".")[0], where.parent.name] if where else []
    above = [str(folder) for folder in list(where.parents)[:FOLDERS_ABOVE]] if where else []
    every = [*names_of(trajectory), *trial, *(name for name in named if len(name) >= LEAST_PART), *above]
    return list(dict.fromkeys(every))


def verdicts_for(paths: Sequence[Path], labels: Labels | None = None) -> Verdicts:
    """What verdict files below the folders say, with a person's labels."""
    found: dict[str, list[Verdict]] = {}
    files: set[Path] = set()
    for path in _files(paths):
        for id, score in _said(path):
            found.setdefault(id, []).append(Verdict(score, path))
            files.add(path)
    return Verdicts(labels=dict(labels or {}), found=found, files=frozenset(files))


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Plain files below the folders, none of them hidden or behind a link."""
    for given in paths:
        for folder, names, files in os.walk(given) if given.is_dir() else ():
            names[:] = sorted(name for name in names if not name.startswith("."))
            for name in sorted(files):
                path = Path(folder, name)
                if name.endswith((".json", ".txt")) and not name.startswith(".") and not path.is_symlink():
                    yield path


def _said(path: Path) -> Iterator[tuple[str, float]]:
    """The ids and scores of one file, nothing for one that is no verdict."""
    name, folder = path.name, path.parent
    try:
        if name in ("reward.txt", "reward.json") and folder.name == "verifier":
            if (score := _reward(path)) is not None:
                yield str(folder.parent.absolute()), score
        elif name == "report.json" or name.endswith(".report.json"):
            yield from _resolved(_document(path))
        elif name.endswith(".json") and (head := _head(path)):
            if b'"total_instances"' in head or b'"resolved_ids"' in head:
                yield from _summary(mapping(_document(path)))
            elif b'"reward"' in head and b'"task_id"' in head and b'"traj"' not in head and b'"messages"' not in head:
                yield from _rewards(_document(path))
    except (OSError, ValueError, RecursionError):
        return


def _document(path: Path) -> Any:
    if path.stat().st_size > LARGEST:
        return None
    return parse(path.read_bytes())


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _reward(path: Path) -> float | None:
    """Harbor's reward: a number, or an object with one, of which `reward` counts before any other."""
    value: Any = path.read_text(encoding="utf-8", errors="replace")[:200].strip() if path.suffix == ".txt" else None
    if value is None:
        given = mapping(_document(path))
        value = given.get("reward", next(iter(given.values()), None) if len(given) == 1 else None)
    return _score(value)


def _resolved(document: Any) -> Iterator[tuple[str, float]]:
    """SWE-bench: `{INSTANCE: {"resolved": true}}`."""
    for instance, verdict in mapping(document).items():
        if isinstance(mapping(verdict).get("resolved"), bool):
            yield instance, float(verdict["resolved"])


def _summary(document: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for name, score in (("resolved_ids", 1.0), ("unresolved_ids", 0.0)):
        for id in document.get(name) or ():
            if isinstance(id, str):
                yield id, score


def _rewards(document: Any) -> Iterator[tuple[str, float]]:
    """tau-bench's results without the conversations, a row a trial."""
    for row in document if isinstance(document, list) else ():
        task, score = label(mapping(row).get("task_id")), _score(mapping(row).get("reward"))
        if task and score is not None and not {"traj", "messages"} & row.keys():
            yield f"{task}#{row.get('trial') or 0}", score


def _score(value: Any) -> float | None:
    try:
        score = float(value)
    except (TypeError, ValueError):
        return None
    return score if not isinstance(value, bool) and math.isfinite(score) and 0 <= score <= 1 else None


def _the_one(given: list[Verdict], path: str) -> Verdict | None:
    """The verdict that counts: all say the same, or one run's name stands in the log's path; else none."""
    if len({item.score for item in given}) == 1:
        return given[0]
    parts = set(Path(path).parts)
    near = [item for item in given if _own_parts(item.path, given) & parts]
    return near[0] if near and len({item.score for item in near}) == 1 else None


def _own_parts(path: Path, given: list[Verdict]) -> set[str]:
    """The folders above a verdict that not all of them share: the run and the model."""
    common = set.intersection(*(set(item.path.parts) for item in given))
    return {part for part in path.parent.parts if part not in common and len(part) >= LEAST_PART}
