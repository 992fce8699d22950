import pytest
import yaml

from tasks.environment import EnvironmentName
from tasks.environment.models import Model, Models
from tasks.environment.variable_file import load_environment
from tasks.gateway.configuration import render_gateway_configuration

ADDRESSES = {"smollm2-135m": "http://127.0.0.1:4002", "all-minilm-l6-v2": "http://127.0.0.1:4001"}


@pytest.fixture
def models() -> Models:
    return load_environment(EnvironmentName.LOCAL).models


def test_every_model_of_the_catalogue_has_its_server(models: Models) -> None:
    configuration = yaml.safe_load(render_gateway_configuration(models, ADDRESSES, None, 60))

    routes = {route["model_name"]: route["litellm_params"] for route in configuration["model_list"]}
    assert {name: route["api_base"] for name, route in routes.items()} == {
        name: f"{address}/v1" for name, address in ADDRESSES.items()
    }
    assert configuration["litellm_settings"]["request_timeout"] == 60


def test_key_is_named_and_never_written(models: Models) -> None:
    configuration = yaml.safe_load(render_gateway_configuration(models, ADDRESSES, None, 60))

    assert configuration["general_settings"]["master_key"] == "os.environ/LITELLM_MASTER_KEY"
    assert configuration["litellm_settings"]["telemetry"] is False


def test_bedrock_models_and_fallbacks_come_from_the_catalogue(models: Models) -> None:
    judge = Model(
        runs_on="bedrock", context_tokens=200000, bedrock_id="amazon.nova-lite-v1:0", fallbacks=("smollm2-135m",)
    )
    wider = models.model_copy(update={"catalogue": {**models.catalogue, "judge": judge}})

    configuration = yaml.safe_load(render_gateway_configuration(wider, ADDRESSES, "eu-central-1", 60))

    (route,) = [route for route in configuration["model_list"] if route["model_name"] == "judge"]
    assert route["litellm_params"] == {"model": "bedrock/amazon.nova-lite-v1:0", "aws_region_name": "eu-central-1"}
    assert configuration["litellm_settings"]["fallbacks"] == [{"judge": ["smollm2-135m"]}]


def test_same_catalogue_gives_the_same_text(models: Models) -> None:
    turned = models.model_copy(update={"catalogue": dict(reversed(models.catalogue.items()))})

    assert render_gateway_configuration(models, ADDRESSES, None, 60) == render_gateway_configuration(
        turned, ADDRESSES, None, 60
    )
