"""Faults of AWS on the wire: microburst stands between the clients and the emulated AWS, as its own process.

A rule says which calls it concerns and what happens to them, as microburst's documentation describes:
`{"service": "ec2", "operation": "CreateVpc", "times": 3, "error": {"code": "RequestLimitExceeded", "status": 503}}`
throttles; `"timeout_ms": 30000` hangs, then answers 504; `"reset": True` cuts before the call is made;
`"response": {"abort_bytes": 1}` cuts the answer to a call that was made.
"""

import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from rehearsal.aws import EmulatedAws
from rehearsal.programs import wait_until_healthy
from tests.ports import free_port

Rule = Mapping[str, Any]
_CONTROL = "/_microburst"


@dataclass(frozen=True)
class FaultyAws(EmulatedAws):
    """The same account at another address, where calls fail as the rules say."""

    def set_rules(self, rules: Sequence[Rule]) -> None:
        """Replace all rules."""
        httpx.post(f"{self.address}{_CONTROL}/rules", json=list(rules), timeout=60).raise_for_status()

    def fired(self) -> list[dict[str, Any]]:
        """What was done to which call, oldest first: service, operation, action."""
        answer = httpx.get(f"{self.address}{_CONTROL}/fired", timeout=60).raise_for_status().json()
        return cast("list[dict[str, Any]]", answer)


@contextmanager
def aws_with_faults(aws: EmulatedAws, rules: Sequence[Rule]) -> Generator[FaultyAws]:
    """The account of `aws` behind the faults of `rules`; its own address stays without."""
    port = free_port()
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--upstream", aws.address, "--no-resign"]
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "microburst", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            faulty = FaultyAws(f"http://127.0.0.1:{port}", aws.account_id, aws.region)
            wait_until_healthy(process, "microburst", f"{faulty.address}{_CONTROL}/health", Path(log.name))
            faulty.set_rules(rules)
            yield faulty
        finally:
            # It keeps nothing, and would first wait for the calls that it lets hang.
            process.kill()
            process.wait()
