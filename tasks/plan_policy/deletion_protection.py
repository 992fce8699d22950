"""In a protected environment, one wrong call deletes nothing that holds data."""

from collections.abc import Iterator, Mapping

from tasks.environment import Environment
from tasks.plan_policy.finding import Finding
from tasks.terraform.plan_document import PlanDocument
from tasks.terraform.planned_attributes import UNTIL_APPLY, planned

RULE = "deletion-protection"
SECRET_RECOVERY_DAYS = 7

# By type: the attribute, the values that protect, and what is wrong otherwise.
WANTED: Mapping[str, tuple[tuple[str, tuple[object, ...], str], ...]] = {
    "aws_backup_vault": (("force_destroy", (False, None), "goes with its recovery points"),),
    "aws_cognito_user_pool": (("deletion_protection", ("ACTIVE",), "can be deleted with its accounts"),),
    "aws_db_instance": (
        ("deletion_protection", (True,), "can be deleted"),
        ("skip_final_snapshot", (False,), "leaves no snapshot behind"),
    ),
    "aws_ecr_repository": (("force_delete", (False, None), "goes with its images"),),
    "aws_rds_cluster": (
        ("deletion_protection", (True,), "can be deleted"),
        ("skip_final_snapshot", (False,), "leaves no snapshot behind"),
    ),
    "aws_s3_bucket": (("force_destroy", (False, None), "goes with its objects"),),
}


def deletion_protection(document: PlanDocument, settings: Environment) -> Iterator[Finding]:
    """Databases, accounts, buckets, images, secrets and caches of a protected environment resist their deletion."""
    if not settings.environment.protected:
        return
    for change in document.changes:
        after = planned(change)
        if after is None:
            continue
        for attribute, protecting, what in WANTED.get(change.type, ()):
            if after.at(attribute) not in protecting:
                wanted = str(protecting[0]).lower() if isinstance(protecting[0], bool) else repr(protecting[0])
                yield Finding(RULE, change.address, what, f"set {attribute} = {wanted}")
        if change.type == "aws_secretsmanager_secret":
            days = after.at("recovery_window_in_days")
            if days is None or days is UNTIL_APPLY or days < SECRET_RECOVERY_DAYS:
                yield Finding(RULE, change.address, "cannot be brought back", "set recovery_window_in_days = 30")
        if change.type == "aws_elasticache_replication_group" and not after.at("final_snapshot_identifier"):
            yield Finding(RULE, change.address, "leaves no snapshot behind", "set final_snapshot_identifier")
