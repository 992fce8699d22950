"""Changes of a laptop's agent service, one at a time: runs of several flows make them, unknown to each other."""

from collections.abc import Generator
from contextlib import contextmanager

from prefect.runtime import flow_run

from tasks.environment import Environment
from tasks.file_lock import file_lock
from tasks.laptop.data_directory import data_directory


@contextmanager
def changing_agents(settings: Environment) -> Generator[None]:
    """Own the processes and files of the service for the block, waiting while another run does.

    A candidate that is there at the beginning of the block has no living owner: its run was killed.
    """
    holder = f"the run {flow_run.get_name()!r} of the flow {flow_run.get_flow_name()!r}"
    with file_lock(data_directory(settings) / "agents.lock", holder):
        yield
