"""Tasks mined from the sessions of logs: a folder of tasks, and what is said of every segment.

Sessions are read and mined one by one, and what they became waits in a file: the memory that is used goes with the
number of segments, by a line of words each. Sessions that are forks or parts of one another, or of one task, are one
family; tasks of one family, and those that may be the same work (`mined_twins`), are one group, which no split divides.
"""

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import not_
from pathlib import Path
from typing import IO, Any

from pydantic import Field

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput
from trace2skill.core.record import Record
from trace2skill.core.swap import swap_in, trial
from trace2skill.domains.questions.dataset import QUESTIONS
from trace2skill.domains.shell.dataset import TASKS
from trace2skill.domains.shell.evals import TaskInWords, write_evals
from trace2skill.domains.shell.trees import add_to_pack
from trace2skill.mined import MinedSegment, Miner
from trace2skill.mined.repository import RepositoryAddress, opened
from trace2skill.mined.trial import PACK
from trace2skill.runs.mined_questions import PREFIX, MetQuestions, mark_of
from trace2skill.runs.mined_twins import Families, MetSegment, Twins
from trace2skill.runs.reading_progress import ReadingProgress
from trace2skill.runs.sources import Sources
from trace2skill.safety.redaction import Redactor, redacted
from trace2skill.sandbox import Sandbox
from trace2skill.sandbox.tree import scratch_directory
from trace2skill.traces import ReadFile, read_paths
from trace2skill.traces.answered import Answered
from trace2skill.traces.claude import files_kept
from trace2skill.traces.outcomes import labelled, read_labels
from trace2skill.traces.own_format import reader_for
from trace2skill.traces.segments import segmented
from trace2skill.traces.stores import files_of
from trace2skill.traces.verdicts import Verdicts, verdicts_for
from trace2skill.types.trajectory import Trajectory

REPORT, PACKS = "mined.json", "trees*.zip"
FILES = {"shell": TASKS, "questions": QUESTIONS}
"""By domain, the file of its tasks."""
NAMED = 5


class MinedTasks(Record):
    """What came of mining logs."""

    segments: tuple[MinedSegment, ...]
    groups: int = Field(default=0, description="Groups of tasks: so many can be told apart by a division.")
    groups_of: dict[str, int] = Field(default_factory=dict, description="The same by the domain of the tasks.")
    problems: int = Field(default=0, exclude_if=not_, description="Lines and files that could not be read.")
    first_problems: tuple[str, ...] = Field(default=(), exclude_if=not_)

    @property
    def tasks(self) -> tuple[MinedSegment, ...]:
        """Those that became tasks."""
        return tuple(item for item in self.segments if item.task)

    @property
    def counts(self) -> dict[str, int]:
        """Segments by how replayable they are."""
        return dict(sorted(Counter(item.replayable for item in self.segments).items()))

    @property
    def checks(self) -> dict[str, int]:
        """Tasks by their check."""
        return dict(sorted(Counter(item.check for item in self.tasks).items()))

    @property
    def tried(self) -> int:
        """Segments with a check that could be tried."""
        return sum(item.check_passes is not None for item in self.segments)

    def tasks_of(self, domain: str) -> int:
        """So many tasks are of that domain."""
        return sum(domain_of(item) == domain for item in self.tasks)

    def agreement_on(self, outcome: str) -> tuple[int, int]:
        """The same as `agreement`, of those alone that ended so by their log: `passed` or `failed`."""
        both = [item for item in self.segments if item.check_passes is not None and item.outcome == outcome]
        return sum(item.check_passes == (outcome == "passed") for item in both), len(both)

    @property
    def agreement(self) -> tuple[int, int]:
        """Of the segments with a check that could be tried and a verdict of their log: how often both say the same."""
        (right, passed), (wrong, failed) = self.agreement_on("passed"), self.agreement_on("failed")
        return right + wrong, passed + failed

    @property
    def counted(self) -> dict[str, object]:
        """How many checks could be tried, and how many agree with a verdict, also of passes and failures apart."""
        agreed, both = self.agreement
        apart = {
            outcome: dict(zip(("agree", "with_verdict"), self.agreement_on(outcome), strict=True))
            for outcome in ("passed", "failed")
        }
        return {"tried": self.tried, "agree": agreed, "with_verdict": both, **apart}


