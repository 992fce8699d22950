"""The command that gives out API keys, as its administrator types it."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.access.api_key import is_key, prefix_of
from agents.keys import main
from agents.settings_file import SETTINGS_VARIABLE
from agents.state.api_keys import ApiKey, ApiKeys, Revocations
from agents.state.database import StateDatabase
from agents.state.settings import SqliteSettings
from tests.agents.conftest import service_settings
from tests.agents.signed_in import access

Command = Callable[..., list[str]]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state database of the settings that the command finds."""
    state, file = tmp_path / "state.db", tmp_path / "settings.json"
    file.write_text(service_settings("http://127.0.0.1:1", tmp_path, access(state)).model_dump_json())
    monkeypatch.setenv(SETTINGS_VARIABLE, str(file))
    return state


@pytest.fixture
def keys(state: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command; returns the lines that it prints."""

    def run(*words: str, code: int = 0) -> list[str]:
        assert main(words) == code
        printed = capsys.readouterr()
        return (printed.out if code == 0 else printed.err).splitlines()

    return run


@pytest.mark.parametrize(
    "words",
    [
        ("make", "team-search", "--days", "4000000"),
        ("make", "team-search", "--days", "-1"),
        ("rotate", "ak_000000000000", "--overlap-hours", "nan"),
        ("rotate", "ak_000000000000", "--overlap-hours", "inf"),
        ("rotate", "ak_000000000000", "--days", "long"),
    ],
)
def test_no_key_is_valid_for_a_time_that_is_none(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert f"{words[-1]!r} is not a valid number from 0 to" in capsys.readouterr().err


def kept(state: Path, key: str) -> ApiKey:
    async def find() -> ApiKey | None:
        database = StateDatabase(SqliteSettings(state))
        found = await ApiKeys(database).find(prefix_of(key) or "")
        await database.close()
        return found

    found = asyncio.run(find())
    assert found is not None
    return found


def test_a_key_is_shown_once_and_kept_as_a_digest(keys: Command, state: Path) -> None:
    key = keys("make", "team-search", "--scopes", "ask", "search", "--days", "7")[-1]
    found = kept(state, key)
    assert is_key(key, found)
    assert found.scopes == {"ask", "search"}
    assert found.expires_ms - found.created_ms == 7 * 24 * 3600 * 1000
    assert key[15:].encode() not in state.read_bytes()
    (line,) = keys("list")
    assert re.fullmatch(rf"{key[:15]}  team-search  ask search  expires \d{{4}}-\d\d-\d\d \d\d:\d\d", line)


def test_a_rotated_key_has_an_heir_and_ends_later(keys: Command, state: Path) -> None:
    old = keys("make", "team", "--scopes", "ask")[-1]
    new = keys("rotate", old[:15], "--overlap-hours", "2")[-1]
    assert (kept(state, new).owner, kept(state, new).scopes) == ("team", {"ask"})
    hours = (kept(state, old).expires_ms - kept(state, new).created_ms) / 3_600_000
    assert hours == pytest.approx(2, abs=0.1)
    assert len(keys("list", "--owner", "team")) == 2


def test_a_revoked_key_says_so(keys: Command, state: Path) -> None:
    key = keys("make", "team")[-1]
    assert "revoked" in keys("revoke", key)[0]
    assert kept(state, key).revoked_ms is not None


def test_a_caller_is_blocked_and_let_in_again(keys: Command, state: Path) -> None:
    async def is_blocked() -> bool:
        database = StateDatabase(SqliteSettings(state))
        blocked = await Revocations(database).is_revoked("person:ada")
        await database.close()
        return blocked

    keys("block", "person:ada")
    assert asyncio.run(is_blocked())
    assert keys("unblock", "person:ada") == ["person:ada is no longer blocked."]
    assert keys("unblock", "person:ada") == ["person:ada was not blocked."]


def test_a_key_that_does_not_exist_is_wrong_input(keys: Command) -> None:
    assert keys("revoke", "ak_0123456789ab", code=2) == [
        "there is no key ak_0123456789ab; `python -m agents.keys list` shows all"
    ]


def test_settings_without_a_database_are_wrong_input(
    keys: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bare.json"
    settings = json.loads(service_settings("http://127.0.0.1:1", tmp_path).model_dump_json())
    file.write_text(json.dumps(settings))
    monkeypatch.setenv(SETTINGS_VARIABLE, str(file))
    assert "no access.state" in keys("list", code=2)[0]


def test_a_database_that_cannot_be_opened_is_a_failure(keys: Command, state: Path) -> None:
    state.mkdir()
    assert "state.db" in keys("list", code=1)[0]
