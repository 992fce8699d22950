"""What makes load balancers in AWS: it goes first, while its controller still lives."""

import jmespath
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client, explained_credentials
from tasks.cluster_teardown import PATIENCE_SECONDS
from tasks.cluster_teardown.removal import every, remove_objects
from tasks.environment import Environment
from tasks.kubernetes.connection import Connection
from tasks.kubernetes.objects import INGRESSES, SERVICES, Document, Resource
from tasks.progress import wait_until_gone
from tasks.resource_names import name_prefix

GATEWAYS = Resource("gateway.networking.k8s.io/v1", "Gateway", "gateways", namespaced=True)
BINDINGS = Resource("elbv2.k8s.aws/v1beta1", "TargetGroupBinding", "targetgroupbindings", namespaced=True)
# As many as ELB describes the tags of in one call.
BATCH = 20


def is_load_balancer(service: Document) -> bool:
    """Whether a Service has a load balancer of its own."""
    return service["spec"].get("type") == "LoadBalancer"


@task(task_run_name="remove-load-balancers", cache_policy=NO_CACHE, persist_result=False)
def remove_load_balancers(
    settings: Environment, connection: Connection, patience_seconds: float = PATIENCE_SECONDS
) -> list[str]:
    """Delete every Ingress, Gateway and Service with a load balancer, and wait until AWS has none; returns what went.

    Raises:
        NoProgress: names what does not go, and its finalizers.
        ClusterFault: the API refuses or does not answer.
    """
    choices = [(INGRESSES, every), (GATEWAYS, every), (SERVICES, is_load_balancer), (BINDINGS, every)]
    gone = remove_objects(connection, "ingresses and services with load balancers", choices, patience_seconds)

    def why() -> str:
        return "AWS has them without an Ingress or Service: look at the AWS Load Balancer Controller, or delete them"

    wait_until_gone("load balancers in AWS", lambda: load_balancers(settings), why, patience_seconds)
    return gone


def load_balancers(settings: Environment) -> list[str]:
    """The names of the load balancers in AWS that controllers of the cluster made."""
    cluster = name_prefix(settings.name)
    elb = client("elbv2", settings)
    made: list[str] = []
    with explained_credentials():
        pages = elb.get_paginator("describe_load_balancers").paginate()
        names: dict[str, str] = {
            each["LoadBalancerArn"]: each["LoadBalancerName"] for page in pages for each in page["LoadBalancers"]
        }
        arns = list(names)
        for start in range(0, len(arns), BATCH):
            answer = elb.describe_tags(ResourceArns=arns[start : start + BATCH])
            for described in answer["TagDescriptions"]:
                tags: dict[str, str] = {tag["Key"]: tag["Value"] for tag in described["Tags"]}
                if tags.get("elbv2.k8s.aws/cluster") == cluster or f"kubernetes.io/cluster/{cluster}" in tags:
                    made.append(names[described["ResourceArn"]])
        classic = client("elb", settings)
        for name in jmespath.search("LoadBalancerDescriptions[].LoadBalancerName", classic.describe_load_balancers()):
            answer = classic.describe_tags(LoadBalancerNames=[name])
            keys: list[str] = jmespath.search("TagDescriptions[].Tags[].Key", answer) or []
            made += [name] if f"kubernetes.io/cluster/{cluster}" in keys else []
    return made
