"""Asking the models of an audit: who writes assertions, who judges, and the agent, over many segments at once.

Every call goes through the client, so that an audit that was broken off goes on where it ended, and what was asked once
is not paid for again.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from trace2skill.agents.loop import cut
from trace2skill.analysts.reading import room_for_trajectory
from trace2skill.core import stopping
from trace2skill.core.budget import Budget
from trace2skill.core.digest import digest_of
from trace2skill.core.progress import watcher
from trace2skill.core.step_label import StepLabel
from trace2skill.evaluation.assertions import Assertion
from trace2skill.evaluation.audit import NO_SKILL
from trace2skill.llm import Client, ModelSettings
from trace2skill.llm.checks import check_model
from trace2skill.proposals import assertions as asks
from trace2skill.proposals.assertions import Judged, WrittenAssertion
from trace2skill.runs.audit_sessions import ANSWER, ShownSegment, plain
from trace2skill.runs.settings import RunSettings
from trace2skill.safety.redaction import Redactor
from trace2skill.skills.relevant import relevant_sections
from trace2skill.skills.skill import Skill
from trace2skill.store import Store

SHOWN_SKILL = 40_000
"""Characters of a skill that the agent is shown; of a longer one the sections closest to the request."""
T = TypeVar("T")
R = TypeVar("R")
Said = list[Judged | None]
"""What each judge says of one assertion, or one judge of each; None where its answer cannot be used."""


class Judge(NamedTuple):
    """One of those who judge: a model, and the number that tells two of one model apart."""

    model: ModelSettings
    number: int

    @property
    def name(self) -> str:
        """As a person reads it."""
        return f"judge {self.number} ({self.model.name})"


class Panel:
    """Writer, judges and agent with one store and one bill.

    Args:
        store: keeps the answers.
        settings: the models, their caps, the seed.
        judges: the models that judge.
        skills: whose bill this is.
        logs: over which it is: another audit has another bill, and its own cap.

    Raises:
        BadInput: a model cannot be asked (no key, no price); said before anything is spent.
    """

    def __init__(
        self,
        store: Store,
        settings: RunSettings,
        judges: Sequence[ModelSettings],
        skills: Sequence[Skill],
        logs: Sequence[str] = (),
    ) -> None:
        self.agent, self.writer = settings.models.agent, settings.models.analyst
        self.judges = [Judge(model, number) for number, model in enumerate(judges, start=1)]
        for model in (self.agent, self.writer, *judges):
            check_model(model)
        named = [model.identity for model in (self.agent, self.writer, *judges)]
        self.run_id = "audit-" + digest_of(named, [skill.digest for skill in skills], sorted(logs))[:10]
        money, held = settings.money, store.reservations()
        budget = Budget(money.max_cost, monthly=money.max_cost_per_month, reservations=held, run_id=self.run_id)
        self.client = Client(store, budget, self.run_id)
        self.seed, self.workers = settings.learning.seeds[0], settings.operation.workers

    @property
    def simulated(self) -> bool:
        """Does a simulated model take part?"""
        return any(model.simulated for model in (self.agent, self.writer, *(judge.model for judge in self.judges)))

    def written(self, segments: Sequence[ShownSegment]) -> list[list[WrittenAssertion] | None]:
        """What the writer hands in of each segment; None where no answer can be used. Raises as `Client.complete`."""
        return self._each("assertions", segments, self._written)

    def _written(self, segment: ShownSegment) -> list[WrittenAssertion] | None:
        model, step = self.writer, StepLabel("assertions", segment.id)
        request = asks.writing_request(
            model,
            request=segment.request,
            before=segment.before,
            steps=self._fitting(model, segment.recorded),
            outcome=segment.outcome,
            after=segment.after,
            seed=self.seed,
        )
        return asks.written_assertions(self.client, request, step=step)

    def of_sessions(
        self, segments: Sequence[ShownSegment], kept: Mapping[str, Sequence[Assertion]]
    ) -> dict[str, list[Said]]:
        """By segment, of each assertion what each judge says of the recorded session."""

        def judged(item: tuple[ShownSegment, Judge]) -> Said:
            segment, judge = item
            order = self._order(judge, segment, len(kept[segment.id]))
            request = asks.session_request(
                judge.model,
                request=segment.request,
                assertions=[kept[segment.id][place].says for place in order],
                steps=self._fitting(judge.model, segment.recorded),
                seed=self.seed + judge.number,
            )
            step = StepLabel("confirm", segment.id, unit=str(judge.number))
            return _in_order(order, asks.judged_session(self.client, request, step=step))

        return _gathered(segments, self._each("confirm", self._pairs(segments), judged), len(self.judges))

    def of_answers(
        self,
        stage: str,
        segments: Sequence[ShownSegment],
        kept: Mapping[str, Sequence[Assertion]],
        answers: Mapping[str, tuple[str, str]],
    ) -> dict[str, list[tuple[Said, Said]]]:
        """By segment, of each assertion what each judge says of both answers, which it sees in an order by chance."""

        def judged(item: tuple[ShownSegment, Judge]) -> tuple[Said, Said]:
            segment, judge = item
            order = self._order(judge, segment, len(kept[segment.id]))
            turned = self._turned(stage, judge, segment)
            first, second = answers[segment.id][::-1] if turned else answers[segment.id]
            request = asks.answers_request(
                judge.model,
                request=segment.request,
                assertions=[kept[segment.id][place].says for place in order],
                first=first,
                second=second,
                seed=self.seed + judge.number,
            )
            step = StepLabel(stage, segment.id, unit=str(judge.number))
            said = [_in_order(order, one) for one in asks.judged_answers(self.client, request, step=step)]
            return (said[1], said[0]) if turned else (said[0], said[1])

        found = self._each(stage, self._pairs(segments), judged)
        sides = [_gathered(segments, [pair[side] for pair in found], len(self.judges)) for side in (0, 1)]
        return {item.id: list(zip(sides[0][item.id], sides[1][item.id], strict=True)) for item in segments}

    def plans(self, segments: Sequence[ShownSegment], before: Skill | None, after: Skill) -> dict[str, tuple[str, str]]:
        """What the agent says it would do, with the first skill and with the second; '' where it says nothing."""

        def planned(item: tuple[ShownSegment, Skill | None]) -> str:
            segment, skill = item
            text = relevant_sections(skill, [segment.request], SHOWN_SKILL) if skill else ""
            name, told = (skill.name if skill else ""), {"request": segment.request, "before": segment.before}
            request = asks.plan_request(self.agent, skill=text, name=name, seed=self.seed, **told)
            step = StepLabel("plan", segment.id, part=name or NO_SKILL, unit=skill.digest[:12] if skill else "")
            return blinded(asks.planned(self.client, request, step=step), names)

        names = [skill.name for skill in (before, after) if skill]
        arms = [(segment, skill) for segment in segments for skill in (before, after)]
        said = self._each("plan", arms, planned)
        return {item.id: (said[2 * place], said[2 * place + 1]) for place, item in enumerate(segments)}

    def _each(self, stage: str, items: Sequence[T], do: Callable[[T], R]) -> list[R]:
        def one(item: T) -> R:
            stopping.check()
            return do(item)

        watcher().begin(stage, len(items))
        found = []
        with ThreadPoolExecutor(self.workers) as pool:
            for result in pool.map(one, items):
                found.append(result)
                watcher().item(stage, str(len(found)), "done")
        return found

    def _pairs(self, segments: Sequence[ShownSegment]) -> list[tuple[ShownSegment, Judge]]:
        return [(segment, judge) for segment in segments for judge in self.judges]

    def _order(self, judge: Judge, segment: ShownSegment, count: int) -> list[int]:
        """In which order a judge sees the assertions."""
        return sorted(range(count), key=lambda place: digest_of("order", self.seed, judge.number, segment.id, place))

    def _turned(self, stage: str, judge: Judge, segment: ShownSegment) -> bool:
        """Does a judge see the second answer first? Of two judges in a row one does."""
        first = int(digest_of("turned", stage, self.seed, segment.id)[:8], 16) % 2
        return (first + judge.number) % 2 == 1

    def _fitting(self, model: ModelSettings, text: str) -> str:
        return cut(text, room_for_trajectory(model))


def blinded(answer: str, names: Sequence[str]) -> str:
    """An answer of the agent as judges see it: redacted, cut, and with no word of a skill that it goes by.

    Args:
        answer: what it said.
        names: of the skills that agents were shown. As words of the work they stay as they are.
    """
    text = plain(Redactor().text(cut(answer, 4 * ANSWER)), ANSWER)
    for name in names:
        known, quote = re.escape(name), r"[`'\"*]{0,3}"
        text = re.sub(rf"(?i)[\w./~-]*\b{known}/SKILL\.md", "GUIDE", text)
        text = re.sub(rf"(?i)\bskills?(?:\s+|/|:\s*){quote}{known}\b{quote}", "guide", text)
        text = re.sub(rf"(?i){quote}\b{known}\b{quote}\s+skill\b", "guide", text)
    return re.sub(r"(?i)\b(the|my|this|that)\s+skill\b", r"\1 guide", re.sub(r"\bSKILL\.md\b", "GUIDE", text))


def _in_order(order: Sequence[int], said: Mapping[int, Judged]) -> Said:
    """Verdicts by the assertions' own order; None where a judge gave none."""
    return [said.get(order.index(place)) for place in range(len(order))]


def _gathered(segments: Sequence[ShownSegment], found: Sequence[Said], judges: int) -> dict[str, list[Said]]:
    """By segment, an assertion each what every judge says."""
    rows = {item.id: found[place * judges : (place + 1) * judges] for place, item in enumerate(segments)}
    return {id: [list(row) for row in zip(*said, strict=True)] for id, said in rows.items()}
