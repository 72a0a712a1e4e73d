"""Questions on pages: how they are loaded, shown, paid for, judged and learned from."""

import base64
import importlib.util
import io
import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from anls import anls_score
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from run_settings import run_settings
from test_client import Provider

from trace2skill.core.budget import Budget
from trace2skill.core.errors import BadInput, ModelUnusable, Trace2SkillError
from trace2skill.core.step_label import StepLabel
from trace2skill.domains import load_domain
from trace2skill.domains.answers import ANSWER
from trace2skill.domains.document_qa.anls import anls
from trace2skill.domains.document_qa.pages import shown
from trace2skill.llm import Client, ModelSettings, Request, Roles
from trace2skill.llm.checks import check_vision
from trace2skill.llm.transport import cost_bound
from trace2skill.runs.consolidation import StepRunner, united
from trace2skill.runs.distill import choose_for_analysis
from trace2skill.runs.runtime import forget_runtimes, runtime
from trace2skill.runs.settings import RunSettings
from trace2skill.runs.steps.apply import APPLY
from trace2skill.runs.steps.extract import EXTRACT
from trace2skill.runs.steps.propose import PROPOSE
from trace2skill.runs.steps.rollout import ROLLOUT
from trace2skill.sim.causes import guided
from trace2skill.sim.mistakes.documents import DOCUMENTS
from trace2skill.store import open_store
from trace2skill.types.picture import MOST_TOKENS, Picture
from trace2skill.types.references import RolloutJob
from trace2skill.types.trajectory import Trajectory

PAGES = ROOT / "examples" / "pages"


def png(width: int = 40, height: int = 30) -> bytes:
    written = io.BytesIO()
    Image.new("L", (width, height), 200).save(written, "PNG")
    return written.getvalue()


def asked(*pictures: Picture, **settings: Any) -> Request:
    messages = ({"role": "system", "content": "You are tested."}, {"role": "user", "content": "What is this?"})
    model = ModelSettings(**{"name": "sim/office", **settings})
    return Request(role="agent", settings=model, messages=messages, seed=1, pictures=pictures)


# How an answer is judged.


@pytest.mark.parametrize(
    ("answer", "accepted", "score"),
    [
        ("abcd", ["abcd"], 1.0),
        ("  ABcd\n", ["abCD"], 1.0),
        ("two  words", ["two words"], 1.0),
        ("abcd", ["abxy"], 0.5),  # exactly a half stays
        ("abcde", ["abxyz"], 0.0),  # 0.4 does not
        ("abc", ["abxy"], 0.5),
        ("abcdefg", ["abcdxyz"], 1 - 3 / 7),
        ("x", ["abxy", "x y", "xx"], 0.5),  # the nearest counts
        ("$1,234", ["1234"], 1 - 2 / 6),
        ("", ["a"], 0.0),
        ("", [""], 1.0),
    ],
)
def test_anls_at_its_boundaries(answer: str, accepted: list[str], score: float) -> None:
    assert anls(answer, accepted) == score


@given(st.text("ab 1.", max_size=12), st.lists(st.text("ab 1.", max_size=12), min_size=1, max_size=3))
def test_anls_is_that_of_an_independent_package_but_for_exactly_a_half(answer: str, accepted: list[str]) -> None:
    ours, theirs = anls(answer, accepted), anls_score(answer, accepted, threshold=0.5)
    # The package drops 0.5 itself, as the paper's formula does; the official evaluation keeps it.
    assert theirs == (0.0 if ours == 0.5 else ours)


def test_half_right_is_right_and_the_score_is_kept(tmp_path: Path) -> None:
    domain, task = page_set(tmp_path, answers=["4711 kg", "4711"])
    for answer, hard, soft in (("4711", 1.0, 1.0), ("4799", 0.0, 0.5), ("9999", 0.0, 0.0)):
        grade = domain.grade(task, {ANSWER: f"I see it.\nAnswer: {answer}".encode()})
        assert (grade.hard, grade.soft) == (hard, soft)
    assert "4711" not in grade.reason
    assert domain.gold_only(task) == {"4711", "4711 kg"}


# What is loaded.


