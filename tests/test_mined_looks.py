"""Which commands of a log are not done again: those that are known to change nothing."""

import pytest

from trace2skill.mined.looks import looks


@pytest.mark.parametrize(
    ("command", "shows"),
    [
        ("ls -la src", True), ("cd src && grep -rn 'x y' .", True), ("ls\n\n  cat a b\n", True), ("env", True), ("git diff HEAD~1", True),
        ("find . -name '*.py'", True), ("git branch -av", True), ("date", True), ("git log --oneline -3", True), ("tree src", True),
        ("ls\npython build.py", False), ("env A=1 python build.py", False), ("find . -name x -delete", False), ("git branch new", False),
        ("find . -exec rm {} +", False), ("find . -fprint out", False), ("find .\t-okdir rm {} +", False), ("date -s x", False),
        ("git branch -D x", False), ("git branch -a\nmv a b", False), ("git diff --output=a", False), ("find . \"-delete\"", False), ("find . -{delete,print}", False), ("grep 'a|b(' x; rm y", False),
        ("grep -n \"a|b\" 'x(1)'", True), ("echo \"a'b$c\"; rm 'x'", False), ("echo \\'; rm x; echo \\'", False),
        ("tree -ao out.txt", False), ("sort -o a a", False), ("cat <(rm a)", False), ("cd a&&./run; ls", False), ("less -oa b", False),
        ("rg --pre ./run x", False), ("git remote add x y", False), ("cat a\\\nmv b c", False), ("env\tx=1 rm a", False),
        ("file -C -m magic", False),
    ],
)  # fmt: skip
def test_a_look_is_what_changes_nothing(command: str, shows: bool) -> None:
    assert looks(command) is shows
