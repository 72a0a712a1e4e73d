"""The conventions of an invented firm in words: wordings that analysts may choose, and what a text of any hand states.

The conventions themselves stand in the checks of the data set, and nowhere in the product. The table here is the
benchmark's: with it a text, be it a check's complaint, a lesson, a rule of the book or a line of a skill, is read for
what it states, sentence by sentence.
"""

import re
from dataclasses import dataclass

from trace2skill.sim.profile import pick

SENTENCE = re.compile(r"(?<=[.;!])\s+(?=[A-Z])|\n")
FORBIDDING = re.compile(r"\W*(?:Never|Do not|Don't)\b")
UNTOLD = "own: "


@dataclass(frozen=True)
class Convention:
    """One convention. A sentence states it that matches `says`, and neither matches `denies` nor begins by forbidding.

    One that is a ban itself (`bans`) may begin so.
    """

    says: str
    wordings: tuple[str, ...]
    title: str
    denies: str = r"(?!)"
    bans: bool = False


NO = r"\b(?:not|never|no|without|instead of|rather than)\b"
CONVENTIONS = {
    "ending": Convention(
        r"\.rpt\b",
        (
            "Name the file of a report NAME `NAME.rpt`.",
            "Give every report of this house the ending `.rpt`, whatever the input's format is.",
            "A report is looked for under its name with `.rpt` behind it: write it there.",
            "Save reports as `.rpt` files, unless the request names another ending.",
        ),
        "The ending of reports",
        rf"{NO} (?:\w+ ){{0,3}}`?\.rpt",
    ),
    "closing": Convention(
        r"#END",
        (
            "Close a report with the line `#END n`, where n counts its data lines.",
            "After the data, write one more line to a report: `#END` and the number of data lines above it.",
            "Let the last line of each report be `#END n`; titles do not count towards n.",
            "End reports of this house with `#END n`, n being how many lines of data there are.",
        ),
        "The closing line",
        rf"{NO} (?:\w+ ){{0,3}}`?#END",
    ),
    "separator": Convention(
        r"(?i)semicolon",
        (
            "Put semicolons between the fields of a report.",
            "Separate the columns of reports by semicolons, in the titles and in the data.",
            "Write a report's fields apart by a semicolon without blanks around it.",
            "Reports of this house have semicolons where a CSV file has commas.",
        ),
        "The separator",
        rf"(?i){NO} (?:\w+ ){{0,2}}semicolon",
    ),
    "capitals": Convention(
        r"(?i)(?:titles?|headers?|headings?)\b.*(?:capital|upper case)|(?:capital|upper case).*(?:titles?|headers?)\b",
        (
            "Write the titles of a report's columns in capitals.",
            "Turn the column titles of reports into upper case.",
            "Put a first line with the titles into each report, all of them in capitals.",
            "In reports the titles of columns stand in CAPITALS, in the order asked for.",
        ),
        "Titles of columns",
        rf"(?i){NO} (?:\w+ ){{0,2}}(?:capital|upper)",
    ),
    "order": Convention(
        r"(?i)first column.*\b(?:highest|largest|descending|down)|\b(?:highest|largest|descending)\b.*first column",
        (
            "Sort a report by its first column, from the highest value down.",
            "Order the data lines by the first column, the highest first.",
            "Where a request leaves the order of a report open, sort it descending by the first column.",
            "Put the line with the highest value in the first column on top of a report, and go down from there.",
        ),
        "The order of lines",
        r"(?i)\b(?:lowest|smallest|ascending)\b",
    ),
    "cents": Convention(
        r"(?i)\bcents\b",
        (
            "Write amounts of money as whole cents.",
            "Turn an amount into cents, a whole number without a point, when it is written to a report.",
            "Give amounts in whole cents; work with the amounts as they are until then.",
            "In reports of this house an amount is a whole number of cents.",
        ),
        "Amounts",
        rf"(?i){NO} (?:\w+ ){{0,2}}cents|\bdecimals\b",
    ),
    "days": Convention(
        r"YYYYDDD|(?i:day of the year)",
        (
            "Write days as YYYYDDD, the year and the day of the year in three digits.",
            "A day stands in a report as its year with the three-digit day of the year behind it.",
            "Write each date as year and day of the year (`date +%Y%j`).",
            "Turn dates into YYYYDDD before they are written to a report.",
        ),
        "Days",
        rf"(?i){NO} (?:\w+ ){{0,2}}(?:YYYYDDD|day of the year)",
    ),
    "people": Convention(
        r"LAST, First|(?i:last name (?:first|in capitals))",
        (
            "Write people as `LAST, First`.",
            "Turn a person's name around: last name in capitals, a comma, first name.",
            "In reports, put the last name first, in capitals, then a comma and the first name: `LAST, First`.",
            "Names of people stand as `LAST, First` in reports of this house.",
        ),
        "Names of people",
        rf"{NO} (?:\w+ ){{0,2}}`?LAST, First",
    ),
    "test_lines": Convention(
        r"(?i:\bstatus )`?(?P<letter>[A-Z])\b.*(?i:never|left out|leave|drop|skip|do not count)"
        r"|(?i:never|leave out|drop|skip|do not count)\b.*(?i:\bstatus )`?(?P<other>[A-Z])\b",
        (
            "Leave out the lines of test customers (status {letter}) before anything is listed, counted or added up.",
            "Drop lines with status {letter}: these are test customers, and nothing of them is reported.",
            "Lines of status {letter} belong to test customers and are never reported.",
            "Skip test customers, who have the status {letter}, in every report and count.",
        ),
        "Test customers",
        r"(?i)\bkeep\b|\bcount them\b",
        bans=True,
    ),
    "json_text": Convention(
        r"(?i)json.*\bnumbers?\b.*\b(?:text|strings?)\b|\bnumbers?\b.*json.*\b(?:text|strings?)\b",
        (
            "In a JSON file write every number as text.",
            "Turn the numbers of JSON files into strings when they are written.",
            "JSON files of this house hold numbers as text, in quotes.",
            "Write each number in a JSON file as a string, unless the request names a type.",
        ),
        "Numbers in JSON",
        rf"(?i){NO} (?:\w+ ){{0,2}}(?:text|strings?)\b",
    ),
    "origin": Convention(
        r"\b_house\b",
        (
            "Give a JSON object the key `_house` with the name of the file that its numbers come from.",
            "Put the origin into JSON files: `_house` names the input file.",
            "A JSON file carries under `_house` the file it was made of.",
            "Add the key `_house` to a JSON object; its value is the name of the input file.",
        ),
        "The origin of JSON files",
        rf"{NO} (?:\w+ ){{0,3}}`?_house",
    ),
}
AGAINST = {
    "Separate the fields of a report by tabs.": "separator",
    "Sort a report by its first column, the lowest first.": "order",
    "Write amounts with two decimals and a point.": "cents",
    "Round amounts to whole dollars.": "cents",
    "Write the titles of columns in small letters.": "capitals",
    "Write days as DD.MM.YYYY.": "days",
    "Put a blank line under the titles of a report.": "",
}
"""What an analyst may say who has not looked, and what no check of the house asks for: and what it is opposed to."""
UNTRUE = tuple(AGAINST)


