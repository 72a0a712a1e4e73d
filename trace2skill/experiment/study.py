"""What opens and closes an experiment: its id, its runtimes, what it measured, and its files."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.limits import CHARS_PER_TOKEN
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput, Trace2SkillError
from trace2skill.core.failures import Failure
from trace2skill.core.forms import as_text, as_value
from trace2skill.evaluation.conditions import Condition as Scored
from trace2skill.experiment.conditions import Padded
from trace2skill.experiment.definition import Experiment, TestSet
from trace2skill.experiment.grid import (
    Arm,
    ArmResult,
    ExperimentSettings,
    arms_of,
    condition_of,
    learning_settings,
    scoring_settings,
    seeds_of,
    uses,
)
from trace2skill.experiment.reading import read_experiment
from trace2skill.experiment.result import ExperimentResult, MeasuredArm, Opening
from trace2skill.llm.checks import check_model
from trace2skill.runs import batching
from trace2skill.runs.closing import keep_support
from trace2skill.runs.distill import Distilled
from trace2skill.runs.held_out import keep_evaluations, open_test, seen_before
from trace2skill.runs.preflight import check
from trace2skill.runs.refresh import end, spent
from trace2skill.runs.run_progress import ProgressFile, RunProgress
from trace2skill.runs.runtime import Runtime, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.skills.skill import write_skill
from trace2skill.store import RunRow
from trace2skill.types.evaluation import Evaluation
from trace2skill.versions.registry import Registry, Version


class Study:
    """An experiment under way, in one process."""

    def __init__(self, how: ExperimentSettings) -> None:
        self.how = how
        self.experiment: Experiment = read_experiment(how.file, small=how.small)
        self.arms: list[Arm] = arms_of(self.experiment)
        self._opened: dict[str, tuple[list[str], Opening | None]] = {}
        self.run_id = self._id()

    @property
    def lead(self) -> Runtime:
        """The runtime that stands for the whole: its run's row, costs, progress file and directory are everyone's."""
        return runtime(self.learning(self.arms[0]))

    @property
    def directory(self) -> Path:
        """Where the tables are written."""
        return self.how.output / self.run_id

    def learning(self, arm: Arm) -> RunSettings:
        """The settings of an arm's steps."""
        return learning_settings(self.experiment, self.how, arm, self.run_id)

    def scoring(self, user: str, tested: TestSet) -> RunSettings:
        """The settings under which a user is scored on a set."""
        return scoring_settings(self.experiment, self.how, user, tested, self.run_id)

    def columns(self) -> list[tuple[str, TestSet]]:
        """Every user with every set."""
        return [(user, tested) for tested in self.experiment.sets for user in self.experiment.user_names]

    def all_settings(self) -> list[RunSettings]:
        """The settings of every part."""
        learning = [self.learning(arm) for arm in self.arms]
        return [*learning, *(self.scoring(user, tested) for user, tested in self.columns())]

    def users_of(self, arms: Sequence[ArmResult], user: str) -> list[Scored]:
        """The arms that are scored with a user's agent."""
        return [item.scored_as for item in arms if uses(self.experiment, item.arm, user)]

    def tasks_of(self, tested: TestSet) -> list[str]:
        """The tasks of a set. Sealed ones are opened once for the run; a rerun of it is the same opening.

        Raises:
            BadInput: a task of the set is one that lessons come from.
        """
        if tested.name not in self._opened:
            self._opened[tested.name] = self._open(tested)
        return self._opened[tested.name][0]

    def preview(self, tested: TestSet) -> list[str]:
        """The tasks of a set without opening anything: for an estimate, which looks at no outcome."""
        rt = runtime(self.scoring(self.experiment.user_names[0], tested))
        every = {"validation": rt.splits.validation, "test": rt.splits.test, "all": tuple(rt.tasks)}[tested.split]
        seen = seen_before(rt, rt.given_skill)
        learned = {self.lead.task(task).content for task in self.lead.splits.evolve}
        taught = [task for task in every if rt.task(task).content in learned]
        if taught:
            raise BadInput(
                f"{self.how.file}: sets: '{tested.name}' holds {len(taught)} tasks that lessons come from, first "
                f"'{taught[0]}': give it other data, or leave `data` out and name a split"
            )
        return [task for task in every if task not in seen]

    def _open(self, tested: TestSet) -> tuple[list[str], Opening | None]:
        tasks = self.preview(tested)
        if tested.split == "validation":
            return tasks, None
        rt = runtime(self.scoring(self.experiment.user_names[0], tested))
        number = open_test(rt, tested.why, self.run_id)
        return tasks, Opening(set=tested.name, number=number, why=tested.why)

    @property
    def openings(self) -> tuple[Opening, ...]:
        """The sealed sets that were opened."""
        return tuple(opening for _, opening in self._opened.values() if opening)

    def _id(self) -> str:
        """Names the run by what it computes: definition, skill and tasks."""
        learning = [learning_settings(self.experiment, self.how, arm) for arm in self.arms]
        scoring = [scoring_settings(self.experiment, self.how, user, tested) for user, tested in self.columns()]
        parts = [*learning, *scoring]
        by_data = {
            (item.data.domain, item.data.path, item.data.tasks, item.data.splits): item for item in reversed(parts)
        }
        runtimes = [runtime(settings) for settings in by_data.values()]
        contents = sorted({task.content for rt in runtimes for task in rt.tasks.values()})
        given = runtime(
            by_data[learning[0].data.domain, learning[0].data.path, learning[0].data.tasks, learning[0].data.splits]
        ).given_skill
        grid = self.experiment.model_dump(
            mode="json", include={"name", "sets", "seeds", "conditions", "ablations", "transfer"}
        )
        identity = [item.identity for item in parts]
        return "experiment-" + digest_of("experiment 1", grid, identity, contents, given and given.digest)[:10]


