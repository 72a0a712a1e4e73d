"""Tasks whose reference an analyst holds to be wrong: they are listed for a person, and after two verdicts left out.

A verdict is one trajectory's: that its agent did what was asked, and that the expected result contradicts the request.
Two of one task, of different trajectories and from earlier runs, are enough to leave it out of evolution until a person
has mended it; a task that was mended is another content, of which nothing has been said.
"""

from collections.abc import Sequence

from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.stored import stored
from trace2skill.types.lesson import Extraction
from trace2skill.types.references import Extracted

ENOUGH = 2


class Dispute(Record, form="Dispute", version=1):
    """One analyst's verdict that the expected result of a task contradicts its request."""

    task_id: str
    task: str
    """Digest of the task, its expected result included."""
    trajectory_id: str
    run_id: str
    why: str


def keep_disputes(rt: Runtime, analysed: Sequence[Extracted]) -> tuple[Dispute, ...]:
    """The verdicts of a run, kept in the store. One that an earlier run has kept stays that run's."""
    found: dict[str, Dispute] = {}
    for item in analysed:
        if item.verdict != "reference" or item.log or item.task_id not in rt.tasks:
            continue
        said = Dispute(
            task_id=item.task_id,
            task=rt.task(item.task_id).content,
            trajectory_id=item.trajectory_id,
            run_id=rt.run_id,
            why=stored(rt, "extraction", item.content, Extraction).reason,
        )
        key = digest_of(said.task, said.trajectory_id)
        found[key] = rt.store.get("dispute", key, Dispute) or said
    rt.store.put_all(("dispute", key, said) for key, said in found.items())
    return tuple(found[key] for key in sorted(found, key=lambda key: (found[key].task_id, key)))


def disputed_before(rt: Runtime) -> dict[str, str]:
    """The tasks of which earlier runs said so often enough, and why. This run's own verdicts do not count.

    So a run that goes on, or is made again, has the tasks it had.
    """
    content = {rt.task(id).content: id for id in rt.splits.evolve}
    said: dict[str, list[str]] = {}
    for item in rt.store.all_of("dispute", Dispute):
        if item.run_id != rt.run_id and item.task in content:
            said.setdefault(content[item.task], []).append(item.why)
    return {
        task: f"{len(why)} analyses say that its expected result contradicts the request: {why[-1]}"
        for task, why in said.items()
        if len(why) >= ENOUGH
    }
