"""The reviewed list of what the emulated AWS cannot create says neither too much nor too little."""

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from rehearsal.aws import EmulatedAws
from rehearsal.aws.not_creatable import NotCreatable, not_creatable, plan_arguments
from tasks.environment import EnvironmentName
from tests.plans import Plan
from tests.rehearsal.aws.clients import client
from tests.terraform import INFRA

MISSING = [entry for entry in not_creatable() if entry.missing]
OTHERS = [entry.type for entry in not_creatable() if not entry.missing]
# An operation that moto lacks fails inside it, or is no address at all; an error of AWS has a word for its code.
NOT_ANSWERED = ("404", "500", "501")


@pytest.mark.parametrize("entry", MISSING, ids=lambda entry: entry.type)
def test_no_emulator_answers_the_operation(emulated_aws: EmulatedAws, entry: NotCreatable) -> None:
    assert entry.missing is not None
    api = client(emulated_aws, entry.missing.service)
    operation = xform_name(entry.missing.operation)
    with pytest.raises((ClientError, ResponseParserError)) as refused:
        getattr(api, operation)(**entry.missing.parameters)
    answer = getattr(refused.value, "response", None)
    assert answer is None or answer["Error"]["Code"] in NOT_ANSWERED


def test_what_is_left_out_for_another_reason_could_be_created(emulated_aws: EmulatedAws) -> None:
    assert OTHERS == ["aws_elasticache_replication_group", "aws_opensearch_domain"]
    domain = client(emulated_aws, "opensearch").create_domain(DomainName="at-once")["DomainStatus"]
    assert domain["Created"]
    group = client(emulated_aws, "elasticache").create_replication_group(
        ReplicationGroupId="at-once", ReplicationGroupDescription="any", Engine="valkey", NumCacheClusters=1
    )
    assert group["ReplicationGroup"]["Status"] == "available"


@pytest.mark.terraform
def test_every_type_on_the_list_is_planned_by_some_environment(plan: Plan) -> None:
    planned = {change.type for name in ("dev", "prod") for change in plan(EnvironmentName(name)).planned()}
    assert {entry.type for entry in not_creatable()} <= planned


def test_everything_else_is_targeted() -> None:
    arguments = plan_arguments(INFRA).split()
    assert "-target=module.network[0].aws_vpc.this" in arguments
    assert not [each for each in arguments if any(f".{entry.type}." in each for entry in not_creatable())]
