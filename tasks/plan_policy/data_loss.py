"""Changes that would destroy what no later apply brings back."""

from dataclasses import dataclass

from tasks.terraform.plan_document import Action, PlanDocument

# What each type holds that is gone with it. A queue or a topic holds nothing that is meant to last.
HOLDS = {
    "aws_backup_vault": "recovery points",
    "aws_cloudwatch_log_group": "logs",
    "aws_cognito_user_pool": "accounts of people",
    "aws_db_instance": "a database",
    "aws_db_snapshot": "a snapshot of a database",
    "aws_ebs_snapshot": "a snapshot of a volume",
    "aws_ebs_volume": "a volume",
    "aws_ecr_repository": "images",
    "aws_efs_file_system": "files",
    "aws_eks_cluster": "everything that runs in it",
    "aws_elasticache_replication_group": "a cache that clients keep data in",
    "aws_grafana_workspace": "dashboards that people made",
    "aws_kms_key": "the key of all that was encrypted with it",
    "aws_opensearch_domain": "knowledge generations",
    "aws_prometheus_workspace": "metrics",
    "aws_rds_cluster": "databases",
    "aws_route53_zone": "a zone with its delegation",
    "aws_s3_bucket": "objects",
    "aws_secretsmanager_secret": "the value of a secret",
}


@dataclass(frozen=True)
class DataLoss:
    """A resource that the plan would delete or replace, and what it holds."""

    address: str
    action: Action
    holds: str


def data_loss(document: PlanDocument) -> list[DataLoss]:
    """What an apply of the plan would destroy that holds data, by address."""
    return [
        DataLoss(change.address, change.action, HOLDS[change.type])
        for change in sorted(document.changes, key=lambda change: change.address)
        if change.action in (Action.DELETE, Action.REPLACE) and change.type in HOLDS
    ]
