"""Starts the emulated AWS, and stops it again."""

import base64
import os
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from rehearsal.aws.corrections.eks import PLACE
from rehearsal.aws.front import HEALTH, ON_MINISTACK
from rehearsal.ports import HOST, free_port
from rehearsal.programs import Program


@dataclass(frozen=True)
class EmulatedAws:
    """An AWS with one account that exists until its context ends."""

    address: str
    account_id: str
    region: str

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that take Terraform's provider and boto3 there, and nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": "REHEARSAL",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            # Nobody's own profile takes part.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def place_cluster(self, name: str, endpoint: str, authority: str) -> None:
        """Have EKS answer this endpoint and certificate authority (PEM) for the cluster `name`, also a later one."""
        scope = f"REHEARSAL/{'0' * 8}/{self.region}/eks/aws4_request"
        place = {
            "endpoint": endpoint,
            "certificateAuthority": {"data": base64.b64encode(authority.encode()).decode()},
        }
        headers = {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"}
        httpx.put(
            f"{self.address}{PLACE}{name}", json=place, headers=headers, timeout=120, trust_env=False
        ).raise_for_status()


@contextmanager
def running_emulated_aws(account_id: str, region: str) -> Generator[EmulatedAws]:
    """An empty AWS account on loopback; several may run side by side.

    Raises:
        ProgramFailed: one of its processes is not ready in time.
    """
    with ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emulated-aws-")))
        moto, ministack, front = (f"{HOST}:{free_port()}" for _ in range(3))
        programs = (
            _moto(moto, account_id),
            _ministack(ministack, account_id, region, logs),
            _front(front, moto, ministack),
        )
        started = [(program, stack.enter_context(program.running(logs))) for program in programs]
        for program, process in started:
            program.wait_until_ready(process, logs)
        yield EmulatedAws(f"http://{front}", account_id, region)


def _moto(address: str, account_id: str) -> Program:
    host, port = address.split(":")
    return Program(
        "moto",
        ("-m", "moto.server", "-H", host, "-p", port),
        {"MOTO_ACCOUNT_ID": account_id, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
        f"http://{address}/moto-api/",
    )


def _ministack(address: str, account_id: str, region: str, logs: Path) -> Program:
    return Program(
        "ministack",
        # Its own command listens on all interfaces.
        ("-m", "hypercorn", "ministack.app:app", "--bind", address),
        {
            "MINISTACK_ACCOUNT_ID": account_id,
            "MINISTACK_REGION": region,
            "SERVICES": ",".join(sorted(ON_MINISTACK)),
            "GATEWAY_PORT": address.rpartition(":")[2],
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # A socket where no container engine listens: a cluster is a record here, never a container.
            "DOCKER_HOST": f"unix://{logs}/no-container-engine",
        },
        f"http://{address}/_ministack/health",
    )


def _front(address: str, moto: str, ministack: str) -> Program:
    arguments = ("--port", address.rpartition(":")[2], "--moto", f"http://{moto}", "--ministack", f"http://{ministack}")
    return Program("front", ("-m", "rehearsal.aws.front", *arguments), {}, f"http://{address}{HEALTH}")
