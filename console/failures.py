"""How a command ends when something is wrong: with the reason in one message, and an exit code."""

from collections.abc import Generator
from contextlib import contextmanager

import httpx
import typer

from tasks.environment.variable_file import InvalidEnvironment
from tasks.platforms import NotReady, UnknownComponent

WORK_FAILED = 1
INPUT_WRONG = 2
# What a shell expects of a command that Ctrl-C ended.
INTERRUPTED = 130


@contextmanager
def explained(failed: tuple[type[Exception], ...] = (), wrong: tuple[type[Exception], ...] = ()) -> Generator[None]:
    """Turn announced errors into a message and an exit code; any other is a fault of ours and shows itself whole.

    `failed` and `wrong` are the errors of this command beside those that every command can meet: 1 says that the
    work failed, 2 that the input was wrong.
    """
    try:
        yield
    except (InvalidEnvironment, UnknownComponent, *wrong) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(INPUT_WRONG) from error
    except (NotReady, OSError, httpx.HTTPError, *failed) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(WORK_FAILED) from error
