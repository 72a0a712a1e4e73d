"""The stages of a run: one file a stage, and here the list of all of them, in the order in which a run comes to them.

A new stage is such a file and a line in the list. Prefect's tasks, the estimate, the stages of the ledger and the
failures that are tolerated come from it.
"""

from typing import Any

from trace2skill.runs.steps.apply import APPLY
from trace2skill.runs.steps.assign import ASSIGN
from trace2skill.runs.steps.audit import AUDIT
from trace2skill.runs.steps.bank import BANK
from trace2skill.runs.steps.contrast import CONTRAST
from trace2skill.runs.steps.draft import DRAFT
from trace2skill.runs.steps.embed import EMBED
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.runs.steps.found import FOUND
from trace2skill.runs.steps.induce import INDUCE
from trace2skill.runs.steps.judge import JUDGE
from trace2skill.runs.steps.mine import MINE
from trace2skill.runs.steps.observe import OBSERVE
from trace2skill.runs.steps.pad import PAD
from trace2skill.runs.steps.propose import PROPOSE
from trace2skill.runs.steps.rewrite import REWRITE
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.runs.steps.route import ROUTE
from trace2skill.runs.steps.script import SCRIPT
from trace2skill.runs.steps.shorten import SHORTEN
from trace2skill.runs.steps.signs import SIGNS
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.write import WRITE

STEPS: tuple[RunStep[Any], ...] = (
    AUDIT,
    DRAFT,
    JUDGE,
    SIGNS,
    MINE,
    OBSERVE,
    ROLLOUT,
    EXTRACT,
    CONTRAST,
    PROPOSE,
    ROUTE,
    FOUND,
    INDUCE,
    ASSIGN,
    SCRIPT,
    WRITE,
    APPLY,
    REWRITE,
    EMBED,
    BANK,
    PAD,
    SHORTEN,
)
