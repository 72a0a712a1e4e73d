"""Step `bank`: the lessons of all analyses, in a bank."""

from collections.abc import Sequence

from trace2skill.baselines.bank import Bank, BankSettings, text_of
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import lessons_of
from trace2skill.types.references import Banked, Embedded, Extracted


def _parts(
    rt: Runtime, analysed: Sequence[Extracted], embedded: Sequence[Embedded], how: BankSettings
) -> tuple[object, ...]:
    return [item.content for item in analysed], list(embedded), how.identity


def bank(rt: Runtime, analysed: Sequence[Extracted], embedded: Sequence[Embedded], how: BankSettings) -> Banked:
    """Put the lessons of all analyses into a bank, and keep it. Those whose vectors are missing are not in it."""
    vectors = {item.extraction: item.vectors for item in embedded}
    kept = [item for item in analysed if item.lessons and (how.embedding is None or item.content in vectors)]
    found = Bank(
        settings=how,
        lessons=tuple(lessons_of(rt, kept)),
        vectors=tuple(vector for item in kept for vector in vectors.get(item.content, ())),
    )
    rt.store.put("bank", found.digest, found)
    tokens = sum(len(text_of(lesson)) for lesson in found.lessons) // 4
    return Banked(content=found.digest, lessons=len(found.lessons), tokens=tokens)


BANK = RunStep(name="bank", version=1, parts=_parts, do=bank, gives=Banked, shown="bank", again=False)
