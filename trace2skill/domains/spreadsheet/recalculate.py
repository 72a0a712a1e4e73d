"""Calculating formulas with LibreOffice, where it is installed: one that nobody calculated reads as empty.

It opens what a model left, so it runs in the sandbox, whatever sandbox the run has: without a network, with the one
workbook and nothing of the host in reach, under limits of time and memory. Where bubblewrap does not work, nothing is
calculated.
"""

import io
import logging
import os
import shlex
import shutil
import threading
import time
from functools import cache
from pathlib import Path
from typing import Literal

import openpyxl

from trace2skill.core.errors import BadInput, InfrastructureFault
from trace2skill.domains.spreadsheet.reading import Unreadable
from trace2skill.sandbox import Access, Limits, safe_read
from trace2skill.sandbox.bubblewrap import Bubblewrap, works
from trace2skill.sandbox.tree import scratch_directory

log = logging.getLogger(__name__)
Mode = Literal["auto", "always", "never"]
LIMITS = Limits(wall_seconds=60, cpu_seconds=15, memory_mb=1024, file_mb=64, workspace_mb=256)
QUICK_SECONDS = 20
"""A machine on which a workbook of one formula takes longer is too busy to say anything of another one."""
SYSTEM = Path("/usr")
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>{mode}</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>1</value></prop>
</item></oor:items>
"""
"""Formulas of a workbook that is loaded: 0 all, 1 those without a stored result. Links to other files: never."""
_slots = threading.BoundedSemaphore(max(1, os.cpu_count() or 1))


def effective(mode: Mode) -> bool:
    """Will outputs be recalculated here? Says once where they will not be though they might.

    Raises:
        BadInput: 'always', and LibreOffice is not installed or cannot be run in the sandbox.
    """
    if mode == "never":
        return False
    missing = _missing()
    if missing and mode == "always":
        raise BadInput(f"formulas cannot be recalculated: {missing}; or use --recalculate auto")
    if missing:
        _say_once(missing)
    return not missing


def recalculated(content: bytes, *, everything: bool = False) -> bytes:
    """The workbook with its formulas calculated. Stored results stay as they are, unless `everything` is calculated.

    Raises:
        Unreadable: LibreOffice cannot calculate it within 15 s of computing and a gigabyte, though it can others.
        InfrastructureFault: this machine is too busy now, or LibreOffice does not work on it.
    """
    for _ in range(2):
        found, said, stopped = _calculated(content, everything)
        if found is not None:
            return found
        began = time.monotonic()
        probe, why, _ = _calculated(_one_formula(), False)
        if probe is None or time.monotonic() - began > QUICK_SECONDS:
            raise InfrastructureFault(f"LibreOffice does not work on this machine now: {why or 'it takes too long'}")
        if not stopped:
            break  # it ended by itself or had its share of computing; the time on the clock is looked at twice
    raise Unreadable(f"LibreOffice cannot calculate it within limits: {said or 'it ended without a result'}")


def _calculated(content: bytes, everything: bool) -> tuple[bytes | None, str, bool]:
    """The workbook or None, what LibreOffice said, and whether the clock stopped it."""
    program = _soffice()
    if program is None:
        raise InfrastructureFault("LibreOffice is not installed any more")
    with _slots, scratch_directory(prefix="t2s-office-") as directory:
        workspace = Path(directory)
        (workspace / "book.xlsx").write_bytes(content)
        (workspace / "profile/user").mkdir(parents=True)
        settings = SETTINGS.format(mode=0 if everything else 1)
        (workspace / "profile/user/registrymodifications.xcu").write_text(settings, encoding="utf-8")
        command = [program, "-env:UserInstallation=file:///workspace/profile", "--headless", "--norestore"]
        command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", "out", "book.xlsx"]
        result = Bubblewrap().run(
            shlex.join(command), workspace, limits=LIMITS, access=Access(visible=_visible(program))
        )
        found = safe_read(workspace, "out/book.xlsx", LIMITS.file_mb * 2**20) if not result.stopped else None
        return found, (result.stopped or result.output.strip())[-200:], result.stopped == "time"


@cache
def _one_formula() -> bytes:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "=1+2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@cache
def _soffice() -> str | None:
    return shutil.which("soffice") or shutil.which("libreoffice")


def _visible(program: str) -> tuple[Path, ...]:
    """Where it is installed, if that is not part of the system, which the sandbox has anyway."""
    folders = {Path(program).parent, Path(program).resolve().parent.parent}
    return tuple(sorted(folder for folder in folders if not folder.is_relative_to(SYSTEM)))


def _missing() -> str:
    """Why formulas cannot be calculated here, '' where they can."""
    if _soffice() is None:
        return "LibreOffice is not installed (apt install libreoffice-calc)"
    return works() and f"LibreOffice runs in the sandbox only, and {works()}"


@cache
def _say_once(missing: str) -> None:
    log.warning("formulas are graded by their cached values: %s", missing)
