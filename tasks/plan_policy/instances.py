"""Instances hand their credentials to nobody who can only make them send a request."""

from collections.abc import Iterator

from tasks.environment import Environment
from tasks.plan_policy.finding import Finding
from tasks.terraform.plan_document import PlanDocument
from tasks.terraform.planned_attributes import planned

RULE = "instance-metadata-v2"


def instance_metadata_v2(document: PlanDocument, settings: Environment) -> Iterator[Finding]:
    """Instance metadata wants a session token (IMDSv2), and answers one hop away at most."""
    for change in document.changes:
        after = planned(change)
        if after is None or change.type not in ("aws_launch_template", "aws_instance"):
            continue
        if after.at("metadata_options", 0, "http_tokens") != "required":
            yield Finding(RULE, change.address, "answers without a session token", 'set http_tokens = "required"')
        if after.at("metadata_options", 0, "http_put_response_hop_limit") != 1:
            yield Finding(
                RULE, change.address, "lets pods reach the node's credentials", "set http_put_response_hop_limit = 1"
            )
