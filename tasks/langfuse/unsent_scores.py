"""Scores of reports that are kept and not yet in Langfuse: a run was killed between the two, or Langfuse was away."""

from collections.abc import Callable, Iterable

from tasks.evaluation.kept_reports import Reports
from tasks.report_files import Shape


def send_unsent(reports: Reports[Shape], kept: Iterable[Shape], send: Callable[[Shape], bool]) -> None:
    """Have those of `kept` (newest first) sent that are not, and keep in `reports` that they are.

    `send` says whether all is there. A Langfuse that is away is not asked again for the older ones.
    """
    for report in kept:
        if report.unsent:
            if not send(report):
                return
            reports.write(report.model_copy(update={"unsent": False}))
