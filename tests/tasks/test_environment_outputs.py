"""What stages learn of Terraform's outputs."""

import pytest

from tasks.environment import EnvironmentName
from tasks.environment_outputs import EnvironmentOutputs, block_name, last_outputs

pytestmark = [pytest.mark.prefect_server]


def test_an_output_that_the_state_does_not_have_is_as_provision_published_it(prefect_server: str) -> None:
    assert last_outputs(EnvironmentName.PROD, {"name": "now"}) == {"name": "now"}
    block = block_name(EnvironmentName.PROD)
    EnvironmentOutputs(values={"name": "before", "cluster": {"name": "agentic-eks-prod"}}).save(block)
    try:
        outputs = last_outputs(EnvironmentName.PROD, {"name": "now"})
    finally:
        EnvironmentOutputs.delete(block)
    assert outputs == {"name": "now", "cluster": {"name": "agentic-eks-prod"}}
