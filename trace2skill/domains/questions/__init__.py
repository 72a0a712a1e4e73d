"""Questions with an answer in words: a JSONL file, no code, and a rule of inspect_ai's that judges."""

from trace2skill.domains.questions.domain import Questions

__all__ = ["Questions"]
