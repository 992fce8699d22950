"""How the metrics of an environment moved, in the Prefect UI."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.artifacts import publish_picture
from tasks.environment import EnvironmentName
from tasks.environment.quality import Evaluation
from tasks.evaluation.kept_reports import MOST_READ
from tasks.evaluation.measured import Measured
from tasks.evaluation.trend_plot import plot_trend


@task(task_run_name="publish-trend", cache_policy=NO_CACHE)
def publish_trend(environment: EnvironmentName, stage: str, reports: Sequence[Measured], demands: Evaluation) -> None:
    """Publish the picture of the newest `MOST_READ` of `reports` (at least one, in any order)."""
    last = sorted(reports, key=lambda report: report.created_at)[-MOST_READ:]
    about = (
        f"The last {len(last)} runs: values with 95 % intervals, dashed the threshold of today, red a run that failed, "
        "hollow what the judge may not fail a run by"
    )
    publish_picture(environment, stage, "trend", plot_trend(last, demands), about)
