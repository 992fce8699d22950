"""The computed attributes whose change is no drift, or is drift of another resource, by resource type.

AWS itself changes them while nobody touches the resource, unless the comment says otherwise. Source: the pages of the
resource types in the documentation of the AWS provider, version 5.100.
"""

from collections.abc import Mapping

IGNORED: Mapping[str, frozenset[str]] = {
    # Renewed by ACM before it expires.
    "aws_acm_certificate": frozenset(
        {"not_after", "not_before", "pending_renewal", "renewal_eligibility", "renewal_summary", "status"}
    ),
    # Grows and shrinks with every backup.
    "aws_backup_vault": frozenset({"recovery_points"}),
    "aws_cognito_user_pool": frozenset({"estimated_number_of_users", "last_modified_date"}),
    # Minor versions, and the point in time up to which it can be restored, move on by themselves.
    "aws_db_instance": frozenset({"engine_version_actual", "latest_restorable_time", "replicas", "status"}),
    "aws_eks_access_entry": frozenset({"modified_at"}),
    "aws_eks_addon": frozenset({"modified_at"}),
    "aws_eks_cluster": frozenset({"platform_version", "status"}),
    "aws_eks_node_group": frozenset({"resources", "status"}),
    "aws_elasticache_replication_group": frozenset({"engine_version_actual"}),
    # Repeats what resources of their own say: aws_s3_bucket_versioning, ..._policy and so on.
    "aws_s3_bucket": frozenset(
        {"lifecycle_rule", "logging", "policy", "server_side_encryption_configuration", "versioning"}
    ),
    # Until a person confirms the mail address.
    "aws_sns_topic_subscription": frozenset({"confirmation_was_authenticated", "pending_confirmation"}),
    # The addresses of S3, and of the endpoint's own interfaces.
    "aws_vpc_endpoint": frozenset({"cidr_blocks", "dns_entry", "network_interface_ids", "state"}),
    "aws_wafv2_web_acl": frozenset({"capacity", "lock_token"}),
}
