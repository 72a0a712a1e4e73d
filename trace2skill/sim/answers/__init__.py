"""Questions with an answer in words: how the simulated agent gives one, and how an analyst reads what went wrong."""

from trace2skill.sim.answers.mistakes import mistakes_of, names_of
from trace2skill.sim.answers.solving import Reading, committed, form_of, is_question, read, said

__all__ = ["Reading", "committed", "form_of", "is_question", "mistakes_of", "names_of", "read", "said"]
