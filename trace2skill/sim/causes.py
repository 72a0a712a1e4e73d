"""The planted truth: systematic mistakes with their prevalence, the guidance that prevents each, and plain noise.

Which task shows which mistake is drawn by a hash, so that a benchmark can ask afterwards how much of the truth a skill
covers and how much noise it let in.
"""

from trace2skill.core.record import Record
from trace2skill.sim.cause import Cause, Habit, matches
from trace2skill.sim.lessons import CAUSE_LESSONS, CONDITIONAL, HABIT_LESSONS, HARMFUL, OPPOSED, Wording
from trace2skill.sim.mistakes.answers import ANSWER_CAUSES, ANSWER_HABITS
from trace2skill.sim.mistakes.scripts import SCRIPT_CAUSES, SCRIPT_HABITS
from trace2skill.sim.office.jobs import Job
from trace2skill.sim.office.programs import FORMULA_KINDS, NUMBER_KINDS
from trace2skill.sim.profile import chance, pick

STEADINESS = 0.9
"""How often a planted mistake is made at a seed."""

ALL_KINDS = ("totals", "lookup", "balance", "remove", "due", "names", "share", "month")
FILLING = tuple(kind for kind in ALL_KINDS if kind != "remove")


class Slip(Record):
    """What goes wrong on one task at one seed: planted mistakes, and perhaps an idiosyncratic one."""

    mistakes: frozenset[str] = frozenset()
    quirk: str | None = None


def _cause(name: str, prevalence: float, kinds: tuple[str, ...], foreign: bool, section: str, *guidance: str) -> Cause:
    return Cause(
        name=name,
        prevalence=prevalence,
        kinds=kinds,
        foreign=foreign,
        section=section,
        guidance=guidance,
        wordings=CAUSE_LESSONS[name],
    )


CAUSES: tuple[Cause, ...] = (
    _cause(
        "formula_without_value",
        0.40,
        FORMULA_KINDS,
        True,
        "Writing values",
        r"formula",
        r"calculat|comput|result",
        r"cached|empty|stored|nobody",
    ),
    _cause(
        "numbers_as_text",
        0.30,
        NUMBER_KINDS,
        True,
        "Writing values",
        r"number",
        r"currency|unit|formatted text|text with",
    ),
    _cause("delete_top_down", 0.80, ("remove",), False, "Rows and ranges", r"delet|remov", r"bottom|last row|highest"),
    _cause("dates_as_text", 0.70, ("due",), True, "Dates", r"\bdates?\b", r"real date|datetime|date value|true date"),
    _cause(
        "off_by_one_range",
        0.22,
        FILLING,
        True,
        "Rows and ranges",
        r"last (data )?row|final row",
        r"inclu|cover|reach|count",
    ),
    _cause("wrong_sheet", 0.16, ("totals", "month"), True, "Before you start", r"sheet", r"by (its )?name", r"active"),
    _cause(
        "spaces_kept",
        0.70,
        ("names",),
        False,
        "Writing values",
        r"spaces?\b|white ?space",
        r"collapse|doubled|inner|inside",
    ),
    _cause(
        "rounded_early",
        0.70,
        ("share",),
        False,
        "Writing values",
        r"round",
        r"intermediate|until the end|last step|at the end",
    ),
    _cause(
        "header_overwritten",
        0.15,
        tuple(kind for kind in FILLING if kind != "due"),
        False,
        "Rows and ranges",
        r"header",
        r"overwrit|below|untouched|keep",
    ),
    _cause("saved_elsewhere", 0.07, ALL_KINDS, True, "Before you finish", r"sav", r"path|file name", r"exact|given"),
)

HABITS: tuple[Habit, ...] = (
    Habit(
        name="inspect_first",
        section="Before you start",
        guidance=(r"list|look|inspect|print", r"sheets?", r"dimension|first rows|headers"),
        wordings=HABIT_LESSONS["inspect_first"],
    ),
    Habit(
        name="one_program",
        section="Before you start",
        guidance=(r"one (short )?(program|script)", r"again|repeat|rerun"),
        wordings=HABIT_LESSONS["one_program"],
    ),
    Habit(
        name="read_back",
        section="Before you finish",
        guidance=(r"open|read|load", r"saved|written", r"check|compare|verify|confirm"),
        wordings=HABIT_LESSONS["read_back"],
    ),
    Habit(
        name="least_change",
        section="Before you finish",
        guidance=(r"only the cells|nothing else|no other cell",),
        wordings=HABIT_LESSONS["least_change"],
    ),
)

ALL_CAUSES: tuple[Cause, ...] = (*CAUSES, *ANSWER_CAUSES, *SCRIPT_CAUSES)
ALL_HABITS: tuple[Habit, ...] = (*HABITS, *ANSWER_HABITS, *SCRIPT_HABITS)


