"""How a kind of task is found: by name, by file, by entry point; and what is said when it is none."""

from pathlib import Path

import pytest
from domains_of_tests import SUMS

from trace2skill.core.errors import BadInput
from trace2skill.domains import load_domain


def test_a_class_in_a_file_is_a_domain_and_its_bytes_are_part_of_its_version(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(SUMS)
    first = load_domain(f"{path}:Sums")
    assert first.name == "sums"
    path.write_text(SUMS + "\n# another rule\n")
    assert load_domain(f"{path}:Sums").version != first.version


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nosuch", "there is"),
        ("nowhere.py:Sums", "no file"),
        ("nosuch.module:Sums", "cannot be imported"),
        ("trace2skill.domains.answers:Sums", "no class Sums"),
        ("pathlib:Path", "lacks"),
    ],
)
def test_what_is_no_domain_is_refused_with_what_to_do(name: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        load_domain(name)


def test_a_file_that_does_not_load_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import nosuchmodule\n")
    with pytest.raises(BadInput, match=r"broken.py does not load: ModuleNotFoundError"):
        load_domain(f"{path}:Sums")


def test_options_are_checked_by_the_domain(tmp_path: Path) -> None:
    assert load_domain("spreadsheet", {"recalculate": "never"}).version == "spreadsheet 2"
    with pytest.raises(BadInput, match=r"recalculate.*it knows recalculate"):
        load_domain("spreadsheet", {"recalculate": "perhaps"})
    path = tmp_path / "mine.py"
    path.write_text(SUMS)
    with pytest.raises(BadInput, match="takes no options"):
        load_domain(f"{path}:Sums", {"form": "long"})
