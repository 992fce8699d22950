"""Whatever happens at a commit point of a provision, running it again converges, and changes nothing twice."""

from pathlib import Path

import boto3
import pytest

from tasks.environment import EnvironmentName
from tasks.environment_outputs import load_outputs
from tests.crash.children import in_checkout, run_child
from tests.crash.faults import Case, Fault
from tests.flows.provision.conftest import STATE_BUCKET, SmallRoot, state_of_dev, word_in_state

pytestmark = [pytest.mark.prefect_server, pytest.mark.terraform, pytest.mark.timeout(1200)]


def provision(checkout: Path, api_url: str, case: Case | None = None) -> tuple[int, str]:
    """Provision `dev` in a process of its own; returns its exit code and output."""
    return run_child("provision", case, in_checkout(checkout, api_url), cwd=checkout)


def test_a_provision_converges_after_a_fault(
    small_root: SmallRoot, aws: object, checkout: Path, prefect_server: str, provision_case: Case
) -> None:
    code, output = provision(checkout, prefect_server, provision_case)
    assert (code == 0) == (provision_case.fault is Fault.SLOW), output
    made = [resource["instances"] for resource in state_of_dev().get("resources", [])]

    code, output = provision(checkout, prefect_server)
    assert code == 0, output

    assert word_in_state() == "first"
    assert load_outputs(EnvironmentName.DEV) == {"word": "first"}
    resources = [resource["instances"] for resource in state_of_dev()["resources"]]
    assert len(resources) == 1
    assert resources == made or made == [], "what was made before the fault has been made again"
    listed = boto3.client("s3").list_objects_v2(Bucket=STATE_BUCKET).get("Contents", [])
    keys = [found.get("Key", "") for found in listed]
    assert not [key for key in keys if key.endswith(".tflock")]
    plans = [key for key in keys if key.endswith(".tfplan")]
    assert len(plans) == len([key for key in keys if key.startswith("plans/") and key.endswith(".json")])
