"""Step `audit`: can a task teach anything?"""

from trace2skill.domains.base import Audit
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.step import RunStep


def _parts(rt: Runtime, task_id: str) -> tuple[object, ...]:
    # A domain whose audit has changed, and whose grading has not, says so by `audit_version`: rollouts keep their keys.
    own = getattr(rt.domain, "audit_version", "")
    # So does an environment, where one is named: in another one a solution may run that does not in this.
    where = rt.sandbox.name if rt.settings.learning.environment else ""
    return (rt.domain.version, rt.task(task_id).content, *filter(None, (own, where)))


def audit(rt: Runtime, task_id: str) -> Audit:
    """Can this task teach anything?"""
    return rt.domain.audit(rt.task(task_id))


AUDIT = RunStep(name="audit", version=1, parts=_parts, do=audit, gives=Audit, shown="audit: {task_id}", again=False)
