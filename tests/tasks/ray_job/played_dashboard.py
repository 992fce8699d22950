"""The dashboard of Ray, played at the network: pods of simulated nodes run no Ray that the operator could ask.

Both the operator and the follower reach it as an HTTP proxy, so that they keep the addresses that Kubernetes gives. It
speaks the part of the API that they use:
https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html
"""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from tests.json_server import running_json_server

JOBS = "/api/jobs/"


@dataclass
class PlayedJob:
    """A job that was handed in."""

    host: str
    entrypoint: str
    status: str = "RUNNING"
    message: str = ""
    log: str = ""

    def say(self, *lines: str) -> None:
        self.log += "".join(f"{line}\n" for line in lines)

    def end(self, status: str, message: str = "") -> None:
        self.status, self.message = status, message


@dataclass
class PlayedDashboard:
    """What it holds, and who asked: `tokens` are those that requests carried."""

    address: str = ""
    away: bool = False
    jobs: dict[str, PlayedJob] = field(default_factory=dict[str, PlayedJob])
    stopped: list[str] = field(default_factory=list[str])
    tokens: set[str] = field(default_factory=set[str])
    on_submit: Callable[[PlayedJob], None] = lambda job: None

    def answer(self, method: str, host: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """The status and the content of the answer to a request."""
        name, _, verb = path.removeprefix(JOBS).strip("/").partition("/")
        if self.away:
            return 503, {}
        if method == "POST" and not name:
            asked = json.loads(body)
            job = self.jobs[asked["submission_id"]] = PlayedJob(host, asked["entrypoint"])
            self.on_submit(job)
            return 200, {"job_id": asked["submission_id"], "submission_id": asked["submission_id"]}
        job = self.jobs.get(name)
        if job is None:
            return 404, {}
        if verb == "stop":
            # As Ray's: to stop what has ended is no error and changes nothing. The operator does so at times.
            runs = job.status == "RUNNING"
            if runs:
                self.stopped.append(name)
                job.end("STOPPED")
            return 200, {"stopped": runs}
        if verb == "logs":
            return 200, {"logs": job.log}
        return 200, {"submission_id": name, "status": job.status, "message": job.message}


@contextmanager
def played_dashboard() -> Generator[PlayedDashboard]:
    """Play the dashboard on a port of loopback for the block."""
    held = PlayedDashboard()

    def answer(request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, Any]]:
        held.tokens.add(request.headers.get("x-ray-authorization", ""))
        address = urlsplit(request.path)
        return held.answer(request.command, address.netloc, address.path, body)

    with running_json_server(answer, "GET", "POST") as address:
        held.address = address
        yield held
