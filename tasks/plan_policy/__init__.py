"""The rules that every plan of an environment must keep, one file a concern."""

from tasks.environment import Environment
from tasks.plan_policy.access import least_privilege
from tasks.plan_policy.deletion_protection import deletion_protection
from tasks.plan_policy.encryption import encrypted
from tasks.plan_policy.finding import Finding
from tasks.plan_policy.instances import instance_metadata_v2
from tasks.plan_policy.kubernetes_api import kubernetes_api
from tasks.plan_policy.public_access import no_public_data
from tasks.plan_policy.tags import tagged
from tasks.plan_policy.zones import three_zones
from tasks.terraform.plan_document import PlanDocument

__all__ = ["RULES", "Finding", "findings"]

RULES = (
    three_zones,
    no_public_data,
    kubernetes_api,
    least_privilege,
    encrypted,
    tagged,
    instance_metadata_v2,
    deletion_protection,
)


def findings(document: PlanDocument, settings: Environment) -> list[Finding]:
    """What breaks a rule in what would exist after an apply of the plan; empty for a clean one.

    What only the apply will tell is not judged; for policies, `access.unjudged_policies` names it.
    """
    return [finding for rule in RULES for finding in rule(document, settings)]
