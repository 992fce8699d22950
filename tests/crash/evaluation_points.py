"""The commit points of an evaluation on a laptop: every call after which a report or an artifact is kept.

No laptop sends scores to Langfuse: what comes of those that a killed run did not send is tested where they are sent.
"""

from tests.crash.faults import CommitPoint

EVALUATION_POINTS = (
    CommitPoint("answers", "tasks.golden.answers:ask_all.fn"),
    CommitPoint("report", "tasks.evaluation.kept_reports:DirectoryReports.write"),
    CommitPoint("report-page", "tasks.evaluation.artifacts:publish_evaluation.fn"),
    CommitPoint("trend", "flows.evaluation:publish_trend"),
)
