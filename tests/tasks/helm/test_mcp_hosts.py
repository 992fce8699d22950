"""Under which names /mcp answers in a cluster."""

from typing import Any

import pytest

from tasks.environment import REPOSITORY
from tasks.environment.variable_file import read_variable_file
from tasks.helm.derivations.agents import settings_in_cluster
from tests.charts.own_charts import sample_outputs

EVERYWHERE = {
    "agents:*",
    "agents.agents:*",
    "agents.agents.svc:*",
    "agents.agents.svc.cluster.local:*",
    "localhost:*",
    "127.0.0.1:*",
}


@pytest.mark.parametrize("domain", [None, {"name": "answers.example.com", "certificate_arn": "arn:aws:acm:x"}])
def test_the_service_answers_under_its_names_in_the_cluster_and_its_domain(domain: dict[str, str] | None) -> None:
    environment = read_variable_file(REPOSITORY / "infra" / "environments" / "dev.tfvars")
    outputs: dict[str, Any] = {**sample_outputs(environment.name)}
    outputs["edge"] = {**outputs["edge"], "domain": domain}
    hosts = settings_in_cluster(environment, outputs).mcp.allowed_hosts
    assert set(hosts) == EVERYWHERE | ({domain["name"]} if domain else set())
