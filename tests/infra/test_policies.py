"""Policies that a first plan cannot show, because they name what is yet to be made, are no wider than the others."""

import json

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.plan_policy.access import least_privilege, unjudged_policies
from tasks.plan_policy.policy_documents import policy_texts
from tasks.terraform.plan_document import read_plan_document
from tests.infra.conftest import MockedTest
from tests.plans import Plan

pytestmark = pytest.mark.terraform


@pytest.mark.parametrize("name", [EnvironmentName.DEV, EnvironmentName.PROD])
def test_every_policy_is_judged_and_kept(mocked_test: MockedTest, plan: Plan, name: EnvironmentName) -> None:
    (mocked,) = [message["test_plan"] for message in mocked_test(name) if message["type"] == "test_plan"]
    frame = {"format_version": mocked["plan_format_version"], "terraform_version": "mocked", "complete": True}
    document = read_plan_document(json.dumps({**frame, "resource_changes": mocked["resource_changes"]}))
    assert list(least_privilege(document, load_environment(name))) == []
    shown = {text.address for text in policy_texts(document)}
    assert set(unjudged_policies(plan(name))) <= shown
