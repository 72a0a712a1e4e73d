"""Tasks done by a shell script: how the simulated agent writes one, and how an analyst reads what is wrong with it."""

from trace2skill.sim.scripts.mistakes import SCRIPT_CAUSES, SCRIPT_HABITS
from trace2skill.sim.scripts.solving import MARK, committed, mended, read, said

__all__ = ["MARK", "SCRIPT_CAUSES", "SCRIPT_HABITS", "committed", "mended", "read", "said"]
