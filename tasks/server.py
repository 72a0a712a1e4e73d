"""The Prefect server: is the one there that the settings name, and is one of our own out of the way of signals?"""

import subprocess
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import httpx
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY, PREFECT_API_URL

from trace2skill.core.errors import BadInput
from trace2skill.safety.redaction import Redactor

PATIENCE_SECONDS, LOOK_FOR_SECONDS = 5.0, 1.0


def check_server() -> None:
    """Refuse a Prefect server that is not there or does not let us in, in one line and before anything is done.

    A server that answers anything else is left to Prefect: it may be slow.

    Raises:
        BadInput: nothing answers at the address, or it wants another password or key than the environment has.
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
    if _shut_out(url):
        raise BadInput(
            f"the Prefect server at {Redactor().text(url)} does not take the password or key of this environment: "
            "set PREFECT_API_AUTH_STRING=USER:PASSWORD as the server has it, or PREFECT_API_KEY"
        )


def wait_for_server(seconds: float, say: Callable[[float], None]) -> str:
    """Wait until the Prefect server that the settings name answers; returns its address, fit to be shown.

    Args:
        seconds: how long at most; a server that was just started needs up to half a minute, and more the first time.
        say: called about once a second with the seconds waited so far, first when it is clear that there is a wait.

    Raises:
        BadInput: no server is named, none has answered in time, what answers is none, or it does not let us in.
    """
    url, began = PREFECT_API_URL.value(), time.monotonic()
    if not url:
        raise BadInput(
            "no Prefect server is named, and deployments live on one that stays: start it (`prefect server start`), "
            "then `export PREFECT_API_URL=http://127.0.0.1:4200/api`"
        )
    shown = Redactor().text(url)
    while problem := _not_ready(url):
        waited = time.monotonic() - began
        say(waited)
        if waited >= seconds:
            raise BadInput(
                f"no Prefect server answers at {shown} after {seconds:g} s ({problem}): start it (`prefect server "
                "start`) or see its log; --wait gives it longer"
            )
        time.sleep(min(1.0, max(0.0, seconds - waited)))
    check_server()
    return shown


class _InItsOwnGroup:
    """The module `subprocess` for whoever starts the server: it is no member of our process group."""

    Popen = staticmethod(partial(subprocess.Popen, process_group=0))

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)


def keep_signals_from_server() -> None:
    """Let Ctrl-C reach this process and not the server that Prefect starts for it.

    A terminal signals the whole group. With its server gone first, Prefect waits for an answer that never comes.
    Prefect ends the server with the process, and so does `cli.stop`.
    """
    if PREFECT_API_URL.value():
        return
    prefect_server = import_module("prefect.server.api.server")  # it takes seconds, which a lasting server saves
    prefect_server.subprocess = _InItsOwnGroup()  # type: ignore[attr-defined]


def _asked(url: str) -> str:
    """What keeps it from being reached, '' where it answers."""
    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=PATIENCE_SECONDS)
    except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError) as error:
        return str(error)
    except httpx.HTTPError:
        return ""
    return ""


def _not_ready(url: str) -> str:
    """Why a server does not answer yet, '' where it does.

    Raises:
        BadInput: it never will: the address is none, or is that of something else.
    """
    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=PATIENCE_SECONDS)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError) as error:
        raise BadInput(f"PREFECT_API_URL={Redactor().text(url)} is no address: {error}") from error
    except httpx.HTTPError as error:
        return str(error) or type(error).__name__
    if answer.is_server_error:
        return f"HTTP {answer.status_code}"
    if answer.is_success and answer.text.strip() != "true":
        raise BadInput(f"what answers at {Redactor().text(url)} is no Prefect API, whose address ends with /api")
    return ""


def _shut_out(url: str) -> bool:
    """Does it refuse what Prefect's client will send? `/health` is open to all, so something else is asked for."""
    password, key = PREFECT_API_AUTH_STRING.value(), PREFECT_API_KEY.value()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    user, _, secret = (password or "").partition(":")
    try:
        answer = httpx.get(
            f"{url.rstrip('/')}/admin/version",
            headers=headers,
            auth=httpx.BasicAuth(user, secret) if password else None,
            timeout=PATIENCE_SECONDS,
        )
    except httpx.HTTPError:
        return False
    return answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
