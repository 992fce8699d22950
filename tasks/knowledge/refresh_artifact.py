"""Shows what a refresh did in the Prefect UI."""

from agents.knowledge.refusal import RefreshRefused
from tasks.artifacts import publish_table
from tasks.environment import EnvironmentName
from tasks.kubernetes.probe_result import ProbeResult
from tasks.refresh.report import RefreshReport
from tasks.refresh.rollback import Rollback


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
        "documents moved": report.moved,
        "documents that are copies": report.copies,
        "documents unreadable": len(report.unreadable),
        "seconds": round(report.seconds, 1),
        "held back": report.held,
    }
    rows = [{"what": what, "value": value} for what, value in counts.items()]
    publish_table(environment, "knowledge", "refresh", rows, "What the refresh did")
    if report.unreadable:
        skipped = [{"document": uri, "reason": reason} for uri, reason in sorted(report.unreadable.items())]
        publish_table(environment, "knowledge", "unreadable", skipped, "Documents that could not be read")

    if report.verdict is not None:
        remark = f" {report.verdict.remark}." if report.verdict.remark else ""
        publish_table(environment, "knowledge", "gate", report.verdict.rows, f"The gate let it pass.{remark}")


def publish_refusal(environment: EnvironmentName, refusal: RefreshRefused) -> None:
    """Show what stands against the refresh: what got worse, or what would be deleted."""
    publish_table(environment, "knowledge", "refused", refusal.rows, str(refusal))


def publish_rollback(environment: EnvironmentName, rollback: Rollback) -> None:
    """Show which generation serves now, and which others are kept."""
    rows = [
        {
            "generation": manifest.generation,
            "serves": manifest.generation == rollback.generation,
            "created at": manifest.created_at.isoformat(timespec="seconds"),
            "documents": len(manifest.documents),
            "chunks": manifest.chunk_count,
            "embedding model": manifest.embedding.model,
            "commit": manifest.git_commit,
        }
        for manifest in rollback.kept
    ]
    publish_table(environment, "knowledge", "generations", rows, rollback.summary)


def publish_not_proved(environment: EnvironmentName, result: ProbeResult) -> None:
    """Show that the refresh could not be tried, and what was seen."""
    rows = [{"what": "outcome", "value": result.outcome.value}, {"what": "seen", "value": result.seen}]
    publish_table(environment, "knowledge", "refresh", rows, "The refresh was not proved")
