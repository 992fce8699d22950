"""Which resource of a plan refers to which, by its configuration."""

import pytest

from tasks.terraform.plan_document import Action, PlanDocument, ResourceChange
from tasks.terraform.plan_references import is_configured, refers_to

BLOCK = {
    "address": "aws_s3_bucket_policy.this",
    "expressions": {
        "bucket": {"references": ["aws_s3_bucket.this", "each.key"]},
        "rule": [{"target": [{"id": {"references": ["aws_s3_bucket.logs.id", "aws_s3_bucket.logs"]}}]}],
        "comment": {"constant_value": "ours"},
    },
}
DOCUMENT = PlanDocument(
    terraform_version="1.11.4",
    changes=(),
    drift=(),
    variables={},
    configuration={
        "root_module": {
            "module_calls": {"data": {"module": {"module_calls": {"inner": {"module": {"resources": [BLOCK]}}}}}}
        }
    },
    complete=True,
)
INNER = 'module.data["a.b"].module.inner[0]'


def change(address: str, module: str = INNER) -> ResourceChange:
    return ResourceChange(f"{module}.{address}", module, "type", "name", Action.CREATE, None, {}, {}, {})


POLICY = change('aws_s3_bucket_policy.this["docs.v1"]')


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (change('aws_s3_bucket.this["docs.v1"]'), True),
        (change('aws_s3_bucket.this["results"]'), False),
        (change("aws_s3_bucket.logs"), False),
        (change('aws_s3_bucket.this["docs.v1"]', "module.other[0]"), False),
    ],
)
def test_an_instance_refers_to_the_instance_of_its_own_key(target: ResourceChange, expected: bool) -> None:
    assert refers_to(DOCUMENT, POLICY, "bucket", target) is expected


@pytest.mark.parametrize("address", ["aws_s3_bucket.logs", "aws_s3_bucket.logs[0]"])
def test_references_are_found_in_blocks_of_blocks(address: str) -> None:
    assert refers_to(DOCUMENT, POLICY, "rule", change(address))


def test_a_constant_refers_to_nothing_but_is_configured() -> None:
    assert not refers_to(DOCUMENT, POLICY, "comment", change("aws_s3_bucket.logs"))
    assert is_configured(DOCUMENT, POLICY, "comment")


def test_what_the_configuration_leaves_out_is_not_configured() -> None:
    assert not is_configured(DOCUMENT, POLICY, "policy")
    assert not is_configured(DOCUMENT, change("aws_sqs_queue.gone"), "policy")
