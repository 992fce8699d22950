"""A laptop of a test's own: its data directory, its ports, its supervisord."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.environment import Environment
from tasks.environment.variable_file import read_variable_file
from tasks.platforms.local import LocalPlatform, laptop_of
from tests.local_environment import write_local_environment


def make_environment(directory: Path) -> Environment:
    """The shipped local environment, with its data below `directory` and ports of its own."""
    return read_variable_file(write_local_environment(directory, directory / "state") / "local.tfvars")


def until(condition: Callable[[], bool], seconds: float = 240) -> None:
    """Wait until `condition` holds, and fail when it does not in time."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        pause.wait(0.1)


@pytest.fixture
def local_environment(tmp_path: Path) -> Environment:
    """A local environment below the test's directory; nothing of it runs yet."""
    return make_environment(tmp_path)


@pytest.fixture
def platform(local_environment: Environment) -> Iterator[LocalPlatform]:
    """The platform of `local_environment`; whatever runs on it is stopped at the end."""
    platform = LocalPlatform(laptop_of(local_environment))
    yield platform
    platform.stop()
