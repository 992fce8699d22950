"""Prefect is asked for a refresh as somebody: a real server that wants an auth string, a scripted Prefect Cloud."""

import logging
from collections.abc import Generator
from datetime import timedelta

import pytest
from prefect.client.orchestration import SyncPrefectClient

from agents.refresh_request import RefreshRequests
from agents.refresh_settings import PrefectCredentials, Refresh, prefect_authorization
from agents.settings_file import InvalidSettings
from tests.agents.talking import PrefectApi
from tests.prefect_server import running_prefect_server

KEY, AUTH = "pnu_0123456789abcdef", "agents:a-pass:word"
HEADER = "YWdlbnRzOmEtcGFzczp3b3Jk"
VALUES = {"PREFECT_API_KEY": KEY, "PREFECT_API_AUTH_STRING": AUTH, "OTHER": "agents:other"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A server that answers nobody without its auth string, with the deployment `knowledge/local`."""
    home = tmp_path_factory.mktemp("guarded")
    with running_prefect_server(home, {"PREFECT_SERVER_API_AUTH_STRING": AUTH}) as url:
        with SyncPrefectClient(url, auth_string=AUTH) as client:
            client.create_deployment(client.create_flow_from_name("knowledge"), "local", entrypoint="none.py:none")
        yield url


@pytest.fixture
def cloud() -> Generator[PrefectApi]:
    api = PrefectApi()
    api.start()
    yield api
    api.stop()


async def state_after_asking(refresh: Refresh) -> str:
    requests = RefreshRequests(refresh, prefect_authorization(refresh, VALUES), "dev", timedelta(hours=1))
    requests.ask("f" * 64)
    await requests.settled()
    await requests.close()
    return requests.state


def at(url: str, credentials: PrefectCredentials | None) -> Refresh:
    return Refresh(api_url=url, deployment="knowledge/local", credentials=credentials)


def told(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, with what log processors get beside the message."""
    return "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)


@pytest.mark.prefect_server
async def test_a_server_of_ones_own_is_asked_with_its_auth_string(
    guarded: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert await state_after_asking(at(guarded, None)) == (
        "a refresh could not be asked for: Prefect answered 401 for 'knowledge/local'"
    )
    other = PrefectCredentials(kind="auth_string", variable="OTHER")
    assert "Prefect answered 401" in await state_after_asking(at(guarded, other))

    credentials = PrefectCredentials(kind="auth_string", variable="PREFECT_API_AUTH_STRING")
    assert await state_after_asking(at(guarded, credentials)) == "a refresh was asked for"
    with SyncPrefectClient(guarded, auth_string=AUTH) as client:
        assert len(client.read_flow_runs()) == 1
    logged = told(caplog)
    assert "Prefect answered 401" in logged
    assert AUTH not in logged
    assert HEADER not in logged


async def test_prefect_cloud_is_asked_with_an_api_key(cloud: PrefectApi, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    credentials = PrefectCredentials(kind="api_key", variable="PREFECT_API_KEY")
    assert await state_after_asking(at(cloud.url, credentials)) == "a refresh was asked for"
    assert cloud.authorized == [f"Bearer {KEY}"] * 2
    assert KEY not in told(caplog)


async def test_nothing_is_sent_where_nobody_signs_in(cloud: PrefectApi) -> None:
    assert await state_after_asking(at(cloud.url, None)) == "a refresh was asked for"
    assert cloud.authorized == [None, None]


@pytest.mark.parametrize(
    ("value", "said"), [("", "PREFECT_API_KEY is not set"), (f"{KEY}\n", "does not hold a valid API key")]
)
def test_a_value_that_is_no_key_stops_the_start_and_is_not_quoted(value: str, said: str) -> None:
    refresh = at("http://prefect", PrefectCredentials(kind="api_key", variable="PREFECT_API_KEY"))
    with pytest.raises(InvalidSettings, match=said) as refusal:
        prefect_authorization(refresh, {"PREFECT_API_KEY": value})
    assert KEY not in str(refusal.value)
