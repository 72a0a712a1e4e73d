"""Pictures as the simulated model takes them: as strictly as a real one, though it does not look at them.

What it then says of a page is simulated, like all of its competence.
"""

import base64
import binascii
import io
import re

from PIL import Image

from trace2skill.sim.conversation import Heard

TOKENS = 1_105
"""A page of 1,024 x 1,448 pixels at gpt-4o: 85, and 170 for each of 6 tiles."""
FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP", "gif": "GIF"}
DATA_URL = re.compile(r"data:image/(?P<kind>[a-z]+);base64,(?P<data>[A-Za-z0-9+/]+={0,2})")
SHOWN: frozenset[str] = frozenset({"document_qa"})
"""Kinds of task that cannot be done without seeing a picture."""


def refusal(heard: Heard) -> str:
    """Why a request with these pictures is refused, '' where it is not."""
    if heard.pictures and heard.profile.blind:
        return "this model does not support image input"
    problems = (_problem(part) for part in heard.pictures)
    return next((problem for problem in problems if problem), "")


def unseen(heard: Heard, kind: str) -> bool:
    """Is this about a picture that was not shown?"""
    return kind in SHOWN and not heard.pictures


def _problem(part: dict[str, object]) -> str:
    url = part.get("image_url")
    text = str(url.get("url")) if isinstance(url, dict) else ""
    found = DATA_URL.fullmatch(text)
    if found is None or found["kind"] not in FORMATS:
        return f"image_url is no data URL of {', '.join(FORMATS)}: {text[:40]!r}"
    try:
        with Image.open(io.BytesIO(base64.b64decode(found["data"], validate=True))) as image:
            kind = image.format
            image.verify()
    except (OSError, SyntaxError, ValueError, binascii.Error) as error:
        return f"the image cannot be read: {type(error).__name__}"
    return "" if kind == FORMATS[found["kind"]] else f"the image is {kind}, not {found['kind']} as its media type says"
