"""Step `shorten`: lines of one section are worded more shortly, where they keep what they say."""

from trace2skill.consolidate.quarantine import allowed_in
from trace2skill.consolidate.second_look import PROMPT as LOOK
from trace2skill.consolidate.second_look import SecondLooker
from trace2skill.consolidate.shorten import PROMPT, LongSection, NotShortened, ShortenedSection, shorten
from trace2skill.runs.runtime import Runtime
from trace2skill.runs.steps.asks import Asks, Expected
from trace2skill.runs.steps.foresight import Foresight
from trace2skill.runs.steps.step import RunStep
from trace2skill.runs.steps.stored import asks_merger, bounds_of, looks_again
from trace2skill.skills.markdown import sections

NOT_LOOKED_AT = "nobody could look at it a second time"


def _parts(rt: Runtime, section: LongSection) -> tuple[object, ...]:
    looks = [bounds_of(rt, LOOK), rt.given_skill.description if rt.given_skill else ""] if looks_again(rt) else []
    return bounds_of(rt, PROMPT), section.digest, *looks


def shortened(rt: Runtime, section: LongSection) -> ShortenedSection:
    """Word the lines of a section more shortly; what a second look names stays as it was.

    Raises:
        InfrastructureFault, ModelUnusable, BudgetReached: as `Client.complete`; the section is taken up again.
    """
    bounds = rt.settings.learning.merge
    found = shorten(asks_merger(rt, "shorten", section.name, section.digest), section, bounds)
    if not found.shorter or not looks_again(rt):
        return found
    asked = asks_merger(rt, "shorten", section.name, section.digest, part="look")
    about = rt.given_skill.description if rt.given_skill else ""
    look = SecondLooker(asked, about, bounds, allowed_in(rt.store), by=rt.settings.models.merger.name)
    seen = look([line.says for line in found.shorter])
    why = {text: finding.in_words for text, finding in seen.found.items()} | dict.fromkeys(seen.unjudged, NOT_LOOKED_AT)
    return ShortenedSection(
        shorter=tuple(line for line in found.shorter if line.says not in why),
        refused=(
            *found.refused,
            *(
                NotShortened(
                    lines=" / ".join(item.text for item in section.lines[line.first : line.last + 1]),
                    says=line.says,
                    why=why[line.says],
                )
                for line in found.shorter
                if line.says in why
            ),
        ),
    )


def _expects(seen: Foresight) -> list[Expected]:
    """A call for each section of the skill, and one that looks at what came of it: at most."""
    how, skill = seen.rt.settings.learning.shrink, seen.rt.given_skill
    asks = how.of != "nothing" and how.shorten and "merger" in seen.rt.settings.roles_asked
    if not asks or skill is None:
        return []
    texts = [skill.text(file.path) or "" for file in skill.files if file.path.endswith(".md")]
    count = float(sum(map(len, map(sections, texts))))
    looks = [Expected(SHORTEN.asked("look"), count)] if looks_again(seen.rt) else []
    return [Expected(SHORTEN.asked(""), count), *looks]


SHORTEN = RunStep(
    name="shorten",
    version=1,
    parts=_parts,
    expects=_expects,
    do=shortened,
    gives=ShortenedSection,
    shown="shorten: {section.name}",
    asks=(Asks("shorten", "merger", (2_500, 500)), Asks("shorten", "merger", (2_500, 150), part="look")),
)
