"""Is the Prefect server there that the settings name?"""

import time

import httpx
from prefect.settings import PREFECT_API_URL

from trace2skill.core.errors import BadInput
from trace2skill.safety.redaction import Redactor

PATIENCE_SECONDS, LOOK_FOR_SECONDS = 5.0, 1.0


def check_server() -> None:
    """Refuse a Prefect server that is not there, in one line and before anything is done.

    A server that answers anything at all is left to Prefect: it may be slow, or want a key.

    Raises:
        BadInput: nothing answers at the address.
    """
    url = PREFECT_API_URL.value()
    if not url:
        return
    deadline = time.monotonic() + LOOK_FOR_SECONDS
    while (problem := _asked(url)) and time.monotonic() < deadline:
        time.sleep(0.25)
    if problem:
        raise BadInput(
            f"no Prefect server answers at {Redactor().text(url)} ({problem}): start it (`prefect server start`), "
            "or unset PREFECT_API_URL, and the run has a server of its own"
        )


def _asked(url: str) -> str:
    """What keeps it from being reached, '' where it answers."""
    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=PATIENCE_SECONDS)
    except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError) as error:
        return str(error)
    except httpx.HTTPError:
        return ""
    return ""
