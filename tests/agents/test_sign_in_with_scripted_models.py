"""Who gets in where: every route, with every kind of caller."""

import base64
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from agents.access.policy import OPEN, SCOPES, opening_scopes
from agents.caller import SCOPES as ALL_SCOPES
from agents.caller import Scope
from tests.agents.conftest import Running, running_service
from tests.agents.signed_in import (
    ISSUER,
    KEY_ID,
    SIGNER,
    Doorkeeper,
    Headers,
    PlayedLoadBalancer,
    access,
    bearer,
    played_load_balancer,
)

SENTENCE = "`make down` stops every process that `make up` started."
CONVERSATION = "/v1/conversations/0001"
ROUTES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/ask"): {"question": "What does make down stop?"},
    ("POST", "/v1/chat/completions"): {"model": "agentic-eks", "messages": [{"role": "user", "content": "Hi?"}]},
    ("GET", "/v1/models"): None,
    ("GET", "/v1/models/agentic-eks"): None,
    ("POST", "/v1/search"): {"query": "make down"},
    ("POST", "/mcp"): {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
    ("POST", "/v1/feedback"): {"trace_id": "0" * 32, "rating": "up"},
    ("GET", "/v1/documents"): None,
    ("GET", "/v1/conversations"): None,
    ("GET", CONVERSATION): None,
    ("DELETE", CONVERSATION): None,
    ("GET", "/openapi.json"): None,
    ("POST", "/v1/nowhere"): None,
}


@dataclass(frozen=True)
class Guarded:
    """A service whose callers sign in, who gives out its keys, and the load balancer before it."""

    service: Running
    doorkeeper: Doorkeeper
    balancer: PlayedLoadBalancer

    def call(self, method: str, path: str, headers: Headers, body: Any = None) -> httpx.Response:
        return httpx.request(method, f"{self.service.url}{path}", headers=headers, json=body, timeout=60)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    directory = tmp_path_factory.mktemp("guarded")
    state = directory / "state.db"
    with ExitStack() as stack:
        balancer = stack.enter_context(played_load_balancer())
        service = stack.enter_context(running_service(directory, access=access(state, balancer)))
        service.gateway.reply = SENTENCE
        service.wait_until_ready()
        yield Guarded(service, Doorkeeper(state), balancer)


def refused(doorkeeper: Doorkeeper, balancer: PlayedLoadBalancer) -> dict[str, Headers]:
    """Callers who are nobody, by what is wrong with them."""
    good = doorkeeper.key("team")
    revoked, expired = doorkeeper.key("team"), doorkeeper.key("team", days=-1)
    doorkeeper.revoke(revoked[: len("ak_") + 12])
    doorkeeper.revoke("key:blocked")
    doorkeeper.revoke("person:mallory")
    return {
        "anonymous": {},
        "no key": bearer("sk-secret"),
        "empty": {"authorization": "Bearer"},
        "basic": {"authorization": "Basic YTpi"},
        "unknown": bearer("ak_000000000000_" + "A" * 43),
        "one letter changed": bearer(good[:-1] + ("A" if good[-1] != "A" else "B")),
        "only the prefix": bearer(good[:15]),
        "expired": bearer(expired),
        "revoked": bearer(revoked),
        "blocked owner": doorkeeper.headers("blocked"),
        "blocked person": balancer.headers("mallory"),
        "identity without a token": {"x-amzn-oidc-identity": "ada"},
        "a bad key beside a good token": balancer.headers() | bearer("ak_000000000000_" + "A" * 43),
        "another's signature": balancer.headers(key=ec.generate_private_key(ec.SECP256R1())),
        "no signature": balancer.headers(key=None, algorithm="none"),
        "a shared secret": balancer.headers(key="s" * 64, algorithm="HS256"),
        "another load balancer": balancer.headers(signer=SIGNER.replace("111122223333", "444455556666") + "50dc"),
        "a name that begins alike": balancer.headers(signer=SIGNER.removesuffix("/") + "-2/50dc"),
        "another client": balancer.headers(client="another"),
        "another provider": balancer.headers(iss="https://id.example.org/"),
        "a provider that is written otherwise": balancer.headers(iss=ISSUER.removesuffix("/")),
        "a provider that is no text": balancer.headers(iss=[]),
        "no such key": balancer.headers(kid="11111111-1c3e-4f34-a6d3-5b5a8d0d7d11"),
        "a key elsewhere": balancer.headers(kid=f"../{KEY_ID}"),
        "an old token": balancer.headers(exp=1),
        "no token": {"x-amzn-oidc-data": "a.b.c"},
    }


def test_nobody_gets_anywhere_without_being_known(guarded: Guarded) -> None:
    """Every kind of unknown caller against every route that is not open."""
    let_in: list[str] = []
    for kind, headers in refused(guarded.doorkeeper, guarded.balancer).items():
        for (method, path), body in ROUTES.items():
            response = guarded.call(method, path, headers, body)
            if response.status_code != 401 or response.headers.get("www-authenticate") != "Bearer":
                let_in.append(f"{kind}: {method} {path} -> {response.status_code} {response.text[:80]}")
            assert response.json()["error"]["code"] == "invalid_api_key"
    assert let_in == []


@pytest.mark.parametrize("scope", ALL_SCOPES)
def test_a_scope_opens_its_routes_and_no_other(guarded: Guarded, scope: Scope) -> None:
    headers = guarded.doorkeeper.headers(f"only-{scope}", (scope,))
    wrong: list[str] = []
    for (method, path), body in ROUTES.items():
        may = scope == "admin" or scope in opening_scopes(path)
        status = guarded.call(method, path, headers, body).status_code
        if (status != 403) is not may or status in {401, 500}:
            wrong.append(f"{method} {path} -> {status}")
    assert wrong == []


