"""What carries an environment's tags, asked of the Resource Groups Tagging API.

It also lists what was deleted an hour ago, such as NAT gateways, so that EC2 is asked again about each.
Source: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jmespath
from botocore.exceptions import ClientError

from tasks.aws_session import client
from tasks.environment import Environment
from tasks.resource_names import PROJECT, name_prefix


def tagged_arns(settings: Environment, types: Sequence[str] = ()) -> list[str]:
    """The ARNs of all that Terraform, or the cluster's controllers, tagged; of some `types`, or of all."""
    tagging = client("resourcegroupstaggingapi", settings)
    found: set[str] = set()
    for tags in _tag_filters(settings):
        pages = tagging.get_paginator("get_resources").paginate(TagFilters=tags, ResourceTypeFilters=list(types))
        found.update(str(each["ResourceARN"]) for page in pages for each in page["ResourceTagMappingList"])
    return sorted(found)


def _tag_filters(settings: Environment) -> list[list[dict[str, object]]]:
    """Terraform's own tags, and those that say to which cluster an instance, volume, address or load balancer belongs.

    Sources: the tags that Karpenter, EKS, the EBS CSI driver, the VPC CNI and the load balancer controller document.
    """
    cluster = name_prefix(settings.name)
    return [
        [
            {"Key": "Project", "Values": [PROJECT]},
            {"Key": "Environment", "Values": [settings.name.value]},
        ],
        [{"Key": f"kubernetes.io/cluster/{cluster}"}],
        *(
            [{"Key": key, "Values": [cluster]}]
            for key in (
                "karpenter.sh/discovery",
                "eks:cluster-name",
                "eks:eks-cluster-name",
                "aws:eks:cluster-name",
                "elbv2.k8s.aws/cluster",
                "cluster.k8s.amazonaws.com/name",
            )
        ),
    ]


# By the resource type in an ARN: what to ask EC2, by which parameter, where the state is, and which state means gone.
_EC2: Mapping[str, tuple[str, str, str, frozenset[str]]] = {
    "instance": (
        "describe_instances",
        "InstanceIds",
        "Reservations[].Instances[].State.Name",
        frozenset({"terminated"}),
    ),
    "natgateway": ("describe_nat_gateways", "NatGatewayIds", "NatGateways[].State", frozenset({"deleted"})),
    "network-interface": (
        "describe_network_interfaces",
        "NetworkInterfaceIds",
        "NetworkInterfaces[].Status",
        frozenset(),
    ),
    "volume": ("describe_volumes", "VolumeIds", "Volumes[].State", frozenset()),
    "vpc-endpoint": ("describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints[].State", frozenset({"deleted"})),
}


def exists(settings: Environment, arn: str) -> bool | None:
    """Whether EC2 still has a thing that is listed by its tags; None where nobody but the tags can tell."""
    kind, _, identifier = arn.split(":", 5)[5].partition("/")
    if f":ec2:{settings.environment.region}:" not in arn or kind not in _EC2:
        return None
    operation, parameter, where, gone = _EC2[kind]
    ec2 = client("ec2", settings)
    ask: Any = getattr(ec2, operation)
    try:
        states: list[str] = jmespath.search(where, ask(**{parameter: [identifier]})) or []
    except ClientError as error:
        if not error.response.get("Error", {}).get("Code", "").endswith("NotFound"):
            raise
        return False
    return any(state not in gone for state in states)
