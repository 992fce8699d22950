"""The keys of the gateway's clients at a gateway that is played over HTTP, because LiteLLM's own needs a database."""

import logging
from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from tasks.environment.gateway import ClientBudget, GatewayClient
from tasks.gateway.clients import RegisteredClient
from tasks.gateway.key import accepted_gateway_key, bearer, forwarded_client
from tasks.gateway.registration import ClientNotRegistered, Registration, client_of, register
from tests.tasks.gateway.played_gateway_keys import MASTER, PlayedKeys, played_gateway_keys, token_of

AGENTS, EVALUATION = GatewayClient.AGENTS, GatewayClient.EVALUATION
FIRST, SECOND, THIRD = ("sk-the-first-of-the-agents", "sk-the-second-of-the-agents", "sk-the-third-of-the-agents")
MONTHLY = ClientBudget(usd=100, every="month")


@pytest.fixture
def played() -> Iterator[PlayedKeys]:
    with played_gateway_keys() as played:
        yield played


@pytest.fixture
def gateway(played: PlayedKeys) -> Iterator[httpx.Client]:
    with forwarded_client(played.address) as gateway:
        gateway.headers.update(bearer(SecretStr(MASTER)))
        yield gateway


def registered(
    gateway: httpx.Client, *keys: str, client: GatewayClient = AGENTS, budget: ClientBudget | None = MONTHLY
) -> Registration:
    return register(gateway, client, [SecretStr(key) for key in keys], budget)


def test_a_key_is_registered_once_with_its_budget(played: PlayedKeys, gateway: httpx.Client) -> None:
    assert registered(gateway, FIRST) == Registration(keys=1, added=1, removed=0)

    (row,) = played.keys.values()
    assert client_of(row["key_alias"]) is AGENTS
    assert (row["max_budget"], row["budget_duration"], row["key_type"]) == (100, "1mo", "llm_api")

    assert registered(gateway, FIRST) == Registration(keys=1, added=0, removed=0)
    assert played.changes == ["/key/generate"]


def test_a_budget_follows_the_environment_file(played: PlayedKeys, gateway: httpx.Client) -> None:
    registered(gateway, FIRST)
    registered(gateway, FIRST, budget=ClientBudget(usd=5, every="day"))
    (row,) = played.keys.values()
    assert (row["max_budget"], row["budget_duration"]) == (5, "1d")

    registered(gateway, FIRST, budget=None)
    (row,) = played.keys.values()
    assert (row["max_budget"], row["budget_duration"]) == (None, None)
    assert played.changes == ["/key/generate", "/key/update", "/key/update"]


def test_a_renewed_key_is_let_in_beside_the_former_one_and_goes_on_with_its_spend(
    played: PlayedKeys, gateway: httpx.Client
) -> None:
    registered(gateway, FIRST)
    played.keys[token_of(FIRST)]["spend"] = 60.0

    assert registered(gateway, SECOND, FIRST) == Registration(keys=2, added=1, removed=0)
    assert played.keys[token_of(SECOND)]["spend"] == 60

    assert registered(gateway, THIRD, SECOND) == Registration(keys=2, added=1, removed=1)
    assert set(played.keys) == {token_of(THIRD), token_of(SECOND)}
    assert played.changes[-2:] == ["/key/generate", "/key/delete"], "the new one is let in before another is removed"


def test_the_value_that_is_registered_is_found_also_when_its_budget_is_spent(
    played: PlayedKeys, gateway: httpx.Client
) -> None:
    registered(gateway, FIRST)
    values = [SecretStr(SECOND), SecretStr(FIRST)]
    with forwarded_client(played.address) as client:
        assert accepted_gateway_key(client, values).get_secret_value() == FIRST
        played.keys[token_of(FIRST)]["spend"] = 100.0
        assert accepted_gateway_key(client, values).get_secret_value() == FIRST


def test_clients_do_not_touch_each_other_nor_what_people_made(played: PlayedKeys, gateway: httpx.Client) -> None:
    by_hand = {"token": "ab" * 32, "key_alias": "agents-of-alice"}
    played.keys["ab" * 32] = by_hand
    registered(gateway, FIRST)
    registered(gateway, SECOND, client=EVALUATION)
    assert registered(gateway, THIRD, client=EVALUATION) == Registration(keys=1, added=1, removed=1)

    assert set(played.keys) == {"ab" * 32, token_of(FIRST), token_of(THIRD)}
    assert played.keys["ab" * 32] == by_hand


def test_a_refusal_names_no_key(played: PlayedKeys, gateway: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    played.broken = True

    with pytest.raises(ClientNotRegistered, match="answers 500 to POST /key/generate") as refusal:
        registered(gateway, FIRST)

    assert FIRST not in str(refusal.value) + caplog.text
    assert MASTER not in str(refusal.value) + caplog.text


def test_what_people_read_says_who_may_spend_what() -> None:
    proved = RegisteredClient(AGENTS, MONTHLY, Registration(keys=2, added=1, removed=0))
    assert proved.row == {
        "client": "agents",
        "budget": "100 USD a month",
        "registered": "proved",
        "keys": 2,
        "added": 1,
        "removed": 0,
    }
    unproved = RegisteredClient(EVALUATION, None).row
    assert (unproved["budget"], unproved["registered"], unproved["keys"]) == ("none", "not-proved", None)
