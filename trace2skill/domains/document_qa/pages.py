"""Images of pages: looked over before a run, and made as small as wanted before a model sees them."""

import io
from pathlib import Path
from typing import Literal

from PIL import Image, ImageOps

from trace2skill.core.errors import BadInput
from trace2skill.types.picture import MediaType, Picture

MOST_PIXELS = 64_000_000
"""A page of A3 at 600 dots per inch has 70 million; Pillow itself warns from 89 million pixels on."""
MOST_BYTES = 3_500_000
"""A larger PNG is sent as JPEG: some providers take no more than 5 MB, and base64 adds a third."""
TAKEN: dict[str, MediaType] = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}
UNREADABLE = (OSError, SyntaxError, ValueError, EOFError)
"""What Pillow raises for files that are no image, or half of one."""
ORIENTATION = 0x0112  # the tag of EXIF


def look_over(path: Path, where: str) -> None:
    """Make sure that an image can be read and is of a size that can be handled.

    Raises:
        BadInput: it is missing, no image, cut off, or huge; names the row `where` and the file.
    """
    if not path.is_file():
        raise BadInput(f"{where}: there is no image {path}")
    try:
        with _opened(path, where) as image:
            if image.format == "PNG":
                image.verify()  # checks every chunk, and is quicker than decoding
            else:
                image.draft("L", (64, 64))  # a JPEG is decoded to its end, but small
                image.load()
    except UNREADABLE as error:
        raise BadInput(f"{where}: the image {path} cannot be read: {error}") from error


def shown(path: Path, longest_side: int) -> Picture:
    """The page as a model sees it: its own bytes where they will do, else made smaller, upright, and encoded again.

    Raises:
        BadInput: it cannot be read any more.
    """
    try:
        with _opened(path, "a page") as image:
            form = image.format or ""
            if form in TAKEN and max(image.size) <= longest_side and image.getexif().get(ORIENTATION, 1) == 1:
                content = path.read_bytes()
                if len(content) <= MOST_BYTES:
                    return Picture(media_type=TAKEN[form], content=content)
            page = ImageOps.exif_transpose(image).convert("L" if image.mode in ("1", "L") else "RGB")
    except UNREADABLE as error:
        raise BadInput(f"the image {path} cannot be read: {error}") from error
    page.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    content = _encoded(page, "JPEG" if form == "JPEG" else "PNG")
    if form != "JPEG" and len(content) > MOST_BYTES:
        form, content = "JPEG", _encoded(page, "JPEG")
    return Picture(media_type="image/jpeg" if form == "JPEG" else "image/png", content=content)


def _opened(path: Path, where: str) -> Image.Image:
    """The image, not yet decoded: a small file can hold a picture that fills the memory."""
    try:
        image = Image.open(path)
    except Image.DecompressionBombError as error:
        raise BadInput(f"{where}: the image {path} is too large: {error}; make it smaller") from error
    width, height = image.size
    if width * height > MOST_PIXELS:
        image.close()
        raise BadInput(
            f"{where}: the image {path} has {width} x {height} pixels, more than {MOST_PIXELS:,}: make it smaller"
        )
    return image


def _encoded(page: Image.Image, form: Literal["PNG", "JPEG"]) -> bytes:
    written = io.BytesIO()
    page.save(written, form, **({"quality": 90} if form == "JPEG" else {"optimize": True}))
    return written.getvalue()
