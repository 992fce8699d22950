"""The commit points of an evaluation: every call after which a report, an artifact or a score is kept."""

from tests.crash.faults import CommitPoint

EVALUATION_POINTS = (
    CommitPoint("answers", "tasks.assistant_api:ask_all.fn"),
    CommitPoint("report", "tasks.kept_reports:DirectoryReports.write"),
    CommitPoint("report-page", "tasks.evaluation_artifacts:publish_evaluation.fn"),
    CommitPoint("scores", "tasks.langfuse_scores:publish_scores.fn"),
)