def page_set(directory: Path, **changed: Any) -> tuple[Any, Any]:
    (directory / "documents").mkdir(exist_ok=True)
    (directory / "documents" / "a.png").write_bytes(png())
    row = {"questionId": 7, "question": "What?", "image": "documents/a.png", "answers": ["x"], **changed}
    (directory / "val_v1.0.json").write_text(json.dumps({"data": [row]}))
    domain: Any = load_domain("document_qa")
    return domain, domain.load(directory)[0]


def truncated_jpeg() -> bytes:
    written = io.BytesIO()
    Image.effect_noise((400, 300), 50).save(written, "JPEG")
    return written.getvalue()[:3000]


def huge() -> bytes:
    written = io.BytesIO()
    Image.new("1", (9000, 9000)).save(written, "PNG")
    return written.getvalue()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"image": "documents/none.png"}, r"row 1 \(question 7\): there is no image .*none.png"),
        ({"image": "../outside.png"}, "lies outside"),
        ({"answers": []}, "'answers' is not a list of texts"),
        ({"answers": [3]}, "'answers' is not a list of texts"),
        ({"question": " "}, "row 1 has no questionId or no question"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        page_set(tmp_path, **changed)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("text.png", lambda: b"no image", "cannot be read"),
        ("cut.png", lambda: png()[:-20], "cannot be read"),
        ("cut.jpg", truncated_jpeg, "cannot be read"),
        ("huge.png", huge, "9000 x 9000 pixels, more than"),
    ],
)
def test_a_bad_image_is_named(tmp_path: Path, name: str, content: Callable[[], bytes], said: str) -> None:
    (tmp_path / name).write_bytes(content())
    with pytest.raises(BadInput, match=rf"val_v1.0.json: row 1 \(question 7\).*{name}.*{said}"):
        page_set(tmp_path, image=name)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)  # 40 x 30 is more than twice that
    with pytest.raises(BadInput, match=r"row 1 .*too large"):
        page_set(tmp_path)


def test_the_file_is_chosen_and_its_faults_are_named(tmp_path: Path) -> None:
    page_set(tmp_path)
    rows = json.loads((tmp_path / "val_v1.0.json").read_text())["data"]
    (tmp_path / "test_v1.0.json").write_text(
        json.dumps({"data": [{k: v for k, v in rows[0].items() if k != "answers"}]})
    )
    with pytest.raises(BadInput, match=r"--domain-option file=NAME: test_v1.0.json, val_v1.0.json"):
        load_domain("document_qa").load(tmp_path)
    assert load_domain("document_qa", {"file": "val_v1.0.json"}).load(tmp_path)[0].id == "7"
    with pytest.raises(BadInput, match="no answers, like the official test split"):
        load_domain("document_qa", {"file": "test_v1.0.json"}).load(tmp_path)
    (tmp_path / "val_v1.0.json").write_text('{"data":\n oops}')
    with pytest.raises(BadInput, match=r"val_v1.0.json:2: not JSON"):
        load_domain("document_qa", {"file": "val_v1.0.json"}).load(tmp_path)
    (tmp_path / "val_v1.0.json").write_text(json.dumps({"data": rows * 2}))
    with pytest.raises(BadInput, match="row 2: the questionId 7 was there before"):
        load_domain("document_qa", {"file": "val_v1.0.json"}).load(tmp_path)


# What a model is shown.


def test_a_page_is_sent_as_it_is_where_it_fits_and_smaller_where_not(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(400, 200))
    assert shown(tmp_path / "a.png", 400).content == png(400, 200)
    smaller = shown(tmp_path / "a.png", 100)
    with Image.open(io.BytesIO(smaller.content)) as image:
        assert (image.size, image.format, smaller.media_type) == ((100, 50), "PNG", "image/png")
    assert shown(tmp_path / "a.png", 100) == smaller


def test_a_photograph_is_turned_upright_and_a_tiff_is_converted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    Image.new("RGB", (80, 40)).save(tmp_path / "a.jpg", exif=exif)
    Image.new("1", (80, 40)).save(tmp_path / "a.tif")
    for name, media_type, size in (("a.jpg", "image/jpeg", (40, 80)), ("a.tif", "image/png", (80, 40))):
        picture = shown(tmp_path / name, 1536)
        with Image.open(io.BytesIO(picture.content)) as image:
            assert (picture.media_type, image.size) == (media_type, size)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    served = Provider()
    yield served
    served.server.shutdown()


