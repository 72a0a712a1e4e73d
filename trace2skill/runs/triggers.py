"""Measuring descriptions: a model is shown all of a library with each query, after a control that must fire."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from trace2skill.core import stopping
from trace2skill.core.budget import Budget
from trace2skill.core.digest import digest_of
from trace2skill.core.errors import ModelUnusable
from trace2skill.core.progress import watcher
from trace2skill.core.step_label import StepLabel
from trace2skill.evaluation.trigger_queries import TriggerQuery
from trace2skill.evaluation.triggers import TriggerReport, control_query, report_on
from trace2skill.llm import Client, ModelSettings
from trace2skill.llm.checks import check_model
from trace2skill.proposals.triggers import choose_skill
from trace2skill.runs.sections import MoneySettings
from trace2skill.skills.skill import Skill
from trace2skill.store import Store

SEED = 0


def books_of(model: ModelSettings, library: Sequence[Skill]) -> str:
    """The id under which the ledger has what choices among these skills cost."""
    return "triggers-" + digest_of(model.identity, [skill.digest for skill in library])[:10]


class Choices:
    """A model that chooses among skills, with its books and its store: what was asked before is not asked again.

    Args:
        store: keeps the answers.
        model: chooses.
        library: whose books these are.
        money: its caps.
        workers: calls under way at once.

    Raises:
        BadInput: the model cannot be asked (no key, no price); said before anything is spent.
    """

    def __init__(
        self, store: Store, model: ModelSettings, library: Sequence[Skill], money: MoneySettings, workers: int
    ) -> None:
        check_model(model)
        run_id = books_of(model, library)
        held = store.reservations()
        budget = Budget(money.max_cost, monthly=money.max_cost_per_month, reservations=held, run_id=run_id)
        self.model, self.run_id, self.library = model, run_id, tuple(library)
        self.client = Client(store, budget, run_id)
        self._workers = workers

    def taken(self, library: Sequence[Skill], queries: Sequence[str]) -> dict[str, str | None]:
        """By query the skill that is taken up, '' for none, None where no answer can be used.

        Raises:
            InfrastructureFault, ModelUnusable, BudgetReached, Interrupted: as `Client.complete`; answers are kept.
        """
        watcher().begin("triggers", len(queries))
        found = {}
        with ThreadPoolExecutor(self._workers) as pool:
            for query, said in zip(queries, pool.map(partial(self._choose, library), queries), strict=True):
                found[query] = said
                watcher().item("triggers", query[:60], "done")
        return found

    def fire(self, library: Sequence[Skill]) -> None:
        """Ask for each skill by its name.

        Raises:
            ModelUnusable: one was not taken up, so that nothing can be said of descriptions. And as `taken`.
        """
        names = [skill.name for skill in library]
        fired = self.taken(library, [control_query(name) for name in names])
        deaf = [name for name in names if fired[control_query(name)] != name]
        if deaf:
            raise ModelUnusable(
                f"asked for {', '.join(deaf[:5])} by name, {self.model.name} did not take "
                f"{'it' if len(deaf) == 1 else 'them'} up: what it does with other requests says nothing of "
                "descriptions. Try a more capable model"
            )

    def _choose(self, library: Sequence[Skill], query: str) -> str | None:
        stopping.check()
        step = StepLabel("triggers", query[:60], unit=digest_of(query)[:12])
        return choose_skill(self.client, self.model, library, query, seed=SEED, step=step)


def measure_triggers(choices: Choices, library: Sequence[Skill], queries: Sequence[TriggerQuery]) -> TriggerReport:
    """Ask which skill is taken up for each query, once the control has fired.

    Raises:
        ModelUnusable, InfrastructureFault, BudgetReached, Interrupted: see `Choices`.
    """
    choices.fire(library)
    taken = choices.taken(library, [item.query for item in queries])
    return report_on(choices.model.name, [skill.name for skill in library], queries, taken)
