"""What a run over a library does not do, and tasks that name no skill of it: said before anything is paid."""

from trace2skill.core.errors import BadInput
from trace2skill.runs.runtime import RunKind, Runtime
from trace2skill.runs.settings import RunSettings


def check_kind(rt: Runtime, kind: RunKind) -> None:
    """Refuse a library where one skill is worked on.

    Raises:
        BadInput: says what to name instead.
    """
    if rt.library and kind != "library":
        names = ", ".join(sorted(place.name for place in rt.library)[:5])
        raise BadInput(
            f"{rt.settings.data.skill} holds several skills ({names}), and `trace2skill {kind}` works on one: name its "
            "directory (--skill). `trace2skill run` and `ingest` take all of them"
        )


def check_library(settings: RunSettings) -> None:
    """Refuse what a run over a library does not do.

    Raises:
        BadInput: names the setting, and what to do.
    """
    how, where = settings.learning, settings.data.skill
    asked = {
        "--promote approve": settings.operation.promote == "approve",
        "--promote pull_request": settings.operation.promote == "pull_request",
        "--candidates": how.candidates > 1,
        "--rounds": how.rounds > 1,
        "--replay": bool(how.replay),
        "--shrink": how.shrink.of != "nothing",
        "--moving-seeds": how.moving_seeds or how.night is not None,
        "--spread telling": how.spread.by == "telling",
        "--shards": settings.operation.shards > 1,
        "--harness": how.agent.harness is not None,
    }
    if wrong := [name for name, given in asked.items() if given]:
        raise BadInput(
            f"{where} holds several skills, and a run over a library has no {', '.join(wrong)}: leave it out, or name "
            "the directory of one skill (--skill)"
        )


def check_named_skills(rt: Runtime) -> None:
    """See that tasks name skills of the library.

    Raises:
        BadInput: one names another; says which and what there is.
    """
    known = {skill.name for skill in rt.library.values()}
    for task in rt.tasks.values():
        if unknown := [name for name in task.skills if name not in known]:
            raise BadInput(
                f"task '{task.id}' exercises the skill '{unknown[0]}', which is not in {rt.settings.data.skill}: it "
                f"has {', '.join(sorted(known))}"
            )
