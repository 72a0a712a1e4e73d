"""The roles the simulated model plays. It finds its role where a model would: in the first sentence of its prompt."""

from collections.abc import Callable

from trace2skill.sim.conversation import Heard, Spoken
from trace2skill.sim.roles import (
    agent,
    audits,
    book,
    chooser,
    contrast_analyst,
    describer,
    drafter,
    editor,
    error_analyst,
    log_analyst,
    one_call_error_analyst,
    proposer,
    query_writer,
    rewriter,
    router,
    script_writer,
    shortener,
    success_analyst,
    translator,
)

ROLES: dict[str, Callable[..., Spoken]] = {
    "You are an agent": agent.speak,
    "You are an error analyst": error_analyst.speak,
    "You are a one-call error analyst": one_call_error_analyst.speak,
    "You are a log analyst": log_analyst.speak,
    "You are an outcome judge": log_analyst.judge,
    "You are a success analyst": success_analyst.speak,
    "You are a contrast analyst": contrast_analyst.speak,
    "You keep a skill": proposer.speak,
    "You find places for edits": translator.speak,
    **book.ROLES,
    "You turn a routine into one script": script_writer.speak,
    "You rewrite a skill in one go": rewriter.speak,
    "You polish the wording": editor.speak,
    "You shorten lines of a handbook": shortener.speak,
    "You repair one file": editor.repair,
    "You look over lines": editor.look,
    "You choose a skill": chooser.speak,
    "You sort lessons to skills": router.route,
    "You found skills": router.found,
    "You write the description of a skill": describer.speak,
    "You write requests of users": query_writer.speak,
    "You write assertions": audits.write,
    "You judge assertions": audits.judge,
    "You say what you would do": audits.plan,
    "You write the first version of a skill": drafter.speak,
}


def play(heard: Heard) -> Spoken:
    """Answer one request in the role its system prompt gives."""
    for opening, speak in ROLES.items():
        if heard.system.startswith(opening):
            return speak(heard)
    return Spoken(text="I am a simulated model and know only the roles of this product.")
