"""Where the stage `evaluation` takes place: with the laptop's own service, or with one of its own in the cluster."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial

from tasks.agent_service.access import laptop_operator_key
from tasks.agent_service.laptop_service import serve
from tasks.aws_session import client
from tasks.environment import Environment
from tasks.environment_outputs import load_outputs
from tasks.evaluation.evaluated_service import evaluated_service
from tasks.evaluation.kept_reports import FOLDER, TRACES, BucketReports, DirectoryReports, reports_directory
from tasks.evaluation.report import Report
from tasks.evaluation.site import Asked, EvaluationSite
from tasks.evaluation.trace_report import TraceReport
from tasks.gateway.address import gateway_in_cluster
from tasks.gateway.reached import gateway_on_laptop
from tasks.helm.derivations.agents import settings_in_cluster
from tasks.helm.derivations.derivation import Outputs
from tasks.platforms.local import laptop_of
from tasks.release_facts import release_facts


def site_of(settings: Environment) -> EvaluationSite:
    """The site of the environment.

    Raises:
        OutputsMissing: an environment on AWS was not provisioned.
        MissingCredentials: there are none for AWS.
    """
    if settings.laptop is not None:
        kept = reports_directory(settings)
        return EvaluationSite(
            DirectoryReports(kept, Report),
            DirectoryReports(kept / TRACES, TraceReport),
            partial(asked_on_laptop, settings),
            partial(gateway_on_laptop, settings.laptop),
        )
    outputs = load_outputs(settings.name)
    bucket = str(outputs["data"]["buckets"]["results"]["name"])
    s3 = client("s3", settings)
    return EvaluationSite(
        BucketReports(s3, bucket, FOLDER, Report),
        BucketReports(s3, bucket, f"{FOLDER}/{TRACES}", TraceReport),
        partial(asked_in_cluster, settings, outputs),
        partial(gateway_in_cluster, settings),
        outputs,
    )


@contextmanager
def asked_on_laptop(settings: Environment) -> Generator[Asked]:
    """The service that people ask: it runs on when the block ends."""
    url = serve(settings)
    gateway = gateway_on_laptop(laptop_of(settings))
    yield Asked(url, gateway.url, gateway.key, laptop_operator_key(settings))


@contextmanager
def asked_in_cluster(settings: Environment, outputs: Outputs) -> Generator[Asked]:
    """A service beside this run, of the code of its image, so that it is measured before anybody else asks it.

    Raises:
        EmbeddingNotMirrored, GatewayKeyMissing: an earlier stage has not run.
        GatewayKeyRefused, HTTPError: the gateway lets in no value of the key, or does not answer.
        ServiceEnded, AssistantUnavailable: see `evaluated_service`.
    """
    released = settings_in_cluster(settings, release_facts(settings, outputs))
    gateway = gateway_in_cluster(settings)
    with evaluated_service(released, gateway.key) as url:
        yield Asked(url, gateway.url, gateway.key)
