"""The roles that AWS services act with in an account: most are made with the first resource, some by a person.

https://docs.aws.amazon.com/IAM/latest/UserGuide/using-service-linked-roles.html
"""

from dataclasses import dataclass

from tasks.environment import Environment
from tasks.preflight.aws import AwsReader
from tasks.preflight.finding import PreflightFinding, Severity

PATH = "/aws-service-role/"


@dataclass(frozen=True)
class ServiceLinkedRole:
    """A role of a service. `made_with` names the resource that AWS makes it with; without, a person makes it.

    `missing` is how bad that is.
    """

    service: str
    principal: str
    made_with: str | None = None
    missing: Severity = "ok"


def needed_roles(settings: Environment) -> list[ServiceLinkedRole]:
    """The roles that an environment's services need."""
    data, observability = settings.data, settings.observability
    return [
        # A domain in a VPC is refused without it.
        ServiceLinkedRole("OpenSearch", "opensearchservice.amazonaws.com", missing="blocked"),
        # Karpenter may not make it, and then gets no spot capacity.
        ServiceLinkedRole("EC2 Spot", "spot.amazonaws.com", missing="warning"),
        ServiceLinkedRole("EKS", "eks.amazonaws.com", "the cluster"),
        ServiceLinkedRole("EKS node groups", "eks-nodegroup.amazonaws.com", "the first node group"),
        ServiceLinkedRole("Elastic Load Balancing", "elasticloadbalancing.amazonaws.com", "the first load balancer"),
        ServiceLinkedRole("Prometheus collector", "scraper.aps.amazonaws.com", "the first collector"),
        ServiceLinkedRole("WAF logging", "wafv2.amazonaws.com", "the first log of a web ACL"),
        *([ServiceLinkedRole("RDS", "rds.amazonaws.com", "the first database")] if data and data.postgres else []),
        *(
            [ServiceLinkedRole("ElastiCache", "elasticache.amazonaws.com", "the first cache")]
            if data and data.valkey
            else []
        ),
        *(
            [ServiceLinkedRole("ECR image cache", "pullthroughcache.ecr.amazonaws.com", "the first rule")]
            if data and data.images.pull_through
            else []
        ),
        *(
            [ServiceLinkedRole("Grafana", "grafana.amazonaws.com", "the first workspace")]
            if observability and observability.grafana
            else []
        ),
    ]


def check_service_linked_roles(aws: AwsReader, settings: Environment) -> list[PreflightFinding]:
    """Which of the roles there are; how each of the others comes about."""
    paths = {role["Path"] for role in aws.ask_all("iam", "list_roles", "Roles", PathPrefix=PATH)}
    return [_finding(role, f"{PATH}{role.principal}/" in paths) for role in needed_roles(settings)]


def _finding(role: ServiceLinkedRole, exists: bool) -> PreflightFinding:
    check = f"service-linked role of {role.service}"
    if exists:
        return PreflightFinding(check, "ok", "exists")
    if role.made_with:
        return PreflightFinding(check, "ok", f"not there yet: AWS makes it with {role.made_with}")
    remedy = f"`aws iam create-service-linked-role --aws-service-name {role.principal}`"
    return PreflightFinding(check, role.missing, "does not exist, and nothing makes it by itself", remedy)
