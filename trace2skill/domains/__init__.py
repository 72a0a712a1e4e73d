"""Domains: kinds of task. `load_domain` finds one by name."""

from trace2skill.domains.base import Domain
from trace2skill.domains.find import load_domain

__all__ = ["Domain", "load_domain"]
