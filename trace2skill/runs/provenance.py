"""Where each line of a skill comes from, as a file beside it: what travels with a skill, and can be checked.

It holds ids and digests and no text: who asked for a line, which model wrote the version, what the gate decided.
Whoever has the file can see whether the skill is still the one that was tested; whoever has the store, too, whether the
file says what the store knows.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from operator import not_

from pydantic import Field

from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.core.digest import digest_of
from trace2skill.core.record import Record
from trace2skill.skills.made_by import made_by, without_made_by
from trace2skill.skills.markdown import split_lines
from trace2skill.skills.skill import Skill
from trace2skill.store import Store
from trace2skill.types.trajectory import Trajectory
from trace2skill.versions.judgements import standing
from trace2skill.versions.registry import Registry

SUFFIX = ".provenance.json"
DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", re.ASCII)


class ProvenFile(Record):
    """A file of the skill, by its bytes."""

    path: str
    sha256: str


class ProvenLine(Record):
    """Lines first..last of a file, counted from 1, and who asked for them."""

    file: str
    first: int
    last: int
    sha256: str = Field(description="Of their text, without white space at its ends.")
    trajectories: tuple[str, ...] = Field(description="Ids of those whose lessons say it, in order.")
    tasks: int = Field(description="How many distinct tasks these are of.")
    opposed: int = Field(default=0, exclude_if=not_, description="How many ask for the opposite.")
    by_people: bool = Field(default=False, exclude_if=not_, description="It stood there before any run asked for it.")


class ProvenDecision(Record):
    """What the gate said of the version, over the champion of then."""

    verdict: str
    reason: str
    champion: str = Field(description="Digest of the skill that it was compared with.")
    run_id: str


class Provenance(Record, form="Provenance", version=1):
    """One version of a skill, and where it comes from."""

    name: str
    skill: str = Field(description="Digest of the version.")
    number: int = Field(default=0, exclude_if=not_, description="Of the versions of that name; 0 where none is known.")
    parent: str = Field(default="", exclude_if=not_, description="Digest of the version that it was made from.")
    state: str = Field(default="", exclude_if=not_)
    run_id: str = Field(default="", exclude_if=not_, description="The run that made it.")
    author: str = Field(default="", exclude_if=not_, description="The model that wrote it; '' for people.")
    decision: ProvenDecision | None = Field(default=None, description="The judgement that stands; none for people's.")
    files: tuple[ProvenFile, ...]
    lines: tuple[ProvenLine, ...] = Field(description="Those for which somebody spoke; of others there is no record.")
    bare: str = Field(
        default="", exclude_if=not_, description="Of SKILL.md without an export's keys, where the version has some."
    )
    tool: str = Field(description="The program that wrote this.")


def provenance_of(store: Store, skill: Skill, tool: str = "trace2skill") -> Provenance:
    """What the store knows of a version, as this program tells it; where it knows none, files alone."""
    registry = Registry(store)
    version = next((item for item in registry.versions(skill.name) if item.skill == skill.digest), None)
    ledger = store.get("support", skill.digest, SupportLedger)
    known = {} if version is None else version.model_dump(include={"number", "parent", "state", "run_id", "author"})
    decision = None
    if version is not None and (judged := registry.judgements(version)):
        said = judged[standing(judged)]
        if said.decision is not None:
            told = said.decision
            decision = ProvenDecision(
                verdict=told.verdict, reason=told.reason, champion=said.champion, run_id=said.run_id
            )
    return Provenance(
        name=skill.name,
        skill=skill.digest,
        **known,
        decision=decision,
        files=tuple(ProvenFile(path=file.path, sha256=sha256(file.content).hexdigest()) for file in skill.files),
        lines=tuple(_lines(skill, ledger)) if ledger else (),
        bare=_bare_sha(skill) if made_by(skill) else "",
        tool=tool,
    )


def exported_keys(store: Store, skill: Skill) -> dict[str, str]:
    """What an export can write into the front matter of who made a version: see `with_made_by`.

    No name of a person, and nothing of any trajectory; of a skill that the store does not know, its digest alone.
    """
    told = provenance_of(store, skill)
    version = next((item for item in Registry(store).versions(skill.name) if item.skill == skill.digest), None)
    return {
        "version": str(told.number) if told.number else "",
        "digest": told.skill,
        "run": told.run_id,
        "verdict": told.decision.verdict if told.decision else "",
        "date": version.written[:10] if version else "",
    }


def as_text(told: Provenance) -> str:
    """As it stands in a file."""
    return told.model_dump_json(indent=1) + "\n"


def differences(skill: Skill, told: Provenance) -> list[str]:
    """What of a skill is not as its provenance says, in words; nothing where all is.

    The keys that an export writes into the front matter are no part of the version: what they say is compared.
    """
    found = [] if skill.name == told.name else [f"it is called '{skill.name}', and not '{told.name}'"]
    found += _untrue_keys(skill, told)
    has = {file.path: sha256(file.content).hexdigest() for file in skill.files}
    said = {file.path: file.sha256 for file in told.files}
    if has.get("SKILL.md") != said.get("SKILL.md"):
        skill = without_made_by(skill)
        bare = _bare_sha(skill)
        has["SKILL.md"] = said["SKILL.md"] if "SKILL.md" in said and bare == told.bare else bare
    found += [f"{path}: missing" for path in sorted(said.keys() - has.keys())]
    found += [f"{path}: not in the provenance" for path in sorted(has.keys() - said.keys())]
    changed = sorted(path for path in has.keys() & said.keys() if has[path] != said[path])
    for path in changed:
        lines = [line for line in told.lines if line.file == path]
        moved = [line for line in lines if _digest(skill, line.file, line.first, line.last) != line.sha256]
        where = f": lines {', '.join(str(line.first) for line in moved[:10])}" if moved else " between its proven lines"
        found.append(f"{path}: changed{where}")
    digest = digest_of("skill", [(file.path, file.executable, has[file.path]) for file in skill.files])
    if not found and digest != told.skill:
        found.append(f"its digest is {digest[:12]}, and not {told.skill[:12]}: a file may be run that could not be")
    return found


def _untrue_keys(skill: Skill, told: Provenance) -> list[str]:
    """What an export's keys say otherwise than the provenance beside the skill."""
    if told.bare and skill.digest == told.skill:
        return []  # it is the version itself, which holds what was written of another one
    verdict = told.decision.verdict if told.decision else ""
    true = {"version": str(told.number or ""), "digest": told.skill, "run": told.run_id, "verdict": verdict}
    said = made_by(skill)
    found = [
        f"SKILL.md: its metadata say trace2skill-{name} {value[:80]}, and not {true[name][:80] or 'nothing'}"
        for name, value in said.items()
        if name in true and value != true[name]
    ]
    if "date" in said and not DATE.fullmatch(said["date"]):  # which one it is the provenance does not know
        found.append(f"SKILL.md: its metadata say trace2skill-date {said['date'][:80]}, which is no date")
    return found


