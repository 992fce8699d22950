"""A run that is killed, or whose answer is lost, while a value is on its way: started again, it makes no second one."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from mypy_boto3_secretsmanager import SecretsManagerClient

from rehearsal.aws import EmulatedAws
from tasks.environment import Environment
from tasks.secrets import reconcile_secrets
from tests.aws_faults import FaultyAws, aws_with_faults
from tests.tasks.secrets.conftest import ACCOUNT, REGION

PUT = {"service": "secretsmanager", "operation": "PutSecretValue"}
# The first that a run makes.
KEY = "agentic-eks-dev/litellm-agents-key"
RUN = """
from datetime import UTC, datetime
from tasks.environment.variable_file import load_environment
from tasks.secrets import reconcile_secrets
reconcile_secrets.fn(load_environment("dev"), datetime.now(UTC))
"""


def versions(account: SecretsManagerClient) -> int:
    return len(account.list_secret_version_ids(SecretId=KEY, IncludeDeprecated=True)["Versions"])


def until(condition: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        threading.Event().wait(0.1)


def put_was_reached(faulty: FaultyAws) -> bool:
    return any(fired["operation"] == "PutSecretValue" for fired in faulty.fired())


@pytest.mark.parametrize(
    ("fault", "made_before"),
    [({"timeout_ms": 60_000}, 0), ({"response": {"bandwidth_kbps": 0.001}}, 1)],
    ids=["before the value arrives", "after it arrived"],
)
def test_killed_while_a_value_is_on_its_way(
    made: SecretsManagerClient, dev: Environment, moto_address: str, fault: dict[str, object], made_before: int
) -> None:
    with aws_with_faults(EmulatedAws(moto_address, ACCOUNT, REGION), [{**PUT, **fault}]) as faulty:
        environment = {**os.environ, "AWS_ENDPOINT_URL": faulty.address}
        run = subprocess.Popen([sys.executable, "-c", RUN], env=environment, stdin=subprocess.DEVNULL)
        until(lambda: put_was_reached(faulty) and versions(made) == made_before)
        run.send_signal(signal.SIGKILL)
        run.wait(timeout=180)

    report = reconcile_secrets.fn(dev, datetime.now(UTC))

    state = next(line.state for line in report.lines if line.secret == "litellm-agents-key")
    assert state == ("kept" if made_before else "generated")
    assert versions(made) == 1


def test_an_answer_that_is_lost_makes_no_second_value(
    made: SecretsManagerClient, dev: Environment, moto_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = {**PUT, "times": 1, "response": {"abort_bytes": 1}}
    with aws_with_faults(EmulatedAws(moto_address, ACCOUNT, REGION), [lost]) as faulty:
        monkeypatch.setenv("AWS_ENDPOINT_URL", faulty.address)

        reconcile_secrets.fn(dev, datetime.now(UTC))

        assert put_was_reached(faulty)
    assert versions(made) == 1
