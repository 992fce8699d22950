"""Where the Prefect API of an environment answers."""

import typer

from console.failures import WORK_FAILED
from tasks.environment import Environment
from tasks.platforms import UnknownComponent
from tasks.platforms.component_names import PREFECT_SERVER
from tasks.platforms.local import LocalPlatform, laptop_of


def own_api_url(settings: Environment) -> str:
    """The URL that the environment file names, or on a laptop where its server really listens.

    Raises:
        typer.Exit: the laptop's server does not run.
    """
    if settings.laptop is None:
        return settings.environment.prefect.api_url
    try:
        # Not the file's port: another process may have held it when the server started.
        return f"{LocalPlatform(laptop_of(settings)).address(PREFECT_SERVER)}/api"
    except UnknownComponent as error:
        typer.echo("the local Prefect server does not run; `make up` starts it", err=True)
        raise typer.Exit(WORK_FAILED) from error
