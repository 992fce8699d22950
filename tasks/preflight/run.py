"""All checks of an environment's account, side by side."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from botocore.session import Session
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.environment import Environment
from tasks.environment.capacity import PoolKind
from tasks.environment.cluster import known_addons
from tasks.preflight.aws import Absent, AwsReader, NotProved
from tasks.preflight.bedrock import check_model
from tasks.preflight.capacity import check_model_types, check_system_nodes, check_zones
from tasks.preflight.demand import Demand
from tasks.preflight.finding import PreflightFinding
from tasks.preflight.identity import check_account, check_credentials
from tasks.preflight.kubernetes import check_addon, check_version
from tasks.preflight.prerequisites import check_hosted_zone, check_identity_center, check_registry_credentials
from tasks.preflight.quotas import check_addresses, check_vpcs
from tasks.preflight.service_linked_roles import check_service_linked_roles
from tasks.preflight.vcpu_quotas import check_accelerated_vcpu, check_standard_vcpu

Check = Callable[[], PreflightFinding | list[PreflightFinding]]
AT_ONCE = 8
ACCELERATED: dict[PoolKind, str] = {"gpu": "vCPU of GPU nodes", "neuron": "vCPU of Neuron nodes"}


@task(task_run_name="preflight", cache_policy=NO_CACHE)
def preflight(settings: Environment) -> list[PreflightFinding]:
    """Ask AWS whether the environment can be made; changes nothing, and takes seconds.

    What could not be asked is a finding too, "not proved". With wrong credentials nothing else is asked.
    """
    demand = Demand.of(settings)
    aws = AwsReader(Session(), settings.environment.region or "")
    who = [check_credentials(aws)]
    if who[0].severity != "blocked":
        who.append(check_account(aws, settings))
    if any(finding.severity == "blocked" for finding in who):
        return who
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = threads.map(_answer, *zip(*_checks(aws, demand), strict=True))
        return [*who, *(finding for findings in answers for finding in findings)]


def _answer(name: str, check: Check) -> list[PreflightFinding]:
    try:
        found = check()
    except NotProved as error:
        return [PreflightFinding(name, "warning", f"not proved: {error}", error.remedy)]
    except Absent as error:  # from a call that names nothing that could be absent
        return [PreflightFinding(name, "warning", f"not proved: {error}", "see for yourself")]
    return found if isinstance(found, list) else [found]


def _checks(aws: AwsReader, demand: Demand) -> Iterator[tuple[str, Check]]:
    settings, cluster = demand.settings, demand.cluster
    yield "availability zones", lambda: check_zones(aws, demand)
    yield "VPCs", lambda: check_vpcs(aws, demand)
    yield "elastic addresses", lambda: check_addresses(aws, demand)
    yield "types of system nodes", lambda: check_system_nodes(aws, demand)
    yield "vCPU of standard nodes", lambda: check_standard_vcpu(aws, demand)
    for model in demand.served("graviton", "gpu", "neuron"):
        yield f"instance types of {model.name}", lambda model=model: check_model_types(aws, demand, model)
    for kind, check in ACCELERATED.items():
        if demand.served(kind):
            yield check, lambda kind=kind, check=check: check_accelerated_vcpu(aws, demand, check, kind)
    yield "Kubernetes version", lambda: check_version(aws, demand)
    for addon in known_addons()[cluster.kubernetes_version]:
        yield f"add-on {addon}", lambda addon=addon: check_addon(aws, demand, addon)
    for name, model in settings.models.catalogue.items():
        if model.bedrock_id is not None:
            yield f"Bedrock model {name}", lambda name=name, asked=model.bedrock_id: check_model(aws, name, asked)
    yield "service-linked roles", lambda: check_service_linked_roles(aws, settings)
    yield from _prerequisites(aws, settings)


def _prerequisites(aws: AwsReader, settings: Environment) -> Iterator[tuple[str, Check]]:
    if settings.observability is not None and settings.observability.grafana is not None:
        yield "Identity Center", lambda: check_identity_center(aws)
    domain = settings.edge.domain if settings.edge is not None else None
    if domain is not None and domain.zone_id is not None:
        yield "hosted zone", lambda zone=domain.zone_id: check_hosted_zone(aws, domain, zone)
    for cache in settings.data.images.pull_through.values() if settings.data is not None else ():
        if cache.credentials_secret is not None:
            registry, secret = cache.registry, cache.credentials_secret
            yield (
                f"credentials of {registry}",
                lambda registry=registry, secret=secret: check_registry_credentials(aws, registry, secret),
            )
