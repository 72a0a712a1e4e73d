"""What will be scored of the skills of a library, each of which may have a candidate; of one skill, the same."""

from trace2skill.runs.library_read import exercising
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.skills.library import together
from trace2skill.types.references import RolloutJob


def exercised(seen: Foresight) -> int:
    """Held-out tasks of the candidate; in a library each skill may have one, on the tasks that exercise it."""
    skills = seen.rt.library.values()
    return sum(len(tasks_of_part(seen, skill.name)) for skill in skills) if skills else len(seen.validation)


def without(seen: Foresight) -> list[RolloutJob]:
    """The rollouts without the skill; in a library without each by itself, which is with all the others."""
    seeds, skills = seen.rt.settings.gate.held_out_seeds, [*seen.rt.library.values()]
    if not skills:
        return seen.jobs(None, seen.validation, seeds)
    jobs: list[RolloutJob] = []
    for skill in skills:
        others = [one for one in skills if one is not skill]
        jobs += seen.jobs(together(others).digest if others else None, tasks_of_part(seen, skill.name), seeds)
    return jobs


def tasks_of_part(seen: Foresight, name: str) -> list[str]:
    """The held-out tasks on which a skill of a library is tried."""
    return exercising(seen.rt, name, seen.validation, seen.rt.settings.gate.no_regression)
