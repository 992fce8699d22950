"""A Prefect server and a worker of the rehearsal's own, with the environment's deployments."""

import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from prefect.blocks.webhook import Webhook
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr

from rehearsal.ports import HOST, free_port
from rehearsal.programs import REPOSITORY, Program, ProgramFailed, inherited
from tasks.environment import Environment

DEPLOYED_WITHIN_SECONDS = 300


@contextmanager
def running_prefect(settings: Environment, cloud: Mapping[str, str], directory: Path) -> Generator[str]:
    """Run a server and a worker for each pool, deploy the environment's deployments; yields the API's URL.

    Runs of the cluster's pool are processes here, too: a pod would not run on a simulated node.

    `cloud` is the environment in which the worker runs flows; logs and Prefect's files go below `directory`.

    Raises:
        ProgramFailed: the server does not start, or the deployments cannot be registered.
    """
    port = free_port()
    url = f"http://{HOST}:{port}/api"
    environment = {
        **cloud,
        "PREFECT_HOME": str(directory / "prefect"),
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # Flows run in directories of their own, and are found by the search path as in the flows' image.
        "PYTHONPATH": str(REPOSITORY),
        "PREFECT_WORKER_QUERY_SECONDS": "2",
    }
    server = Program(
        "prefect-server",
        ("-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)),
        environment,
        f"{url}/ready",
    )
    pools = settings.environment.prefect.work_pools
    with ExitStack() as stack:
        process = stack.enter_context(server.running(directory))
        server.wait_until_ready(process, directory)
        _make_notifications_block(settings, url)
        _deploy(settings, url, environment)
        for pool in (pools.management, pools.cluster):
            start = ("-m", "prefect", "worker", "start", "--pool", pool, "--type", "process")
            stack.enter_context(Program(f"prefect-worker-{pool}", start, environment).running(directory))
        yield url


def _make_notifications_block(settings: Environment, url: str) -> None:
    """What a person makes in the UI; in a rehearsal nobody is told, so the address is one where nobody listens."""
    name = settings.environment.prefect.notifications
    if name is not None:
        with temporary_settings(updates={PREFECT_API_URL: url}):
            Webhook(url=SecretStr(f"http://{HOST}:9/")).save(name)


def _deploy(settings: Environment, url: str, environment: Mapping[str, str]) -> None:
    done = run_console(("deploy", "--environment", settings.name.value, "--api-url", url), environment)
    if done.returncode:
        raise ProgramFailed(f"the deployments were not registered:\n{done.stdout}{done.stderr}")


def run_console(arguments: tuple[str, ...], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run one of the commands that a person types, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "console", *arguments],
        cwd=REPOSITORY,
        env={**inherited(), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEPLOYED_WITHIN_SECONDS,
    )
