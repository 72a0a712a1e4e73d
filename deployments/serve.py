"""Every deployment of prefect.yaml on this machine, without a work pool: `make serve`.

Flow runs are processes of this one; Ctrl-C ends it. Schedules hold as long as it runs.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from prefect import serve
from prefect.deployments.runner import RunnerDeployment

from deployments.declared import FILE, ROOT, declared
from tasks.results import BLOCK_NAME, StoreResults

FOR_RUNS = {
    "PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK": f"trace2skill-results/{BLOCK_NAME}",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "trace2skill",
}


def deployments(file: Path = FILE) -> list[RunnerDeployment]:
    """What the file declares, as deployments that a process serves."""
    made: list[RunnerDeployment] = [item.flow.to_deployment(**item.shown) for item in declared(file)]
    return made


if __name__ == "__main__":
    os.chdir(ROOT)
    os.environ.update(FOR_RUNS)  # flow runs are processes that inherit it
    StoreResults.register_type_and_schema()
    StoreResults().save(BLOCK_NAME, overwrite=True)
    serve(*deployments())
