"""Shell tasks: a prompt, files, and a check script that says whether what the agent left is right."""

from trace2skill.domains.shell.domain import Shell

__all__ = ["Shell"]
