"""`python -m console deploy`: the Prefect objects of one environment, from the repository."""

from typing import Annotated

import typer

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import InvalidEnvironment, load_environment
from tasks.prefect_objects import InvalidPrefectFile, PrefectUnreachable, WorkPoolTypeDiffers, reconcile


def deploy(
    environment: Annotated[EnvironmentName, typer.Option(help="The environment whose objects are deployed.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the difference and write nothing.")] = False,
    api_url: Annotated[str | None, typer.Option(help="The Prefect API, if not the environment file's.")] = None,
) -> None:
    """Show what differs between the repository and the Prefect server, then make the server agree.

    Exits with 2 when the repository's files are wrong, and with 1 when the server is.
    """
    try:
        settings = load_environment(environment)
        reconcile(settings, api_url or settings.environment.prefect.api_url, dry_run=dry_run)
    except (InvalidEnvironment, InvalidPrefectFile) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except (PrefectUnreachable, WorkPoolTypeDiffers) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
