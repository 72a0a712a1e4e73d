"""Prefect's settings for runs started from the command line. Environment variables, set before Prefect is imported.

Whatever the user has set stays as it is.
"""

import os
import time

from trace2skill.core.errors import BadInput
from trace2skill.safety.redaction import Redactor

PATIENCE_SECONDS, LOOK_FOR_SECONDS = 5.0, 1.0
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


def check_server() -> None:
    """Refuse a Prefect server that is not there, in one line. Called once Prefect is imported and knows its settings.

    Raises:
        BadInput: nothing answers at the address.
    """
    import httpx
    from prefect.settings import PREFECT_API_URL

    url = PREFECT_API_URL.value()
    if not url:
        return
    deadline = time.monotonic() + LOOK_FOR_SECONDS
    while True:
        try:
            httpx.get(f"{url.rstrip('/')}/health", timeout=PATIENCE_SECONDS)
            return
        except httpx.ConnectError as error:
            problem = str(error)
        except httpx.HTTPError as error:  # it is there, and slow or of a kind of its own: Prefect is to judge
            if not isinstance(error, httpx.UnsupportedProtocol):
                return
            problem = str(error)
        except (httpx.InvalidURL, ValueError) as error:
            problem = str(error)
        if time.monotonic() >= deadline:
            raise BadInput(
                f"no Prefect server answers at {Redactor().text(url)} ({problem}): start it (`prefect server start`), "
                "or unset PREFECT_API_URL, and the run has a server of its own"
            )
        time.sleep(0.25)
