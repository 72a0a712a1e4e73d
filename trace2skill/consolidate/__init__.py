"""Many patches, one update: edit groups with their support, reduced in pairs, routed by prevalence, applied exactly."""

from trace2skill.consolidate.groups import Dropped, EditGroup, Support, cut_into_groups
from trace2skill.consolidate.merge import merge
from trace2skill.consolidate.node import Groups
from trace2skill.consolidate.route import Thresholds, route
from trace2skill.consolidate.tree import MergePlan, plan_merges

__all__ = [
    "Dropped",
    "EditGroup",
    "Groups",
    "MergePlan",
    "Support",
    "Thresholds",
    "cut_into_groups",
    "merge",
    "plan_merges",
    "route",
]