def test_a_person_whom_the_load_balancer_signed_in_may_ask_but_not_administrate(guarded: Guarded) -> None:
    headers = guarded.balancer.headers()
    assert guarded.call("POST", "/v1/ask", headers, ROUTES["POST", "/v1/ask"]).status_code == 200
    assert guarded.call("GET", "/openapi.json", headers).status_code == 403


def test_a_token_with_padded_parts_is_understood(guarded: Guarded) -> None:
    """As the load balancer makes them: its signature covers the padding."""
    headers = guarded.balancer.headers()
    parts = headers["x-amzn-oidc-data"].split(".")
    signed = ".".join(part + "=" * (-len(part) % 4) for part in parts[:2])
    der = guarded.balancer.key.sign(signed.encode(), ec.ECDSA(SHA256()))
    r, s = decode_dss_signature(der)
    signature = base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode()
    padded = headers | {"x-amzn-oidc-data": f"{signed}.{signature}"}
    assert guarded.call("GET", "/v1/models", padded).status_code == 200


@pytest.mark.parametrize("path", sorted(OPEN | {"/page/app.js"}))
def test_what_is_open_needs_nobody(guarded: Guarded, path: str) -> None:
    assert guarded.call("GET", path, {}).status_code == 200


def test_every_route_of_the_service_is_decided_upon(guarded: Guarded) -> None:
    """A new route that nobody put into the policy is for admins; this says that it was forgotten."""
    admin = guarded.doorkeeper.headers("root", ("admin",))
    paths = guarded.call("GET", "/openapi.json", admin).json()["paths"]
    assert {path for path in paths if opening_scopes(path) == ("admin",)} == set()
    asked = {path for _, path in ROUTES} | {"/v1/models/{model}", "/v1/conversations/{conversation_id}"}
    assert {path for path in paths if path not in OPEN} <= asked
    assert set(SCOPES) <= asked


@pytest.mark.parametrize(
    "path", ["/v1/ask/", "//v1/ask", "/V1/ask", "/v1/ask%2f", "/page", "/healthz/", "/page/../v1/ask"]
)
def test_a_path_that_is_written_otherwise_is_no_way_round(guarded: Guarded, path: str) -> None:
    connection = httpx.Client(base_url=guarded.service.url, timeout=60)
    with connection:
        request = connection.build_request("POST", "/", json={"question": "What does make down stop?"})
        request.url = request.url.copy_with(raw_path=path.encode())
        assert connection.send(request).status_code in {401, 404, 405}


def test_a_key_is_rotated_and_revoked_while_the_service_runs(guarded: Guarded) -> None:
    old, new = guarded.doorkeeper.key("rotating"), guarded.doorkeeper.key("rotating")
    for key in (old, new):
        assert guarded.call("GET", "/v1/models", bearer(key)).status_code == 200
    guarded.doorkeeper.revoke(old[:15])
    revoked = guarded.call("GET", "/v1/models", bearer(old))
    assert revoked.status_code == 401
    assert "was revoked at" in revoked.json()["error"]["message"]
    assert guarded.call("GET", "/v1/models", bearer(new)).status_code == 200


def test_a_conversation_is_its_owners_alone(guarded: Guarded) -> None:
    owner, other = guarded.doorkeeper.headers("owner"), guarded.doorkeeper.headers("other")
    person = guarded.balancer.headers("owner")
    identifier = str(uuid.uuid4())
    body = {"question": "What does make down stop?", "conversation_id": identifier}
    assert guarded.call("POST", "/v1/ask", owner, body).status_code == 200
    path = f"/v1/conversations/{identifier}"
    for stranger in (other, person):
        for method in ("GET", "DELETE"):
            response = guarded.call(method, path, stranger)
            assert response.status_code == 404
            assert SENTENCE not in response.text
        assert guarded.call("GET", "/v1/conversations", stranger).json()["conversations"] == []
    # The same id in another's hand is another conversation.
    assert guarded.call("POST", "/v1/ask", other, body).status_code == 200
    assert guarded.call("DELETE", path, other).status_code == 204
    # A new key of the owner finds what the old one began.
    read = guarded.call("GET", path, guarded.doorkeeper.headers("owner")).json()
    assert [turn["question"] for turn in read["turns"]] == ["What does make down stop?"]
    assert read["turns"][0]["answer"]["sentences"][0]["text"] == SENTENCE


def test_a_conversation_grows_is_listed_and_deleted(guarded: Guarded) -> None:
    headers = guarded.doorkeeper.headers("writer")
    streaming = headers | {"accept": "text/event-stream"}
    questions = ["What does make down stop?", "What does make down do?"]
    for question, how in zip(questions, (headers, streaming), strict=True):
        asked = guarded.call("POST", "/v1/ask", how, {"question": question, "conversation_id": "mine"})
        assert asked.status_code == 200
    (listed,) = guarded.call("GET", "/v1/conversations", headers).json()["conversations"]
    assert (listed["id"], listed["title"]) == ("mine", questions[0])
    read = guarded.call("GET", "/v1/conversations/mine", headers).json()
    assert [turn["question"] for turn in read["turns"]] == questions
    assert read["turns"][1]["answer"]["trace_id"] == read["turns"][1]["trace_id"]
    assert guarded.call("DELETE", "/v1/conversations/mine", headers).status_code == 204
    assert guarded.call("GET", "/v1/conversations/mine", headers).status_code == 404


def test_another_site_may_not_ask(guarded: Guarded) -> None:
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for answer in (
        guarded.call("OPTIONS", "/v1/ask", headers),
        guarded.call("GET", "/healthz", headers),
        guarded.call("GET", "/v1/models", headers | guarded.doorkeeper.headers("team")),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control-")]
