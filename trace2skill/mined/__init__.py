"""Tasks mined from sessions: a request, the files it began with, and a check that was seen to fail and to pass.

Of a log `work` reads what its calls did to files, `start` which files were there before, `replay` does it again in the
sandbox, `checks` finds what decided whether it was right, and `session` puts tasks together and refuses what cannot be
believed. A task is one of the `shell` domain.
"""

from trace2skill.mined.session import Miner
from trace2skill.mined.task import MinedCheck, MinedSegment, Replayable

__all__ = ["MinedCheck", "MinedSegment", "Miner", "Replayable"]
