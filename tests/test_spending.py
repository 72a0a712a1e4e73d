"""The level of a lineage's whole life: what looks cost, what promotions give back and earn, and who begins a life."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import duckdb
import pytest
from conftest import OFFICE_SKILL
from hypothesis import given
from hypothesis import strategies as st

from trace2skill.skills.skill import Skill, read_skill, write_skill
from trace2skill.store import Store, open_store
from trace2skill.store.skill_history import ChangeRow, LookRow, priced
from trace2skill.types.decision import Decision, Look
from trace2skill.versions.registry import Registry, Version
from trace2skill.versions.spending import look, paid, price

SKILL = read_skill(OFFICE_SKILL)
FIRST, SECOND = 0.6079, 0.1520
"""6 / pi^2 and a quarter of it."""


@pytest.fixture
def store(tmp_path: Path, address: Path | str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.chdir(tmp_path)
    opened = open_store(address)
    yield opened
    opened.close()


@pytest.fixture
def live(tmp_path: Path, store: Store) -> Path:
    directory = tmp_path / "live" / SKILL.name
    write_skill(SKILL, directory)
    Registry(store).adopt(SKILL, directory)
    return directory


def variant(number: int) -> Skill:
    return SKILL.with_files({"SKILL.md": f"{SKILL.text('SKILL.md')}\n- Rule number {number}.\n".encode()})


def looked(store: Store, over: Skill, evidence: object, *, earns: bool = True) -> Look:
    return Registry(store).look(SKILL.name, over.digest, evidence, 0.05, earns=earns)


def share(found: Look) -> float:
    """What a look costs, as a share of the level."""
    return found.level / (1 - found.level) / 0.05


def promoted(store: Store, live: Path, number: int, over: Skill, by: Look | None) -> Skill:
    """The variant of that number is champion, by a look that won or by a person's word."""
    skill, registry = variant(number), Registry(store)
    verdict = "promote" if by else "not_enough_evidence"
    decision = Decision(verdict=verdict, reason="it is better", look=by)
    version = Version(name=SKILL.name, skill=skill.digest, parent=over.digest, state="candidate", decision=decision)
    registry.record(skill, version, over.digest)
    registry.promote(skill, live, expected=over.digest, run_id=f"run {number}", reason="better")
    return skill


def test_what_a_look_promotes_it_does_not_cost_and_every_promotion_but_the_first_earns_the_level(
    store: Store, live: Path
) -> None:
    assert share(looked(store, SKILL, "no better")) == pytest.approx(FIRST, abs=1e-4)
    won = looked(store, SKILL, "better")
    assert won.remaining == pytest.approx(0.05 * (1 - FIRST - SECOND), abs=1e-5)
    one = promoted(store, live, 1, SKILL, won)
    assert share(looked(store, one, "no better")) == pytest.approx((1 - FIRST) * FIRST, abs=1e-4), "what is left"
    two = promoted(store, live, 2, one, looked(store, one, "better"))
    left = (1 - FIRST) ** 2 + 1
    assert share(looked(store, two, "no better")) == pytest.approx(left * FIRST, abs=1e-4), "and the level again"
    assert looked(store, SKILL, "no better").number == 1, "the same evidence is the look it was"
    assert share(looked(store, SKILL, "no better")) == pytest.approx(FIRST, abs=1e-4)


def test_over_life_nothing_is_earned(store: Store, live: Path) -> None:
    one = promoted(store, live, 1, SKILL, looked(store, SKILL, "better", earns=False))
    two = promoted(store, live, 2, one, looked(store, one, "better", earns=False))
    assert share(looked(store, two, "better", earns=False)) == pytest.approx(FIRST, abs=1e-4), "none was lost either"
    three = promoted(store, live, 3, two, None)
    assert share(looked(store, three, "x", earns=False)) == pytest.approx((1 - FIRST) * FIRST, abs=1e-4), (
        "a person's word gives no look back"
    )


