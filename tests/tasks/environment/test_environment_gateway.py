"""Budgets of the gateway's clients, and what they need."""

import re
from pathlib import Path

import pytest

from tasks.environment.gateway import ClientBudget, GatewayClient
from tasks.environment.variable_file import load_environment
from tests.tasks.environment.prod_file import PROD, refusal_of_prod, require_prod_refused


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_client_has_a_key_and_a_budget_on_aws(name: str) -> None:
    settings = load_environment(name)
    assert settings.data is not None
    assert settings.models.budgets is not None
    for client in GatewayClient:
        assert settings.data.secrets[client.secret].origin == "generated"
        assert isinstance(settings.models.budgets.of(client), ClientBudget)


def test_the_laptop_has_one_key_and_no_budgets() -> None:
    assert load_environment("local").models.budgets is None


@pytest.mark.parametrize(
    ("secret", "found"),
    [("", "there is none"), ('litellm-agents-key = { origin = "person" }', "its origin is 'person'")],
)
def test_a_budget_needs_a_generated_key(tmp_path: Path, secret: str, found: str) -> None:
    text, count = re.subn(r"litellm-agents-key +=[^\n]*", secret, PROD, count=1)
    assert count == 1
    message = refusal_of_prod(tmp_path, text)
    assert "models.budgets needs data.secrets.litellm-agents-key with origin = 'generated'" in message
    assert found in message


def test_a_budget_needs_the_database_of_the_gateway(tmp_path: Path) -> None:
    text, count = re.subn(r"\n +litellm += \{ major_version[^\n]*", "", PROD, count=1)
    assert count == 1
    assert "models.budgets needs data.postgres.litellm" in refusal_of_prod(tmp_path, text)


@pytest.mark.parametrize("wrong", ['{ usd = 0, every = "month" }', '{ usd = 10, every = "year" }'])
def test_a_budget_is_of_money_and_a_known_time(tmp_path: Path, wrong: str) -> None:
    (right,) = re.findall(r"\n +budgets = \{\n +agents += (\{[^\n]*)", PROD)
    require_prod_refused(tmp_path, right, wrong, ["models.budgets.agents"])
