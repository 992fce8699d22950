"""The stage `cost`: what AWS bills for an environment, against its budget and its plan; changes nothing."""

from datetime import UTC, datetime

from prefect import flow, get_run_logger

from flows import command_line
from tasks.artifacts import publish_table
from tasks.aws_session import require_account
from tasks.cost.bill import read_bill
from tasks.cost.report import report_of
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.gateway.spend import read_gateway_spend
from tasks.plan_review.store import newest_review
from tasks.runs.origin import record_origin
from tasks.terraform.state_bucket import state_bucket_exists, state_location


@flow(name="cost", persist_result=True, on_running=[record_origin], timeout_seconds=1800)
def cost(environment: EnvironmentName) -> str:
    """Read the bill of the last 30 days, its node-hours and the month's forecast; fail when it goes over its budget.

    Args:
        environment: the environment whose bill is read
    """
    settings = load_environment(environment)
    if settings.laptop is not None:
        summary = "Nothing to do: nobody bills a laptop."
        get_run_logger().info(summary)
        return summary
    require_account(settings)
    bill = read_bill(settings, datetime.now(UTC).date())
    plan = newest_review(state_location(settings)) if state_bucket_exists(settings) else None
    report = report_of(settings, bill, plan)
    publish_table(environment, "cost", "bill", report.rows, report.summary)
    publish_table(environment, "cost", "nodes", report.node_rows, f"Hours of nodes since {bill.since}, by type")
    get_run_logger().info(report.summary)
    try:
        spend = read_gateway_spend(settings, bill.since, bill.until)
        if spend is not None:
            publish_table(environment, "cost", "gateway", spend.rows, "What callers and models cost, by tokens")
    finally:
        # A gateway that does not tell what was spent must not hide that the month goes over its budget.
        report.require_within_budget()
    return report.summary


if __name__ == "__main__":
    command_line.run(cost)
