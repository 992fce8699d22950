"""What two plans together say about an environment; the plans are written as Terraform's JSON."""

import json
from typing import Any

from tasks.drift.attribute_differences import attribute_differences
from tasks.drift.terraform_plans import Cause, Difference, differences
from tasks.terraform.plan_document import PlanDocument, read_plan_document

ROLE = "aws_iam_role.backup"


def resource(kind: str, before: Any, after: Any, **marks: Any) -> dict[str, Any]:
    created, deleted = before is None, after is None
    action = "create" if created else "delete" if deleted else "no-op" if before == after else "update"
    change = {"actions": [action], "before": before, "after": after, **marks}
    return {"address": f"{kind}.backup", "mode": "managed", "type": kind, "name": "backup", "change": change}


def plan(
    *,
    changes: tuple[dict[str, Any], ...] = (),
    drift: tuple[dict[str, Any], ...] = (),
    configured: tuple[str, ...] = (),
) -> PlanDocument:
    expressions = {name: {"constant_value": "any"} for name in configured}
    kinds = {each["type"] for each in (*changes, *drift)}
    resources = [{"address": f"{kind}.backup", "expressions": expressions} for kind in kinds]
    document = {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "complete": True,
        "resource_changes": changes,
        "resource_drift": drift,
        "configuration": {"root_module": {"resources": resources}},
    }
    return read_plan_document(json.dumps(document))


def test_what_an_apply_would_put_back_was_changed_by_hand() -> None:
    drift = resource("aws_iam_role", {"tags": {"Owner": "us"}}, {"tags": {"Owner": "me"}})
    change = resource("aws_iam_role", {"tags": {"Owner": "me"}}, {"tags": {"Owner": "us"}})
    ahead = plan(changes=(change,), drift=(drift,), configured=("tags",))

    assert differences(plan(drift=(drift,)), ahead) == [Difference(ROLE, "tags.Owner", "us", "me", Cause.CHANGED)]


def test_what_the_file_wants_meanwhile_is_no_difference() -> None:
    drift = resource("aws_iam_role", {"description": "old"}, {"description": "new"})

    ahead = plan(changes=(resource("aws_iam_role", {}, {}),), configured=("description",))

    assert differences(plan(drift=(drift,)), ahead) == []


def test_what_terraform_does_not_decide_has_to_be_undone_by_hand() -> None:
    drift = resource("aws_iam_role", {"managed_policy_arns": ["a"]}, {"managed_policy_arns": ["a", "b"]})

    ahead = plan(changes=(resource("aws_iam_role", {}, {}),), configured=("name",))

    assert differences(plan(drift=(drift,)), ahead) == [
        Difference(ROLE, "managed_policy_arns", "absent", '["b"]', Cause.BESIDE)
    ]


def test_what_aws_changes_by_itself_is_no_difference() -> None:
    drift = resource("aws_db_instance", {"latest_restorable_time": "9:00"}, {"latest_restorable_time": "9:05"})

    assert differences(plan(drift=(drift,)), plan(changes=(resource("aws_db_instance", {}, {}),))) == []


def test_a_deleted_resource_is_one_row() -> None:
    drift = resource("aws_iam_role", {"name": "backup"}, None)
    ahead = plan(changes=(resource("aws_iam_role", None, {"name": "backup"}),))

    assert differences(plan(drift=(drift,)), ahead) == [
        Difference(ROLE, "the resource", "present", "absent", Cause.GONE)
    ]


def test_what_is_neither_there_nor_wanted_is_no_difference() -> None:
    assert differences(plan(drift=(resource("aws_iam_role", {"name": "backup"}, None),)), plan()) == []


def test_what_nobody_applied_comes_after_what_was_done_by_hand() -> None:
    drift = resource("aws_sqs_queue", {"name": "q"}, None)
    made = resource("aws_sqs_queue", None, {"name": "q"})
    wanted = resource("aws_iam_role", None, {"name": "backup"})
    unwanted = resource("aws_backup_vault", {"name": "backup"}, None)

    found = differences(plan(drift=(drift,)), plan(changes=(wanted, unwanted, made)))

    assert [(row.address, row.wanted, row.found, row.cause) for row in found] == [
        ("aws_sqs_queue.backup", "present", "absent", Cause.GONE),
        ("aws_backup_vault.backup", "absent", "present", Cause.NOT_APPLIED),
        ("aws_iam_role.backup", "present", "absent", Cause.NOT_APPLIED),
    ]


def test_values_that_must_not_be_shown_are_masked_on_both_sides() -> None:
    wanted, found = {"auth": [{"token": "old-secret"}], "name": "a"}, {"auth": [{"token": "new-secret"}], "name": "a"}
    marks = {"auth": [{"token": True}]}

    (row,) = attribute_differences(wanted, found, {}, marks)

    assert (row.path, row.wanted, row.found) == ("auth[0].token", "(sensitive)", "(sensitive)")


def test_a_value_that_only_one_version_has_is_masked_too() -> None:
    change = resource(
        "aws_iam_role",
        {"auth": [{"token": "old-secret"}]},
        {"auth": []},
        before_sensitive={"auth": [{"token": True}]},
        after_sensitive={"auth": []},
    )

    assert "old-secret" not in str(differences(plan(), plan(changes=(change,))))


def test_empty_values_are_the_same() -> None:
    wanted = {"a": None, "b": [], "c": {}, "d": "", "e": [{"f": None}], "g": {"h": []}}
    found = {"a": "", "b": None, "c": None, "d": [], "e": None, "g": None}

    assert attribute_differences(wanted, found, {}, {}) == []


def test_false_and_zero_are_values() -> None:
    rows = attribute_differences({"on": False, "days": 0}, {"on": None, "days": None}, {}, {})

    assert [(row.path, row.wanted, row.found) for row in rows] == [("days", "0", "absent"), ("on", "false", "absent")]


def test_policies_are_compared_by_content() -> None:
    wanted = {"policy": '{"Statement":[{"Effect":"Allow","Action":"s3:Get*"}]}'}
    same = {"policy": '{ "Statement": [ {"Action": "s3:Get*", "Effect": "Allow"} ] }'}
    wider = {"policy": '{"Statement":[{"Effect":"Allow","Action":"*"}]}'}

    assert attribute_differences(wanted, same, {}, {}) == []
    (row,) = attribute_differences(wanted, wider, {}, {})
    assert (row.path, row.wanted, row.found) == ("policy.Statement[0].Action", "s3:Get*", "*")


def test_what_the_apply_will_tell_is_left_out() -> None:
    assert attribute_differences({"arn": None, "n": 1}, {"arn": "arn:aws:x", "n": 1}, {"arn": True}, {}) == []


def test_a_tag_is_listed_once() -> None:
    wanted = {"tags": {"a": "1"}, "tags_all": {"a": "1", "Project": "agentic-eks"}}
    found = {"tags": {"a": "2"}, "tags_all": {"a": "2"}}

    assert [row.path for row in attribute_differences(wanted, found, {}, {})] == ["tags.a", "tags_all.Project"]
