"""Several processes at work in one PostgreSQL store: nothing is paid twice, no cap is passed, nobody waits for the dead."""

import contextlib
import json
import os
import subprocess
import tempfile
import textwrap
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import databases
import pytest
import warm
from conftest import PATIENCE, ROOT, environment
from pydantic import ValidationError
from run_settings import run_settings

from trace2skill.cli.options import store_path
from trace2skill.core.budget import Budget
from trace2skill.core.errors import BadInput, BudgetReached, StoreUnavailable
from trace2skill.core.reservations import LocalReservations
from trace2skill.llm import ModelSettings, Roles
from trace2skill.store import LedgerRow, open_store
from trace2skill.store.address import parse
from trace2skill.store.postgres import PostgresStore

SPEND = """
    import json, random, sys
    from concurrent.futures import ThreadPoolExecutor
    from trace2skill.core.budget import Budget
    from trace2skill.core.errors import BudgetReached
    from trace2skill.store import open_store

    address, number, cap = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    store = open_store(address)
    budget = Budget(cap, monthly=100.0, reservations=store.reservations(), run_id="shared")

    def call(index):
        draw = random.Random(f"{number} {index}")
        cost = draw.uniform(0.001, 0.02)
        try:
            with budget.reserve(0.02) as reservation:
                reservation.settle(cost)
            return cost
        except BudgetReached:
            return 0.0

    with ThreadPoolExecutor(128) as pool:
        costs = list(pool.map(call, range(334)))
    print(json.dumps(costs))
    store.close()
"""
ASK = """
    import sys
    from concurrent.futures import ThreadPoolExecutor
    from trace2skill.core.budget import Budget
    from trace2skill.core.step_label import StepLabel
    from trace2skill.llm import Client, ModelSettings, Request
    from trace2skill.store import open_store

    store = open_store(sys.argv[1])
    client = Client(store, Budget(1.0, reservations=store.reservations(), run_id="shared"), "shared")
    settings = ModelSettings(name="sim/office?latency=0.05&seed=77", max_tokens=200)

    def ask(number):
        messages = ({"role": "system", "content": "You are tested."}, {"role": "user", "content": f"Question {number}"})
        return client.complete(Request(role="agent", settings=settings, messages=messages), step=StepLabel("s")).text

    with ThreadPoolExecutor(16) as pool:
        print(len(list(pool.map(ask, [number % 20 for number in range(60)]))))
    store.close()
"""


@pytest.fixture
def database(postgres: str) -> str:
    return databases.fresh(postgres, f"t{uuid.uuid4().hex}")


def in_three_processes(home: Path, code: str, *arguments: object, calls: Path | None = None) -> list[str]:
    """What the same code prints in three processes at a time, forked from the warm one of a home."""
    with contextlib.ExitStack() as stack:
        nothing = stack.enter_context(open(os.devnull, "rb"))
        said = [stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3)]
        children = [
            warm.Forked(
                home / "warm",
                "code",
                [textwrap.dedent(code), *(str(item).replace("NUMBER", str(n)) for item in arguments)],
                ROOT,
                environment(home, calls),
                [nothing.fileno(), words.fileno(), words.fileno()],
            )
            for n, words in enumerate(said)
        ]
        codes = [child.wait(PATIENCE) for child in children]
        for words in said:
            words.seek(0)
        told = [words.read() for words in said]
    assert codes == [0, 0, 0], told
    return told


def test_a_cap_is_exact_over_three_processes_of_128_threads(database: str, warm_home: Path) -> None:
    cap = 3.0
    outputs = in_three_processes(warm_home, SPEND, database, "NUMBER", cap)
    costs = [cost for text in outputs for cost in json.loads(text)]
    assert len(costs) == 1002
    assert cap - 0.02 <= sum(costs) <= cap, "never beyond it, and within one call of it"


def test_a_cap_is_exact_in_one_process_of_128_threads() -> None:
    budget, draw = Budget(3.0, monthly=2.5), Random(4)
    costs = [draw.uniform(0.001, 0.02) for _ in range(1000)]

    def call(cost: float) -> float:
        try:
            with budget.reserve(0.02) as reservation:
                reservation.settle(cost)
            return cost
        except BudgetReached:
            return 0.0

    with ThreadPoolExecutor(128) as pool:
        spent = sum(pool.map(call, costs))
    assert 2.48 <= spent <= 2.5, "the lower of the two caps holds"


def test_the_month_counts_every_run_of_the_store(address: Path | str) -> None:
    store = open_store(address)
    for run in ("one", "two"):
        row = LedgerRow(
            run_id=run,
            step="s",
            stage="s",
            role="agent",
            model="m",
            params={},
            cost=0.4,
            outcome="answered",
            call_key=run,
        )
        store.put_call(run, "{}", row)
    first = Budget(10.0, monthly=1.0, reservations=store.reservations(), run_id="three")
    with first.reserve(0.19) as reservation:
        reservation.settle(0.1)
    with pytest.raises(BudgetReached, match=r"\$0\.9000 of the month's cap of \$1\.00"), first.reserve(0.11):
        pass
    again = Budget(0.45, reservations=store.reservations(), run_id="one")
    with pytest.raises(BudgetReached, match="higher --max-cost"), again.reserve(0.1):
        pass
    store.close()


def test_a_run_without_a_cap_counts_for_those_that_have_one(address: Path | str) -> None:
    store = open_store(address)
    for monthly, cost in ((1.0, 0.1), (None, 5.0)):
        with Budget(None, monthly=monthly, reservations=store.reservations(), run_id="r").reserve(cost) as reservation:
            reservation.settle(cost)
    with (
        pytest.raises(BudgetReached, match="month"),
        Budget(9, monthly=1.0, reservations=store.reservations()).reserve(0.01),
    ):
        pass
    store.close()


