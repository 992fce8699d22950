"""Gives every generated secret a value, and a new one when it has become old."""

from dataclasses import replace
from datetime import datetime, timedelta

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import require_account
from tasks.environment import Environment
from tasks.environment.addons import VALKEY_PASSWORD
from tasks.secrets.cache_password import CacheUserNotReady, give_to_cache
from tasks.secrets.grafana import NoWorkspace, Workspace
from tasks.secrets.inspect import describe, inspect
from tasks.secrets.inventory import GRAFANA_TOKEN, NamedSecret, named_secrets
from tasks.secrets.report import SecretLine, SecretReport
from tasks.secrets.vault import StoredSecret, Vault


@task(task_run_name="reconcile-secrets", cache_policy=NO_CACHE)
def reconcile_secrets(settings: Environment, now: datetime) -> SecretReport:
    """Generate what has no value, renew what is older than its `rotation_days`, list what a person has to supply.

    `now` has a time zone. May be repeated at any time, also after it was killed, and run twice at once. Who uses a
    secret gets the new value when it reads next; the old one stays as the version labelled AWSPREVIOUS.

    Raises:
        MissingCredentials, WrongAccount: before anything is touched.
    """
    require_account(settings)
    vault = Vault(settings)
    return SecretReport(tuple(_reconcile(settings, vault, named, now) for named in named_secrets(settings)))


def _reconcile(settings: Environment, vault: Vault, named: NamedSecret, now: datetime) -> SecretLine:
    line = _with_value(settings, vault, named, now)
    if named.name != VALKEY_PASSWORD or line.state not in ("generated", "kept"):
        return line
    try:
        give_to_cache(settings, vault, named.path)
    except CacheUserNotReady as error:
        return replace(line, state="absent", to_do=str(error))
    return line


def _with_value(settings: Environment, vault: Vault, named: NamedSecret, now: datetime) -> SecretLine:
    found = inspect(settings, vault, named, now)
    if found.stored is None or not found.wants_value:
        return found.line
    if named.name != GRAFANA_TOKEN:
        vault.put(found.stored, named.generate())
    else:
        try:
            _put_grafana_token(Workspace(settings), vault, found.stored, now)
        except NoWorkspace as error:
            return describe(named, "absent", found.age, f"{error}: run provision/{settings.name.value}")
    return describe(named, "generated" if found.age is None else "renewed", timedelta(0))


def _put_grafana_token(workspace: Workspace, vault: Vault, stored: StoredSecret, now: datetime) -> None:
    token = workspace.make_token(now)
    if not vault.put(stored, token.key):
        workspace.remove(token.identifier)  # another run was quicker, and its token is the one that is kept
