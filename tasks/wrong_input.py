"""What a flow raises when it was asked for something that it cannot do, before anything is touched."""

from tasks.environment import Environment


class WrongInput(ValueError):
    """The parameters or the environment's files are wrong; as a command, a flow exits with 2."""


class NoDirectoryOnAws(WrongInput):
    """A directory of documents was named for an environment whose pods cannot see it."""


def refuse_directory_on_aws(settings: Environment, directory: str | None) -> None:
    """Stop when a directory of documents is named for an environment that is no laptop.

    Raises:
        NoDirectoryOnAws: it is.
    """
    if settings.laptop is None and directory is not None:
        raise NoDirectoryOnAws(f"directory = {directory!r} is for 'local' only, not for {settings.name.value!r}")
