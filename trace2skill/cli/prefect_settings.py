"""Prefect's settings for runs started from the command line. Environment variables, set before Prefect is imported.

Whatever the user has set stays as it is.
"""

import os

QUIET = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}
LEAN = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_WRAP_LINES": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "DO_NOT_TRACK": "1",
}


def quiet() -> None:
    """Keep Prefect's own log off the terminal; the progress display says what happens."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)


def lean() -> None:
    """No telemetry, and patience with the first start of an ephemeral server, which migrates its database."""
    for name, value in LEAN.items():
        os.environ.setdefault(name, value)
