"""The secrets of an environment on AWS: values that are generated and renewed, and those that a person supplies.

Terraform makes their names in Secrets Manager. No value is read here, but for the password of a cache, which AWS keeps
in two places.
"""

from tasks.secrets.reconcile import reconcile_secrets
from tasks.secrets.report import SecretLine, SecretReport, SecretsMissing, publish_report
from tasks.secrets.require import require_secrets

__all__ = ["SecretLine", "SecretReport", "SecretsMissing", "publish_report", "reconcile_secrets", "require_secrets"]
