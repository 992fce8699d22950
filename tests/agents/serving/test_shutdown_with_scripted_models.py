import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import stamina

from tests.agents.conftest import Running
from tests.agents.scripted_gateway import ScriptedGateway
from tests.agents.service_process import running_process

HELD = "`make down` stops every process that `make up` started. Runs that are still going are cancelled first."


@pytest.fixture
def gateway() -> Iterator[ScriptedGateway]:
    gateway = ScriptedGateway(reply=HELD, held_after=14)
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture
def process(tmp_path: Path, gateway: ScriptedGateway) -> Iterator[tuple["subprocess.Popen[bytes]", Running]]:
    """The service as the platform runs it: a process of its own."""
    with running_process(tmp_path, gateway) as running:
        yield running


def test_a_stream_that_has_begun_is_finished_before_the_service_stops(
    process: tuple["subprocess.Popen[bytes]", Running], gateway: ScriptedGateway
) -> None:
    server, running = process
    body = {"question": "What does make down stop?"}
    headers = {"accept": "text/event-stream"}
    with httpx.stream("POST", f"{running.url}/v1/ask", json=body, headers=headers, timeout=120) as response:
        lines = response.iter_lines()
        for line in lines:
            if line == "event: sentence_released":
                break
        server.send_signal(signal.SIGTERM)
        for attempt in stamina.retry_context(
            on=(AssertionError, httpx.TransportError), timeout=90, attempts=None, wait_max=0.1
        ):
            with attempt:
                assert refuses_connections(running.url)
        assert server.poll() is None
        gateway.hold.set()
        rest = [line for line in lines if line]
    assert rest[-2] == "event: done"
    assert len(json.loads(rest[-1].removeprefix("data: "))["answer"]["sentences"]) == 2
    assert server.wait(timeout=90) in {0, -signal.SIGTERM}


def refuses_connections(url: str) -> bool:
    try:
        httpx.get(f"{url}/healthz", timeout=60)
    except httpx.ConnectError:
        return True
    return False
