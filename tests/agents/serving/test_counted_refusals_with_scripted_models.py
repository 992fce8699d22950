"""Who is refused before a route is reached is counted under the one that was asked for, where alerts look."""

import re
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from tests.agents.conftest import running_service
from tests.agents.signed_in import Doorkeeper, Headers, PlayedLoadBalancer, access
from tests.ports import free_port

COUNTED = re.compile(r'^agents_requests_total{route="(.+)",status="(.+)"} (.+)$', re.MULTILINE)
TIMED = re.compile(r'^agents_request_seconds_count{route="(.+)"} (.+)$', re.MULTILINE)


def test_refusals_of_every_layer_are_counted_where_alerts_look(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    # Its keys do not come.
    balancer = PlayedLoadBalancer(f"http://127.0.0.1:{free_port()}", ec.generate_private_key(ec.SECP256R1()))
    told = access(state, balancer, allowance={"requests_per_minute": 1, "burst": 2})
    doorkeeper = Doorkeeper(state)
    with running_service(tmp_path, access=told) as service:

        def refused(method: str, path: str, headers: Headers, content: bytes = b"") -> int:
            url = f"{service.url}{path}"
            return httpx.request(method, url, headers=headers, content=content, timeout=60).status_code

        caller, rater = doorkeeper.headers("team"), doorkeeper.headers("rater", ("feedback",))
        assert refused("POST", "/v1/ask", {}) == 401
        assert refused("POST", "/mcp", {}) == 401
        assert refused("DELETE", "/v1/conversations/0001", {}) == 401
        assert refused("POST", "/v1/search", rater) == 403
        assert refused("POST", "/v1/ask", balancer.headers()) == 503
        assert refused("POST", "/v1/chat/completions", caller, b"x" * 300_000) == 413
        assert refused("POST", "/v1/chat/completions", caller, b"\xff") == 400
        assert refused("GET", "/v1/models", caller) == 429
        # What anyone can invent shares one label.
        assert refused("GET", "/v1/nowhere", {}) == refused("GET", "/v1/ask'; --", {}) == 401
        metrics = httpx.get(f"{service.url}/metrics", timeout=60).text
    assert {(route, status): float(count) for route, status, count in COUNTED.findall(metrics)} == {
        ("/v1/ask", "401"): 1,
        ("/mcp", "401"): 1,
        ("/v1/conversations", "401"): 1,
        ("/v1/search", "403"): 1,
        ("/v1/ask", "503"): 1,
        ("/v1/chat/completions", "413"): 1,
        ("/v1/chat/completions", "400"): 1,
        ("/v1/models", "429"): 1,
        ("none", "401"): 2,
    }
    # How soon somebody is refused says nothing of how long answers take.
    assert {route for route, _ in TIMED.findall(metrics)} == {"none"}