def test_a_picture_reaches_the_provider_and_no_other_place(provider: Provider, tmp_path: Path) -> None:
    content = png()
    request = asked(
        Picture(media_type="image/png", content=content), name="openai/mine", api_base=provider.url, price=(1, 1)
    )
    store = open_store(tmp_path / "store.duckdb")
    Client(store, Budget(None), "run").complete(request, step=StepLabel("s"))
    store.close()
    picture, words = provider.requests[0]["messages"][1]["content"]
    encoded = base64.b64encode(content).decode()
    assert picture == {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded}"}}
    assert words == {"type": "text", "text": "What is this?"}
    kept = (tmp_path / "store.duckdb").read_bytes()
    assert encoded[:24].encode() not in kept
    assert content[:24] not in kept


def test_what_a_provider_quotes_of_a_picture_is_not_kept(provider: Provider, tmp_path: Path) -> None:
    provider.answers = [(400, {}, "no: data:image/png;base64,iVBORw0KGgoAAAA is bad")]
    request = asked(
        Picture(media_type="image/png", content=png()), name="openai/mine", api_base=provider.url, price=(1, 1)
    )
    store = open_store(tmp_path / "store.duckdb")
    with pytest.raises(ModelUnusable) as caught:
        Client(store, Budget(None), "run").complete(request, step=StepLabel("s"))
    store.close()
    assert "data:image is bad" in str(caught.value)
    assert "iVBOR" not in str(caught.value)


def test_a_call_is_known_by_what_its_pictures_show() -> None:
    one, other = (Picture(media_type="image/png", content=png(width)) for width in (40, 41))
    # A call without pictures has the key that it had before there were any.
    assert asked().key == "call/ce26cfd0702e42a8c9ebe367552951f31f7415b039d0fbe1263ba99af548393b"
    assert len({asked().key, asked(one).key, asked(other).key, asked(one, other).key}) == 4
    assert asked(one).key == asked(Picture(media_type="image/png", content=png(40))).key


def test_a_picture_costs_its_bound_and_not_its_bytes() -> None:
    small, large = (Picture(media_type="image/png", content=b"x" * size) for size in (10, 4_000_000))
    price = {"name": "openai/mine", "price": (1.0, 1.0), "vision": "yes"}
    plain, one = cost_bound(asked(**price)), cost_bound(asked(small, **price))
    assert one - plain == pytest.approx(MOST_TOKENS * 1e-6)
    assert cost_bound(asked(large, **price)) == one


# Models that see, and models that do not.


@pytest.mark.parametrize(
    ("settings", "sees"),
    [
        ({"name": "openai/gpt-4o"}, True),
        ({"name": "openai/gpt-4o", "vision": "no"}, False),
        ({"name": "openai/gpt-3.5-turbo"}, False),
        ({"name": "openai/mine", "api_base": "http://127.0.0.1:9/v1"}, False),
        ({"name": "openai/mine", "api_base": "http://127.0.0.1:9/v1", "vision": "yes"}, True),
        ({"name": "sim/office"}, True),
        ({"name": "sim/office?blind=1"}, False),
    ],
)
def test_a_model_without_vision_is_refused_with_the_remedy(settings: dict[str, Any], sees: bool) -> None:
    if sees:
        check_vision(ModelSettings(**settings))
    else:
        with pytest.raises(BadInput, match="sees no pictures.*--vision yes"):
            check_vision(ModelSettings(**settings))


def test_a_run_is_refused_before_anything_is_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blind = Roles.all_played_by(ModelSettings(name="sim/office", vision="no"))
    settings = run_settings(data=PAGES, domain="document_qa", roles=blind, store=tmp_path / "s.duckdb")
    try:
        with pytest.raises(Trace2SkillError, match="sees no pictures"):
            _ = runtime(settings).client
    finally:
        forget_runtimes()


def test_the_default_changes_no_key() -> None:
    assert "vision" not in ModelSettings(name="sim/office").model_dump()
    assert ModelSettings(name="m/x", vision="yes").identity == ModelSettings(name="m/x").identity


