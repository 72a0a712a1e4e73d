"""The deployments of prefect.yaml, put on the server by Python.

    python deployments/deploy.py [FILE]

They go where `prefect deploy --all` would put them. The settings are checked here, when this file runs, and not at
three in the morning.
"""

import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from prefect import deploy
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import Flow

from deployments.declared import FILE, ROOT, Declared, declared
from tasks.results import BLOCK_NAME, StoreResults

POOL = "trace2skill"


def deployments(file: Path = FILE) -> list[RunnerDeployment]:
    """What the file declares, as deployments that a worker carries out."""
    return [_deployed(item) for item in declared(file)]


def _deployed(item: Declared) -> RunnerDeployment:
    flow: Any = Flow.from_source(source=str(ROOT), entrypoint=item.entrypoint)
    deployment: RunnerDeployment = flow.to_deployment(
        **item.shown,
        work_pool_name=item.work_pool.get("name", POOL),
        job_variables=item.work_pool.get("job_variables", {}),
    )
    return deployment


if __name__ == "__main__":
    os.chdir(ROOT)
    StoreResults.register_type_and_schema()
    StoreResults().save(BLOCK_NAME, overwrite=True)
    deploy(*deployments(*map(Path, sys.argv[1:2])), work_pool_name=POOL)
