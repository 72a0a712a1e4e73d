"""Sessions to tasks, one session after the other: what each segment became, and why.

A check is believed where it was seen to fail on the files that the segment began with and to pass on those the log
ended with, by the grader of the domain. Whatever else is not as it should be is a reason, and there is no task.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trace2skill.core.errors import BadInput, Trace2SkillError
from trace2skill.domains import load_domain
from trace2skill.domains.base import Sandboxed
from trace2skill.domains.shell.trees import RepositoryTree, add_to_pack
from trace2skill.mined.base import Base
from trace2skill.mined.begin_tree import BeginTree, begin_tree
from trace2skill.mined.beginning import Beginning, beginning
from trace2skill.mined.checks import checks_of, names
from trace2skill.mined.parts import Parts, abouts
from trace2skill.mined.replay import Done, replayed
from trace2skill.mined.repository import SourceRepository
from trace2skill.mined.requests import accepted
from trace2skill.mined.shown import shown
from trace2skill.mined.start import Begun, begun
from trace2skill.mined.task import MinedCheck, MinedSegment
from trace2skill.mined.trial import MISSING, PACK, Trial
from trace2skill.mined.work import CHANGES
from trace2skill.sandbox import Sandbox
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.types.trajectory import Outcome, Trajectory

log = logging.getLogger(__name__)


class Mined(NamedTuple):
    """What is said of a segment, and the row of the task it became, if it did, with the tree that it begins in."""

    segment: MinedSegment
    row: dict[str, Any] | None
    beginning: Beginning = Beginning()
    tree: RepositoryTree | None = None
    what: str = ""
    """What its check looks at, in words."""
    expected: Mapping[str, str] = {}
    """Files that are to be as they are here, where that is what its check compares."""
    question: str = ""
    """Names the question that it answers, where it is a task of that."""


class Miner:
    """Mines sessions. One object mines many; of them it keeps the trees alone that it read last."""

    def __init__(self, sandbox: Sandbox, repositories: Mapping[str, SourceRepository] | None = None) -> None:
        self._sandbox = sandbox
        self._repositories = repositories or {}
        self._domain = load_domain("shell")
        if isinstance(self._domain, Sandboxed):
            self._domain.use_sandbox(lambda: sandbox)

    def mine(self, trajectory: Trajectory, outcomes: Mapping[str, Outcome]) -> list[Mined]:
        """What each segment of a session became.

        Args:
            trajectory: the session as it was read, without secrets.
            outcomes: how its segments ended, by their ids.

        Whatever else a log makes go wrong costs the tasks of its own session, and stands in their reasons.

        Raises:
            InfrastructureFault: the sandbox could not start.
        """
        try:
            return self._mined(trajectory, outcomes)
        except Trace2SkillError:
            raise
        except Exception as error:  # a log is anybody's: the other sessions are mined
            log.warning("%s cannot be mined", trajectory.id, exc_info=error)
            why = f"it cannot be mined ({type(error).__name__})"
            return [Mined(item.model_copy(update={"why": why}), None) for item in abouts(trajectory, outcomes)]

    def _mined(self, trajectory: Trajectory, outcomes: Mapping[str, Outcome]) -> list[Mined]:
        """By what the log holds, and where that is too little for a segment, in the tree that it began in."""
        parts = Parts(trajectory, outcomes)
        start = begun(parts.there)
        alone = self._segments(parts, start)
        done = any(item.kind in CHANGES for item in parts.work)  # then it may be the work of a task in its repository
        if not self._repositories or all(item.row for item in alone) or (all(map(self._hopeless, alone)) and not done):
            return alone
        said = shown(trajectory, parts.work, parts.here, parts.root)
        at = begin_tree(self._repositories, said, parts.root, hints(trajectory, parts.root))
        if isinstance(at, str):
            return [item if item.row else item._replace(segment=_and(item.segment, at)) for item in alone]
        within = Parts(trajectory, outcomes, at)
        there = self._segments(within, _but_in(begun(within.there), at))
        return [one if one.row else other for one, other in zip(alone, there, strict=True)]

    def _hopeless(self, item: Mined) -> bool:
        """Did nobody ask for anything, or nobody do anything, so that no tree would make it a task?"""
        return item.row is None and item.segment.why.startswith(HOPELESS)

    def _segments(self, parts: Parts, start: Begun) -> list[Mined]:
        at, again = parts.at, parts.again
        base = Base(at.tree, at.inside) if at else None
        done = replayed(start.files, again, parts.root, self._sandbox, base) if again else []
        made = []
        for number, (item, why) in enumerate(zip(parts.about, parts.whys, strict=True)):
            request, there = parts.requests[number], _shown(number, done, start)
            if why or number >= len(done):
                why = why or "what came before it does not run here"
                told = beginning(request, there, _before(number, parts, done, there), in_tree=at is not None)
                made.append(Mined(item.model_copy(update={"why": why}), None, told))
                continue
            changed = {one.path for share in again[: number + 1] for one in share if one.kind in CHANGES}
            lost = {
                path: how for path, how in start.unknown.items() if path in changed or names(request, path, there=True)
            }
            given = (item, request, again[number], done[number], lost, parts.repository, parts.root)
            tried = self._tried(Trial(*given, accepted=accepted(parts.segments, number), at=at))
            told = beginning(request, there, _changed_by(done[number]), in_tree=at is not None)
            made.append(tried._replace(beginning=told, tree=at.tree if at else None))
        return made

    def _tried(self, trial: Trial) -> Mined:
        """Try the checks of a segment, the strongest first."""
        if why := trial.odd:
            return Mined(trial.refused(why), None)
        if trial.done.before == trial.done.after:
            return Mined(trial.refused("nothing is changed by it, as far as the log tells"), None)
        told: list[str] = []
        found: MinedCheck | None = None
        for check in checks_of(
            trial.request, trial.work, trial.done.told, trial.done.before, trial.done.after, trial.root, trial.tree
        ):
            if isinstance(check, str):
                told.append(check)
                continue
            row = trial.row(check)
            check, why = self._verified(row, check, trial.emptied, trial.tree)
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
            kind = "in-repository" if trial.tree else "self-contained"
            made = trial.about.model_copy(update={**passes, "replayable": kind, "task": trial.about.id})
            expected = {path: raw for path in check.files if (raw := trial.done.after.get(path)) is not None}
            texts = {path: raw.decode("utf-8", "replace") for path, raw in expected.items()}
            return Mined(made, row, what=check.what, expected=texts)
        refused = trial.refused("; ".join(dict.fromkeys(told)))
        if found is not None and found.fails_at_start and not trial.lacks:
            refused = refused.model_copy(update={"check": found.kind, "check_passes": found.passes_at_end})
        return Mined(refused, None)

    def _verified(
        self, row: dict[str, Any], check: MinedCheck, emptied: Mapping[str, bytes], tree: RepositoryTree | None
    ) -> tuple[MinedCheck, str]:
        """The check with what it said, and in words what speaks against it.

        One that passes where nothing is in any file that was changed decides over nothing.
        """
        with scratch_directory(prefix="t2s-mined-task-") as directory:
            path = Path(directory) / "task.jsonl"
            path.write_text(json.dumps(row) + "\n", encoding="utf-8")
            if tree is not None:
                add_to_pack(path.with_name(PACK), tree)
            try:
                (task,) = self._domain.load(path)
            except BadInput as error:
                return check, str(error).partition(": ")[2]
            audit = self._domain.audit(task)
            tried = audit.verdict == "usable" and check.kind != "state" and bool(emptied)
            vacuous = tried and self._domain.grade(task, emptied).hard >= 1.0
        if vacuous:
            why = f"{check.what}: also where the files that were changed are empty"
            return check.model_copy(update={"fails_at_start": False}), why
        if audit.verdict == "passes_untouched":
            return check.model_copy(update={"fails_at_start": False}), f"{check.what}: also where nothing was done"
        passes = audit.verdict == "usable"
        lacks = MISSING.search(audit.reason)  # its other words may be others the next time
        why = "" if passes else f"{check.what}: not where the log ended{f' ({lacks[0]})' if lacks else ''}"
        return check.model_copy(update={"fails_at_start": True, "passes_at_end": passes}), why


HOPELESS = ("it has no request", "nothing was changed or run", "it was taken back", "its request", "the person was not")


def hints(trajectory: Trajectory, root: str) -> str:
    """What may name the repository that a session worked in."""
    git = trajectory.extra.get("git")
    remote = git.get("repository_url") if isinstance(git, dict) else ""
    return f"{trajectory.task_id} {root} {remote or ''}"


def _and(segment: MinedSegment, why: str) -> MinedSegment:
    """The segment with why its repository does not help, where it needs one."""
    if segment.replayable != "needs-repository" and "the log does not hold" not in segment.why:
        return segment
    return segment.model_copy(update={"replayable": "needs-repository", "why": f"{why}; {segment.why}"})


def _but_in(start: Begun, at: BeginTree) -> Begun:
    """What it began with besides the tree: what that does not have, or had been changed already."""
    files = {path: text for path, text in start.files.items() if path not in at.tree or path in at.kept}
    return Begun(files, {path: why for path, why in start.unknown.items() if path not in at.tree})


def _changed_by(done: Done) -> dict[str, bytes]:
    return {path: raw for path, raw in done.before.items() if done.after.get(path) != raw}


def _before(number: int, parts: Parts, done: Sequence[Done], there: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that a segment changed, as they were, where it is not tried: as far as its log and its tree tell."""
    if number < len(done) and not done[number].ended:
        return _changed_by(done[number])
    *earlier, changed = ({item.path for item in share if item.kind in CHANGES} for share in parts.all[: number + 1])
    tree = parts.at.tree if parts.at else None
    found = {path: there.get(path, tree.read(path) if tree else None) for path in changed.difference(*earlier)}
    return {path: raw for path, raw in found.items() if raw is not None}


def _shown(number: int, done: Sequence[Done], start: Begun) -> dict[str, bytes]:
    """The files that a segment began with, as far as the log shows; of one that was not done again, of the first."""
    if number < len(done) and not done[number].ended:
        return done[number].before
    return {path: text.encode("utf-8", "replace") for path, text in start.files.items()} if not number else {}
