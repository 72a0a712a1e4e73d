"""What a test runner reports: how many tests passed and failed, in the words of some twenty runners.

A number of failures counts, not the word: `12 passed; 0 failed` is a success.
"""

import re

from trace2skill.types.trajectory import Observation

LOOKED_AT = 4000
SUMMARY = re.compile(
    r"(?i)\b(?:passed|passing|passes|failed|failing|failures?|errors?|examples?|tests?|assertions|ok|pass|fail)\b"
)
COUNTED = re.compile(
    r"(?i)(?<!\d)(\d+)\s{1,20}(?:tests?\s{1,20}|specs?\s{1,20}|suites?\s{1,20}|unexpected\s{1,20})?"
    r"(passed|passing|pass|failed|failing|fail|failures?|errors?|errored)\b"
)
NAMED = re.compile(
    r"(?i)\b(passed|failed|failures|errors|errored|pass|fail)\b\s{0,20}[:=]?\s{0,20}(\d++)"
    r"(?![\d.]{0,20}\s{0,20}(?:passed|failed|%|m?s\b))"
)
RAN = re.compile(
    r"(?i)\b(\d+)\s{1,20}(?:tests?|examples?|specs?|runs?|assertions)\b"
    r"|\b(?:tests(?: run)?|total|executed)\s{0,20}[:=]?\s{0,20}(\d+)\b"
)
LIKE_A_REPORT = re.compile(
    r"(?i)^[\s=#*-]*(?:\d+\s+(?:tests?\s+|specs?\s+)?(?:passed|passing|failed|failing|failures?|errors?)"
    r"(?=\s*(?:$|[,;|()=-]|in\b|out of\b))|tests?\b|"
    r"test (?:result|files|suites?)|ran \d+|passed!|failed!|ok\s*[|(]|failed\s*[|(]|executed \d+|"
    r"\d+ (?:tests?|examples?|specs?|runs?)\b|\d+% tests passed|(?:ℹ )?(?:pass|fail) \d+\s*$|summary)"
    r"|\bin [\d.]+ ?m?s\b|\btotal\b"
)
GOOD_LINE = re.compile(
    r"^(?:100% tests passed\b.*|ok\s+\S+\s+(?:[\d.]+s|\(cached\)).*"
    r"|(?:OK(?: \(.*\))?|All tests (?:passed|successful)\.?|Result: PASS|PASS)\s*)$"
)
BAD_LINE = re.compile(
    r"^(?:FAIL\b.*|FAILED \(.*|FAILURES!|--- FAIL: .*|not ok \d+.*|Result: FAIL.*|test result: FAILED.*|"
    r"FAILED(?: tests?/| \S+::).*|\*\*\* TEST FAILED.*)$"
)


def tests_passed(answer: Observation) -> bool | None:
    """Whether the tests that a call ran passed; None where its answer reports no tests.

    The code with which the runner ended outweighs its words: with another than 0 no report is a success.
    """
    passed = reported(answer.content)
    return None if passed and answer.state == "failed" else passed


def reported(shown: str) -> bool | None:
    """Whether a text reports that all tests passed (True), that some failed (False), or no tests (None)."""
    good = bad = False
    for line in shown[-LOOKED_AT:].splitlines():
        if not SUMMARY.search(line):
            continue
        if BAD_LINE.match(line):
            bad = True
        elif GOOD_LINE.match(line):
            good = True
        elif LIKE_A_REPORT.search(line):
            passed, failed, counted = _counts(line)
            bad = bad or failed > 0
            good = good or (counted and not failed and passed > 0)
    return False if bad else True if good else None


def _counts(line: str) -> tuple[int, int, bool]:
    """How many passed, how many failed, and whether the line counts either."""
    passed = failed = 0
    counted = False
    found = [(word.lower(), int(number[:9])) for number, word in COUNTED.findall(line)]
    if not found:
        found = [(word.lower(), int(number[:9])) for word, number in NAMED.findall(line)]
    for word, number in found:
        counted = True
        if word.startswith("pass"):
            passed += number
        else:
            failed += number
    if counted and not passed and not failed:  # "12 examples, 0 failures"
        ran = [int((one or other)[:9]) for one, other in RAN.findall(line)]
        passed = max(ran, default=0)
    return passed, failed, counted
