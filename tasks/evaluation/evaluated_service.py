"""An agent service that lives as long as an evaluation: on loopback, with the settings of the one that people ask."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import stamina
from pydantic import SecretStr

from agents.access.settings import Access, SqliteState
from agents.serving.listening import READY_FILE_VARIABLE
from agents.settings import McpRoute, Settings
from agents.settings_file import SETTINGS_VARIABLE
from tasks.agent_service.http_api import require_ready
from tasks.environment import REPOSITORY
from tasks.platforms import base_url
from tasks.platforms.ports import free_port
from tasks.runs.log import run_log

HOST = "127.0.0.1"
LISTENS_WITHIN_SECONDS = 120.0
# The first of its own probes opens the store and wakes the models.
READY_WITHIN_SECONDS = 180.0
STOPS_WITHIN_SECONDS = 30.0
LAST_LINES = 20


class ServiceEnded(Exception):
    """The service ended before it could be asked; carries the last lines that it wrote."""


class _NotListening(Exception):
    pass


def evaluated_settings(released: Settings, port: int, directory: Path) -> Settings:
    """The knowledge, models and limits of the `released` settings, on a port of its own and for one caller.

    It keeps its state in `directory`. Nobody signs in or is rationed, no trace is written, no refresh is asked for, and
    the web is not searched: the server for that is part of the release, which may not be there yet.
    """
    freshness = None if released.freshness is None else released.freshness.model_copy(update={"refresh": None})
    state = SqliteState(engine="sqlite", path=str(directory / "state.db"))
    alone = {
        "host": HOST,
        "port": port,
        "access": Access(state=state, load=released.access.load),
        "freshness": freshness,
        "langfuse": None,
        "mcp": McpRoute(),
        "web_search": None,
    }
    return released.model_copy(update=alone)


@contextmanager
def evaluated_service(released: Settings, key: SecretStr) -> Generator[str]:
    """The base URL of a service with its `evaluated_settings`, for the block; `key` is the gateway's.

    Raises:
        ServiceEnded: it does not start.
        AssistantUnavailable: it lacks something that an answer needs; says what.
    """
    with tempfile.TemporaryDirectory(prefix="evaluated-service-") as scratch:
        directory, port = Path(scratch), free_port(HOST)
        file, ready = directory / "agents.json", directory / "listens"
        output = directory / "output.log"
        file.write_text(evaluated_settings(released, port, directory).model_dump_json(), encoding="utf-8")
        variables = {
            # Started inside a flow run, it must not take that run's settings for its own.
            **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
            SETTINGS_VARIABLE: str(file),
            READY_FILE_VARIABLE: str(ready),
            released.gateway.api_key_variable: key.get_secret_value(),
        }
        command = [sys.executable, "-m", "agents.service"]
        with (
            output.open("wb") as written,
            subprocess.Popen(
                command,
                cwd=REPOSITORY,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            try:
                _await_listening(process, ready, output)
                url = base_url(HOST, port)
                require_ready(url, READY_WITHIN_SECONDS)
                yield url
            finally:
                _stop(process)
                run_log().info("the agent service of this evaluation wrote last:\n%s", _last_lines(output))


def _await_listening(process: "subprocess.Popen[bytes]", ready: Path, output: Path) -> None:
    for attempt in stamina.retry_context(
        on=_NotListening, attempts=None, timeout=LISTENS_WITHIN_SECONDS, wait_initial=0.1, wait_max=0.5
    ):
        with attempt:
            if process.poll() is not None:
                raise ServiceEnded(
                    f"the agent service of this evaluation ended with exit code {process.returncode} before it "
                    f"answered; it wrote last:\n{_last_lines(output)}"
                )
            if not ready.exists():
                raise _NotListening(f"the agent service did not listen within {LISTENS_WITHIN_SECONDS:.0f} s")


def _last_lines(output: Path) -> str:
    return "\n".join(output.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:])


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOPS_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
