"""trace2skill: reads what an agent did and writes down what it should know next time.

What a program needs stands here; where it is defined may change. The functions do what the commands of the same names
do, and run Prefect flows, which live in this package, or beside it in a checkout. Nothing is imported before it is
asked for. docs/python.md shows a program.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trace2skill.agents.harness import Assignment, Harness
    from trace2skill.cli.calls import estimate, evaluate, ingest, refresh, why
    from trace2skill.consolidate.ledger import SupportRow
    from trace2skill.core.errors import BadInput, InfrastructureFault, Trace2SkillError
    from trace2skill.domains.base import CaseGrade, Domain, Grade
    from trace2skill.domains.files import FileDomain
    from trace2skill.llm.settings import ModelSettings, Roles
    from trace2skill.runs.sections import (
        DataSettings,
        EvaluationSettings,
        LearningSettings,
        MoneySettings,
        OperationSettings,
    )
    from trace2skill.runs.settings import RunSettings
    from trace2skill.runs.summary import RunSummary
    from trace2skill.skills.skill import Skill, read_skill
    from trace2skill.traces.base import Source
    from trace2skill.traces.reader import Reader
    from trace2skill.types.decision import Decision
    from trace2skill.types.evaluation import Evaluation
    from trace2skill.types.lesson import Lesson
    from trace2skill.types.patch import Patch
    from trace2skill.types.task import Task, TestCase
    from trace2skill.types.trajectory import Step, Trajectory

try:
    __version__ = version("trace2skill")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"

_PLACES = {
    "agents.harness": ("Assignment", "Harness"),
    "cli.calls": ("estimate", "evaluate", "ingest", "refresh", "why"),
    "consolidate.ledger": ("SupportRow",),
    "core.errors": ("BadInput", "InfrastructureFault", "Trace2SkillError"),
    "domains.base": ("CaseGrade", "Domain", "Grade"),
    "domains.files": ("FileDomain",),
    "llm.settings": ("ModelSettings", "Roles"),
    "runs.sections": (
        "DataSettings",
        "EvaluationSettings",
        "LearningSettings",
        "MoneySettings",
        "OperationSettings",
    ),
    "runs.settings": ("RunSettings",),
    "runs.summary": ("RunSummary",),
    "skills.skill": ("Skill", "read_skill"),
    "traces.base": ("Source",),
    "traces.reader": ("Reader",),
    "types.decision": ("Decision",),
    "types.evaluation": ("Evaluation",),
    "types.lesson": ("Lesson",),
    "types.patch": ("Patch",),
    "types.task": ("Task", "TestCase"),
    "types.trajectory": ("Step", "Trajectory"),
}
_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "Assignment",
    "BadInput",
    "CaseGrade",
    "DataSettings",
    "Decision",
    "Domain",
    "Evaluation",
    "EvaluationSettings",
    "FileDomain",
    "Grade",
    "Harness",
    "InfrastructureFault",
    "LearningSettings",
    "Lesson",
    "ModelSettings",
    "MoneySettings",
    "OperationSettings",
    "Patch",
    "Reader",
    "Roles",
    "RunSettings",
    "RunSummary",
    "Skill",
    "Source",
    "Step",
    "SupportRow",
    "Task",
    "TestCase",
    "Trace2SkillError",
    "Trajectory",
    "__version__",
    "estimate",
    "evaluate",
    "ingest",
    "read_skill",
    "refresh",
    "why",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"trace2skill has no '{name}'; what it offers: {', '.join(__all__)}")
    found = getattr(import_module(f"trace2skill.{_MODULE_OF[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
