"""Where a model's commands run: no network, no secrets, no writes outside the workspace, limits on everything."""

from trace2skill.sandbox.choose import choose_sandbox
from trace2skill.sandbox.limits import Access, CommandResult, Limits, Sandbox
from trace2skill.sandbox.workspace import safe_read

__all__ = ["Access", "CommandResult", "Limits", "Sandbox", "choose_sandbox", "safe_read"]
