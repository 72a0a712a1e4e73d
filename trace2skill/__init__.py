"""trace2skill: reads what an agent did and writes down what it should know next time.

Floor 1 of the project: plain functions over frozen pydantic models. Nothing here imports Prefect; the flows and tasks
that order and observe these functions live beside this package in a checkout.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("trace2skill")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
