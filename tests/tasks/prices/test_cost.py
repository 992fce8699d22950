"""What dev and prod cost when nobody uses them, and how a change is priced."""

from dataclasses import replace
from typing import Any

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.prices import CostDelta, cost_of
from tasks.terraform.plan_document import Action, PlanDocument
from tests.plans import Plan, doctored, the_change, with_change

pytestmark = pytest.mark.terraform

DEV = load_environment(EnvironmentName.DEV)
PROD = load_environment(EnvironmentName.PROD)
NODES = "module.cluster[0].aws_eks_node_group.system"
DATABASE = 'module.data[0].aws_db_instance.this["litellm"]'
DOMAIN = "module.search[0].aws_opensearch_domain.this"
CACHE = 'module.data[0].aws_elasticache_replication_group.this["agents"]'
ENDPOINT = 'module.network[0].aws_vpc_endpoint.interface["sts"]'
GATEWAY_ENDPOINT = "module.network[0].aws_vpc_endpoint.s3"
FIREWALL = "module.firewall[0].aws_wafv2_web_acl.this"


def after(cost: CostDelta, address: str) -> float:
    (line,) = [line for line in cost.lines if line.address == address]
    return line.after_usd


@pytest.mark.parametrize("environment", [DEV, PROD], ids=["dev", "prod"])
def test_an_idle_environment_costs_less_than_its_budget(plan: Plan, environment: Any) -> None:
    cost = cost_of(plan(environment.name), environment)
    assert 0 < cost.total_after < environment.environment.budget.monthly_usd
    assert cost.total_before == 0
    assert cost.delta == cost.total_after


@pytest.mark.parametrize("environment", [DEV, PROD], ids=["dev", "prod"])
def test_what_has_no_line_is_free_or_paid_by_use(plan: Plan, environment: Any) -> None:
    cost = cost_of(plan(environment.name), environment)
    assert [unpriced for unpriced in cost.unpriced if not unpriced.reason.startswith("paid by use: ")] == []
    assert len(cost.unpriced) < 10


def test_resources_cost_what_their_sizes_and_numbers_say(plan: Plan) -> None:
    dev, prod = cost_of(plan(EnvironmentName.DEV), DEV), cost_of(plan(EnvironmentName.PROD), PROD)
    # Nodes with a disk of 50 GiB each.
    assert after(dev, NODES) == pytest.approx(2 * (0.0816 * 730 + 50 * 0.08))
    # One server, and the secret of its owner; with a standby both server and storage twice.
    assert after(dev, DATABASE) == pytest.approx(0.016 * 730 + 20 * 0.115 + 0.40)
    assert after(prod, DATABASE) == pytest.approx(2 * (0.168 * 730 + 50 * 0.115) + 0.40)
    assert after(prod, CACHE) == pytest.approx(3 * 0.1264 * 730)
    assert after(dev, DOMAIN) == pytest.approx(3 * (0.068 * 730 + 20 * 0.122))
    assert after(prod, DOMAIN) == pytest.approx(3 * (0.178 * 730 + 200 * 0.122) + 3 * 0.068 * 730)
    # An interface endpoint a zone, a gateway endpoint for nothing.
    assert after(dev, ENDPOINT) == pytest.approx(0.01 * 730)
    assert after(prod, ENDPOINT) == pytest.approx(3 * 0.01 * 730)
    assert after(prod, GATEWAY_ENDPOINT) == 0
    assert after(dev, FIREWALL) == pytest.approx(5 + 6)


def with_database(document: PlanDocument, before: dict[str, Any] | None, after: dict[str, Any] | None) -> PlanDocument:
    database = the_change(document, DATABASE)
    known = {**(database.after or {})}
    changed = replace(
        database,
        action=Action.UPDATE,
        before=None if before is None else {**known, **before},
        after=None if after is None else {**known, **after},
    )
    return with_change(document, changed)


def test_a_larger_database_costs_the_difference(plan: Plan) -> None:
    document = with_database(plan(EnvironmentName.DEV), {}, {"instance_class": "db.t4g.small"})
    (line,) = [line for line in cost_of(document, DEV).lines if line.address == DATABASE]
    assert line.delta_usd == pytest.approx((0.032 - 0.016) * 730)


def test_a_database_that_goes_costs_nothing_more(plan: Plan) -> None:
    document = with_database(plan(EnvironmentName.DEV), {}, None)
    (line,) = [line for line in cost_of(document, DEV).lines if line.address == DATABASE]
    assert line.after_usd == 0
    assert line.delta_usd < 0


def unpriced_reason(cost: CostDelta, address: str) -> str:
    (reason,) = [unpriced.reason for unpriced in cost.unpriced if address in unpriced.addresses]
    assert address not in [line.address for line in cost.lines]
    return reason


@pytest.mark.parametrize(
    ("address", "attributes", "reason"),
    [
        (DATABASE, {"instance_class": "db.x9g.large"}, "no price for instance class 'db.x9g.large'"),
        (DATABASE, {"engine": "oracle-ee"}, "no price for engine 'oracle-ee'"),
        (DATABASE, {"allocated_storage": None}, "the plan does not say allocated_storage"),
        (NODES, {"instance_types": ["x9g.large"]}, "no price for instance type 'x9g.large'"),
        (NODES, {"capacity_type": "SPOT"}, "spot has no list price"),
    ],
)
def test_what_the_table_does_not_know_is_named_and_never_free(
    plan: Plan, address: str, attributes: dict[str, Any], reason: str
) -> None:
    cost = cost_of(doctored(plan(EnvironmentName.DEV), address, **attributes), DEV)
    assert unpriced_reason(cost, address) == reason


def test_a_type_that_the_table_does_not_know_is_named(plan: Plan) -> None:
    document = plan(EnvironmentName.DEV)
    load_balancer = replace(the_change(document, DATABASE), address="aws_lb.more", type="aws_lb")
    cost = cost_of(with_change(document, load_balancer), DEV)
    assert unpriced_reason(cost, "aws_lb.more") == "the table does not know this type"


def test_a_region_that_the_table_does_not_know_is_named(plan: Plan) -> None:
    elsewhere = DEV.model_copy(update={"environment": DEV.environment.model_copy(update={"region": "eu-north-1"})})
    cost = cost_of(plan(EnvironmentName.DEV), elsewhere)
    assert cost.lines == ()
    assert unpriced_reason(cost, DATABASE) == "the table does not know the region 'eu-north-1'"
