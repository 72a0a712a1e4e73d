"""A trajectory as text within so many characters: what decides is kept whole before anything else.

Kept first are what was asked, every edit with its result, outputs that fail, the last verification, the last states and
the agent's closing words. Of the rest, what repeats, installs, lists or warns is collapsed by kind, and a line says
what was and how much; then outputs are shortened, then words and calls, and what is kept first last of all. Every step
keeps its header, so that a number that somebody cites is there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from trace2skill.agents.loop import LEAST_CUT, cut
from trace2skill.analysts.events import TESTS_RAN, Event, events_of
from trace2skill.types.trajectory import Observation, Step, Trajectory

NOTE = 36
"""About how many characters the note of a cut has."""
SHORTEST, BAREST = 200, 60
LISTED, LAST_LINES = 20, 3
FILE_WRITES = re.compile(r"\.save\w*\(|\.write\w*\(|open\([^)]{0,200}['\"][wax]|\bto_(?:csv|excel|json)\(")
EDITORS = re.compile(r"(?i)\A(?:str_replace|apply_patch|multi_?edit|notebook_?edit|edit|write|create|insert|replace)")
VERIFIES = re.compile(
    r"\b(?:pytest|unittest|tox|nox|runtests|make|ctest|cargo (?:test|build|check)|go (?:test|build|vet)|mvn|gradlew?|"
    r"npm (?:run )?\w*test|yarn (?:run )?test|jest|vitest|rspec|phpunit|mypy|ruff|tsc|"
    r"python[\d.]* \S+|node \S+|bash \S+\.sh)"
)
STATE = re.compile(r"\bgit (?:diff|status|show|log)\b|\bsubmit\b")
INSTALLS = re.compile(
    r"\b(?:pip[\d.]*|uv pip|poetry|conda|mamba|npm|pnpm|yarn|apt(?:-get)?|brew|gem|cargo|apk|dnf|yum) "
    r"(?:-\S{1,80} ){0,8}(?:install|add|i|ci|update|upgrade|sync|create)\b"
)
LISTS = re.compile(r"\A\s*(?:ls|find|tree|dir|git ls-files|du|fd|rg --files|pip list|pip freeze|env|printenv)\b")
LISTERS = re.compile(r"(?i)\A(?:ls|list_?(?:dir|files|directory)\w*|glob|find_files?)\Z")
WARNS = re.compile(
    r"(?i)\A\s*(?:\[notice\]|warning: |deprecation: |npm (?:warn|notice)|WARN\b|debconf: |\S+:\d+: \w*warning: |"
    r"(?:requirement already satisfied|collecting|downloading|using cached|get:\d+|"
    r"selecting previously|preparing to unpack|"
    r"unpacking|setting up|processing triggers|reading (?:package|database))\b)"
)


class Worth(IntEnum):
    """What is shortened first has the highest number."""

    KEPT = 0
    SAID = 1
    SHOWN = 2


STEPS_DOWN = (
    (Worth.SHOWN, SHORTEST),
    (Worth.SAID, SHORTEST),
    (Worth.SHOWN, 0),
    (Worth.SAID, BAREST),
    (Worth.KEPT, SHORTEST),
    (Worth.SAID, 0),
    (Worth.KEPT, 0),
)
"""What is shortened, and to how few characters each, until all fits."""


@dataclass(frozen=True)
class Piece:
    """A text of a step, with what stands before it."""

    step: int
    label: str
    text: str
    worth: Worth
    is_output: bool = False
    collapses: str = ""
    """Which kind of output that nobody reads it is, '' for none."""

    @property
    def size(self) -> int:
        """How many characters it takes."""
        return len(self.label) + len(self.text) + 2


def excerpt(trajectory: Trajectory, steps: Sequence[Step], limit: int) -> str:
    """The steps as Markdown within `limit` characters; see the module for what is left out first."""
    pieces = _pieces(trajectory, steps)
    headers = {step.number: f"## Step {step.number} ({step.source})" for step in steps}
    room = limit - sum(len(header) + 2 for header in headers.values())
    if _size(pieces) > room:
        pieces = _collapsed(pieces)
    for worth, least in STEPS_DOWN:
        if _size(pieces) > room:
            pieces = _shortened(pieces, worth, least, room)
    for worth in sorted(Worth, reverse=True):
        if _size(pieces) > room:
            pieces = [piece for piece in pieces if piece.worth != worth]
    text = _joined(headers, pieces)
    return text if len(text) <= limit else cut(text, limit)


def _pieces(trajectory: Trajectory, steps: Sequence[Step]) -> list[Piece]:
    events = events_of(trajectory)
    by_call = {(event.step, event.call.id): event for event in events}
    kept = _kept(events)
    speaking = [step.number for step in steps if step.source == "agent" and step.message]
    found: list[Piece] = []
    for step in steps:
        claims = step.source != "agent" or step.number in speaking[-1:]
        if step.reasoning:
            found.append(Piece(step.number, "Reasoning: ", step.reasoning, Worth.SAID))
        if step.message:
            found.append(Piece(step.number, "", step.message, Worth.KEPT if claims else Worth.SAID))
        for call in step.tool_calls:
            event = by_call.get((step.number, call.id))
            decides = event is not None and (event in kept or _edits(event))
            arguments = "\n".join(f"{name}: {value}" for name, value in call.arguments.items())
            worth = Worth.KEPT if decides else Worth.SAID
            found.append(Piece(step.number, f"Call of {call.name}:\n", arguments, worth))
            worth = Worth.KEPT if decides or (event and _fails(event)) else Worth.SHOWN
            kind = _kind(event) if event else ""
            for answer in (item for item in step.observations if item.call_id == call.id):
                found.append(Piece(step.number, label_of(answer), answer.content, worth, True, kind))
        found += [Piece(step.number, label_of(item), item.content, Worth.SHOWN, True) for item in of_no_call(step)]
    return found


def of_no_call(step: Step) -> list[Observation]:
    """What a step observed that answers none of its calls: some logs do not say which call a result belongs to."""
    asked = {call.id for call in step.tool_calls}
    return [item for item in step.observations if item.call_id not in asked]


def label_of(answer: Observation) -> str:
    """What stands before an observation."""
    return f"Observation (exit code {answer.exit_code}):\n"


def _kept(events: Sequence[Event]) -> list[Event]:
    """The last verification, the last look at the state, and the last call of all."""
    verified = [event for event in events if _verifies(event)]
    state = [event for event in events if STATE.search(event.command) or STATE.search(event.name)]
    return [*verified[-1:], *state[-1:], *events[-1:]]


def _edits(event: Event) -> bool:
    if event.writes or EDITORS.match(event.name):
        return event.call.arguments.get("command") != "view"
    return any(FILE_WRITES.search(str(value)) for value in event.call.arguments.values())


def _verifies(event: Event) -> bool:
    said = event.answer.content if event.answer else ""
    return bool(VERIFIES.search(event.command) or TESTS_RAN.search(said[-4_000:]))


def _fails(event: Event) -> bool:
    """Did it fail, or did the tests that it ran?"""
    if event.failed or event.answer is None:
        return event.failed
    return event.answer.state == "failed" and bool(TESTS_RAN.search(event.answer.content[-4_000:]))


def _kind(event: Event) -> str:
    if INSTALLS.search(event.command):
        return "installation"
    return "listing" if LISTS.match(event.command) or LISTERS.match(event.name) else ""


def _collapsed(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with what nobody reads collapsed: repeated outputs, installations, listings, runs of warnings."""
    shown: dict[str, Piece] = {}
    for piece in pieces:
        if piece.is_output and (piece.text not in shown or piece.worth < shown[piece.text].worth):
            shown[piece.text] = piece  # what is kept whole, where one of them is; else the first
    found: list[Piece] = []
    for piece in pieces:
        text = piece.text
        if piece.is_output and len(text) > SHORTEST:
            if piece is shown[text]:
                text = _less(piece)
            else:
                text = f"[the same as in step {shown[text].step}: {len(text)} characters]"
        found.append(replace(piece, text=text) if len(piece.text) - len(text) > LEAST_CUT else piece)
    return found


