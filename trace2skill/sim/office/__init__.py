"""Office tasks the simulated model knows how to do: it reads which and with what parameters from the prompt."""

from trace2skill.sim.office.jobs import Job, instruction, parse
from trace2skill.sim.office.programs import program

__all__ = ["Job", "instruction", "parse", "program"]
