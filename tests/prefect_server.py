"""A real Prefect server with a database of its own."""

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient

from rehearsal.programs import wait_until_healthy
from tests.ports import free_port


@contextmanager
def running_prefect_server(home: Path, settings: Mapping[str, str] | None = None) -> Generator[str]:
    """Run it until the end of the block with more `settings` (environment variables); gives the URL of its API."""
    port, log = free_port(), home / "server.log"
    environment = {
        **os.environ,
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # Every five seconds otherwise, which is half of what a server takes that is asked nothing.
        "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "30",
        "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_LOOP_SECONDS": "30",
        **(settings or {}),
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(command, cwd=home, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}/api"
        wait_until_healthy(server, "Prefect server", f"{url}/ready", log)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=180)


def delete_values(client: SyncPrefectClient) -> None:
    """Delete all variables and blocks of the server."""
    for variable in client.read_variables():
        client.delete_variable_by_name(variable.name)
    for document in client.read_block_documents():
        client.delete_block_document(document.id)
