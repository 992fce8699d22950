from pathlib import Path

import pytest

from tasks.environment import REPOSITORY
from tasks.environment.variable_file import read_variable_file
from tests.tasks.environment.prod_file import PROD, refusal_of_prod, require_prod_refused

PUBLIC_RANGES = "public_access_cidrs = []"
SYSTEM_NODES = 'instance_types = ["m7g.large", "m6g.large"], minimum = 3, maximum = 6'
CI = 'subjects = ["environment:prod"]'
LEADS = '["arn:aws:iam::444455556666:role/team-leads"]'

# what is replaced in prod.tfvars, by what, and what the error must say
REFUSED = {
    "unknown region": ('"us-east-1"', '"us-east-9"', ["environment.region: 'us-east-9'", "us-east-2"]),
    "protected and nobody is told": (
        'notifications = "agentic-eks-notifications"',
        "",
        ["protected = true: prefect.notifications is missing"],
    ),
    # network
    "range that is none": ('"10.44.0.0/16"', '"10.44.0.0"', ['network.cidr = "10.44.0.0"', "an IPv4 range"]),
    "range of an address": ('"10.44.0.0/16"', '"10.44.0.1/16"', ["network.cidr: '10.44.0.1/16'", "first address"]),
    "VPC too small": ('"10.44.0.0/16"', '"10.44.0.0/19"', ["network: cidr = '10.44.0.0/19'", "from /16 to /18"]),
    "VPC too large": ('"10.44.0.0/16"', '"10.44.0.0/15"', ["cidr = '10.44.0.0/15'", "AWS refuses"]),
    "two zones": ("    us-east-1c = ", "    # us-east-1c = ", ["network: zones has 2 of at least 3"]),
    "zone elsewhere": ("us-east-1c", "us-east-2c", ["network.zones.us-east-2c is not a zone", "such as us-east-1a"]),
    "public subnet too small": ("10.44.0.0/24", "10.44.0.0/27", ["public = '10.44.0.0/27' is too small", "/26"]),
    "private subnet too small": ("10.44.64.0/18", "10.44.64.0/21", ["private = '10.44.64.0/21'", "/20"]),
    "intra subnet too small": ("10.44.8.0/24", "10.44.8.0/29", ["intra = '10.44.8.0/29' is too small", "/28"]),
    "subnet outside": ("10.44.8.0/24", "10.45.8.0/24", ["zones.us-east-1a.intra", "inside cidr = '10.44.0.0/16'"]),
    "subnet inside another": ("10.44.8.0/24", "10.44.65.0/24", ["us-east-1a.private", "overlaps", "us-east-1a.intra"]),
    "neighbour on the internet": (
        'nat_gateways        = "per_zone"',
        'nat_gateways = "per_zone"\n  neighbours = ["10.80.0.0/16", "203.0.113.0/24"]',
        ["network: neighbours.1 = '203.0.113.0/24' is not private"],
    ),
    "neighbour in the VPC": (
        'nat_gateways        = "per_zone"',
        'nat_gateways = "per_zone"\n  neighbours = ["10.44.128.0/24"]',
        ["neighbours.0 = '10.44.128.0/24' overlaps cidr = '10.44.0.0/16'"],
    ),
    "no NAT gateway": ('nat_gateways        = "per_zone"', 'nat_gateways = "none"', ["'single' or 'per_zone'"]),
    "unknown endpoint": (
        '{ placement = "per_zone" }',
        '{ placement = "per_zone", services = ["s4"] }',
        ["network.interface_endpoints.services.0", "'eks-auth'"],
    ),
    "retention that CloudWatch lacks": ("flow_log_days       = 365", "flow_log_days = 366", ["flow_log_days = 366"]),
    # access
    "role with no principal": (LEADS, "[]", ["access.roles.admin.principals = []", "at least one"]),
    "everybody": (LEADS, '["*"]', ['access.roles.admin.principals.0 = "*"', "ARN of an IAM role or user"]),
    "principal with a wildcard": ("role/team-leads", "role/team-*", ["access.roles.admin.principals.0", "wildcard"]),
    "no namespace": ('"gateway", "ray"]', '"Gateway", "ray"]', ["admin.namespaces.1", "Kubernetes namespace"]),
    "namespaces of the whole cluster": (
        "cluster_admin = {",
        'cluster_admin = { namespaces = ["agents"],',
        ["access.roles.cluster_admin has the unknown key 'namespaces'"],
    ),
    "session of a day": (LEADS, f"{LEADS}, session_hours = 24", ["admin.session_hours = 24", "from 1 to 12"]),
    "repository without an owner": ('"example/agentic-eks"', '"agentic-eks"', ["access.ci.repository", "<owner>"]),
    "every branch": (CI, 'subjects = ["ref:refs/heads/*"]', ["access.ci.subjects.0", "without a wildcard"]),
    "pull requests": (CI, 'subjects = ["pull_request"]', ['access.ci.subjects.0 = "pull_request"', "environment:<"]),
    "no workflow": (CI, "subjects = []", ["access.ci.subjects = []", "at least one"]),
    # cluster
    "unknown Kubernetes": ('"1.35"', '"1.20"', ["kubernetes_version = '1.20'", "allowed are 1.34, 1.35"]),
    "unknown add-on": (
        PUBLIC_RANGES,
        'addon_versions = { core-dns = "v1.13.2-eksbuild.31" }',
        ["cluster: addon_versions has the unknown add-on 'core-dns'", "coredns"],
    ),
    "unknown add-on version": (
        PUBLIC_RANGES,
        'addon_versions = { coredns = "v9.9.9-eksbuild.1" }',
        ["addon_versions.coredns = 'v9.9.9-eksbuild.1' is not known for Kubernetes 1.35"],
    ),
    "public service range": (PUBLIC_RANGES, 'service_cidr = "8.8.0.0/16"', ["service_cidr = '8.8.0.0/16'", "private"]),
    "service range too small": (PUBLIC_RANGES, 'service_cidr = "172.20.0.0/25"', ["from /12 to /24"]),
    "service range in the VPC": (
        PUBLIC_RANGES,
        'service_cidr = "10.44.128.0/20"',
        ["cluster.service_cidr = '10.44.128.0/20' overlaps network.cidr = '10.44.0.0/16'"],
    ),
    "API open to everybody": (
        PUBLIC_RANGES,
        'public_access_cidrs = ["198.51.100.0/24", "0.0.0.0/0"]',
        ["cluster.public_access_cidrs opens the API of a protected environment to everybody"],
    ),
    "Intel": (SYSTEM_NODES, SYSTEM_NODES.replace("m6g", "m7i"), ['instance_types.1 = "m7i.large"', "Graviton (arm64)"]),
    "GPU with a g": (SYSTEM_NODES, SYSTEM_NODES.replace("m6g.large", "g4dn.xlarge"), ['= "g4dn.xlarge"', "Graviton"]),
    "single node": (SYSTEM_NODES, SYSTEM_NODES.replace("3", "1"), ["system_nodes.minimum = 1", "2 or more"]),
    "fewer at most than at least": (SYSTEM_NODES, SYSTEM_NODES.replace("= 6", "= 2"), ["maximum = 2 is below minimum"]),
}


@pytest.mark.parametrize(("old", "new", "fragments"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_section_is_refused_in_one_line_by_key_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, fragments: list[str]
) -> None:
    message = require_prod_refused(tmp_path, old, new, fragments)
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("section", "following"), [("network", "access"), ("access", "cluster"), ("cluster", "models")]
)
def test_an_environment_on_aws_needs_the_section(tmp_path: Path, section: str, following: str) -> None:
    start, end = PROD.index(f"\n{section} = {{"), PROD.index(f"\n{following} = {{")
    assert f"no section {section}, every other needs it" in refusal_of_prod(tmp_path, PROD[:start] + PROD[end:])


def test_the_api_of_dev_may_be_reached_from_named_ranges_only_or_from_nowhere() -> None:
    environments = REPOSITORY / "infra" / "environments"
    dev, prod = (read_variable_file(environments / f"{name}.tfvars").cluster for name in ("dev", "prod"))
    assert dev is not None
    assert prod is not None
    assert dev.public_access_cidrs == ("203.0.113.0/24",)
    assert prod.public_access_cidrs == ()