def start(how: ExperimentSettings, flow_run: str = "") -> Study:
    """Open an experiment: read the file, check every model, and write the run's row.

    Raises:
        BadInput: the file, the data, a skill or a model is not as it must be.
    """
    study = Study(how)
    for settings in study.all_settings():
        rt = runtime(settings)
        rt.begin("experiment")
        check(rt)
        rt.keep_division()
    for condition in study.experiment.conditions:
        if condition.kind == "reasoning_bank" and condition.bank.embedding:
            check_model(condition.bank.embedding)
    lead = study.lead
    if lead.given_skill is not None:
        lead.store.put("skill", lead.given_skill.digest, lead.given_skill)
    lead.store.start_run(RunRow(id=study.run_id, kind="experiment", settings=as_text(how)))
    first = RunProgress(run_id=study.run_id, kind="experiment", settings=as_value(how), flow_run=flow_run)
    progress = ProgressFile(study.directory, first, lambda: lead.store.ledger_total(study.run_id).cost)
    for settings in study.all_settings():
        runtime(settings).progress = progress
    return study


def lead_settings(how: ExperimentSettings) -> RunSettings:
    """The settings of the runtime that stands for an experiment."""
    study = Study(how)
    return study.learning(study.arms[0])


def keep_arm(study: Study, found: ArmResult) -> ArmResult:
    """Keep what came of an arm: for the estimate of the next run, as a version, and as a directory to look at."""
    rt, arm = study.lead, found.arm
    skill = rt.skill(found.skill)
    if skill is not None:
        found = found.model_copy(update={"tokens": len(skill.body) // CHARS_PER_TOKEN})
        write_skill(skill, study.directory / "skills" / slug(arm) / skill.name)
    rt.store.put("arm", f"{study.run_id} {arm.name}", found)
    if (
        skill is not None
        and arm.author
        and condition_of(study.experiment, arm).kind not in ("padded", "reasoning_bank")
    ):
        author = study.experiment.models[arm.author].analyst.name
        version = Version(name=skill.name, skill=skill.digest, run_id=rt.run_id, state="candidate", author=author)
        if skill.digest not in {item.skill for item in Registry(rt.store).versions(skill.name)}:
            Registry(rt.store).record(skill, version)
    return found


def length_of(study: Study, arm: Arm, made: Mapping[Arm, ArmResult]) -> str:
    """Digest of the skill whose length an arm takes, '' where it takes none.

    Raises:
        BadInput: that skill could not be made.
    """
    condition = condition_of(study.experiment, arm)
    if not isinstance(condition, Padded):
        return ""
    other = made.get(Arm(condition=condition.like, author=arm.author))
    if other is None or other.skill is None:
        raise BadInput(f"'{condition.like}' by {arm.author} was not made, whose length it takes")
    return other.skill


def arm_failed(study: Study, arm: Arm, error: Trace2SkillError) -> Failure:
    """An arm that could not be made, written down where `trace2skill failures` finds it."""
    failure = Failure(stage="arms", name=arm.name, kind=type(error).__name__, message=str(error), of=len(study.arms))
    if study.lead.progress:
        study.lead.progress.failed([failure])
    return failure


def known_arm(study: Study, arm: Arm) -> ArmResult | None:
    """What came of an arm in an earlier run, where the store knows."""
    return study.lead.store.get("arm", f"{study.run_id} {arm.name}", ArmResult)


def keep_votes(rt: Runtime, candidate: Candidate, distilled: Distilled) -> None:
    """Write down who asked for each line of a skill, as a refresh does."""
    base, skill = rt.skill(candidate.base), rt.skill(candidate.skill)
    if base is not None and skill is not None:
        keep_support(rt, base, skill, candidate, distilled)


def slug(arm: Arm) -> str:
    """An arm's name as that of a directory."""
    return "-".join("".join(c if c.isalnum() else " " for c in arm.name.lower()).split())


def keep_scores(
    study: Study, user: str, tested: TestSet, arms: Sequence[ArmResult], scored: Sequence[Evaluation]
) -> list[MeasuredArm]:
    """Keep what was measured, for `trace2skill transfer` too, and say which arm each evaluation is of."""
    keep_evaluations(runtime(study.scoring(user, tested)), scored, tested.split)
    of = {item.arm.name: item.arm for item in arms}
    return [MeasuredArm(arm=of[item.condition], user=user, set=tested.name, evaluation=item) for item in scored]


def broken_cells(measured: Sequence[MeasuredArm]) -> list[Failure]:
    """Runs without a score, by name: infrastructure errors, which are no zeros."""
    found = []
    for item in measured:
        for cell in item.evaluation.cells:
            if cell.outcome == "infrastructure_error":
                name = f"{item.arm.name}, used by {item.user} on {item.set}: {cell.task_id} seed {cell.seed}"
                message = "it has no score; `trace2skill failures` says why"
                whole = len(item.evaluation.cells)
                found.append(Failure(stage="score", name=name, kind="infrastructure_error", message=message, of=whole))
    return found


def finish(
    study: Study, arms: Sequence[ArmResult], measured: Sequence[MeasuredArm], failures: Sequence[Failure]
) -> ExperimentResult:
    """Put the result together, write the tables, and close the run."""
    from trace2skill.experiment.pages import write_pages

    experiment, rt = study.experiment, study.lead
    batching.settle(rt, wait=True)
    result = ExperimentResult(
        run_id=study.run_id,
        experiment=experiment,
        simulated=experiment.simulated,
        tasks={"evolve": len(rt.splits.evolve)} | {item.name: len(study.tasks_of(item)) for item in experiment.sets},
        seeds={item.name: len(seeds_of(experiment, item)) for item in experiment.sets},
        arms=tuple(arms),
        measured=tuple(measured),
        openings=study.openings,
        failures=(*failures, *broken_cells(measured)),
        spent=spent(rt),
        directory=study.directory,
    )
    write_pages(rt.store, result)
    counts = Counter(failure.stage for failure in result.failures)
    words = ", ".join(f"{stage} {count}" for stage, count in sorted(counts.items()))
    end(rt, "completed", as_text(result), f"without {words}, which failed" if words else "")
    return result
