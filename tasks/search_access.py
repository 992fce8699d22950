"""Who may do what inside the OpenSearch domain: agents read the environment's indices, Ray and the workers write them.

The domain answers inside the VPC only, so this belongs to a flow of the cluster's work pool. IAM roles are mapped as
backend roles: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/fgac.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth
from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.aws_session import client, explained_credentials
from tasks.environment import Environment
from tasks.environment.knowledge import OpenSearchStore
from tasks.resource_names import name_prefix
from tasks.store_settings import search_endpoint

SECONDS_PER_REQUEST = 30
# Action groups that every server has: https://docs.opensearch.org/latest/security/access-control/default-action-groups/
READ = ("read", "indices:admin/get", "indices:admin/aliases/get")
END_SCROLL = "indices:data/read/scroll/clear"
WRITE = ("crud", "create_index", "manage")


@dataclass(frozen=True)
class SearchRole:
    """A role inside the domain: what it may do to which indices, and the IAM roles that have it."""

    name: str
    cluster_actions: tuple[str, ...]
    index_actions: tuple[str, ...]
    indices: tuple[str, ...]
    iam_roles: tuple[str, ...]

    @property
    def permissions(self) -> dict[str, Any]:
        """The role as the security API takes it."""
        granted = {"index_patterns": sorted(self.indices), "allowed_actions": sorted(self.index_actions)}
        return {"cluster_permissions": sorted(self.cluster_actions), "index_permissions": [granted]}


@dataclass(frozen=True)
class SearchDomain:
    """The domain of an environment, who administers it, and the roles that it must have."""

    endpoint: str
    region: str
    administrator_role_arn: str
    roles: tuple[SearchRole, ...]

    @classmethod
    def of(cls, settings: Environment, outputs: Mapping[str, Any]) -> "SearchDomain":
        """The domain from Terraform's `outputs`."""
        store, search = settings.knowledge.store, outputs["search"]
        assert isinstance(store, OpenSearchStore)  # noqa: S101 - the model of the file guarantees it on AWS
        pods = {name: pod["role_arn"] for name, pod in outputs["identity"]["pod_identities"].items()}
        indices = (store.index_prefix, f"{store.index_prefix}-*")
        prefix = name_prefix(settings.name)
        return cls(
            endpoint=search_endpoint(store, outputs),
            region=str(settings.environment.region),
            administrator_role_arn=search["administrator_role_arn"],
            roles=(
                SearchRole(
                    f"{prefix}-readers",
                    ("cluster_composite_ops_ro", END_SCROLL),
                    READ,
                    indices,
                    (pods["agents"],),
                ),
                SearchRole(
                    f"{prefix}-writers",
                    ("cluster_composite_ops", END_SCROLL),
                    WRITE,
                    indices,
                    (pods["ray"], pods["prefect-worker"]),
                ),
            ),
        )


@task(task_run_name="ensure-search-access", cache_policy=NO_CACHE)
def ensure_search_access(settings: Environment, outputs: Mapping[str, Any]) -> list[str]:
    """Make the domain's roles and their mappings what they must be; returns what was changed, nothing on a second run.

    Raises:
        MissingCredentials: there are none for AWS.
        TransportError: the domain refuses or does not answer.
    """
    domain = SearchDomain.of(settings, outputs)
    search = administrator_client(settings, domain)
    try:
        return ensure_roles(search, domain.roles)
    finally:
        search.close()


def administrator_client(settings: Environment, domain: SearchDomain) -> OpenSearch:
    """A client that signs as the role that administers the domain, for an hour."""
    with explained_credentials():
        given = client("sts", settings).assume_role(
            RoleArn=domain.administrator_role_arn, RoleSessionName="search-access"
        )["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], domain.region)
    signer = Urllib3AWSV4SignerAuth(session.get_credentials(), domain.region, "es")
    return OpenSearch(domain.endpoint, http_auth=signer, timeout=SECONDS_PER_REQUEST)


def ensure_roles(search: OpenSearch, roles: tuple[SearchRole, ...]) -> list[str]:
    """Write those of `roles` and of their mappings that differ from what the domain has; returns which."""
    changed: list[str] = []
    known, mapped = search.security.get_roles(), search.security.get_role_mappings()
    for role in roles:
        if _permissions(known.get(role.name)) != role.permissions:
            search.security.create_role(role=role.name, body=role.permissions)
            changed.append(f"role {role.name}")
        mapping = {"backend_roles": sorted(role.iam_roles), "users": [], "hosts": []}
        if _mapping(mapped.get(role.name)) != mapping:
            search.security.create_role_mapping(role=role.name, body=mapping)
            changed.append(f"mapping of {role.name} to {', '.join(sorted(role.iam_roles))}")
    return changed


def _permissions(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a role grants, as `SearchRole.permissions`; None for none, and for one that grants more than that."""
    if found is None or found.get("tenant_permissions"):
        return None
    return {
        "cluster_permissions": sorted(found["cluster_permissions"]),
        "index_permissions": [_index_permission(granted) for granted in found["index_permissions"]],
    }


def _index_permission(granted: Mapping[str, Any]) -> dict[str, Any]:
    """Without the restrictions to documents and fields where there are none."""
    restricted = {key: granted[key] for key in ("dls", "fls", "masked_fields") if granted.get(key)}
    lists = {key: sorted(granted[key]) for key in ("index_patterns", "allowed_actions")}
    return {**lists, **restricted}


def _mapping(found: Mapping[str, Any] | None) -> dict[str, list[str]] | None:
    if found is None:
        return None
    return {key: sorted(found.get(key, [])) for key in ("backend_roles", "users", "hosts")}
