"""Every deployment of prefect.yaml on this machine, without a work pool: `make serve`.

Flow runs are processes of this one; Ctrl-C ends it. Schedules hold as long as it runs.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from prefect import serve
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron
from ruamel.yaml import YAML

from tasks.results import BLOCK_NAME, StoreResults

ROOT = Path(__file__).resolve().parents[1]
FOR_RUNS = {
    "PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK": f"trace2skill-results/{BLOCK_NAME}",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "trace2skill",
}


def deployments() -> list[RunnerDeployment]:
    """What prefect.yaml declares, as deployments that a process serves."""
    declared = YAML(typ="safe").load((ROOT / "deployments" / "prefect.yaml").read_text(encoding="utf-8"))
    return [_served(item) for item in declared["deployments"]]


def _served(item: dict[str, Any]) -> RunnerDeployment:
    path, _, function = item["entrypoint"].partition(":")
    flow = getattr(import_module(path.removesuffix(".py").replace("/", ".")), function)
    limit = item.get("concurrency_limit")
    deployment: RunnerDeployment = flow.to_deployment(
        name=item["name"],
        description=item["description"],
        tags=item["tags"],
        parameters=item.get("parameters", {}),
        schedules=[Cron(one["cron"], timezone=one["timezone"]) for one in item.get("schedules", [])],
        concurrency_limit=ConcurrencyLimitConfig(**limit) if limit else None,
    )
    return deployment


if __name__ == "__main__":
    os.chdir(ROOT)
    os.environ.update(FOR_RUNS)  # flow runs are processes that inherit it
    StoreResults.register_type_and_schema()
    StoreResults().save(BLOCK_NAME, overwrite=True)
    serve(*deployments())
