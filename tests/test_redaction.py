"""What a text needs for a rule changes how fast it is redacted, and nothing else."""

import random
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import red_team
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trace2skill.safety.clean_texts import CleanTexts
from trace2skill.safety.needs import LONGEST, needs_of
from trace2skill.safety.redaction import SHORTEST, Redactor
from trace2skill.safety.secret_patterns import SecretRule, rules, rules_for
from trace2skill.safety.shortlist import KEPT
from trace2skill.safety.view import FOLDED, RUN, View

LIKE = {"s": "ſ", "S": "ſ", "k": "\u212a", "K": "\u212a", "i": "ı", "I": "İ", " ": "\u2003", "3": "٣", "a": "á"}
FRAMED = st.builds(
    lambda kind, seed: kind.frame.format(red_team.secret_of(kind, random.Random(seed))),
    st.sampled_from(red_team.KINDS),
    st.integers(0, 10_000),
)
PIECES = st.one_of(
    FRAMED,
    st.builds(lambda text, at, length: text[at : at + length], FRAMED, st.integers(0, 60), st.integers(1, 60)),
    st.builds(lambda text, sign: text.replace(sign, LIKE[sign]), FRAMED, st.sampled_from(sorted(LIKE))),
    FRAMED.map(str.upper),
    st.sampled_from(["aws", "token=", "cl_key: ", '"', "'", "\\", "=>", "://", "@", "\n", " ", "[REDACTED:aws-access-key:1]", "é", "漢字"]),
    st.sampled_from([f"'{'a1' * 20}'", f'"{"0f" * 32}"', "z" * 24, "Q1-_" * 11]),
    st.text(max_size=8),
)  # fmt: skip


AHEAD = re.compile(r"\(\?=(?:\\S|\[\^\\s\\?\"'\])\{0,60\}[^()]+\)")


def found_by(rule: SecretRule) -> st.SearchStrategy[str]:
    """Texts in which a rule finds something.

    Hypothesis writes what a pattern looks ahead for and then once more what stands there, which is hardly ever found
    where it looks for several signs of a value: 560 texts for three. So that is asked of the text as a whole.
    """
    written = AHEAD.sub("", rule.pattern.pattern)
    return st.from_regex(re.compile(written, rule.pattern.flags)).filter(rule.pattern.search)


class Unfiltered(Redactor):
    """Every rule over every text."""

    def text(self, text: str) -> str:
        if len(text) < SHORTEST:
            return text
        for rule in rules():
            text = rule.pattern.sub(partial(self._replaced, rule.kind), text)
        return text


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(PIECES, max_size=8).map("".join), max_size=3))
def test_redaction_is_as_if_every_rule_saw_every_text(texts: list[str]) -> None:
    filtered, unfiltered = Redactor(), Unfiltered()
    value = [*texts, {text: {"password": text, "out": [text]} for text in texts}]
    assert filtered.value(value) == unfiltered.value(value)
    assert filtered.counts == unfiltered.counts
    assert list(filtered.replaced.items()) == list(unfiltered.replaced.items())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES, max_size=8).map("".join), st.sampled_from(["", "\ud800", "x: " * KEPT]))
def test_rules_are_chosen_together_as_one_by_one(text: str, behind: str) -> None:
    view = View(text + behind)  # of a long text the places of words are not kept
    assert rules_for(view) == [rule for rule in rules() if rule.needs.met_by(view)]


def test_a_placeholder_may_be_what_a_later_rule_needs() -> None:
    secret = "K" + "a1" * 19 + "z"  # known by the word `aws` before it, which comes with the first placeholder
    filtered, unfiltered = Redactor(), Unfiltered()
    text = f"AKIA{'B2' * 8} '{secret}'"
    assert secret not in filtered.text(text)
    assert filtered.text(text) == unfiltered.text(text)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: f"{rule.place}-{rule.kind}")
def test_whatever_a_rule_finds_has_what_the_rule_needs(rule: SecretRule) -> None:
    @settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(found_by(rule), st.sampled_from(["", "é ", "x: "]), st.sampled_from(["", "…\n"]))
    def holds(found: str, before: str, after: str) -> None:
        plain = before + found + after
        for text in {found, plain, plain.translate(str.maketrans(LIKE))}:
            if rule.pattern.search(text):  # always in the first; to reject an example costs ten others
                view = View(text)
                assert rule.needs.met_by(view), text
                assert rule in rules_for(view)

    holds()


