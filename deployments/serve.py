"""Every deployment of prefect.yaml on this machine, without a work pool: `make serve`.

Flow runs are processes of this one; Ctrl-C ends it. Schedules hold as long as it runs. The deployments have names of
their own (`nightly-refresh-served`), so that those of workers on the same server stay as they are.
"""

import os
import sys
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from prefect import serve
from prefect.deployments.runner import RunnerDeployment

from deployments.declared import FILE, ROOT, declared
from tasks.deployed import SERVED, VARIABLE
from tasks.results import BLOCK_NAME, saved_block

FOR_RUNS = {
    "PREFECT_RESULTS_DEFAULT_STORAGE_BLOCK": f"trace2skill-results/{BLOCK_NAME}",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "trace2skill",
    VARIABLE: SERVED,
}


def deployments(file: Path = FILE) -> list[RunnerDeployment]:
    """What the file declares, as deployments that a process serves."""
    served = [(item.flow, {**item.shown, "name": f"{item.name}{SERVED}"}) for item in declared(file)]
    return [cast(RunnerDeployment, flow.to_deployment(**shown)) for flow, shown in served]


if __name__ == "__main__":
    os.chdir(ROOT)
    os.environ.update(FOR_RUNS)  # flow runs are processes that inherit it
    saved_block()
    serve(*deployments())