def test_people_begin_a_life_and_a_rollback_does_not(store: Store, live: Path) -> None:
    looked(store, SKILL, "no better")
    one = promoted(store, live, 1, SKILL, looked(store, SKILL, "better"))
    Registry(store).rollback(SKILL.name, live)
    third = looked(store, SKILL, "once more")
    assert (third.number, share(third)) == (3, pytest.approx((1 - FIRST) * FIRST / 9, abs=1e-4))
    Registry(store).rollback(SKILL.name, live, to=one.digest)
    Registry(store).adopt(variant(9), live)
    assert share(looked(store, variant(9), "no better")) == pytest.approx(FIRST, abs=1e-4)


def test_the_next_look_is_foreseen_and_not_paid(store: Store, live: Path) -> None:
    registry = Registry(store)
    for evidence in range(3):
        foreseen = registry.next_look(SKILL.name, SKILL.digest, 0.05)
        assert foreseen == registry.next_look(SKILL.name, SKILL.digest, 0.05)
        assert looked(store, SKILL, evidence) == foreseen.model_copy(update={"key": looked(store, SKILL, evidence).key})


def test_of_several_candidates_each_has_its_share(store: Store, live: Path) -> None:
    alone = Registry(store).next_look(SKILL.name, SKILL.digest, 0.05)
    shared = Registry(store).next_look(SKILL.name, SKILL.digest, 0.05, ways=4)
    assert shared.level == alone.level / 4
    assert shared.remaining == alone.remaining


def test_a_store_of_before_goes_on_with_what_its_champion_had(tmp_path: Path) -> None:
    where = tmp_path / "store.duckdb"
    with closing(open_store(where)) as new:
        Registry(new).look("a", "champion", "seen", 0.05)
    with duckdb.connect(str(where)) as raw:
        raw.execute("UPDATE look SET reign = NULL, cost = NULL, remaining = NULL, won = NULL")
    with closing(open_store(where)) as new:
        assert Registry(new).look("a", "champion", "seen", 0.05).level == pytest.approx(0.05 * FIRST, abs=1e-5)
        second = Registry(new).look("a", "champion", "new", 0.05)
        assert (second.number, share(second)) == (2, pytest.approx(SECOND, abs=1e-4))


@given(st.lists(st.sampled_from(["look", "promote", "rollback", "adopt"]), max_size=60), st.booleans())
def test_however_it_goes_a_life_never_costs_more_than_it_has(events: list[str], earns: bool) -> None:
    changes, looks = [ChangeRow("s", 1, "adopt", "1", "", "", "", done=True)], list[LookRow]()
    life, won = list[LookRow](), 0
    for event in events:
        number, champion = len(changes) + 1, changes[-1].digest
        if event in ("look", "promote"):
            row = priced(changes, looks, champion, str(len(looks)), partial(price, earns=earns))
            assert row.cost is not None
            assert row.cost >= 0
            assert 0 <= paid(row.number, 0.05, row.cost, 0.0).level <= row.cost * 0.05
            has = 1 + (max(0, won - 1) if earns else 0)
            lost = sum(item.cost or 0.0 for item in life if not item.won)
            assert lost + row.cost <= has + 1e-9, "also the look that is taken is paid from what there is"
            row = row._replace(won=event == "promote")
            looks.append(row)
            life.append(row)
            won += row.won
        if event == "promote":
            changes.append(ChangeRow("s", number, "promote", str(number), "", "", "", done=True))
        elif event == "rollback":
            changes.append(ChangeRow("s", number, "rollback", changes[0].digest, "", "", "", done=True))
        elif event == "adopt":
            changes.append(ChangeRow("s", number, "adopt", f"by hand {number}", "", "", "", done=True))
            life, won = [], 0


def test_the_levels_of_one_champion_add_up_to_less_than_the_level() -> None:
    levels = [look(number, 0.05).level for number in range(1, 2000)]
    assert levels == sorted(levels, reverse=True)
    assert 0.048 < sum(levels) < 0.05