def mine(
    sources: Sources, sandbox: Sandbox, to: Path | None, repositories: Sequence[RepositoryAddress] = ()
) -> MinedTasks:
    """Mine tasks from logs, and write them to a folder, with what became of the rest in `mined.json`.

    `tasks.jsonl` has those of the domain `shell`, `questions.jsonl` those of `questions`; each is there where it has
    any.

    Tasks that begin in a repository have its tree in `trees-DIGEST.zip` beside them. Such files of an earlier mining
    stay: a run that still works on its tasks reads them.

    Args:
        sources: the logs, their format and labels.
        sandbox: where the work of the logs is done again.
        to: a new or empty folder, or one that was mined before, which is replaced as a whole; None writes nothing.
        repositories: those that sessions may have begun in.

    Raises:
        BadInput: a path, the labels or the format is not what it should be, the folder is somebody else's, or a
            repository is none.
        InfrastructureFault: the sandbox could not start.
    """
    check_folder(to)
    there = opened(repositories)
    verdicts = verdicts_for(files_of(sources.paths), read_labels(sources.labels) if sources.labels else None)
    reader = reader_for(sources.format) if sources.format else None
    with tempfile.TemporaryFile("w+", encoding="utf-8") as waiting, scratch_directory(prefix="t2s-trees-") as aside:
        mining = _Mining(Miner(sandbox, there), verdicts, waiting, Path(aside) / PACK if to else None)
        with files_kept():
            readings = read_paths(sources.paths, mining, reader=reader, aside=verdicts.files)
        if not mining.segments:
            first = f": {readings.problems[0]}" if readings.problems else ""
            raise BadInput(f"no session was found in {', '.join(map(str, sources.paths[:NAMED]))}{first}")
        mining.settle()
        groups = mining.groups()
        problems = tuple(Redactor().text(str(problem)) for problem in readings.problems[:NAMED])
        found = MinedTasks(
            segments=tuple(mining.segments),
            groups=len(set(groups.values())),
            groups_of={
                domain: len({groups[item.task] for item in mining.segments if item.task and domain_of(item) == domain})
                for domain in FILES
            },
            problems=readings.counts.get("problem", 0),
            first_problems=problems,
        )
        if to is not None:
            swap_in(to, lambda folder: _write(folder, mining, found, sources.name, to))
    return found


def domain_of(segment: MinedSegment) -> str:
    """The domain of the task that a segment became."""
    return "questions" if segment.check == "answer" else "shell"


def check_folder(to: Path | None) -> None:
    """See that a folder may be written.

    Raises:
        BadInput: it holds something else than mined tasks, or cannot be made.
    """
    if to is None:
        return
    if to.exists() and not (to.is_dir() and ((to / REPORT).is_file() or not any(to.iterdir()))):
        raise BadInput(f"{to} holds something else than mined tasks: name a new folder")
    try:
        trial(to)
    except OSError as error:
        raise BadInput(f"{to} cannot be written ({error.strerror or error}): name another folder") from error


