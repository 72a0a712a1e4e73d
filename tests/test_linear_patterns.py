"""A pattern that was made linear finds what it found before."""

import re
from functools import partial

import pytest
from growing import texts_for
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trace2skill.safety.redaction import Redactor
from trace2skill.safety.secret_patterns import SecretRule, rules

REWORDED = [rule for rule in rules() if rule.pattern is not rule.worded]
PIECES = {
    "json-web-token": ["eyJ", "eyJhbGci", "eyJhbGciOiJ9", "Oi", ".", ".eyJ", "-", "_", "=", "é", " ", "x", "12345678"],
    "npm-tokens": ["//", "/", "/:_authToken=", "npm_", "npm_abc", "//r/:_authToken=npm_a", "0f" * 18, " ", "\n", "\r", ":", "registry", "=", "a"],
    "openai-token": ["sk-", "T3BlbkFJ", "a1" * 10, f"{'a1' * 10}T3BlbkFJ{'B2' * 10}", "B" * 19, "B", "-", "_", " ", "é", "sk-proj-"],
    "access-key": ["glc_", "whsec_", "dop_v1_", "dt0c01.", "AGE-SECRET-KEY-1", "abcdefghij", "k" * 20, "7", "-", "_", ".", " ", "é", "=", "/"],
    "secret": ["password", "password=abcdefgh1", "token: a1b2c3d4", "api_key", "token", "max_token", "db_token", "my_secret_key", ":", "=", " ", "\n", "a", "1", "abcdefgh", "é",
               "x" * 30, "y" * 64, "z" * 390, "(", "[", ".", "'", '"', ";", "9" * 8, "\u0663"],
}  # fmt: skip


NEWER = ["pnu_", "squ_abcdefghij7", "mlsn.", "lsv2_pt_abcdefghijk8", *PIECES["access-key"][5:]]


def pieces_of(rule: SecretRule) -> list[str]:
    return NEWER if rule.kind == "access-key" and "pnu_" in rule.worded.pattern else PIECES[rule.kind]


def by(pattern: re.Pattern[str], kind: str, text: str) -> tuple[str, dict[str, str]]:
    redactor = Redactor()
    return pattern.sub(partial(redactor._replaced, kind), text), redactor.replaced


def test_they_are_known() -> None:
    # Not wrong where it fails: a newer detect-secrets words its own anew, and they are only slow again.
    assert sorted(rule.kind for rule in REWORDED) == sorted([*PIECES, "access-key", "json-web-token"])


@pytest.mark.parametrize("rule", REWORDED, ids=lambda rule: f"{rule.place}-{rule.kind}")
def test_what_is_found_is_the_same(rule: SecretRule) -> None:
    found = 0

    @settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.sampled_from(pieces_of(rule)), max_size=14).map("".join))
    def of_pieces(text: str) -> None:
        nonlocal found
        made = by(rule.pattern, rule.kind, text)
        assert made == by(rule.worded, rule.kind, text)
        found += bool(made[1])

    @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.one_of(st.from_regex(rule.worded), st.sampled_from(pieces_of(rule))), max_size=4))
    def of_matches(parts: list[str]) -> None:
        for text in ("".join(parts), " ".join(parts), "-".join(parts)):
            assert by(rule.pattern, rule.kind, text) == by(rule.worded, rule.kind, text)

    of_pieces()
    of_matches()
    assert found > 5
    for text in texts_for(rule.worded, 600):
        assert by(rule.pattern, rule.kind, text) == by(rule.worded, rule.kind, text)
