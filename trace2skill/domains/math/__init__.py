"""Problems with a mathematical answer, in the layouts of GSM8K, MATH, AIME and DAPO-Math, compared by `math-verify`."""

from trace2skill.domains.math.domain import Math

__all__ = ["Math"]
