"""Sessions to tasks, one session after the other: what each segment became, and why.

A check is believed where it was seen to fail on the files that the segment began with and to pass on those the log
ended with, by the grader of the domain. Whatever else is not as it should be is a reason, and there is no task.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.domains import load_domain
from trace2skill.domains.base import Sandboxed
from trace2skill.domains.shell.workspace import RESERVED
from trace2skill.mined.checks import checks_of, written
from trace2skill.mined.replay import Done, does_something, moved, replayed
from trace2skill.mined.requests import accepted, request_of, why_not
from trace2skill.mined.start import MOST_TEXT, begun, placed, root_of
from trace2skill.mined.task import MinedCheck, MinedSegment
from trace2skill.mined.work import CHANGES, Operation, work_of
from trace2skill.sandbox import Sandbox
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.traces.segments import segmented
from trace2skill.types.trajectory import Outcome, Trajectory

MOST_FILES = 200
MOST_SEGMENTS = 40
"""So many segments of a session are done again: each may take a minute."""
MISSING = re.compile(
    r"No module named '?[\w.]+|[\w./-]{1,80}: command not found|No such file or directory|not a git repository"
)
"""What says best why a command does not run here. Other words of it may be others the next time."""
INSTANCE = re.compile(r"[\w.-]{1,60}__[\w.-]{1,60}-\d{1,9}")
"""A task of SWE-bench: its repository stands in no log."""
IN_A_REPOSITORY = re.compile(r"(?:\A|[\s;&|(])git (?:status|diff|log|add|commit|checkout|clone|stash|show|branch)\b")


class Mined(NamedTuple):
    """What is said of a segment, and the row of the task it became, if it did."""

    segment: MinedSegment
    row: dict[str, Any] | None


class _Repository(Record):
    """What a log says of the repository it worked in."""

    there: bool = False
    commit: str = ""


class Miner:
    """Mines sessions. One object mines many; it holds nothing of them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._domain = load_domain("shell")
        if isinstance(self._domain, Sandboxed):
            self._domain.use_sandbox(lambda: sandbox)

    def mine(self, trajectory: Trajectory, outcomes: Mapping[str, Outcome]) -> list[Mined]:
        """What each segment of a session became.

        Args:
            trajectory: the session as it was read, without secrets.
            outcomes: how its segments ended, by their ids.

        Raises:
            InfrastructureFault: the sandbox could not start.
        """
        parts = segmented(trajectory)
        work = work_of(trajectory)
        bounds = [part.extra["segment"]["first"] if len(parts) > 1 else 1 for part in parts]
        shares = [
            [item for item in work if first <= item.step < last]
            for first, last in zip(bounds, [*bounds[1:], len(trajectory.steps) + 1], strict=True)
        ]
        root, repository = root_of(trajectory, work), _repository_of(trajectory, work)
        about = [_about(trajectory, part, outcomes.get(part.id, part.outcome)) for part in parts]
        requests = [moved(request_of(part), root).replace("/workspace/", "") for part in parts]
        whys = [
            why_not(trajectory, part, request, share, number, parts)
            for number, (part, request, share) in enumerate(zip(parts, requests, shares, strict=True))
        ]
        whys = [why or ("it comes after too many others" if n >= MOST_SEGMENTS else "") for n, why in enumerate(whys)]
        if all(whys):
            return [Mined(item.model_copy(update={"why": why}), None) for item, why in zip(about, whys, strict=True)]
        last = max(number for number, why in enumerate(whys[:MOST_SEGMENTS]) if not why)
        there, odd = placed([item for share in shares[: last + 1] for item in share], root)
        if odd:
            return [
                Mined(item.model_copy(update={"why": why or odd}), None) for item, why in zip(about, whys, strict=True)
            ]
        start = begun(there)
        ends = [*bounds[1:], len(trajectory.steps) + 1]
        again = [
            [item for item in there if first <= item.step < end and does_something(item)]
            for first, end in zip(bounds[: last + 1], ends, strict=False)
        ]
        done = replayed(start.files, again, root, self._sandbox)
        made = []
        for number, (item, why) in enumerate(zip(about, whys, strict=True)):
            if why or number >= len(done):
                item = item.model_copy(update={"why": why or "what came before it does not run here"})
                made.append(Mined(item, None))
            else:
                given = (item, requests[number], again[number], done[number], start.unknown, repository, root)
                trial = _Trial(*given, accepted=accepted(parts, number))
                made.append(self._tried(trial))
        return made

    def _tried(self, trial: "_Trial") -> Mined:
        """Try the checks of a segment, the strongest first."""
        if why := trial.odd:
            return Mined(trial.refused(why), None)
        if trial.done.before == trial.done.after:
            return Mined(trial.refused("nothing is changed by it, as far as the log tells"), None)
        told: list[str] = []
        found: MinedCheck | None = None
        for check in checks_of(
            trial.request, trial.work, trial.done.told, trial.done.before, trial.done.after, trial.root
        ):
            if isinstance(check, str):
                told.append(check)
                continue
            row = trial.row(check)
            check, why = self._verified(row, check)
            found = check if found is None or check.fails_at_start else found
            if not check.believed:
                told.append(why)
                if check.fails_at_start:
                    break  # it is a check, and what the log ended with does not pass it
                continue
            passes = {"check": check.kind, "check_passes": True}
            if why := trial.not_accepted(check):
                told.append(why)
                found = None if check.kind == "state" and trial.about.outcome != "failed" else check
                break
            made = trial.about.model_copy(update={**passes, "replayable": "self-contained", "task": trial.about.id})
            return Mined(made, row)
        refused = trial.refused("; ".join(dict.fromkeys(told)))
        if found is not None and found.fails_at_start and not trial.lacks:
            refused = refused.model_copy(update={"check": found.kind, "check_passes": found.passes_at_end})
        return Mined(refused, None)

    def _verified(self, row: dict[str, Any], check: MinedCheck) -> tuple[MinedCheck, str]:
        """The check with what it said, and in words what speaks against it."""
        with scratch_directory(prefix="t2s-mined-task-") as directory:
            path = Path(directory) / "task.jsonl"
            path.write_text(json.dumps(row) + "\n", encoding="utf-8")
            try:
                (task,) = self._domain.load(path)
            except BadInput as error:
                return check, str(error).partition(": ")[2]
            audit = self._domain.audit(task)
        if audit.verdict == "passes_untouched":
            return check.model_copy(update={"fails_at_start": False}), f"{check.what}: also where nothing was done"
        passes = audit.verdict == "usable"
        why = "" if passes else f"{check.what}: not where the log ended ({' '.join(audit.reason.split())[-200:]})"
        return check.model_copy(update={"fails_at_start": True, "passes_at_end": passes}), why


