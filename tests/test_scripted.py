"""A model that a function plays: over the whole path, for as long as it is wanted, and as its page shows it."""

import re
from pathlib import Path

import pytest
from conftest import ROOT

from trace2skill.core.budget import Budget
from trace2skill.core.errors import BadInput, ModelUnusable
from trace2skill.core.step_label import StepLabel
from trace2skill.llm import Client, ModelSettings, Request
from trace2skill.sim.conversation import Heard, Spoken
from trace2skill.sim.scripted import Script, scripted
from trace2skill.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "s.duckdb")


def ask(store: Store, model: str, question: str = "Which?") -> str:
    messages = ({"role": "system", "content": "Answer."}, {"role": "user", "content": question})
    request = Request(role="agent", settings=ModelSettings(name=model, attempts=1), messages=messages)
    return Client(store, Budget(1.0), "r").complete(request, step=StepLabel("s")).text


def says(text: str) -> Script:
    return lambda heard: Spoken(text=f"{text} {heard.opening}")


def test_it_says_what_the_function_says_and_the_ledger_knows(store: Store) -> None:
    with scripted(says("heard:")) as one, scripted(says("other:"), "b") as other:
        assert (ask(store, one), ask(store, other)) == ("heard: Which?", "other: Which?")
        assert ask(store, f"{one}?seed=2") == "heard: Which?"
        with pytest.raises(BadInput, match="'b' is at work already"), scripted(says("x"), "b"):
            raise AssertionError("two functions for one name")
    assert store.ledger_total("r").calls == 3
    assert store.ledger_total("r").cost > 0


def test_without_its_function_it_cannot_be_asked_and_its_answers_stay(store: Store) -> None:
    with scripted(says("heard:")) as name:
        ask(store, name)
    assert ask(store, name) == "heard: Which?"
    with pytest.raises(ModelUnusable, match="no script '' is at work in this process"):
        ask(store, name, "And now?")


def test_what_disturbs_the_simulated_model_disturbs_it_too(store: Store) -> None:
    heard: list[Heard] = []

    def speak(request: Heard) -> Spoken:
        heard.append(request)
        return Spoken(text="fine")

    with scripted(speak) as name:
        assert ask(store, f"{name}?refusals=1") == "I am sorry, I cannot help with that."
    assert len(heard) == 1


def test_the_page_shows_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "simulated-model.md").read_text()
    (source,) = re.findall(r'^```python title="scripted.py"\n(.*?)^```$', page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(source, "scripted.py", "exec"), {"__name__": "__main__"})
    open_store(tmp_path / "scripted.duckdb").close()
    assert capsys.readouterr().out == "You said: Good morning\n"
