"""Roles inside the search domain, written by the official client to a scripted server that speaks the security API.

The server stands in for the domain: it keeps what it is sent, and answers with the keys that OpenSearch adds.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from opensearchpy import AuthorizationException

from rehearsal.aws import EmulatedAws
from tasks.environment import EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.search_access import ensure_search_access
from tests.json_server import running_json_server

PREFIX = "/_plugins/_security/api/"
ADDED = {"reserved": False, "hidden": False, "static": False, "description": None}
ARN = "arn:aws:iam::111122223333:role/agentic-eks-dev"


@dataclass
class SecurityApi:
    """What the server holds (`roles`, `rolesmapping`), and what it was asked."""

    address: str = ""
    held: dict[str, dict[str, Any]] = field(default_factory=lambda: {"roles": {}, "rolesmapping": {}})
    requests: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    signatures: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    refuses: bool = False

    @property
    def writes(self) -> list[str]:
        return [path for method, path in self.requests if method != "GET"]


@pytest.fixture
def api() -> Iterator[SecurityApi]:
    held = SecurityApi()

    def answer(request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, Any]]:
        held.requests.append((request.command, request.path))
        held.signatures.append((request.headers["Authorization"], request.headers["X-Amz-Security-Token"]))
        if held.refuses:
            return 403, {}
        kind, _, name = request.path.removeprefix(PREFIX).rstrip("/").partition("/")
        if request.command == "PUT":
            held.held[kind][name] = {**ADDED, **json.loads(body)}
            for granted in held.held[kind][name].get("index_permissions", []):
                granted.update({"fls": [], "masked_fields": []})
        return 200, held.held[kind]

    with running_json_server(answer, "GET", "PUT") as address:
        held.address = address
        yield held


@pytest.fixture
def access(api: SecurityApi, emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Terraform's outputs, with the scripted server as the domain."""
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    pods = {pod: {"role_arn": f"{ARN}-{pod}"} for pod in ("agents", "ray", "prefect-worker", "litellm")}
    return {
        "search": {"endpoint": api.address, "administrator_role_arn": f"{ARN}-search-administrator"},
        "identity": {"pod_identities": pods},
    }


def ensure(outputs: dict[str, Any]) -> list[str]:
    return ensure_search_access.fn(load_environment(EnvironmentName.DEV), outputs)


def test_agents_read_and_ray_and_the_workers_write(api: SecurityApi, access: dict[str, Any]) -> None:
    changed = ensure(access)

    assert len(changed) == 4
    mapped = {name: mapping["backend_roles"] for name, mapping in api.held["rolesmapping"].items()}
    assert mapped == {
        "agentic-eks-dev-readers": [f"{ARN}-agents"],
        "agentic-eks-dev-writers": [f"{ARN}-prefect-worker", f"{ARN}-ray"],
    }
    for role in api.held["roles"].values():
        (granted,) = role["index_permissions"]
        assert granted["index_patterns"] == ["dev", "dev-*"]
    (granted,) = api.held["roles"]["agentic-eks-dev-readers"]["index_permissions"]
    assert granted["allowed_actions"] == ["indices:admin/aliases/get", "indices:admin/get", "read"]


def test_a_second_run_only_reads(api: SecurityApi, access: dict[str, Any]) -> None:
    ensure(access)
    api.requests.clear()

    assert ensure(access) == []
    assert api.writes == []


def test_only_what_was_changed_by_hand_is_written(api: SecurityApi, access: dict[str, Any]) -> None:
    ensure(access)
    api.held["rolesmapping"]["agentic-eks-dev-readers"]["users"] = ["a-friend"]
    api.held["roles"]["agentic-eks-dev-writers"]["index_permissions"][0]["allowed_actions"] = ["indices_all"]
    api.requests.clear()

    changed = ensure(access)

    assert changed == [f"mapping of agentic-eks-dev-readers to {ARN}-agents", "role agentic-eks-dev-writers"]
    assert api.writes == [f"{PREFIX}rolesmapping/agentic-eks-dev-readers", f"{PREFIX}roles/agentic-eks-dev-writers"]
    assert api.held["rolesmapping"]["agentic-eks-dev-readers"]["users"] == []


def test_a_role_of_somebody_else_is_left_alone(api: SecurityApi, access: dict[str, Any]) -> None:
    theirs = {**ADDED, "cluster_permissions": ["*"], "index_permissions": [], "tenant_permissions": []}
    api.held["roles"]["theirs"] = theirs

    ensure(access)

    assert api.held["roles"]["theirs"] == theirs


def test_requests_are_signed_as_the_administrator(api: SecurityApi, access: dict[str, Any]) -> None:
    ensure(access)

    for authorization, token in api.signatures:
        assert "/us-east-1/es/aws4_request" in authorization
        assert "REHEARSAL" not in authorization, "signed with the flow's own key, not the administrator's"
        assert token


def test_a_refusal_is_an_error(api: SecurityApi, access: dict[str, Any]) -> None:
    api.refuses = True

    with pytest.raises(AuthorizationException):
        ensure(access)
