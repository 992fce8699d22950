"""The real LiteLLM proxy, as a process of a test."""

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rehearsal.programs import wait_until_healthy
from tasks.gateway.configuration import GATEWAY_ENVIRONMENT, HEALTH_PATH
from tests.ports import free_port

# It takes 10 on an idle machine, and the machine may be busy.
READY_WITHIN_SECONDS = 500


@contextmanager
def running_gateway(configuration: str, directory: Path, environment: Mapping[str, str]) -> Generator[str]:
    """Its address, until the end of the block; `environment` has its key."""
    file, log, port = directory / "gateway.yaml", directory / "gateway.log", free_port()
    file.write_text(configuration, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("litellm")), "--config", str(file), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--num_workers", "1", "--telemetry", "False"]
    variables = {**os.environ, **GATEWAY_ENVIRONMENT, **environment}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=directory, env=variables, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_healthy(process, "litellm", f"http://127.0.0.1:{port}{HEALTH_PATH}", log, READY_WITHIN_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=180)