def _less(piece: Piece) -> str:
    """An output without what its kind has too much of; one that is kept loses its warnings at most."""
    lines = piece.text.split("\n")
    kind = piece.collapses if piece.worth != Worth.KEPT else ""
    if kind == "listing" and len(lines) > LISTED + 1:
        lines = [*lines[:LISTED], _left_out(kind, lines[LISTED:])]
    elif kind == "installation" and len(lines) > LAST_LINES + 1:
        lines = [_left_out(kind, lines[:-LAST_LINES]), *lines[-LAST_LINES:]]
    return "\n".join(_without_warnings(lines))


def _without_warnings(lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    run: list[str] = []
    for line in [*lines, None]:
        if line is not None and WARNS.match(line):
            run.append(line)
            continue
        if run:
            found += [_left_out("warnings and progress", run)] if sum(map(len, run)) > LEAST_CUT + NOTE else run
            run = []
        if line is not None:
            found.append(line)
    return found


def _left_out(kind: str, lines: Sequence[str]) -> str:
    return f"[{kind}: {len(lines)} lines, {sum(map(len, lines)) + len(lines)} characters left out]"


def _shortened(pieces: Sequence[Piece], worth: Worth, least: int, room: int) -> list[Piece]:
    """The pieces of one worth cut to the most characters each with which all fits, and to no fewer than `least`."""
    others = sum(piece.size for piece in pieces if piece.worth != worth)
    mine = [piece for piece in pieces if piece.worth == worth]
    low, high = least, max((len(piece.text) for piece in mine), default=least)
    while low < high:
        most = (low + high + 1) // 2
        if others + sum(len(piece.label) + _cost(len(piece.text), most) + 2 for piece in mine) <= room:
            low = most
        else:
            high = most - 1
    return [replace(piece, text=_cut(piece.text, low)) if piece.worth == worth else piece for piece in pieces]


def _cost(length: int, most: int) -> int:
    return length if length - most <= LEAST_CUT else most + NOTE


def _cut(text: str, most: int) -> str:
    if most == 0 and len(text) > LEAST_CUT:
        return f"[{len(text)} characters left out]"
    return cut(text, most)


def _size(pieces: Sequence[Piece]) -> int:
    return sum(piece.size for piece in pieces)


def _joined(headers: dict[int, str], pieces: Sequence[Piece]) -> str:
    texts: dict[int, list[str]] = {number: [header] for number, header in headers.items()}
    for piece in pieces:
        texts[piece.step].append(piece.label + piece.text)
    return "\n\n".join(part for parts in texts.values() for part in parts)
