"""The Kubernetes API of an environment that people rely on is not open to everybody."""

from collections.abc import Iterator

from tasks.environment import Environment, EnvironmentName
from tasks.plan_policy.finding import Finding
from tasks.terraform.plan_document import PlanDocument
from tasks.terraform.planned_attributes import UNTIL_APPLY, planned

RULE = "kubernetes-api"


def kubernetes_api(document: PlanDocument, settings: Environment) -> Iterator[Finding]:
    """Private access is on; public access, in `prod` and where protected, names who may come."""
    relied_on = settings.environment.protected or settings.name is EnvironmentName.PROD
    for change in document.changes:
        after = planned(change) if change.type == "aws_eks_cluster" else None
        if after is None:
            continue
        if after.at("vpc_config", 0, "endpoint_private_access") is not True:
            yield Finding(RULE, change.address, "has no private endpoint", "set endpoint_private_access = true")
        if not relied_on or after.at("vpc_config", 0, "endpoint_public_access") is False:
            continue
        # EKS opens the API to 0.0.0.0/0 where no range is given.
        ranges = after.at("vpc_config", 0, "public_access_cidrs")
        if ranges is UNTIL_APPLY or not ranges or any(one.endswith("/0") for one in ranges):
            yield Finding(
                RULE, change.address, "is open to everybody", "name the ranges in cluster.public_access_cidrs"
            )