class _Trial:
    """A segment that is tried: what it asks, what was done, and what it needs."""

    def __init__(
        self,
        about: MinedSegment,
        request: str,
        work: Sequence[Operation],
        done: Done,
        unknown: Mapping[str, str],
        repository: _Repository,
        root: str,
        *,
        accepted: bool,
    ) -> None:
        self.about, self.request, self.work, self.done, self.root = about, request, work, done, root
        self._unknown, self._repository, self._accepted = unknown, repository, accepted

    @property
    def odd(self) -> str:
        """Why it cannot be tried, '' where it can."""
        if self.done.ended:
            return "its work does not run to its end in the sandbox"
        if any(Path(path).parts[0] in RESERVED for path in (*self.done.before, *self.done.after)):
            return "a file has a name that is ours"
        if any(_not_text(raw) for raw in self.done.before.values()):
            return "it begins with files that are no text"
        sizes = [len(raw) for raw in (*self.done.before.values(), *self.done.after.values())]
        return "its files are too large or too many" if len(sizes) > MOST_FILES or sum(sizes) > MOST_TEXT else ""

    def row(self, check: MinedCheck) -> dict[str, Any]:
        """The task as a line of a data set of the domain."""
        return {
            "id": self.about.id,
            "prompt": self.request,
            "files": {path: raw.decode("utf-8") for path, raw in sorted(self.done.before.items())},
            "check": check.script,
            "solution": _solution(self.done),
            "kind": check.kind,
        }

    def not_accepted(self, check: MinedCheck) -> str:
        """Why what the log ended with is not to be taken for right, though its check passes; '' where it is."""
        if self.about.outcome == "failed":
            return f"it failed ({self.about.source}): what it ended with is not right"
        if check.kind != "state" or self.about.outcome == "passed" or self._accepted:
            return ""
        return "nobody says that what it ended with is right"

    def refused(self, why: str) -> MinedSegment:
        """The segment as one that became no task: for want of its repository, where that is why."""
        lacks = self.lacks
        if not lacks:
            return self.about.model_copy(update={"why": why})
        said = f"{lacks}; {why}"
        if not self._repository.there:
            return self.about.model_copy(update={"why": said})
        needs = {"replayable": "needs-repository", "commit": self._repository.commit, "why": said}
        return self.about.model_copy(update=needs)

    @cached_property
    def lacks(self) -> str:
        """What the log does not hold of what the work needs, in words."""
        if self._unknown:
            path, why = next(iter(self._unknown.items()))
            more = f" (and {len(self._unknown) - 1} more files)" if len(self._unknown) > 1 else ""
            return f"the log does not hold {path}: {why}{more}"
        for item, became in zip(self.work, self.done.told, strict=True):
            if item.kind == "run" and item.worked and became.exit_code != (item.exit_code or 0):
                told = MISSING.search(became.said)
                how = told[0] if told else f"exit code {became.exit_code}" if became.exit_code else became.did
                return f"`{' '.join(item.command.split())[:80]}` does not end here as in the log ({how})"
            if item.kind in CHANGES and became.did != "done":
                return f"{item.path} cannot be changed as in the log ({became.did})"
        return ""


def _about(whole: Trajectory, part: Trajectory, outcome: Outcome) -> MinedSegment:
    return MinedSegment(
        id=part.id,
        session=whole.id,
        task_id=whole.task_id,
        parent=whole.parent,
        outcome=outcome.kind,
        source=outcome.source,
    )


def _repository_of(trajectory: Trajectory, work: Sequence[Operation]) -> _Repository:
    told = trajectory.extra.get("git")
    commit = str(told.get("commit_hash") or "") if isinstance(told, dict) else ""
    there = bool(told or trajectory.extra.get("gitBranch"))
    there = there or any(IN_A_REPOSITORY.search(item.command) for item in work)
    there = there or bool(INSTANCE.fullmatch(trajectory.task_id))
    return _Repository(there=there, commit=commit if re.fullmatch(r"[0-9a-f]{7,40}", commit) else "")


def _not_text(raw: bytes) -> bool:
    try:
        return "\0" in raw.decode("utf-8")
    except UnicodeDecodeError:
        return True


def _solution(done: Done) -> str:
    """A script that leaves what the log ended with."""
    gone = sorted(done.before.keys() - done.after.keys())
    lines = [f"rm -f -- '{path}'" for path in gone if "'" not in path]
    lines += [written(path, raw) for path, raw in sorted(done.after.items()) if done.before.get(path) != raw]
    return "\n".join([*lines, ""])


def start_of(row: Mapping[str, Any]) -> str:
    """Names what a task begins with, '' where that is nothing: equal beginnings are one input."""
    return digest_of(row["files"]) if row["files"] else ""
