"""Coding every rule against the frozen book: same as, narrower than or opposed to which canonical rule, or none.

The words decide here and not where a rule was merged: a rule that an inducer put in the wrong group is found again, and
one that says two things counts for both.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property

from pydantic import BaseModel, ConfigDict, Field

from trace2skill.consolidate.book import MOST_CITED, MOST_SAID, Group
from trace2skill.consolidate.bounded import Asker, Bounds, answered, ids, lines, tokens
from trace2skill.core.record import Record
from trace2skill.skills.near import stems

PROMPT = "book_assign"
AGAIN_PROMPT = "book_again"


class RuleCode(BaseModel):
    """How one rule stands to the book."""

    model_config = ConfigDict(extra="ignore")
    rule: str
    same: list[str] = Field(default_factory=list)
    narrower: list[str] = Field(default_factory=list)
    opposed: list[str] = Field(default_factory=list)


class Coded(BaseModel):
    """What the coder answers: every rule once."""

    model_config = ConfigDict(extra="ignore")
    codes: list[RuleCode]


class NewRule(BaseModel):
    """Rules that fit nothing in the book and say one thing."""

    model_config = ConfigDict(extra="ignore")
    cites: list[str] = Field(min_length=1)
    says: str = ""


class CodedAgain(Coded):
    """What the coder answers when it may add to the book."""

    new: list[NewRule] = Field(default_factory=list)


class Code(Record):
    """How one text stands to the book, by the numbers of canonical rules."""

    same: tuple[int, ...] = ()
    narrower: tuple[int, ...] = ()
    opposed: tuple[int, ...] = ()

    @cached_property
    def says(self) -> frozenset[int]:
        """The canonical rules it states, whether as widely or for a narrower case."""
        return frozenset((*self.same, *self.narrower))


class Coding(Record, form="Coding", version=1):
    """The codes of some texts: a function of the book and the texts. None where no usable answer came."""

    codes: tuple[Code | None, ...]
    new: tuple[Group, ...] = ()


def assign(ask: Asker, book: Sequence[str], texts: Sequence[str], bounds: Bounds, *, again: bool = False) -> Coding:
    """Code distinct texts against the book; `again` lets what fits nothing form new groups.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`.
    """
    prompt, wanted = (AGAIN_PROMPT, CodedAgain) if again else (PROMPT, Coded)
    shown: dict[tuple[int, ...], list[int]] = {}
    beside = bounds.room_beside(book)

    def page(items: Sequence[int]) -> list[int]:
        """The canonical rules that are shown with some texts."""
        key = tuple(items)
        if key not in shown:
            shown[key] = candidates(book, [texts[i] for i in items], bounds.book_room)
        return shown[key]

    def fits(items: Sequence[int]) -> bool:
        return tokens([texts[i] for i in items]) <= beside

    def once(items: Sequence[int], said: Sequence[str]) -> Coded:
        known = [book[i] for i in page(items)]
        values = {"book": lines(known, "b"), "rules": lines([texts[i] for i in items], "r")}
        return ask(prompt, wanted, values, said)

    codes: list[Code | None] = [None] * len(texts)
    new: list[Group] = []
    for items, answer in answered(
        range(len(texts)), fits, once, lambda answer, items: _broken(answer, items, len(page(items)))
    ):
        if answer is None:
            continue
        number = dict(zip(ids(items, "r"), items, strict=True))
        book_number = {f"b{n}": i for n, i in enumerate(page(items), 1)}
        for code in answer.codes:
            codes[number[code.rule]] = _code(code, book_number)
        for rule in answer.new if isinstance(answer, CodedAgain) else ():
            cited = [number[id] for id in dict.fromkeys(rule.cites)]
            new.append(Group(says=" ".join(rule.says.split()) or texts[cited[0]], texts=tuple(sorted(cited))))
    return Coding(codes=tuple(codes), new=tuple(new))


def candidates(book: Sequence[str], texts: Sequence[str], room: int) -> list[int]:
    """The canonical rules to show beside some texts: all where they fit, else the most alike of each, in turn.

    Likeness is the weight of common word stems, by how rare they are in the book; looked up by stem, so that nothing is
    compared with everything.
    """
    if tokens(book) <= room:
        return list(range(len(book)))
    having: dict[str, list[int]] = defaultdict(list)
    for number, says in enumerate(book):
        for stem in stems(says):
            having[stem].append(number)
    ranked = [_most_alike(text, having, len(book)) for text in texts]
    chosen: dict[int, None] = {}
    for rank in range(max((len(some) for some in ranked), default=0)):
        for some in ranked:
            if rank < len(some) and some[rank] not in chosen:
                if tokens([book[i] for i in (*chosen, some[rank])]) > room:
                    return sorted(chosen)
                chosen[some[rank]] = None
    return sorted(chosen)


def _most_alike(text: str, having: dict[str, list[int]], size: int) -> list[int]:
    weight: Counter[int] = Counter()
    for stem in sorted(stems(text)):
        for number in having.get(stem, ()):
            weight[number] += round(
                1000 * math.log((size + 1) / len(having[stem]))
            )  # whole, so that order never counts
    return sorted(weight, key=lambda number: (-weight[number], number))


def _code(code: RuleCode, book_number: dict[str, int]) -> Code:
    same = {book_number[id] for id in code.same}
    return Code(
        same=tuple(sorted(same)),
        narrower=tuple(sorted({book_number[id] for id in code.narrower} - same)),
        opposed=tuple(sorted({book_number[id] for id in code.opposed})),
    )


def _broken(answer: Coded, items: Sequence[int], size: int) -> list[str]:
    """Which rules an answer breaks, in words for the re-ask."""
    given, known = dict.fromkeys(ids(items, "r")), {f"b{n}" for n in range(1, size + 1)}
    coded = Counter(code.rule for code in answer.codes)
    found = [f"{id} was not given" for id in coded if id not in given]
    found += [f"{id} has no code" for id in given if id not in coded]
    found += [f"{id} has {coded[id]} codes" for id in given if coded[id] > 1]
    for code in answer.codes:
        named = {*code.same, *code.narrower, *code.opposed}
        found += [f"{id}, named for {code.rule}, is not in the book" for id in sorted(named - known)]
        both = {*code.same, *code.narrower} & set(code.opposed)
        found += [f"{code.rule} cannot both say and oppose {id}" for id in sorted(both)]
        if len({*code.same, *code.narrower}) > MOST_CITED:
            found.append(f"{code.rule} is given more than {MOST_CITED} rules of the book")
    for rule in answer.new if isinstance(answer, CodedAgain) else ():
        found += [f"{id} was not given" for id in dict.fromkeys(rule.cites) if id not in given]
        if len(rule.says) > MOST_SAID:
            found.append(f"the new rule citing {rule.cites[0]} has more than {MOST_SAID} characters")
    return found
