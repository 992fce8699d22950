"""Processes of a bench's own."""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

import httpx

from bench.options import MeasurementFailed
from tasks.environment import REPOSITORY

READY_WITHIN_SECONDS = 60

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


def in_new_process(call: Callable[Given, Returned], *args: Given.args, **kwargs: Given.kwargs) -> Returned:
    """Make one call in a new interpreter, which has loaded nothing and warmed up nothing."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(call, *args, **kwargs).result()


@contextmanager
def running(module: Sequence[str], variables: Mapping[str, str], ready_url: str, log: Path) -> Generator[int]:
    """Run `python -m` with `module` and its arguments until the end of the block, which begins when it is ready.

    Yields the id of the process.

    Raises:
        MeasurementFailed: `ready_url` did not answer with success in time.
    """
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=REPOSITORY,
            env={**os.environ, **variables},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(server, ready_url, log)
        yield server.pid
    finally:
        server.terminate()
        server.wait(timeout=READY_WITHIN_SECONDS)


def _wait(server: "subprocess.Popen[bytes]", ready_url: str, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        # Nothing listens at first.
        with suppress(httpx.TransportError):
            if httpx.get(ready_url, trust_env=False).is_success:
                return
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=0.1)
    raise MeasurementFailed(f"{server.args!r} is not ready at {ready_url}; its log is {str(log)!r}")
