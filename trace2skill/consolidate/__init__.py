"""Many patches, one update: rules, one book of them with exact support, routed by prevalence, applied exactly."""

from trace2skill.consolidate.groups import Dropped, EditGroup, Support, cut_into_groups
from trace2skill.consolidate.node import Groups
from trace2skill.consolidate.route import Thresholds, route

__all__ = [
    "Dropped",
    "EditGroup",
    "Groups",
    "Support",
    "Thresholds",
    "cut_into_groups",
    "route",
]
