"""A pass that proposes a smaller champion: what may go or be said in fewer words, a trial on evolve tasks, the gate.

What is smaller by at least a tenth goes through a test that it is no worse (`trace2skill.evaluation.no_worse`), with
the gate's looks and the promotion of any candidate. It is compared with the champion, and with the last version that
was promoted as the better one: a chain of small losses would else add up (D'Agostino, Massaro and Sullivan 2003,
https://doi.org/10.1002/sim.1425). What goes stays in the book with its reason.
"""

from collections.abc import Sequence
from functools import cached_property

from trace2skill.consolidate.candidate import Candidate
from trace2skill.consolidate.ledger import SupportLedger
from trace2skill.consolidate.less import tokens_of, valid_without, with_shorter
from trace2skill.consolidate.limits import CHARS_PER_TOKEN
from trace2skill.consolidate.lines import LineRange
from trace2skill.consolidate.settle import RuleBook
from trace2skill.consolidate.shorten import LongSection, ShortenedSection
from trace2skill.core.failures import Failure
from trace2skill.evaluation.conditions import Condition
from trace2skill.evaluation.decision import decide, is_covered
from trace2skill.runs.dead_weight import DeadWeight, Goes, SkillPart, change_of, not_yet_refused, pieces_of, to_try
from trace2skill.runs.lineage import hand_on
from trace2skill.runs.longer_again import was_shortened
from trace2skill.runs.past import Past
from trace2skill.runs.promotion import settled
from trace2skill.runs.rule_effects import effects_beside, runs_seen
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.shortening import SectionToShorten, as_goes, nobodys, sections_of, whole_pieces
from trace2skill.runs.shrink_evidence import headings_of_people, level_of_next, opened_in, too_few_tasks
from trace2skill.runs.shrunk import Shrunk
from trace2skill.runs.spread import SkillScores, scores_of
from trace2skill.runs.verdicts import past_known
from trace2skill.skills.apply import unified_diff
from trace2skill.skills.skill import Skill, problems
from trace2skill.types.decision import Decision, Look
from trace2skill.types.evaluation import Evaluation
from trace2skill.types.references import Rolled, RolloutJob
from trace2skill.versions.registry import Registry, Version
from trace2skill.versions.spending import single_look

TENTH = 0.1
"""A skill that is smaller by less than this share of its tokens is not worth a look."""


