"""Where the pods of the agents may go, by the addresses that the environment file and Terraform name."""

from typing import Any

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.helm.derivations.agents import agents
from tests.charts.own_charts import sample_outputs


def reached(environment: EnvironmentName, prefect_url: str) -> Any:
    """The values of the network policy, with Prefect at `prefect_url` and without Langfuse."""
    settings = load_environment(environment)
    prefect = settings.environment.prefect.model_copy(update={"api_url": prefect_url})
    identity = settings.environment.model_copy(update={"prefect": prefect})
    addons = None if settings.addons is None else settings.addons.model_copy(update={"langfuse": None})
    settings = settings.model_copy(update={"environment": identity, "addons": addons})
    return agents(settings, sample_outputs(environment))["egress"]


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("https://prefect.example.com/api", 443),
        ("https://prefect.example.com:4200/api", 4200),
        ("http://prefect.example.com/api", 80),
    ],
)
def test_prefect_is_reached_on_the_port_of_its_url(url: str, port: int) -> None:
    egress = reached(EnvironmentName.DEV, url)
    assert egress["outside"] == [port]
    assert port in egress["vpcPorts"]


def test_the_keys_of_the_load_balancer_are_reached_whatever_port_prefect_has() -> None:
    assert reached(EnvironmentName.PROD, "https://prefect.example.com:4200/api")["outside"] == [443, 4200]
