"""The deployments in Python, for whoever does not like YAML: edit this file and run it once per change.

    python deployments/deploy.py

They go to the process work pool `trace2skill`, as `prefect deploy --all` would put them there. The settings are
checked here, when this file runs, and not at three in the morning.
"""

import os
from pathlib import Path
from typing import Any

from prefect import deploy
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow
from prefect.schedules import Cron, Schedule

from tasks.results import BLOCK_NAME, StoreResults
from trace2skill.experiment.grid import ExperimentSettings
from trace2skill.llm import ModelSettings, Roles
from trace2skill.runs.ingest import IngestSettings
from trace2skill.runs.sections import DataSettings
from trace2skill.runs.settings import RunSettings

ROOT = Path(__file__).resolve().parents[1]
POOL = "trace2skill"
SETTINGS = RunSettings(
    data=DataSettings(
        path=Path("examples/office"), skill=Path("examples/skills/office-workbooks"), recalculate="never"
    ),
    models=Roles.all_played_by(ModelSettings(name="sim/office")),
)
INGEST = IngestSettings(paths=(Path("logs"),))
EXPERIMENT = ExperimentSettings(file=Path("experiments/office.yaml"))
CANCEL = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
WAIT = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)
ENVIRONMENT = {
    "PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK": f"trace2skill-results/{BLOCK_NAME}",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "trace2skill",
}


def deployments() -> list[RunnerDeployment]:
    """What is deployed, and when it runs."""
    settings = {"settings": _given(SETTINGS)}
    night = Cron("0 3 * * *", timezone="Europe/Berlin")
    sunday = Cron("0 13 * * 0", timezone="Europe/Berlin")
    return [
        _deployed("flows/refresh.py:refresh", "nightly-refresh", settings, schedule=night, limit=CANCEL),
        _deployed("flows/drift.py:drift_watch", "drift-watch", settings, schedule=sunday, limit=WAIT),
        _deployed("flows/ingest.py:ingest", "ingest", {"settings": _given(INGEST)}, limit=WAIT),
        _deployed("flows/experiment.py:experiment", "experiment", {"settings": _given(EXPERIMENT)}, limit=WAIT),
        _deployed("flows/approval.py:approval_deadline", "approval-deadline"),
        _deployed("flows/shard.py:shard", "shard"),
    ]


def _given(settings: Any) -> dict[str, Any]:
    """Only what is set above: what is left at its default follows the version that runs."""
    given: dict[str, Any] = settings.model_dump(mode="json", exclude_unset=True)
    return given


def _deployed(
    entrypoint: str,
    name: str,
    parameters: dict[str, Any] | None = None,
    *,
    schedule: Schedule | None = None,
    limit: ConcurrencyLimitConfig | None = None,
) -> RunnerDeployment:
    flow: Any = Flow.from_source(source=str(ROOT), entrypoint=entrypoint)
    deployment: RunnerDeployment = flow.to_deployment(
        name=name,
        parameters=parameters or {},
        tags=["trace2skill"],
        schedule=schedule,
        concurrency_limit=limit,
        work_pool_name=POOL,
        job_variables={"env": ENVIRONMENT},
    )
    return deployment


if __name__ == "__main__":
    os.chdir(ROOT)
    StoreResults.register_type_and_schema()
    StoreResults().save(BLOCK_NAME, overwrite=True)
    deploy(*deployments(), work_pool_name=POOL)