class Shrinking:
    """One pass over the champion of a run.

    Roll out `jobs` and give them to `take` as long as there are any; have `sections` worded more shortly and give that
    to `take_shorter`; then score `conditions` on the held-out tasks and give that to `settle`.

    Args:
        rt: the run, with the champion as the skill it was given.
        evolve: the tasks that trials may be made on.
        held_out: the tasks that the gate looks at.
    """

    def __init__(self, rt: Runtime, evolve: Sequence[str], held_out: Sequence[str]) -> None:
        assert rt.given_skill is not None
        self.held_out = list(held_out)
        self._rt, self._evolve, self._skill = rt, evolve, rt.given_skill
        self._registry, self._how = Registry(rt.store), rt.settings.learning.shrink
        self._began = self._registry.before_shrinking(self._skill.name)
        self._past: Past = past_known(rt, self._skill.name)
        last = next((summary.book for _, summary in reversed(self._past.runs) if summary.book), "")
        self._book = (rt.store.get("book", last, RuleBook) if last else None) or RuleBook()
        ledger = rt.store.get("support", self._skill.digest, SupportLedger)
        self._every = whole_pieces(self._skill, pieces_of(self._skill, ledger, self._book))
        self._mine = [piece for piece in self._every if self._how.of == "all" or not piece.by_people]
        self._scores: tuple[SkillScores, ...] = ()
        self._rolled: dict[tuple[str | None, str, int], Rolled] = {}
        self._tried: set[LineRange] = set()
        self._to_pay = self._how.tasks
        self._opened, self._watched = self._use()
        self._known = self._weigh()
        self._goes: list[Goes] = []
        self._sections: list[SectionToShorten] = []
        self._shorter: list[Goes] = []
        self._not_shortened: tuple[str, ...] = ()
        self._not_asked = ""
        self._left: Skill | None = None
        self._why_not = ""
        self._needed: tuple[str, ...] = ()

    def jobs(self) -> list[RolloutJob]:
        """The champion, and the champion without some of its rules, on tasks that asked for these; each part once."""
        parts = max(1, sum(bool(piece.rules) for piece in self._every) // 3)
        while True:
            left = [piece for piece in self._known.open() if piece.id not in self._tried]
            chosen, tasks = to_try(left, self._known.effects, self._evolve, self._to_pay, parts)
            trial, needed = self._valid_without(chosen)
            self._tried |= {piece.id for piece in needed or chosen}
            if not tasks:
                return []
            if not needed:
                break
        self._to_pay -= len(tasks)
        self._rt.store.put("skill", trial.digest, trial)
        return [
            RolloutJob(task_id=task, seed=seed, skill=skill)
            for skill in (self._skill.digest, trial.digest)
            for task in tasks
            for seed in self._rt.settings.learning.seeds
        ]

    def take(self, rolled: Sequence[Rolled]) -> None:
        """So did they."""
        self._rolled |= {(item.skill, item.cell.task_id, item.cell.seed): item for item in rolled}
        self._scores = scores_of(self._rolled.values())
        self._opened, self._watched = self._use()
        self._known = self._weigh()

    def sections(self) -> list[LongSection]:
        """What of the rest may be worded more shortly; give what comes of it to `take_shorter`, in this order."""
        settings = self._rt.settings
        if not self._how.shorten or not settings.gate.evaluate or "merger" not in settings.roles_asked:
            return []
        if few := self._too_few(self._known.goes()):  # nobody pays for words that the gate cannot let through
            self._not_asked = f", and nobody was asked for shorter lines: {few}"
            return []
        out = {place for item in self._known.goes() for place in item.piece.places}
        mine = [*self._mine, *(nobodys(self._skill, self._every) if self._how.of == "all" else [])]
        stays = [
            piece
            for piece in mine
            if not out & {*piece.places} and not was_shortened(self._past, piece.text)  # it did not do in fewer words
        ]
        asked = {piece.id for piece in stays}
        self._sections = sections_of(self._skill, stays, [piece for piece in self._every if piece.id not in asked])
        return [section.asks for section in self._sections]

    def take_shorter(self, found: Sequence[ShortenedSection]) -> None:
        """So are they worded."""
        both = list(zip(self._sections, found, strict=True))
        self._shorter, self._not_shortened = as_goes(self._skill, both)

    def conditions(self) -> list[Condition]:
        """The champion, what is left of it, and the version that shrinking began with; nothing where that is no use."""
        self._goes, self._left, self._why_not = self._proposed()
        if self._why_not or self._left is None:
            return []
        self._rt.store.put("skill", self._left.digest, self._left)
        champion = self._skill.digest
        found = [Condition(name="champion", skill=champion), Condition(name="smaller", skill=self._left.digest)]
        return found + [Condition(name="before shrinking", skill=self._began)] * (self._began != champion)

    def settle(self, scored: Sequence[Evaluation], failures: Sequence[Failure] = ()) -> Shrunk:
        """Decide, and promote where it won and the settings say so."""
        decision = self._decision(scored) if scored else None
        left = self._left if self._left is not None and self._goes else self._skill
        parts = tuple(item.piece.as_part(item.why, item.reason, item.says) for item in self._goes)
        if decision is not None and failures:
            decision = decision.model_copy(update={"missing": len(failures)})
        if decision is not None:
            hand_on(self._rt, self._skill, left, parts)
            self._promote(left, decision)
        seeds = self._rt.settings.learning.seeds if self._rt.settings.learning.night_of else ()
        return Shrunk(
            run_id=self._rt.run_id,
            skill_name=self._skill.name,
            night=self._rt.settings.learning.night,
            base=self._skill.digest,
            skill=left.digest,
            tokens=tokens_of(self._skill),
            left=tokens_of(left),
            parts=parts,
            not_shortened=self._not_shortened,
            unknown=len(self._known.open()),
            people=self._of_people(),
            needed=self._needed,
            scores=self._scores,
            seeds=seeds,
            decision=decision,
            promoted=decision is not None and self._registry.is_by(left, self._rt.run_id),
            diff=unified_diff(self._skill, left),
            why_not=self._why_not,
        )

    def _weigh(self, pieces: Sequence[SkillPart] | None = None) -> DeadWeight:
        mine = self._mine if pieces is None else pieces
        rules = {rule.id for piece in self._every for rule in piece.rules}
        asked_by = {rule.id: rule.support.tasks for rule in self._book.rules}
        seeds = self._rt.settings.learning.seeds if self._rt.settings.learning.night_of else ()
        seen = runs_seen(self._rt.store, self._past, self._book, self._scores, seeds)
        effects = effects_beside(seen, asked_by, rules)
        return DeadWeight(self._skill, mine, self._book, effects, self._opened, self._watched)

    def _of_people(self) -> int:
        """Parts that would go if they were not people's."""
        if self._how.of == "all":
            return 0
        return sum(item.piece.by_people for item in self._weigh(self._every).goes())

    def _proposed(self) -> tuple[list[Goes], Skill | None, str]:
        """What is to go, what is left, and why that is not scored, '' where it is."""
        refused = self._refused()
        goes = not_yet_refused([*self._known.goes(), *self._shorter], refused)
        left, staying = self._left_of(goes)
        self._needed = tuple(f"{piece.id[0]}:{piece.id[1]}" for piece in staying)
        goes = [item for item in goes if item.piece not in staying]
        if not goes:
            why = "nothing that can go is known to be without effect, unused, said twice or said at length"
            return [], None, "what may go was refused beside this champion" if refused else why + self._not_asked
        if not self._is_enough(left):
            return goes, left, f"that is less than {TENTH:.0%} of its tokens, and is not worth a look"
        if not self._rt.settings.gate.evaluate:
            return goes, left, "it was not evaluated, as asked for"
        if why := self._too_few(goes):
            return goes, left, why
        if self._rt.store.get("skill", self._began, Skill) is None:
            return goes, left, "the store has lost the version that shrinking began with: was it pruned?"
        return goes, left, ""

    def _too_few(self, goes: Sequence[Goes]) -> str:
        """Why there are too few held-out tasks, '' where there are enough or a part harms, which fewer can show."""
        if any(item.why == "harms" for item in goes):
            return ""
        level = level_of_next(self._registry, self._rt.settings.gate, self._skill)
        return too_few_tasks(level, self._rt.settings.gate.shrink_loss, len(self.held_out))

    def _is_enough(self, left: Skill) -> bool:
        """Is it smaller by a tenth than the champion? Or, where no more can be learned of any part, than the version
        that shrinking began with: what a chain of passes found last must not stay for being little.
        """
        began = self._rt.store.get("skill", self._began, Skill)
        beside = self._skill if began is None or self._known.open() else began
        return tokens_of(left) <= (1 - TENTH) * tokens_of(beside)

    def _valid_without(self, pieces: Sequence[SkillPart]) -> tuple[Skill, list[SkillPart]]:
        """The champion without these, and those of them without which it would not be valid: they stay."""
        keep = () if self._how.of == "all" else self._headings_of_people
        left, stay = valid_without(self._skill, [piece.places for piece in pieces], keep)
        return left, [pieces[number] for number in stay]

    def _left_of(self, goes: Sequence[Goes]) -> tuple[Skill, list[SkillPart]]:
        """The same, with the shorter lines in place of the longer ones."""
        left, staying = self._valid_without([item.piece for item in goes if not item.says])
        shorter = {item.piece.id: item.says for item in goes if item.says}
        if not shorter:
            return left, staying
        out = [place for item in goes if not item.says and item.piece not in staying for place in item.piece.places]
        keep = () if self._how.of == "all" else self._headings_of_people
        made = with_shorter(self._skill, shorter, out, keep)
        if problems(made, self._skill):
            return left, [*staying, *(item.piece for item in goes if item.says)]
        return made, staying

    @cached_property
    def _headings_of_people(self) -> frozenset[tuple[str, str]]:
        return headings_of_people(self._rt.store, self._registry, self._skill.name)

    def _refused(self) -> list[frozenset[str]]:
        """What was to go from this champion and the gate did not let go."""
        return [
            frozenset(change_of(part.group.text, part.says) for part in one.parts)
            for _, one in self._past.shrunk
            if one.base == self._skill.digest
            and one.run_id != self._rt.run_id
            and one.was_refused(len(self.held_out), self._rt.settings.gate.shrink_loss)
        ]

    def _use(self) -> tuple[dict[str, int], int]:
        mine = (item.trajectory_id for (skill, *_), item in self._rolled.items() if skill == self._skill.digest)
        return opened_in(self._rt.store, self._skill, {*self._past.read, *mine})

    def _decision(self, scored: Sequence[Evaluation]) -> Decision:
        champion, smaller, *beside = scored
        gate = self._rt.settings.gate
        look: Look = single_look(gate.level)
        if gate.spend != "at_once" and is_covered(champion, smaller, gate, *beside):
            evidence = (str(smaller.skill), gate.shrink_loss, [(cell.task_id, cell.seed) for cell in smaller.cells])
            how = {"earns": gate.spend == "over_nights", "smaller": True}
            look = self._registry.look(self._skill.name, self._skill.digest, evidence, gate.level, **how)
        size = len(self._left.body) // CHARS_PER_TOKEN if self._left is not None else 0
        return decide(champion, smaller, gate, look=look, skill_tokens=size, beside=beside)

    def _promote(self, left: Skill, decision: Decision) -> None:
        version = Version(
            name=left.name,
            skill=left.digest,
            parent=self._skill.digest,
            run_id=self._rt.run_id,
            state="candidate",
            decision=decision,
            author=self._rt.settings.models.analyst.name,
        )
        settled(self._registry, self._rt.settings, self._rt.place, left, version, self._skill.digest)


def shrinking_of(
    rt: Runtime, evolve: Sequence[str], held_out: Sequence[str], promoted: Candidate | None = None
) -> Shrinking | None:
    """The pass of a run; None where the settings ask for none, or the run has just promoted a candidate: one change of
    the champion a night is enough, and nothing is known of the new one's rules yet.
    """
    settings, skill = rt.settings, rt.given_skill
    if settings.learning.shrink.of == "nothing" or skill is None or settings.operation.part_of:
        return None
    champion = Registry(rt.store).champion(skill.name)
    return Shrinking(rt, evolve, held_out) if promoted is None and champion == skill.digest else None
