"""The report of a benchmark: Python makes every number and sentence, the template only lays them out."""

from globmed.bench.report.write import ReportFiles, write_report

__all__ = ["ReportFiles", "write_report"]
