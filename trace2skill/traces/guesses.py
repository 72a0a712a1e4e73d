"""Guesses at how a session ended, by what its last steps show. Each has a name, and its precision is measured.

`bench/outcomes.py` holds every guess against the labelled logs at hand and prints how often it is right. Only those in
`TRUSTED` set an outcome; of a session for which only others speak nobody knows how it ended.
"""

import re
from collections.abc import Iterator

from trace2skill.traces.calls import command_of
from trace2skill.traces.runner_reports import tests_passed
from trace2skill.types.trajectory import Outcome, Step, Trajectory

UNDONE = re.compile(
    r"(?i)\b(?:undo (?:that|this|it|everything|your|the)|revert (?:that|this|it|everything|your|the)|roll (?:it|that|this|everything) back)\b"
    r"|\bmach(?:e|en Sie)? (?:das|es) (?:wieder )?r[üu]ckg[äa]ngig\b|\bannule[zr]? (?:ça|cela|tout)\b|\bdeshaz(?:lo)?\b"
)
UNDOING = re.compile(r"\bgit (?:checkout -- |restore |reset --hard|revert )|\bgit stash(?: push)?\s*$")
SHOWS = re.compile(r"\s*(?:cat|head|tail|less|more|bat|grep|rg|sed -n|awk|git (?:show|log|diff)|gh (?:run|pr) view)\b")
"""Commands that show what stands in a file: a report in it may be an old one."""
SHOWING = re.compile(r"(?i)(?:read|view|open|cat|grep|search|glob|fetch|web)(?:_|[A-Z]|\Z)")
CONTENT = re.compile(
    r"(?i)\A\W*(?:(?:perfect|great|excellent|awesome|brilliant|lovely|wonderful|amazing|nice|thanks?|thank you|thx|cheers|super|danke|merci|gracias|perfekt|parfait|perfecto)\b[\s,.!:)-]*)+"
    r"(?:so much|a lot|very much|sehr|beaucoup|work|job|it works?(?: now)?|that works?(?: now)?|works?(?: now)?|that(?:'s| is) (?:it|all|right|perfect|what i (?:wanted|needed))|for (?:your|the) help|[\s,.!:)-])*\Z"
    r"|\b(?:it|that|this|everything) works? (?:now|perfectly|great|fine)\b|\bexactly what i (?:wanted|needed)\b|\blgtm\b|\bproblem (?:is )?solved\b|\bfunktioniert jetzt\b|\bça marche\b|\bfunciona (?:bien|ahora)\b|\A\W*(?:👍|✅|🎉)"
)
UNHAPPY = re.compile(
    r"(?i)\b(?:that|this|it)(?:'s| is| was) (?:still )?(?:wrong|incorrect|broken|not (?:right|correct|working|what i (?:asked|wanted|meant)))\b|\b(?:still|it|that|this) (?:does ?n[o']t|doesnt|is ?n[o']t|isnt) (?:work|working|compile|right|correct|fixed)"
    r"|\byou (?:broke|deleted|ruined|messed up|forgot|ignored)\b|\bnot what i (?:asked|wanted|meant)\b|\bstill (?:fails|failing|broken|wrong)\b|\bfunktioniert (?:immer noch )?nicht\b|\bne (?:marche|fonctionne) (?:toujours )?pas\b|\bno funciona\b|\A\W*(?:👎|❌)"
)
SHORT = 400
LEAST_CASES = 20
"""So many labelled sessions must show a guess before its precision is one."""
LEAST_PRECISION = 0.75
TRUSTED: frozenset[str] = frozenset()
"""Guesses that were right in more than three of four labelled sessions, and in twenty at least."""


def trusted(trajectory: Trajectory) -> Outcome | None:
    """What a guess says that is right often enough; None where there is none."""
    return next((outcome for name, outcome in guesses_of(trajectory.steps) if name in TRUSTED), None)


def guesses_of(steps: tuple[Step, ...]) -> Iterator[tuple[str, Outcome]]:
    """All that can be guessed of a session, by name, the user's words first."""
    for found in (from_words(steps), from_signs(steps)):
        if found is not None:
            yield found.reason.partition(" (")[0], found


def from_words(steps: tuple[Step, ...]) -> Outcome | None:
    """What the user said last of the work, where that is a short word of praise or complaint."""
    for step in reversed(steps):
        if step.source != "user" or "mark" in step.extra or not step.message.strip():
            continue
        said = step.message[:SHORT]
        worked = any(earlier.source == "agent" for earlier in steps[: step.number - 1])
        if not worked or len(step.message) > SHORT or UNDONE.search(said):
            return None
        if UNHAPPY.search(said) and any(later.tool_calls for later in steps[step.number :]):
            return None  # what was wrong was worked on after that, and nobody spoke of it again
        if UNHAPPY.search(said):
            return ended(False, f"the user complained (step {step.number})", "feedback")
        return ended(True, f"the user was content (step {step.number})", "feedback") if CONTENT.search(said) else None
    return None


def from_signs(steps: tuple[Step, ...]) -> Outcome | None:
    """What the end of a session shows: the user had the work undone, the last tests, a last command that failed.

    A call that did not run says nothing, and neither does what a command shows of a file.
    """
    last = True
    for step in reversed(steps):
        if step.source == "user" and UNDONE.search(step.message[:500]):
            return Outcome(kind="failed", reason=f"the user had it undone (step {step.number})", source="signs")
        for answer in reversed(step.observations):
            call = next((call for call in step.tool_calls if call.id == answer.call_id), None)
            if answer.state == "not_run":
                last = last and answer.not_run == "sibling"
                continue
            command = command_of(call.name, call.arguments) if call else ""
            if UNDOING.search(command):
                return ended(False, f"the work was undone (step {step.number})", "signs")
            passed = None if SHOWS.match(command) or (call and SHOWING.match(call.name)) else tests_passed(answer)
            if passed is not None:
                return ended(passed, f"the last tests {'passed' if passed else 'failed'} (step {step.number})", "signs")
            if last and answer.state == "failed":
                return ended(False, f"the last command failed (step {step.number})", "signs")
            last = False
    return None


def ended(well: bool, reason: str, source: str) -> Outcome:
    """An outcome that somebody or something tells."""
    score = float(well)
    return Outcome(kind="passed" if well else "failed", hard=score, soft=score, reason=reason, source=source)
