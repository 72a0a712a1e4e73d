"""`Picture`: an image that a model is shown beside words."""

import base64
from typing import Literal

from trace2skill.core.record import Record

MediaType = Literal["image/png", "image/jpeg", "image/webp", "image/gif"]
"""What the providers behind LiteLLM take."""

MOST_TOKENS = 48_169
"""No picture counts as more input tokens than this: the dearest case of gpt-4o-mini, whose tokens are the dearest.

2,833 for the picture and 5,667 for each of at most 8 tiles of 512 pixels, since a picture is first fitted into
2048 x 2048 and then to a shortest side of 768 (https://platform.openai.com/docs/guides/images-vision, "Calculating
costs"). Others: gpt-4o at most 1,445 by the same rule, Claude about 1,600 (width x height / 750), Qwen2-VL at most
16,384.
"""
USUAL_TOKENS = 1_600
"""What a page usually counts as: for pace and room, where a guess is wanted and not a bound."""


class Picture(Record, form="Picture", version=1):
    """An encoded image. Its bytes go to a model and nowhere else; keys hold its digest, trajectories its number."""

    media_type: MediaType
    content: bytes

    @property
    def part(self) -> dict[str, object]:
        """The picture as a part of a message, in the form that LiteLLM takes for every provider."""
        url = f"data:{self.media_type};base64,{base64.b64encode(self.content).decode('ascii')}"
        return {"type": "image_url", "image_url": {"url": url}}


def in_words(count: int) -> str:
    """What stands in a trajectory for so many pictures; '' for none."""
    return f"[{count} {'picture' if count == 1 else 'pictures'}]" if count else ""