def test_times_are_utc_wherever_they_are_written(address: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    store = open_store(address)
    store.put_result("key", b"x")
    ((written,),) = store.query("SELECT written FROM result")
    assert abs((datetime.now(UTC).replace(tzinfo=None) - written).total_seconds()) < 60
    store.close()
    monkeypatch.undo()
    time.tzset()


def test_a_call_is_made_once_for_all_processes(database: str, tmp_path: Path, warm_home: Path) -> None:
    log = tmp_path / "calls"
    assert in_three_processes(warm_home, ASK, database, calls=log) == ["60\n"] * 3
    assert set(Counter(log.read_text().split()).values()) == {1}
    store = open_store(database)
    total = store.ledger_total()
    assert (total.calls, total.from_memory) == (20, 160)
    store.close()


def test_a_dump_put_back_elsewhere_holds_all_that_was_paid_for(database: str, tmp_path: Path) -> None:
    """The commands of docs/store.md, after which whoever lost the machine pays for nothing twice."""
    store, dump, elsewhere = open_store(database), tmp_path / "store.dump", f"{database}_elsewhere"
    paid = LedgerRow(
        run_id="r", step="s", stage="s", role="agent", model="m", params={}, cost=0.4, outcome="answered", call_key="k"
    )
    store.put_call("k", "{}", paid)
    store.put_result("step", b"\0 result")
    programs = databases.programs()
    subprocess.run([programs / "pg_dump", "-Fc", "-f", dump, database], check=True)  # a run may be under way
    store.close()
    databases.fresh(database.rpartition("/")[0], elsewhere.rpartition("/")[2])
    subprocess.run([programs / "pg_restore", "-d", elsewhere, dump], check=True)
    restored = open_store(elsewhere)
    assert restored.get_call("k") == "{}"
    assert restored.get_result("step") == b"\0 result"
    with pytest.raises(BudgetReached), Budget(0.5, reservations=restored.reservations(), run_id="r").reserve(0.2):
        pass
    restored.close()


def test_what_the_dead_held_is_free_and_what_they_reserved_is_spent(database: str) -> None:
    store = open_store(database)
    assert isinstance(store, PostgresStore)
    store.execute("INSERT INTO holder VALUES ('gone', now()::TIMESTAMP - INTERVAL '1 second')")
    store.execute("INSERT INTO lease VALUES ('key', 'gone')")
    with store.alone("key"):
        rows = store.query("SELECT holder FROM lease WHERE key = 'key'")
    assert rows == [(store.holder,)]
    assert store.query("SELECT count(*) FROM lease") == [(0,)]
    store.execute("INSERT INTO lease VALUES ('key', ?)", [store.holder])  # the database was away when we gave it back
    with store.alone("key"):
        pass

    budget = Budget(1.0, reservations=store.reservations(), run_id="r")
    with budget.reserve(0.1) as reservation:
        reservation.settle(0.1)
    store.execute("INSERT INTO reservation VALUES ('t', 'gone', 800000000, 'run r')")
    store.execute("UPDATE purse SET reserved = reserved + 800000000 WHERE name = 'run r'")
    with pytest.raises(BudgetReached, match=r"\$0\.9000"), budget.reserve(0.2):
        pass
    store.close()


@pytest.mark.parametrize("text", ["postgresql://me:secret@db/store", "postgres://db/store?sslpassword=secret"])
def test_a_password_in_the_address_is_refused_unseen(text: str) -> None:
    with pytest.raises(BadInput, match="PGPASSWORD") as caught:
        store_path(text)
    assert "secret" not in str(caught.value)


def test_addresses() -> None:
    assert parse("postgresql://me@db:5433/store") == "postgresql://me@db:5433/store"
    assert parse("some/where.duckdb") == Path("some/where.duckdb")
    with pytest.raises(BadInput, match="not mysql"):
        store_path("mysql://db/store")


def test_a_database_that_is_not_there_is_said_with_the_remedy(database: str) -> None:
    with pytest.raises(StoreUnavailable, match="is the database running"):
        open_store(database.rpartition("/")[0] + "/nosuch", wait_seconds=2)
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE mine (a INTEGER)")
    with pytest.raises(StoreUnavailable, match="not a store of trace2skill"):
        open_store(database)


def test_a_database_made_in_the_locale_c_holds_texts_and_is_opened_again(postgres: str) -> None:
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")  # type: ignore[call-overload]
    for _ in range(2):
        with contextlib.closing(open_store(f"{postgres}/{name}")) as store:
            store.put_observation("key", "a text – with a dash")
            assert store.get_observation("key") == "a text – with a dash"


def test_steps_of_other_processes_need_a_database(tmp_path: Path) -> None:
    roles = Roles.all_played_by(ModelSettings(name="sim/office"))
    with pytest.raises(ValidationError, match="cannot share a DuckDB file"):
        run_settings(data=tmp_path, roles=roles, store=tmp_path / "s.duckdb", runner="dask")
    assert run_settings(data=tmp_path, roles=roles, store="postgresql://db/s", runner="dask").operation.runner == "dask"


def test_local_books_refuse_all_or_nothing() -> None:
    caps = LocalReservations(lambda name: 5 if name == "a" else 0)
    assert caps.reserve("t", 6, {"a": 20, "b": 5}) is not None
    assert caps.reserve("t", 5, {"a": 20, "b": 5}) is None
    caps.settle("t", 2)
    assert caps.reserve("u", 3, {"a": 20, "b": 5}) is None
