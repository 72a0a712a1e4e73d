"""Runs that wait for a person's approval, and carrying the answer out where the run itself no longer can.

A run that waits holds no place among the runs of its deployment. Where another one has it when the answer comes, or the
server has lost the run, the answer is carried out over the store: by the next run, or by a command. Twice is once.
"""

from trace2skill.core.errors import BadInput
from trace2skill.core.forms import as_text, from_text_or_none
from trace2skill.core.record import Record
from trace2skill.runs.closing import write_pages
from trace2skill.runs.promotion import Approval, question_key, settled
from trace2skill.runs.report import write_report
from trace2skill.runs.run_progress import end_later, read_progress
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.summary import RunSummary
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.store.rows import RunRow
from trace2skill.versions.places import place_of
from trace2skill.versions.registry import Registry, Version


class WaitingRun(Record):
    """A run whose candidate won and which waits for a yes or a no. `flow_run` is '' where none is known."""

    settings: RunSettings
    summary: RunSummary
    flow_run: str

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.summary.run_id

    @property
    def champion(self) -> str:
        """Digest of the champion that the candidate has beaten."""
        return self.summary.evaluations[0].skill or ""

    @property
    def question(self) -> str:
        """The key of what was asked."""
        return question_key(self.summary.candidate.skill, self.champion)


def waiting_runs(store: Store) -> list[WaitingRun]:
    """Every run of a store that waits, oldest first."""
    rows = (store.run(head.id) for head in store.run_heads() if head.state == "waiting")
    found = (_waiting(row) for row in rows if row is not None)
    return [item for item in found if item is not None]


def waiting_run(store: Store, run_id: str) -> WaitingRun:
    """The run of that id.

    Raises:
        BadInput: there is none that waits.
    """
    for item in waiting_runs(store):
        if item.run_id == run_id:
            return item
    row = store.run(run_id)
    said = f"it is {row.state}" if row else "there is no such run in the store"
    raise BadInput(f"run '{run_id}' waits for no approval: {said}. `trace2skill status` lists runs")


def carry_out(store: Store, waiting: WaitingRun, approval: Approval) -> RunSummary:
    """Promote or not, as the person said, and close the run. Returns its summary as it is now.

    A candidate whose champion has been replaced since is not promoted: it was compared with another one.

    Raises:
        BadInput: the skill or its directory is not there, or the directory cannot be written.
    """
    settings, summary = waiting.settings, waiting.summary
    skill, registry = store.get("skill", summary.candidate.skill, Skill), Registry(store)
    if skill is None or settings.data.skill is None:
        raise BadInput(f"the store no longer has the candidate of {waiting.run_id}: start the run again")
    place = place_of(settings.data.skill, store.beside)
    if place.read() is None:
        raise BadInput(f"there is no skill at {place}: answer in the directory that the run was started in")
    registry.take_over(skill.name, place)
    version = Version(
        name=skill.name,
        skill=skill.digest,
        parent=summary.candidate.base,
        run_id=waiting.run_id,
        state="candidate",
        decision=summary.decision,
        author=settings.models.analyst.name,
    )
    rival = settled(registry, settings, place, skill, version, waiting.champion, approval)
    words = approval.in_words()
    if rival is not None:
        words += f"; not promoted, since {rival[:12]} has become champion meanwhile: run again to compare with it"
    done = summary.model_copy(update={"approval": words, "promoted": registry.is_by(skill, waiting.run_id)})
    pages = settings.operation.output / waiting.run_id
    if pages.is_dir():
        write_pages(done, pages)
        write_report(store, done, settings, pages)
    store.finish_run(waiting.run_id, "completed", as_text(done))
    end_later(settings.operation.output, waiting.run_id, "completed", f"{summary.decision.reason}; {words}")
    return done


def _waiting(row: RunRow) -> WaitingRun | None:
    settings, summary = from_text_or_none(row.settings, RunSettings), from_text_or_none(row.summary, RunSummary)
    if settings is None or summary is None or not summary.evaluations:
        return None
    try:
        flow_run = read_progress(settings.operation.output, row.id).flow_run
    except BadInput:
        flow_run = ""
    return WaitingRun(settings=settings, summary=summary, flow_run=flow_run)
