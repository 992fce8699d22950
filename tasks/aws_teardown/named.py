"""What carries an environment's name in AWS: for what has no tags, or lost them, or is not listed by them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath

from tasks.aws_session import client
from tasks.aws_teardown.names import belongs
from tasks.environment import Environment


@dataclass(frozen=True)
class _Look:
    """One list of an account's things: the operation, and where in its answer the names are (JMESPath)."""

    kind: str
    service: str
    operation: str
    names: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


_LOOKS = (
    _Look("backup vault", "backup", "list_backup_vaults", "BackupVaultList[].BackupVaultName"),
    _Look("bucket", "s3", "list_buckets", "Buckets[].Name"),
    _Look("cache", "elasticache", "describe_replication_groups", "ReplicationGroups[].ReplicationGroupId"),
    _Look("cache snapshot", "elasticache", "describe_snapshots", "Snapshots[].SnapshotName"),
    _Look("cluster", "eks", "list_clusters", "clusters[]"),
    _Look("database", "rds", "describe_db_instances", "DBInstances[].DBInstanceIdentifier"),
    _Look("database snapshot", "rds", "describe_db_snapshots", "DBSnapshots[].DBInstanceIdentifier"),
    _Look("event rule", "events", "list_rules", "Rules[].Name"),
    _Look("IAM instance profile", "iam", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName"),
    _Look("IAM policy", "iam", "list_policies", "Policies[].PolicyName", {"Scope": "Local"}),
    _Look("IAM role", "iam", "list_roles", "Roles[].RoleName"),
    _Look("image repository", "ecr", "describe_repositories", "repositories[].repositoryName"),
    _Look("KMS alias", "kms", "list_aliases", "Aliases[].AliasName"),
    _Look("log group", "logs", "describe_log_groups", "logGroups[].logGroupName"),
    _Look("log resource policy", "logs", "describe_resource_policies", "resourcePolicies[].policyName"),
    _Look("metrics workspace", "amp", "list_workspaces", "workspaces[?status.statusCode!='DELETING'].alias"),
    _Look("search domain", "opensearch", "list_domain_names", "DomainNames[].DomainName"),
    _Look("secret", "secretsmanager", "list_secrets", "SecretList[].Name", {"IncludePlannedDeletion": True}),
    _Look("user pool", "cognito-idp", "list_user_pools", "UserPools[].Name", {"MaxResults": 60}),
    _Look("web ACL", "wafv2", "list_web_acls", "WebACLs[].Name", {"Scope": "REGIONAL", "Limit": 100}),
)


def named_things(settings: Environment) -> list[str]:
    """All that the account has under the environment's name, as `<kind> <name>`."""
    return [f"{look.kind} {name}" for look in _LOOKS for name in _names(settings, look) if belongs(settings, name)]


def _names(settings: Environment, look: _Look) -> Iterator[str]:
    service = client(look.service, settings)
    if service.can_paginate(look.operation):
        for page in service.get_paginator(look.operation).paginate(**look.arguments):
            yield from jmespath.search(look.names, page) or []
    else:
        ask: Any = getattr(service, look.operation)
        yield from jmespath.search(look.names, ask(**look.arguments)) or []
