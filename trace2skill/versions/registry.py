"""The registry: every version of a skill, who is champion, and how it came to that.

The champion is what the last line of the history says. A change is written down first, as one transaction that fails
when somebody else was faster, then the directory is swapped, then the line is marked done. After a crash in between,
`recover` finishes what was decided. Every version is kept as a plain directory besides, under `versions/` beside the
store.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from trace2skill.core.digest import digest_of
from trace2skill.core.errors import BadInput, ChampionChanged
from trace2skill.core.forms import as_text, from_text_or_none
from trace2skill.skills.skill import Skill, write_skill
from trace2skill.store import Store
from trace2skill.store.skill_history import ChangeRow, LookRow, SkillHistory, VersionRow
from trace2skill.types.decision import Decision, Look
from trace2skill.versions.judgements import VersionJudgement, read_judgement, standing, standing_row
from trace2skill.versions.places import Directory, SkillPlace
from trace2skill.versions.records import Change, Kind, Version, message_of
from trace2skill.versions.spending import SMALLER, of_before, paid, price

__all__ = ["Change", "Registry", "Version", "learned_from"]


class Registry:
    """The versions in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._history = SkillHistory(store)
        self._root = store.beside / "versions"

    def versions(self, name: str | None = None) -> list[Version]:
        """All versions, of one name or of all, by name and number."""
        return [_version(row) for row in self._history.versions(name)]

    def version(self, digest: str) -> Version:
        """The version whose digest starts so.

        Raises:
            BadInput: none, or several.
        """
        found = {item.skill: item for item in self.versions() if item.skill.startswith(digest)}
        if len(found) != 1 or len(digest) < 4:
            said = "no version" if not found else f"{len(found)} versions"
            raise BadInput(f"{said} with digest '{digest}': `trace2skill versions` lists them")
        return next(iter(found.values()))

    def skill(self, digest: str) -> Skill:
        """The files of a version.

        Raises:
            BadInput: the store has lost them.
        """
        found = self._store.get("skill", digest, Skill)
        if found is None:
            raise BadInput(f"{self._store.path} no longer has the files of version {digest[:12]}")
        return found

    def history(self, name: str) -> list[Change]:
        """What happened to the champion, oldest first."""
        return [_change(row) for row in self._history.changes(name)]

    def champion(self, name: str) -> str | None:
        """Digest of the champion, None where there is none yet."""
        changes = self.history(name)
        return changes[-1].skill if changes else None

    def judgements(self, version: Version) -> list[VersionJudgement]:
        """What was ever said of a version, oldest first."""
        return [read_judgement(row) for row in self._history.judgements(version.name, version.skill)]

    def win(self, version: Version, champion: str, *, without: str | None = None) -> VersionJudgement | None:
        """The judgement by which a version is better than that champion and which still stands, None where none is.

        Without what the run of that id said, where one is named.
        """
        said = [item for item in self.judgements(version) if without is None or item.run_id != without]
        over = [item for item in said if item.champion == champion]
        stands = over[standing(over)] if over else None
        return stands if stands and stands.verdict == "promote" else None

    def record(self, skill: Skill, version: Version, over: str | None = None) -> Version:
        """Keep a version. Its decision is added to those there are, and its number stays.

        Args:
            skill: its files.
            version: what is known of it; the decision of `versions` is the one that stands, by `standing`.
            over: digest of the champion it was compared with; its parent, unless given.

        Returns:
            It as it was given, with its number.
        """
        self._store.put("skill", skill.digest, skill)
        decision = as_text(version.decision) if version.decision else ""
        row = VersionRow(
            name=version.name,
            digest=version.skill,
            parent=version.parent,
            run_id=version.run_id,
            state=version.state,
            decision=decision,
            author=version.author,
        )
        number = self._history.keep_version(row, version.parent if over is None else over, standing_row)
        write_skill(skill, self.directory(skill))
        return version.model_copy(update={"number": number})

    def directory(self, skill: Skill) -> Path:
        """Where a version stands as a plain directory."""
        return self._root / skill.digest[:12] / skill.name

    def adopt(self, skill: Skill, directory: Path | SkillPlace, reason: str = "") -> None:
        """Make what stands in the live directory the champion, where people have put it there.

        Args:
            skill: what stands there.
            directory: where.
            reason: why it is champion; where it was found, unless given.

        Raises:
            BadInput: the directory holds a former champion: it was left behind, and nobody decided for it.
        """
        champion = self.champion(skill.name)
        if champion == skill.digest:
            return
        place = _at(directory)
        if champion and self.is_former(skill) and not place.is_newest:
            raise BadInput(
                f"{directory} holds version {skill.digest[:12]} of '{skill.name}', which was champion before "
                f"{champion[:12]}: is it an old checkout? `trace2skill promote {champion[:12]} {directory}` puts "
                f"it right, `trace2skill rollback {directory} --to {skill.digest[:12]}` goes back to that version"
            )
        known = any(item.skill == skill.digest for item in self.versions(skill.name))
        if not known:
            self.record(skill, Version(name=skill.name, skill=skill.digest, parent=champion or "", state="by_hand"))
        self._change(skill.name, "adopt", skill.digest, None, "", reason or place.found, done=True)

    def is_former(self, skill: Skill) -> bool:
        """Was it champion, and is no longer?"""
        digests = [change.skill for change in self.history(skill.name)]
        return skill.digest in digests and digests[-1] != skill.digest

    def before_shrinking(self, name: str) -> str:
        """The champion, or where it was only to be smaller than the one before, the last that was not; '' for none.

        Who goes back to a smaller version goes back to what that one was measured by.
        """
        smaller = {
            item.skill
            for item in self.versions(name)
            if item.decision and item.decision.comparison and item.decision.comparison.no_worse
        }
        changes = self.history(name)
        at = len(changes) - 1
        while at > 0 and changes[at].kind != "adopt" and (skill := changes[at].skill) in smaller:
            before = [n for n in range(at) if changes[n].skill == skill] if changes[at].kind == "rollback" else []
            at = before[-1] if before else at - 1
        return changes[at].skill if changes else ""

    def is_by(self, skill: Skill, run_id: str) -> bool:
        """Is it the champion, and that by this run?"""
        changes = self.history(skill.name)
        return bool(changes) and (changes[-1].skill, changes[-1].run_id) == (skill.digest, run_id)

    def take_over(self, name: str, directory: Path | SkillPlace) -> str:
        """Finish what a crash left, adopt what people changed, and return the digest of the champion, '' for none.

        Raises:
            BadInput: the directory holds another skill.
        """
        place = _at(directory)
        self.recover(name, place)
        if (live := place.read()) is not None:
            if live.name != name:
                raise BadInput(f"{place} holds the skill '{live.name}', not '{name}'")
            if place.is_newest or not self.is_former(live):  # an old checkout is no change by people
                self.adopt(live, place)
        return self.champion(name) or ""

    def put_right(self, name: str, directory: Path | SkillPlace) -> Change:
        """Write the champion into its directory, which holds something older; returns how it came to be champion.

        Raises:
            BadInput: there is no champion, or the directory cannot be written.
        """
        changes = self.history(name)
        if not changes:
            raise BadInput(f"'{name}' has no history: nothing was promoted yet")
        skill, place = self.skill(changes[-1].skill), _at(directory)
        live = place.read()
        place.check(skill)
        self._put(changes[-1], skill, place, live.digest if live else "")
        return changes[-1]

    def promote(self, skill: Skill, directory: Path | SkillPlace, *, expected: str, run_id: str, reason: str) -> Change:
        """Make `skill` the champion and put it into the live directory.

        Args:
            skill: the new champion; a version of the registry.
            directory: where the skill is used from.
            expected: digest of the champion it was compared with.
            run_id: the run that decided.
            reason: in words.

        Raises:
            ChampionChanged: somebody else promoted since.
            BadInput: the place cannot be written or holds another skill by now; `recover` tries again.
        """
        place, champion = _at(directory), self.champion(skill.name)
        if champion and champion != expected:  # known before the place is asked, which then holds that one
            raise ChampionChanged(skill.name, expected, champion)
        place.check(skill, expected)
        row = ChangeRow(skill.name, 0, "promote", skill.digest, "", run_id, reason, done=False)
        change = self._written(row, expected, self._won(skill, expected))
        self._finish(change, skill, place)
        return change

    def rollback(self, name: str, directory: Path | SkillPlace, *, to: str | None = None, reason: str = "") -> Change:
        """Put the champion before the current one back, or the version `to`. Rolling back twice undoes the first.

        Raises:
            BadInput: there is nothing to go back to.
        """
        changes = self.history(name)
        if not changes:
            raise BadInput(f"'{name}' has no history: nothing was promoted yet")
        target = to or changes[-1].previous
        if not target:
            raise BadInput(f"'{name}' has only ever had one champion: there is nothing to go back to")
        skill, place = self.skill(target), _at(directory)
        place.check(skill, changes[-1].skill)
        change = self._change(name, "rollback", target, changes[-1].skill, "", reason, done=False)
        self._finish(change, skill, place)
        return change

    def recover(self, name: str, directory: Path | SkillPlace) -> None:
        """Finish a change that a crash left between the decision and the directory.

        What people have changed in the directory since is not touched: it becomes the champion.
        """
        changes = self.history(name)
        if not changes or changes[-1].done:
            return
        pending, place = changes[-1], _at(directory)
        found = place.read()
        live = found.digest if found else ""
        if live in (pending.skill, pending.previous, ""):
            self._finish(pending, self.skill(pending.skill), place)
        else:
            self._mark_done(pending)

    def look(
        self,
        name: str,
        champion: str,
        evidence: object,
        level: float,
        *,
        ways: int = 1,
        earns: bool = True,
        smaller: bool = False,
    ) -> Look:
        """The look that this evidence is, at this champion: a new one, which is paid for, or the one it was before.

        Args:
            name: of the skill.
            champion: digest of the skill that is in use.
            evidence: what was seen: the same evidence is the same look.
            level: of the whole life; see `spending`.
            ways: of how many candidates the best competes.
            earns: whether promotions earn the level once more.
            smaller: is it for a skill that is only to be smaller?
        """
        key = (SMALLER if smaller else "") + digest_of("look", evidence)
        row = self._history.take_look(name, champion, key, partial(price, earns=earns))
        return _look(row, level, ways)

    def next_look(self, name: str, champion: str, level: float, *, ways: int = 1, earns: bool = True) -> Look:
        """The look that evidence not seen before would be. Nothing is spent. Arguments are those of `look`."""
        return _look(self._history.next_look(name, champion, partial(price, earns=earns)), level, ways)

    def _won(self, skill: Skill, champion: str) -> str:
        """Key of the look by which a skill is better than that champion, '' where none says so."""
        known = [item for item in self.versions(skill.name) if item.skill == skill.digest]
        win = self.win(known[0], champion) if known else None
        return win.decision.look.key if win and win.decision and win.decision.look else ""

    def _change(
        self, name: str, kind: Kind, digest: str, expected: str | None, run_id: str, reason: str, *, done: bool
    ) -> Change:
        return self._written(ChangeRow(name, 0, kind, digest, "", run_id, reason, done), expected)

    def _written(self, row: ChangeRow, expected: str | None, won: str = "") -> Change:
        written = self._history.append_change(row, expected, won)
        if written is None:
            raise ChampionChanged(row.name, expected or "", self.champion(row.name) or "")
        return next(change for change in self.history(row.name) if change.number == written.number)  # with its time

    def _finish(self, change: Change, skill: Skill, place: SkillPlace) -> None:
        self._put(change, skill, place, change.previous)
        self._mark_done(change)

    def _put(self, change: Change, skill: Skill, place: SkillPlace, expected: str) -> None:
        """The skill in its place. What a repository says of it is the same whenever it is said again."""
        version = next((item for item in self.versions(change.name) if item.skill == change.skill), None)
        place.put(skill, expected, message_of(change, version), change.written)

    def _mark_done(self, change: Change) -> None:
        self._history.mark_done(change.name, change.number)


