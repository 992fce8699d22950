"""`python -m console sign`: who approves a plan that `mode=apply` applies in a protected environment."""

import re
from typing import Annotated

import typer

from console.failures import explained
from tasks.aws_session import MissingCredentials
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.plan_review.signed_identity import sign_identity


def sign(
    environment: Annotated[EnvironmentName, typer.Option(help="The environment whose plan it is.")],
    plan: Annotated[str, typer.Option(help="The plan's whole digest, 64 digits.")],
) -> None:
    """Print the signed identity that `provision` takes as `signed_identity`; it lives 15 minutes."""
    with explained((MissingCredentials,)):
        region = load_environment(environment).environment.region
        if region is None or not re.fullmatch(r"[0-9a-f]{64}", plan):
            raise typer.BadParameter(
                f"{plan!r} of {environment.value!r} is not the digest of a plan, which is 64 characters of 0-9 and a-f"
            )
        typer.echo(sign_identity(plan, region))
