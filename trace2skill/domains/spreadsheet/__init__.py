"""Work on .xlsx workbooks, in the layout and by the rules of SpreadsheetBench (https://spreadsheetbench.github.io)."""

from trace2skill.domains.spreadsheet.domain import Spreadsheet

__all__ = ["Spreadsheet"]
