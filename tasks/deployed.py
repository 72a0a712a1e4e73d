"""Names of our deployments, as the code that starts one asks for them.

Those that a process serves have names of their own: they would else take over those of the same name that workers carry
out, with their pull steps and job variables, and pause them when the process ends.
"""

import os

VARIABLE = "TRACE2SKILL_DEPLOYED_AS"
"""Set for the runs of deployments that have such names."""
SERVED = "-served"


def deployment_name(flow: str) -> str:
    """The deployment of a flow of that name, of the kind that the run around the caller belongs to."""
    return f"{flow}/{flow}{os.environ.get(VARIABLE, '')}"