@pytest.mark.parametrize("word", ["Passwort", "Kennwort", "contraseña", "mot de passe", "senha", "wachtwoord", "hasło", "пароль", "密码", "パスワード", "비밀번호"])  # fmt: skip
def test_a_password_is_found_behind_its_word_in_any_language_that_a_rule_knows(word: str) -> None:
    assert "sesam77" not in Redactor().text(f"{word}: sesam77")


def test_slow_patterns_of_the_library_are_known() -> None:
    # Not wrong where it fails: a newer detect-secrets words them anew, and they are only looked for more slowly.
    marked = [rule.kind for rule in rules() if rule.needs.mark]
    assert {"artifactory-credentials", "cloudant-credentials", "ibm-cloud-iam-key", "mailchimp-access-key"} <= {*marked}
    assert all(rule.needs.one_of_each or rule.needs.mark for rule in rules())


def test_letters_are_folded_as_the_engine_folds_them() -> None:
    every = "".join(map(chr, range(128, 0x110000)))
    letters = set(re.findall(r"[a-z]", every, re.I))
    assert letters == {sign for sign, _ in FOLDED}
    assert all(re.fullmatch(letter, sign, re.I) for sign, letter in FOLDED)
    assert len(View(every).lower) == len(every)
    assert not [sign for sign in re.findall(r"[\d_-]", every, re.I) if sign in RUN]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(?:ab|c[de])f?(?i:G)h", "cegh"), ("a(?!b)c*", "a"), ("(?:x|)yz", "yz"), ("(a|bb){2,3}-", "abb-"), ("[^a]b", "cb"),
        ("(?i)straße K", "STRAßE \u212a"), (r"(?P<q>['\"])ab(?P=q)", "'ab'"), (r"[\w-]{12}", "é" * 12), ("[a-f]{9,}", "abcdefabc"),
        ("(?:abc){3}", "abcabcabc"), ("(?:ab){40}", "ab" * 40), ("(?>ab|a)c", "abc"), ("a++b", "aaab"), ("(?s).{300}", "\n" * 300),
        ("(?:ab|.)(?:cd|[e-z])", "ab~z"), ("(?:[a-c]{20}|x)y", "xy"), ("(a)?(?(1)b|cd)", "cd"), ("(?:q|[0-9]|..)$", "q"),
    ],
)  # fmt: skip
def test_needs_are_read_off_any_pattern(pattern: str, text: str) -> None:
    compiled = re.compile(pattern)
    assert compiled.search(text)
    assert needs_of(compiled).met_by(View(text))


def test_needs_rule_out_what_lacks_them() -> None:
    needs = needs_of(re.compile("(?i)(?:KEY|to[kc]en)s? *= *[a-z0-9]{30}"))
    assert needs.met_by(View("my Tokens = " + "a1" * 15))
    assert not needs.met_by(View("my Tokens = " + "a1 " * 15))
    assert not needs.met_by(View("my Toxens = " + "a1" * 15))
    assert not needs.met_by(View("key=a"))
    assert needs_of(re.compile("a{500}")).shortest == LONGEST


def test_clean_texts_take_no_more_room_than_they_may() -> None:
    known = CleanTexts(most_bytes=20_000)
    for number in range(1000):
        known.add(f"{number:0100}")
        assert f"{number:0100}" in known
    kept = [number for number in range(1000) if f"{number:0100}" in known]
    assert 20 < len(kept) < 100
    assert kept == list(range(1000))[-len(kept) :]
    known.add("x" * 30_000)
    assert "x" * 30_000 not in known
    known.forget()
    assert f"{999:0100}" not in known


def test_threads_find_the_same() -> None:
    dice = random.Random(3)
    texts = [f"{number} {kind.frame.format(red_team.secret_of(kind, dice))}" for number in range(20) for kind in red_team.KINDS]  # fmt: skip
    texts += [f"clean {number}" for number in range(500)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: [Redactor().text(text) for text in texts], range(8)))
    assert all(some == [Unfiltered().text(text) for text in texts] for some in found)