def _look(row: LookRow, level: float, ways: int) -> Look:
    if row.cost is None or row.remaining is None:
        return of_before(row.number, level / ways)
    return paid(row.number, level, row.cost, row.remaining, ways=ways, key=row.key)


def _at(where: Path | SkillPlace) -> SkillPlace:
    return Directory(where) if isinstance(where, Path) else where


def learned_from(store: Store, skill: Skill, tasks_of: Callable[[str], set[str]]) -> set[str]:
    """Tasks that a skill has learned from, as far as the store knows: its own ledger, else those of all its namesakes.

    Args:
        store: where ledgers and versions are.
        skill: the version in question; people may have changed it since it was written.
        tasks_of: the tasks in the ledger of a version, by digest.
    """
    own = tasks_of(skill.digest)
    if own:
        return own
    return {task for item in Registry(store).versions(skill.name) for task in tasks_of(item.skill)}


def _version(row: VersionRow) -> Version:
    values = dict(zip(Version.model_fields, row, strict=True))
    # A decision that cannot be read is no reason to lose the version: it is shown without.
    values["decision"] = from_text_or_none(row.decision, Decision) if row.decision else None
    return Version(**values)


def _change(row: ChangeRow) -> Change:
    return Change(**dict(zip(Change.model_fields, row, strict=True)))
