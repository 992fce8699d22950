"""Tokens of the Managed Grafana workspace, with which dashboards are written.

https://docs.aws.amazon.com/grafana/latest/APIReference/API_CreateWorkspaceServiceAccountToken.html
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

from pydantic import SecretStr

from tasks.aws_session import client
from tasks.environment import Environment
from tasks.resource_names import PROJECT, name_prefix
from tasks.secrets.vault import unlogged

# As infra/modules/observability names it.
SERVICE_ACCOUNT = "dashboards"
# The longest that AWS gives, and when a token is renewed at the latest.
LIFETIME, RENEWED_AFTER = timedelta(days=30), timedelta(days=25)


class NoWorkspace(Exception):
    """The workspace, or its service account, is not there: says which."""


@dataclass(frozen=True)
class Token:
    """A token that was just made."""

    identifier: str
    key: SecretStr


class Workspace:
    """The workspace of an environment, and the service account whose tokens these are."""

    def __init__(self, settings: Environment) -> None:
        """Find both.

        Raises:
            NoWorkspace: one of them does not exist.
        """
        self._client: Any = client("grafana", settings)
        name = name_prefix(settings.name)
        found = [space["id"] for space in self._pages("list_workspaces", "workspaces") if space["name"] == name]
        if not found:
            raise NoWorkspace(f"there is no Grafana workspace {name!r}")
        listed = self._pages("list_workspace_service_accounts", "serviceAccounts", workspaceId=found[0])
        accounts = [account["id"] for account in listed if account["name"] == SERVICE_ACCOUNT]
        if not accounts:
            raise NoWorkspace(f"Grafana workspace {name!r} has no service account {SERVICE_ACCOUNT!r}")
        self._account = {"workspaceId": found[0], "serviceAccountId": accounts[0]}

    def make_token(self, now: datetime) -> Token:
        """A new token, which lives for 30 days; tokens that have expired are removed."""
        for token in self._pages("list_workspace_service_account_tokens", "serviceAccountTokens", **self._account):
            if token["name"].startswith(f"{PROJECT}-") and token["expiresAt"] <= now:
                self.remove(token["id"])
        # A name is never used twice: a run that was killed may have left a token whose key nobody knows.
        name = f"{PROJECT}-{now:%Y-%m-%d}-{token_hex(4)}"
        with unlogged():
            answer = self._client.create_workspace_service_account_token(
                name=name, secondsToLive=int(LIFETIME.total_seconds()), **self._account
            )["serviceAccountToken"]
        return Token(answer["id"], SecretStr(answer["key"]))

    def remove(self, identifier: str) -> None:
        """End a token."""
        self._client.delete_workspace_service_account_token(tokenId=identifier, **self._account)

    def _pages(self, operation: str, key: str, **parameters: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator(operation).paginate(**parameters)
        return [entry for page in pages for entry in page[key]]
