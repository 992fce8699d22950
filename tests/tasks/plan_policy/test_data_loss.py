"""A plan that would destroy data is recognised, whatever the rest of it does."""

from dataclasses import replace

import pytest

from tasks.environment import EnvironmentName
from tasks.plan_policy.data_loss import HOLDS, DataLoss, data_loss
from tasks.terraform.plan_document import Action
from tests.plans import Plan, the_change, with_change

pytestmark = pytest.mark.terraform

DATABASE = 'module.data[0].aws_db_instance.this["litellm"]'
ROLE = 'module.identity[0].aws_iam_role.pod["agents"]'


def test_a_first_plan_destroys_nothing(plan: Plan) -> None:
    assert data_loss(plan(EnvironmentName.PROD)) == []


@pytest.mark.parametrize("action", [Action.DELETE, Action.REPLACE])
def test_a_database_that_goes_is_data_that_is_lost(plan: Plan, action: Action) -> None:
    document = plan(EnvironmentName.PROD)
    gone = replace(the_change(document, DATABASE), action=action)
    assert data_loss(with_change(document, gone)) == [DataLoss(DATABASE, action, "a database")]


@pytest.mark.parametrize("action", [Action.UPDATE, Action.FORGET, Action.NOTHING])
def test_what_stays_in_aws_is_not_lost(plan: Plan, action: Action) -> None:
    document = plan(EnvironmentName.PROD)
    assert data_loss(with_change(document, replace(the_change(document, DATABASE), action=action))) == []


def test_a_role_holds_no_data(plan: Plan) -> None:
    document = plan(EnvironmentName.PROD)
    assert data_loss(with_change(document, replace(the_change(document, ROLE), action=Action.DELETE))) == []


def test_every_kind_of_store_in_prod_is_known_to_hold_data(plan: Plan) -> None:
    used = {change.type for change in plan(EnvironmentName.PROD).changes}
    assert set(HOLDS) - used == {
        "aws_db_snapshot",
        "aws_ebs_snapshot",
        "aws_ebs_volume",
        "aws_efs_file_system",
        "aws_rds_cluster",
    }
