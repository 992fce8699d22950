"""`python -m console images`: build and push a commit's images for the architecture of this machine."""

from typing import Annotated

import typer

from console.failures import explained
from tasks.aws_session import MissingCredentials, WrongAccount, require_account
from tasks.environment import REPOSITORY, Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.git import UnknownCommit, current_commit
from tasks.images.architectures import UnknownMachine
from tasks.images.buildah import Buildah, BuilderFailed
from tasks.images.building import Origin, push_images
from tasks.images.registry import Registry, RepositoryMissing


class NoRegistry(Exception):
    """The environment has no registry to push to."""


def images(
    environment: Annotated[EnvironmentName, typer.Option(help="The environment whose registry they are pushed to.")],
    commit: Annotated[str | None, typer.Option(help="The full hash; the checked-out commit by default.")] = None,
) -> None:
    """Build a commit's images with buildah for this machine's architecture and push those that are not there yet.

    Run it on a machine of each architecture, then have the flow `images` record them. Exits with 2 when the input is
    wrong, and with 1 when a build or a push fails.
    """
    failed = (BuilderFailed, RepositoryMissing, MissingCredentials, WrongAccount)
    with explained(failed, (NoRegistry, UnknownCommit, UnknownMachine)):
        settings = load_environment(environment)
        if settings.laptop is not None:
            raise NoRegistry(f"{environment.value!r} is a laptop: it runs from its checkout and has no registry")
        chosen = commit or current_commit()
        if chosen is None:
            raise UnknownCommit("this is not a git checkout, so there is no commit to build")
        require_account(settings)
        push_images(Origin(REPOSITORY, chosen, _source(settings)), Buildah(), Registry.of(settings), typer.echo)


def _source(settings: Environment) -> str:
    ci = settings.access.ci if settings.access else None
    return f"https://github.com/{ci.repository}" if ci else "unknown"
