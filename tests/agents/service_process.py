"""The service as the platform runs it: a process of its own, with its settings in a file."""

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import stamina

from tests.agents.conftest import KEY_VARIABLE, Running, service_settings
from tests.agents.corpus_generation import build_generation, corpus_chunks
from tests.agents.scripted_gateway import ScriptedGateway
from tests.ports import free_port

REPOSITORY = Path(__file__).parents[2]
READY_WITHIN_SECONDS = 120


@contextmanager
def running_process(
    directory: Path, gateway: ScriptedGateway, access: Mapping[str, Any] | None = None
) -> Generator[tuple["subprocess.Popen[bytes]", Running]]:
    """Run the process until the end of the block, and wait until it is ready."""
    store, file, port = directory / "knowledge", directory / "settings.json", free_port()
    build_generation(store, "g1", corpus_chunks())
    settings = service_settings(gateway.url, store, access).model_copy(update={"port": port})
    file.write_text(settings.model_dump_json())
    environment = {**os.environ, "AGENTS_SETTINGS": str(file), KEY_VARIABLE: "sk-test"}
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "agents.service"], cwd=REPOSITORY, env=environment, stdout=log, stderr=log
        )
    running = Running(f"http://127.0.0.1:{port}", gateway, store)
    try:
        for attempt in stamina.retry_context(
            on=httpx.TransportError, timeout=READY_WITHIN_SECONDS, attempts=None, wait_max=0.2
        ):
            with attempt:
                httpx.get(f"{running.url}/healthz", timeout=60)
        running.wait_until_ready()
        yield process, running
    finally:
        process.kill()
        process.wait()
