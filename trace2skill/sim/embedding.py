"""The simulated embedding model, `sim/embedding`: texts that share words have vectors that are close.

Each word is hashed to a place of the vector, so that the same text has the same vector on every machine.
"""

import math

from trace2skill.core.similarity import words
from trace2skill.sim.profile import pick

EMBEDDING = "embedding"
SIZE = 256


def embedded(text: str) -> list[float]:
    """The vector of a text, of length 1 where the text has a word."""
    vector = [0.0] * SIZE
    for word in words(text):
        vector[pick(SIZE, "word", word.removesuffix("s"))] += 1.0
    length = math.sqrt(sum(value * value for value in vector))
    return [round(value / length, 6) for value in vector] if length else vector
