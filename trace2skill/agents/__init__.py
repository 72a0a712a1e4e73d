"""Agents that work on tasks, and the sandbox their commands run in."""