def _bare_sha(skill: Skill) -> str:
    text = without_made_by(skill).text("SKILL.md")
    return sha256((text or "").encode()).hexdigest()


def unknown_to(store: Store, told: Provenance) -> list[str]:
    """What a provenance says and a store does not know, in words; nothing where the store says the same."""
    skill = store.get("skill", told.skill, Skill)
    if skill is None:
        return [f"{store.path} does not know version {told.skill[:12]}"]
    known = provenance_of(store, skill)
    same = ("name", "number", "parent", "run_id", "author", "decision", "files")
    found = [f"{name}: the store says otherwise" for name in same if getattr(known, name) != getattr(told, name)]
    more = {(line.file, line.first, line.last): set(line.trajectories) for line in known.lines}
    for line in told.lines:
        here = more.get((line.file, line.first, line.last), set())
        if missing := sorted(set(line.trajectories) - here):  # a store learns more of a line, and forgets nobody
            found.append(f"{line.file}:{line.first}: {len(missing)} supporters that the store has not: {missing[0]}")
    return found


def lost_traces(store: Store, told: Provenance) -> int:
    """How many of the supporting trajectories the store no longer has: pruned, perhaps."""
    named = sorted({id for line in told.lines for id in line.trajectories})
    return len(named) - len(store.several("trajectory", named, Trajectory))


def _lines(skill: Skill, ledger: SupportLedger) -> Iterator[ProvenLine]:
    for row in sorted(ledger.rows, key=lambda row: (row.file, row.first, row.last, row.group)):
        yield ProvenLine(
            file=row.file,
            first=row.first,
            last=row.last,
            sha256=_digest(skill, row.file, row.first, row.last),
            trajectories=tuple(sorted(row.support.trajectories)),
            tasks=len(row.support.tasks),
            opposed=len(row.opposing),
            by_people=not row.group,
        )


def _digest(skill: Skill, file: str, first: int, last: int) -> str:
    lines = split_lines(skill.text(file) or "")[first - 1 : last]
    return sha256("".join(lines).strip().encode()).hexdigest()
