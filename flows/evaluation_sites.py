"""Where the stage `evaluation` takes place: with the laptop's own service, or with one of its own in the cluster."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

import httpx
from pydantic import SecretStr

from flows.agents_on_laptop import serve
from tasks.agent_access import laptop_operator_key
from tasks.aws_session import client
from tasks.environment import Environment
from tasks.environment_outputs import load_outputs
from tasks.evaluated_service import evaluated_service
from tasks.evaluation_site import Asked, EvaluationSite
from tasks.gateway_key import accepted_gateway_key
from tasks.helm.derivations.agents import settings_in_cluster
from tasks.helm.derivations.derivation import Outputs
from tasks.helm.derivations.gateway import MASTER_KEY
from tasks.kept_reports import BucketReports, DirectoryReports, reports_directory
from tasks.platforms.component_names import GATEWAY
from tasks.platforms.local_components import LocalComponents
from tasks.release_facts import release_facts
from tasks.secret_file import GATEWAY_KEY
from tasks.secret_value import stored_values

GATEWAY_SECONDS = 60


class GatewayKeyMissing(Exception):
    """Nobody may ask the gateway, because its key is no secret of the environment."""


def site_of(settings: Environment) -> EvaluationSite:
    """The site of the environment.

    Raises:
        OutputsMissing: an environment on AWS was not provisioned.
        MissingCredentials: there are none for AWS.
    """
    if settings.laptop is not None:
        return EvaluationSite(DirectoryReports(reports_directory(settings)), partial(asked_on_laptop, settings))
    outputs = load_outputs(settings.name)
    bucket = str(outputs["data"]["buckets"]["results"]["name"])
    reports = BucketReports(client("s3", settings), bucket)
    return EvaluationSite(reports, partial(asked_in_cluster, settings, outputs), outputs)


@contextmanager
def asked_on_laptop(settings: Environment) -> Generator[Asked]:
    """The service that people ask: it runs on when the block ends."""
    url = serve(settings)
    platform = LocalComponents.of(settings).platform
    gateway, key = platform.address(GATEWAY), SecretStr(platform.secrets[GATEWAY_KEY])
    yield Asked(url, gateway, key, laptop_operator_key(settings))


@contextmanager
def asked_in_cluster(settings: Environment, outputs: Outputs) -> Generator[Asked]:
    """A service beside this run, of the code of its image, so that it is measured before anybody else asks it.

    Raises:
        EmbeddingNotMirrored, GatewayKeyMissing: an earlier stage has not run.
        GatewayKeyRefused, HTTPError: the gateway lets in no value of its key, or does not answer.
        ServiceEnded, AssistantUnavailable: see `evaluated_service`.
    """
    told = settings_in_cluster(settings, release_facts(settings, outputs))
    keys = stored_values(settings, MASTER_KEY)
    if not keys:
        raise GatewayKeyMissing(
            f"data.secrets of {settings.name.value!r} has no {MASTER_KEY!r}: add it, and run "
            f"provision/{settings.name.value} and secrets/{settings.name.value}"
        )
    with httpx.Client(base_url=told.gateway.base_url, timeout=GATEWAY_SECONDS) as gateway:
        key = accepted_gateway_key(gateway, keys)
    with evaluated_service(told, key) as url:
        yield Asked(url, told.gateway.base_url, key)
