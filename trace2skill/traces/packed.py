"""The first bytes of a file, and files that must be unfolded before they are read: gzip, Zstandard, text in UTF-16.

What they unfold to is bounded, and stands in a temporary file that goes with the source that asked for it.
"""

import gzip
import os
import tempfile
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
WIDE = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
WIDE_BARE = {b"{\0": "utf-16-le", b"[\0": "utf-16-le", b"\0{": "utf-16-be", b"\0[": "utf-16-be"}
MOST_UNFOLDED = 4 * 2**30
MOST_RATIO = 500
CHUNK = 2**20


def first_bytes(path: Path, most: int) -> bytes:
    """The first bytes of a file, so many at most."""
    with open(path, "rb", buffering=0) as file:  # many files are small: to make room for so many costs more than them
        state = os.fstat(file.fileno())
        if S_ISREG(state.st_mode) and state.st_size:
            return file.read(min(state.st_size, most))
        return BufferedReader(file).read(most)


def is_packed(start: bytes) -> bool:
    """Are these the first bytes of a file that must be unfolded?"""
    return start.startswith((GZIP, ZSTD, b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")) or start[:2] in WIDE_BARE


def unpack(path: Path) -> "tempfile._TemporaryFileWrapper[bytes]":
    """What the file unfolds to, in a temporary file that is deleted when it is let go of.

    Raises:
        ValueError: it is damaged, unfolds into too much, or is compressed in a way that cannot be read.
    """
    unfolded = tempfile.NamedTemporaryFile(prefix="t2s-log-")  # noqa: SIM115 - it lives as long as the source
    size, most = 0, max(path.stat().st_size, 1) * MOST_RATIO + CHUNK
    try:
        for chunk in _chunks(path):
            size += len(chunk)
            if size > min(most, MOST_UNFOLDED):
                raise ValueError(f"it unfolds to more than {size - len(chunk)} bytes: not opened further")
            unfolded.write(chunk)
        unfolded.flush()
        unfolded.seek(0)
        if is_packed(unfolded.read(4)):  # UTF-16 that was compressed
            return unpack(Path(unfolded.name))
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeError) as error:
        unfolded.close()
        raise ValueError(f"damaged: {error}") from error
    except ValueError:
        unfolded.close()
        raise
    return unfolded


def unzipped_zstd(raw: bytes, most: int) -> bytes:
    """What the bytes of a zip's member unfold to that is compressed with Zstandard (method 93).

    Raises:
        ValueError: damaged, or more than `most` bytes.
    """
    from trace2skill.store.foreign import zstd_text

    with tempfile.NamedTemporaryFile(prefix="t2s-member-", suffix=".zst") as packed:
        packed.write(raw)
        packed.flush()
        parts, size = [], 0
        for line in zstd_text(Path(packed.name)):
            size += len(line)
            if size > most:
                raise ValueError(f"it unfolds to more than {most} bytes")
            parts.append(line)
    return b"".join(parts)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(GZIP):
        with gzip.open(path) as packed:
            while chunk := packed.read(CHUNK):
                yield chunk
    elif start.startswith(ZSTD):
        from trace2skill.store.foreign import zstd_text  # only here: the store is slow to import

        yield from zstd_text(path)
    else:
        encoding = next((name for mark, name in WIDE.items() if start.startswith(mark)), "") or WIDE_BARE[start[:2]]
        with path.open(encoding=encoding, errors="replace", newline="") as wide:
            while text := wide.read(CHUNK):
                yield text.encode("utf-8", "replace")
