"""Measuring descriptions: a model is shown all of a library with each query, after a control that must fire."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

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


def measure_triggers(
    store: Store,
    model: ModelSettings,
    library: Sequence[Skill],
    queries: Sequence[TriggerQuery],
    money: MoneySettings,
    workers: int,
) -> TriggerReport:
    """Ask which skill is taken up for each query. What was asked before comes out of the store.

    Raises:
        BadInput: the model cannot be asked (no key, no price); said before anything is spent.
        ModelUnusable: the control did not fire, so that nothing can be said of descriptions.
        InfrastructureFault, BudgetReached, Interrupted: as `Client.complete`; what was answered is kept.
    """
    check_model(model)
    run_id = books_of(model, library)
    books = Budget(money.max_cost, monthly=money.max_cost_per_month, reservations=store.reservations(), run_id=run_id)
    client = Client(store, books, run_id)

    def choose(query: str) -> str | None:
        stopping.check()
        step = StepLabel("triggers", query[:60], unit=digest_of(query)[:12])
        return choose_skill(client, model, library, query, seed=SEED, step=step)

    def chosen(pool: ThreadPoolExecutor, asked: Sequence[str]) -> dict[str, str | None]:
        found = {}
        for query, said in zip(asked, pool.map(choose, asked), strict=True):
            found[query] = said
            watcher().item("triggers", query[:60], "done")
        return found

    names = [skill.name for skill in library]
    watcher().begin("triggers", len(names) + len(queries))
    with ThreadPoolExecutor(workers) as pool:
        fired = chosen(pool, [control_query(name) for name in names])
        deaf = [name for name in names if fired[control_query(name)] != name]
        if deaf:
            raise ModelUnusable(
                f"asked for {', '.join(deaf[:5])} by name, {model.name} did not take "
                f"{'it' if len(deaf) == 1 else 'them'} up: what it does with other requests says nothing of "
                "descriptions. Try a more capable model"
            )
        taken = chosen(pool, [item.query for item in queries])
    return report_on(model.name, names, queries, taken)
