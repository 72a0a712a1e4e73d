"""Recalculating formulas with LibreOffice, when it is installed: a formula nobody calculated reads as empty."""

import logging
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Literal

from trace2skill.core.errors import BadInput
from trace2skill.domains.spreadsheet.workbook import has_uncached_formulas

log = logging.getLogger(__name__)
Mode = Literal["auto", "always", "never"]
TIME_LIMIT_SECONDS = 120


def effective(mode: Mode) -> bool:
    """Will outputs be recalculated here? Says once where they will not be though they might.

    Raises:
        BadInput: 'always', and LibreOffice is not installed.
    """
    if mode == "never":
        return False
    if _soffice() is not None:
        return True
    if mode == "always":
        raise BadInput("LibreOffice is not installed: apt install libreoffice-calc, or use --recalculate auto")
    _say_once()
    return False


def recalculated(content: bytes) -> bytes:
    """The workbook with its formulas calculated, where it has formulas without a value; else as it is.

    Each call has a LibreOffice profile of its own, so that calls may run at once. Where LibreOffice fails, the workbook
    comes back as it was and is graded by its cached values.
    """
    program = _soffice()
    if program is None or not has_uncached_formulas(content):
        return content
    with tempfile.TemporaryDirectory(prefix="t2s-office-") as directory:
        folder = Path(directory)
        (folder / "in").mkdir()
        source = folder / "in" / "book.xlsx"
        source.write_bytes(content)
        command = [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--norestore"]
        command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out"), str(source)]
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=TIME_LIMIT_SECONDS)
            return (folder / "out" / "book.xlsx").read_bytes()
        except (subprocess.SubprocessError, OSError) as error:
            log.warning("LibreOffice could not recalculate an output (%s): graded by its cached values", error)
            return content


@cache
def _soffice() -> str | None:
    return shutil.which("soffice") or shutil.which("libreoffice")


@cache
def _say_once() -> None:
    log.warning(
        "LibreOffice is not installed: formulas are graded by their cached values (Debian package libreoffice-calc)"
    )