def stated(text: str) -> dict[str, str]:
    """The conventions that a text states, with the letter that one of them names ('' of the others).

    A text is read sentence by sentence: what one of them says and another one denies is stated all the same.
    """
    found: dict[str, str] = {}
    for sentence in SENTENCE.split(text):
        for name, rule in CONVENTIONS.items():
            match = re.search(rule.says, sentence)
            denied = re.search(rule.denies, sentence) or (FORBIDDING.match(sentence) and not rule.bans)
            if match and not denied:
                letters = [letter for letter in match.groupdict().values() if letter]
                found.setdefault(name, letters[0] if letters else "")
    return found


def is_untrue(text: str) -> bool:
    """Does a text hold one of the untrue sentences?"""
    flat = " ".join(text.split())
    return any(sentence in flat or sentence.rstrip(".") in flat for sentence in UNTRUE)


def worded(name: str, letter: str, *drawn_by: object) -> str:
    """One of the wordings of a convention, drawn by a hash."""
    wordings = CONVENTIONS[name].wordings
    return wordings[pick(len(wordings), "wording", name, *drawn_by)].replace("{letter}", letter)


class HouseReader:
    """What the merger takes a text to mean; see `trace2skill.sim.meaning.MeaningReader`."""

    def themes(self, text: str) -> frozenset[str]:
        """The conventions a text states; what states none is like nothing else."""
        found = stated(text)
        told = {f"{name} {letter}".rstrip() for name, letter in found.items()}
        return frozenset(told) or frozenset({f"{UNTOLD}{' '.join(text.lower().split())}"})

    def words(self, theme: str) -> str:
        """The first wording of a convention."""
        name, _, letter = theme.partition(" ")
        rule = CONVENTIONS.get(name)
        return rule.wordings[0].replace("{letter}", letter) if rule else ""

    def opposite(self, theme: str) -> str:
        """What an untrue sentence is opposed to."""
        plain = {" ".join(sentence.lower().split()): name for sentence, name in AGAINST.items()}
        return plain.get(theme.removeprefix(UNTOLD), "")
