"""Stops the stage that needs a secret without a value, and no other."""

from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment import Environment
from tasks.secrets.inspect import inspect
from tasks.secrets.inventory import Stage, named_secrets
from tasks.secrets.report import SecretReport
from tasks.secrets.vault import Vault


@task(task_run_name="require-secrets", cache_policy=NO_CACHE)
def require_secrets(settings: Environment, stage: Stage) -> None:
    """Stop unless every secret that `stage` needs has a value; changes nothing. A laptop needs none.

    Raises:
        SecretsMissing: names each, with the command or the run that gives it a value.
        MissingCredentials: there are none for AWS.
    """
    needed = [named for named in named_secrets(settings) if named.needed_by == stage]
    if needed:
        vault, now = Vault(settings), datetime.now(UTC)
        report = SecretReport(tuple(inspect(settings, vault, named, now).line for named in needed))
        report.require_values(f"{stage}/{settings.name.value} needs secrets that have no value")
