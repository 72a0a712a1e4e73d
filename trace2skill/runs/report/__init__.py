"""The report of a run: one HTML page that needs no network and runs no script."""

from trace2skill.runs.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