@dataclass
class _Mining(ReadingProgress):
    """Takes what is read, and mines it."""

    miner: Miner
    verdicts: Verdicts
    waiting: IO[str]
    trees: Path | None
    """Where the trees wait that tasks begin in; None where nothing is written."""
    segments: list[MinedSegment] = field(default_factory=list)
    families: Families = field(default_factory=Families)
    seen: list[MetSegment] = field(default_factory=list)
    known: dict[str, MinedSegment] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.questions = MetQuestions(self.families)

    def answered(self, trajectory_id: str, found: Callable[[], Answered]) -> None:
        """See `Taker`."""
        self.questions.next_ones[trajectory_id] = found

    def take(self, trajectory: Trajectory, file: ReadFile, number: int) -> None:
        """See `Taker`."""
        del number
        outcomes = {part.id: labelled(part, self.verdicts, file.path).outcome for part in segmented(trajectory)}
        clean, redactor = redacted(trajectory)
        for other in filter(None, (trajectory.parent, f"task {trajectory.task_id}")):
            self.families.unite(trajectory.id, other)
        found = self.questions.tried(clean, self.miner.mine(clean, outcomes), redactor, _log_of(file))
        for item, row, beginning, tree, what, expected, question in found:
            told = {"format": file.format, "file": redactor.text(file.name), "why": redactor.text(item.why)}
            segment = item.model_copy(update=told)
            if row is not None:
                segment = self._kept(segment, row, what, expected, question)
            if segment.task and tree is not None and self.trees is not None and "tree" in (row or {}):
                add_to_pack(self.trees, tree)
            self.segments.append(segment)
            self.seen.append(MetSegment(segment.session, beginning, bool(segment.task)))

    def settle(self) -> None:
        """When all is read: take back what logs do not agree on."""
        settled = self.questions.settled(self.segments, self.seen)
        self.segments, self.seen = [item for item, _ in settled], [met for _, met in settled]

    def groups(self) -> dict[str, str]:
        """By task, its group: the family of its session, with those in which the same work was done."""
        twins = Twins(self.families, self.seen, self.questions.heard)
        return {item.task: twins.group_of(item.session) for item in self.segments if item.task}

    @cached_property
    def pack(self) -> str:
        """The name of the file of trees, which says what it holds; '' where there are none."""
        if self.trees is None or not self.trees.exists():
            return ""
        with self.trees.open("rb") as file:
            return f"trees-{hashlib.file_digest(file, 'sha256').hexdigest()[:12]}.zip"

    def rows(self, domain: str) -> Iterator[TaskInWords]:
        """The tasks of a domain, with their groups and all sessions that may show how they are done."""
        tasks = {item.task for item in self.segments if item.task and domain_of(item) == domain}
        twins = Twins(self.families, self.seen, self.questions.heard)
        sessions = twins.sessions()
        self.waiting.seek(0)
        for line in self.waiting:
            kept = json.loads(line)
            row, session = kept["row"], kept["session"]
            if row["id"] not in tasks:
                continue
            group = twins.group_of(session)
            met = [id for id in sessions[group] if not id.startswith(PREFIX)]
            ids = sorted({row["id"], session, *(id.removeprefix("task ") for id in met)})
            group_mark = mark_of(sessions[group] if domain == "questions" else (), group)
            whole = {**row, "group": group_mark, "sessions": ids}
            whole |= {"tree": {**row["tree"], "pack": self.pack}} if "tree" in row else {}
            yield TaskInWords(whole, kept["what"], kept["expected"])

    def _kept(
        self, segment: MinedSegment, row: dict[str, Any], what: str, expected: Mapping[str, str], question: str
    ) -> MinedSegment:
        """The segment as a task, unless there is one already that asks the same, of the same files."""
        tree = row["tree"]["tree"] if "tree" in row else ""
        same = question or digest_of(" ".join(row["prompt"].split()), row["files"], *([tree] if tree else []))
        first = self.known.setdefault(same, segment)
        if first is not segment:
            self.families.unite(first.session, segment.session)
            why = f"it asks what {first.task} asks" + ("" if question else ", of the same files")
            return segment.model_copy(update={"task": "", "why": why})
        beside = {"session": segment.session, "what": what, "expected": expected}
        self.waiting.write(json.dumps({"row": row, **beside}) + "\n")
        return segment


def _log_of(file: ReadFile) -> str:
    """Names the log that a file is, or that it is a part of: of a trace store every trace is a file."""
    return file.path.rpartition("/")[0] if "://" in file.path else file.path


def _write(folder: Path, mining: _Mining, found: MinedTasks, name: str, before: Path) -> None:
    for domain, file in FILES.items():
        if found.tasks_of(domain):
            lines = (json.dumps(task.row, ensure_ascii=False) + "\n" for task in mining.rows(domain))
            (folder / file).write_text("".join(lines), encoding="utf-8")
    if found.tasks_of("shell"):
        write_evals(folder, name, mining.rows("shell"))
    for old in sorted(before.glob(PACKS)):
        shutil.copyfile(old, folder / old.name, follow_symlinks=False)
    if mining.trees is not None and mining.pack:
        shutil.copyfile(mining.trees, folder / mining.pack)
    told = {"counts": found.counts, "checks": found.checks, **found.counted, **found.model_dump(mode="json")}
    (folder / REPORT).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
