"""Prefect as code: pools, limits, deployments, schedules, automations, variables and blocks of one environment.

They are derived from the environment's variable file and `prefect.yaml`, compared with what the server has, shown,
and applied. Nothing that people made is touched: not their deployments, not the schedules that they added, and not
their decision to pause something.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks.environment import Environment
from tasks.prefect_objects.apply import apply_changes
from tasks.prefect_objects.automations import NotificationsBlockMissing, notifications_block
from tasks.prefect_objects.change import Change, print_changes
from tasks.prefect_objects.desired import desired_objects
from tasks.prefect_objects.difference import WorkPoolTypeDiffers, difference
from tasks.prefect_objects.observed import observed_objects
from tasks.prefect_objects.prefect_file import PREFECT_FILE, InvalidPrefectFile

REFUSALS = (401, 403)


class PrefectUnreachable(Exception):
    """No Prefect server answers where the environment says that one does."""


class PrefectRefused(Exception):
    """The Prefect server knows nobody by the credentials that it was given, or was given none."""


def reconcile(
    environment: Environment,
    api_url: str,
    *,
    dry_run: bool,
    parameters: Mapping[str, Mapping[str, object]] | None = None,
    file: Path = PREFECT_FILE,
    show: Callable[[Sequence[Change]], None] = print_changes,
) -> list[Change]:
    """Make the Prefect server at `api_url` hold what the repository describes for `environment`.

    The difference is shown before anything is written, and returned; a second call finds every object unchanged.
    `parameters` adds parameters to the deployments, by flow name. With `dry_run` nothing is written.

    Raises:
        InvalidPrefectFile: `file`, or a flow, work pool or parameter that it names, cannot be deployed.
        WorkPoolTypeDiffers: a work pool exists under the wanted name with another type.
        NotificationsBlockMissing: the block that environment.prefect.notifications names is not on the server.
        PrefectUnreachable: no server answers at `api_url`.
        PrefectRefused: it wants other credentials.
        PrefectHTTPStatusError: the server refuses a change.
    """
    with temporary_settings({PREFECT_API_URL: api_url}):
        try:
            with get_client(sync_client=True) as client:
                webhook = notifications_block(client, environment)
                desired = desired_objects(environment, file, parameters or {}, webhook)
                observed = observed_objects(client, desired)
                changes = difference(desired, observed)
                show(changes)
                if not dry_run:
                    apply_changes(client, changes, desired, observed)
        except httpx.TransportError as error:
            raise PrefectUnreachable(f"no Prefect server answers at {api_url!r}: {error}; start it first") from error
        except PrefectHTTPStatusError as error:
            if error.response.status_code not in REFUSALS:
                raise
            raise PrefectRefused(
                f"the Prefect server at {api_url!r} refuses these credentials with status {error.response.status_code};"
                " set PREFECT_API_AUTH_STRING, or PREFECT_API_KEY for Prefect Cloud, to some that it knows"
            ) from error
    return changes


__all__ = [
    "PREFECT_FILE",
    "Change",
    "InvalidPrefectFile",
    "NotificationsBlockMissing",
    "PrefectRefused",
    "PrefectUnreachable",
    "WorkPoolTypeDiffers",
    "reconcile",
]
