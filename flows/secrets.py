"""The stage `secrets`: values for the secrets of an environment on AWS; a schedule renews them, and lets them in."""

from datetime import UTC, datetime

from prefect import flow, get_run_logger

from flows import command_line
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.gateway.clients import client_key_among, register_gateway_clients
from tasks.runs.origin import record_origin
from tasks.secrets import SecretReport, publish_report, reconcile_secrets


@flow(name="secrets", persist_result=True, on_running=[record_origin], timeout_seconds=3600)
def secrets(environment: EnvironmentName) -> SecretReport:
    """Generate and renew the secrets that may be generated, and list those that a person must supply.

    Args:
        environment: the environment whose secrets are looked after
    """
    settings = load_environment(environment)
    if settings.laptop is not None:
        directory = settings.laptop.data_directory
        get_run_logger().info(
            "Nothing to do: the laptop's secrets lie in %s, made by the stages that use them", directory
        )
        return SecretReport(())
    report = reconcile_secrets(settings, datetime.now(UTC))
    publish_report(environment, report)
    # Also what a run that was killed renewed: nobody else would tell the gateway before the next renewal.
    if client_key_among(report.with_former):
        register_gateway_clients(settings)
    report.require_made()
    return report


if __name__ == "__main__":
    command_line.run(secrets)