@pytest.mark.parametrize(
    ("content", "media_type", "said"),
    [
        (b"no image", "image/png", "cannot be read"),
        (png()[:-20], "image/png", "cannot be read"),
        (png(), "image/jpeg", "is PNG, not jpeg"),
    ],
)
def test_the_simulated_model_refuses_a_malformed_picture(
    tmp_path: Path, content: bytes, media_type: Any, said: str
) -> None:
    store = open_store(tmp_path / "store.duckdb")
    request = asked(Picture(media_type=media_type, content=content))
    with pytest.raises(ModelUnusable, match=said):
        Client(store, Budget(None), "run").complete(request, step=StepLabel("s"))
    store.close()


# The bundled pages, and a run on them.


def test_the_bundled_pages_are_made_from_what_is_asked(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_pages", ROOT / "examples" / "make_pages.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    maker.make(tmp_path / "pages", 24, 1)
    assert (tmp_path / "pages" / "questions.json").read_bytes() == (PAGES / "questions.json").read_bytes()
    for path in sorted((PAGES / "documents").iterdir()):
        with Image.open(path) as kept, Image.open(tmp_path / "pages" / "documents" / path.name) as made:
            assert kept.tobytes() == made.tobytes(), path.name  # the same dots; compression is the library's affair


def test_what_pages_teach_is_learned(tmp_path: Path) -> None:
    shutil.copytree(PAGES, tmp_path / "pages")
    (tmp_path / "skill").mkdir()
    (tmp_path / "skill" / "SKILL.md").write_text(SKILL)
    settings = run_settings(
        data=tmp_path / "pages",
        domain="document_qa",
        skill=tmp_path / "skill",
        roles=Roles.all_played_by(ModelSettings(name="sim/office")),
        sandbox="process",
        store=tmp_path / "store.duckdb",
    )
    try:
        scores, text, trajectory = refreshed(settings)
    finally:
        forget_runtimes()
    assert scores["candidate"] > scores["S0"] + 0.3
    planted = {mistake.cause.name for mistake in DOCUMENTS}
    assert len(planted & guided(text)) >= 3
    assert trajectory.steps[1].message.endswith("[1 picture]")
    kept = (tmp_path / "store.duckdb").read_bytes()
    assert b"iVBORw0KGgo" not in kept
    assert b";base64," not in kept


SKILL = """\
---
name: skill
description: Answers questions on pages. Use for tasks that show the image of a page and ask for what stands on it.
---

# Questions on pages

## Working it out

- Go step by step.

## Giving the answer

- Say what you found.
"""


def refreshed(settings: RunSettings) -> tuple[dict[str, float], str, Trajectory]:
    """Scores of S0 and candidate on held-out tasks, the candidate's text, and one trajectory."""
    rt = runtime(settings)
    assert rt.given_skill is not None
    base = rt.given_skill.digest

    def mapped(step: Callable[[Any], Any], items: Any) -> list[Any]:
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(step, items))

    rolled = mapped(lambda task: ROLLOUT(rt, RolloutJob(task_id=task, seed=41, skill=base)), rt.splits.evolve)
    chosen = choose_for_analysis(rolled, "+combined")
    extracted = [item for item in mapped(lambda job: EXTRACT(rt, job), chosen) if item.lessons]
    proposed = mapped(lambda item: PROPOSE(rt, item, base), extracted)
    learned = united(rt, base, extracted, proposed, StepRunner(rt))
    assert learned.root is not None
    made = APPLY(rt, learned.root, base, learned.tasks)
    scores = {}
    for name, skill in (("S0", base), ("candidate", made.skill)):
        jobs = [RolloutJob(task_id=task, seed=41, skill=skill) for task in rt.splits.validation]
        cells = [item.cell for item in mapped(lambda job: ROLLOUT(rt, job), jobs)]
        scores[name] = sum(cell.outcome == "passed" for cell in cells) / len(cells)
    candidate = rt.skill(made.skill)
    assert candidate is not None
    trajectory = rt.store.get("trajectory", rolled[0].trajectory_id, Trajectory)
    assert trajectory is not None
    return scores, "\n".join(candidate.text(file.path) or "" for file in candidate.files), trajectory
