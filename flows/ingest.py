"""Flow `ingest`: logs of agents to a candidate skill, without a model."""

from prefect import flow, unmapped
from prefect.artifacts import create_markdown_artifact

from tasks.gather import gather
from tasks.ingest import mine
from trace2skill import ingest as run
from trace2skill.ingest import IngestSettings
from trace2skill.ingest_summary import IngestSummary, as_markdown


@flow(name="ingest", flow_run_name="ingest {settings.analyst}")
def ingest(settings: IngestSettings) -> IngestSummary:
    """Read what is new, mine each trajectory, and write the candidate; nothing is promoted."""
    intake = run.start(settings)
    futures = mine.map(unmapped(settings), list(intake.taken))
    mined = gather(None, "mine", futures, [item.id for item in intake.taken], settings.max_failed_share)
    summary = run.finish(settings, intake, mined.results, mined.failures)
    create_markdown_artifact(as_markdown(summary), key="ingest-summary", description=summary.run_id)
    return summary
