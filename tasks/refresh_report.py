"""Shows what a refresh did in the Prefect UI."""

from tasks.artifacts import publish_table
from tasks.environment import EnvironmentName
from tasks.kubernetes.probe_result import ProbeResult
from tasks.refresh.report import RefreshReport


def publish_refresh(environment: EnvironmentName, report: RefreshReport) -> None:
    """Show the counts, and the documents that could not be read, in the Prefect UI."""
    counts = {
        "generation": report.generation,
        "new": report.new,
        "documents": report.documents,
        "chunks": report.chunks,
        "chunks embedded": report.embedded,
        "chunks copied": report.copied,
        "documents deleted": report.deleted,
        "documents unreadable": len(report.unreadable),
        "seconds": round(report.seconds, 1),
    }
    rows = [{"what": what, "value": value} for what, value in counts.items()]
    publish_table(environment, "knowledge", "refresh", rows, "What the refresh did")
    if report.unreadable:
        skipped = [{"document": uri, "reason": reason} for uri, reason in sorted(report.unreadable.items())]
        publish_table(environment, "knowledge", "unreadable", skipped, "Documents that could not be read")


def publish_not_proved(environment: EnvironmentName, result: ProbeResult) -> None:
    """Show that the refresh could not be tried, and what was seen."""
    rows = [{"what": "outcome", "value": result.outcome.value}, {"what": "seen", "value": result.seen}]
    publish_table(environment, "knowledge", "refresh", rows, "The refresh was not proved")
