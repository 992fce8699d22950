"""`python -m console deploy`: the Prefect objects of one environment, from the repository."""

from typing import Annotated

import typer

from console.failures import explained
from console.prefect_address import own_api_url
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.laptop.served_directory import directory_parameters, registered_directory
from tasks.prefect_objects import (
    InvalidPrefectFile,
    NotificationsBlockMissing,
    PrefectRefused,
    PrefectUnreachable,
    WorkPoolTypeDiffers,
    reconcile,
)


def deploy(
    environment: Annotated[EnvironmentName, typer.Option(help="The environment whose objects are deployed.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference and write nothing.")] = False,
    api_url: Annotated[str | None, typer.Option(help="The Prefect API, if not the environment's own.")] = None,
) -> None:
    """Show what differs between the repository and the Prefect server, then make the server agree.

    Exits with 2 when the repository's files are wrong, and with 1 when the server is.
    """
    with explained(
        (PrefectUnreachable, PrefectRefused, WorkPoolTypeDiffers, NotificationsBlockMissing), (InvalidPrefectFile,)
    ):
        settings = load_environment(environment)
        url = api_url or own_api_url(settings)
        # The directory that `make up KNOWLEDGE=...` chose is a person's decision, which a deploy does not undo.
        kept = registered_directory(url, environment) if settings.laptop else None
        reconcile(settings, url, dry_run=dry_run, parameters=directory_parameters(kept))
