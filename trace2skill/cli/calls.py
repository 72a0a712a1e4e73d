"""The commands as functions, for programs: what `import trace2skill` offers beside the models."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from trace2skill.cli.flows import run_flow
from trace2skill.cli.option_values import store_path
from trace2skill.cli.options import checked, store_to_look_into
from trace2skill.cli.skill_given import address_given
from trace2skill.cli.why import support_of
from trace2skill.consolidate.ledger import SupportRow
from trace2skill.llm.settings import Roles
from trace2skill.runs.estimate import Estimate
from trace2skill.runs.estimate import estimate as count
from trace2skill.runs.ingest import of_logs
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.sections import OperationSettings
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.settings_file import read_settings
from trace2skill.runs.summary import RunSummary
from trace2skill.types.evaluation import Evaluation

Settings = RunSettings | Mapping[str, Any] | Path | str
"""Settings themselves, the same as nested mappings, or the path of a file as `--settings` reads it."""


def refresh(settings: Settings, *, progress: bool = False) -> RunSummary:
    """Refresh a skill: roll out, learn, consolidate, evaluate, decide. As `trace2skill run`.

    Everything paid for is kept in the store: the same call goes on from where the last one ended.

    Args:
        settings: what to do.
        progress: show the stages on stderr while they run.

    Raises:
        BadInput: something in the settings cannot be; said before anything is spent.
        Trace2SkillError: whatever else ended the run; what is finished is kept.
    """
    found: RunSummary = run_flow("refresh:refresh", _settings(settings), quiet=not progress)
    return found


def ingest(
    paths: Sequence[Path | str],
    *,
    models: Roles | None = None,
    skill: Path | str | None = None,
    store: Path | str | None = None,
    progress: bool = False,
) -> RunSummary:
    """Learn from logs that agents left, and write a candidate skill. As `trace2skill ingest`; nothing is promoted.

    Args:
        paths: log files, and folders of logs.
        models: who examines the logs; without it the rules of the miner do, and no model is asked.
        skill: the skill to deepen, a directory or an address; without it a new one is started.
        store: where what was done is kept, as the option `--store`.
        progress: show the stages on stderr while they run.

    Raises:
        BadInput: there is nothing to read, or a path is not what it should be.
        Trace2SkillError: whatever else ended the run; what is finished is kept.
    """
    logs, deepened = tuple(Path(path) for path in paths), address_given(str(skill)) if skill else None
    given: dict[str, Any] = {
        "data": {"sources": {"paths": logs}, "skill": deepened},
        "operation": OperationSettings(store=store_path(str(store) if store else None)),
    }
    if models is not None:
        given["models"] = models.model_dump()
    found: RunSummary = run_flow("ingest:learn_from_logs", checked(RunSettings, **of_logs(given)), quiet=not progress)
    return found


def evaluate(
    settings: Settings, skills: Sequence[Path | str] = (), *, split: str = "validation", why: str = ""
) -> list[Evaluation]:
    """Score skills on held-out tasks, beside the same agent without a skill. As `trace2skill evaluate`.

    Args:
        settings: the data, the models and the seeds.
        skills: skill directories, or addresses of skills in repositories; unless given, that of the settings.
        split: 'validation', 'evolve', or 'test', which is sealed and needs a reason.
        why: why the test split is opened; it is counted and recorded.

    Returns:
        One evaluation for each condition: 'no skill', then the directories in their order.

    Raises:
        BadInput, Trace2SkillError: as `refresh`.
    """
    given = _settings(settings)
    found: list[Evaluation] = run_flow(
        "evaluate:evaluate_skills", given, [address_given(str(skill)) for skill in skills], split, why, quiet=True
    )
    return found


def estimate(settings: Settings) -> Estimate:
    """What a refresh with these settings will cost in US dollars, without asking a model. As `trace2skill estimate`.

    Raises:
        BadInput: as `refresh`.
    """
    try:
        return count(runtime(_settings(settings)))
    finally:
        forget_runtimes()


def why(place: Path | str, *, store: Path | str | None = None) -> list[SupportRow]:
    """Who asked for what a refresh wrote into a skill, and which steps show it. As `trace2skill why`.

    Args:
        place: a skill or a file in it, and perhaps a line: 'DIR', 'DIR:42', 'DIR/references/x.md:3', 'git+...#DIR:42'.
        store: where the runs are kept, as the option `--store`.

    Returns:
        A row for each range of lines that a refresh wrote, or only the one that holds the line.

    Raises:
        BadInput: no such place, or the store knows nothing of this version of the skill.
    """
    with closing(store_to_look_into(str(store) if store else None)) as opened:
        return list(support_of(str(place), opened).rows)


def _settings(given: Settings) -> RunSettings:
    if isinstance(given, RunSettings):
        return given
    if isinstance(given, Mapping):
        return checked(RunSettings, **given)
    return checked(RunSettings, **read_settings(Path(given)))