def applies(cause: Cause, job: Job | None) -> bool:
    """Can this mistake be made on this task? None is a foreign benchmark task."""
    return cause.foreign if job is None else job.kind in cause.kinds


def guided(text: str) -> frozenset[str]:
    """Names of the causes and habits that a text gives guidance on: some line must match every expression."""
    lines = [line for line in text.splitlines() if line.strip()]
    planted: tuple[Cause | Habit, ...] = (*ALL_CAUSES, *ALL_HABITS)
    return frozenset(item.name for item in planted if any(matches(item, line) for line in lines))


def cause_of(text: str) -> str | None:
    """The cause that a lesson or an edit is about, None for none or several."""
    return _only([cause.name for cause in ALL_CAUSES if _matches_any(cause, text)])


def habit_of(text: str) -> str | None:
    """The habit that a lesson or an edit is about, None for none or several, or where it is about a cause."""
    return None if cause_of(text) else _only([habit.name for habit in ALL_HABITS if _matches_any(habit, text)])


def contradicted(text: str) -> str | None:
    """The planted contradiction that a text takes a side of, or settles by a condition."""
    for one, other in OPPOSED:
        if any(side in text for side in (one.content, other.content, CONDITIONAL)):
            return f"contradiction: {one.title}"
    return None


def harmed(text: str) -> bool:
    """Does a text hold guidance that makes the simulated agent fail?"""
    return any(wording.content in text for wording in HARMFUL)


def planted(task_key: str, job: Job | None) -> frozenset[str]:
    """The mistakes planted on a task: each with its prevalence, by hash."""
    return frozenset(
        cause.name
        for cause in CAUSES
        if applies(cause, job) and chance("planted", cause.name, task_key) < cause.prevalence
    )


def committed(task_key: str, job: Job | None, skill_text: str, seed: int, noise: float) -> Slip:
    """What goes wrong: planted mistakes that the skill does not guard against, and by `noise` a quirk of this run."""
    left = planted(task_key, job) - guided(skill_text)
    mistakes = frozenset(name for name in left if chance("steady", name, task_key, seed) < STEADINESS)
    if "formula_without_value" in mistakes:
        mistakes -= {"numbers_as_text"}  # a formula is no text: the first hides the second
    quirk = f"{task_key}/{seed}" if chance("quirk", task_key, seed) < noise / 2 else None
    return Slip(mistakes=mistakes, quirk=quirk)


SUBJECTS = (
    "the invoice list",
    "the price table",
    "the staff sheet",
    "the stock count",
    "the budget plan",
    "the ledger",
    "the order book",
    "the travel log",
    "the rota",
    "the survey",
    "the parts list",
    "the tariff sheet",
)
TRAITS = (
    "merged title cells",
    "a hidden column",
    "yellow marked totals",
    "a frozen pane",
    "two blank lines on top",
    "a comment in the corner",
    "a narrow key column",
    "a logo beside the table",
    "short codes",
    "a grey footer",
    "an odd tab colour",
    "long remarks",
    "a trailing total",
    "nicknames for clients",
)
ACTS = (
    "ask which quarter is meant",
    "start at the third block",
    "keep the tab order",
    "treat the footer as data",
    "skip the remark column",
    "sort by the short code",
    "take the left of two tables",
    "leave the logo in place",
    "read the corner comment",
    "widen the key column",
    "use the client's nickname",
    "mind the grey cells",
)


def quirk_lesson(key: str) -> Wording:
    """A lesson that holds for one run only. Distinct keys give distinct lessons, up to some thousands."""
    subject, trait, act = (
        options[pick(len(options), "quirk", n, key)] for n, options in enumerate((SUBJECTS, TRAITS, ACTS))
    )
    mark = int(chance("mark", key) * 10_000)
    return Wording(
        title=f"{subject.capitalize()} with {trait}",
        description=f"Holds where {subject} has {trait}, as in layout {mark}.",
        content=f"When {subject} of layout {mark} has {trait}, {act}.",
    )


def _matches_any(item: Cause | Habit, text: str) -> bool:
    return any(matches(item, line) for line in text.splitlines())


def _only(names: list[str]) -> str | None:
    return names[0] if len(names) == 1 else None


__all__ = [
    "ALL_CAUSES",
    "ALL_HABITS",
    "CAUSES",
    "HABITS",
    "HARMFUL",
    "OPPOSED",
    "Cause",
    "Habit",
    "Slip",
    "Wording",
    "applies",
    "cause_of",
    "committed",
    "contradicted",
    "guided",
    "habit_of",
    "harmed",
    "planted",
    "quirk_lesson",
]
