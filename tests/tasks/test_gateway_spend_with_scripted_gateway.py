"""What was spent at a gateway, asked of a local HTTP server that answers as LiteLLM: its own needs a database."""

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from tasks.gateway_key import GatewayKeyRefused
from tasks.gateway_spend import GatewaySpend, SpendRefused, spend_at

SINCE, UNTIL = date(2026, 10, 1), date(2026, 10, 31)
CHAT_KEY, JUDGE_KEY = "ab" * 32, "cd" * 32


def day(number: int, **keys: float) -> dict[str, object]:
    models = {"nova-pro": sum(keys.values())}
    return {"startTime": f"2026-10-{number:02}", "spend": 1.0, "users": {"someone": 1.0}, "models": models, **keys}


@pytest.fixture
def gateway() -> Iterator[tuple[str, list[str]]]:
    """Its address, and the paths that it was asked for; it lets in two keys, of which one may not see the spend."""
    asked: list[str] = []

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            key = self.headers["authorization"].removeprefix("Bearer ")
            known = key == "sk-master" or (key == "sk-caller" and self.path == "/v1/models")
            days = [day(1, **{CHAT_KEY: 0.25}), day(2, **{CHAT_KEY: 0.5, JUDGE_KEY: 2.0})]
            content = json.dumps(days if known else {"error": f"Received API Key = {key}"}).encode()
            self.send_response(200 if known else 401)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_spend_is_summed_by_caller_and_model_over_the_days(gateway: tuple[str, list[str]]) -> None:
    address, asked = gateway

    spent = spend_at(address, [SecretStr("sk-master")], SINCE, UNTIL)

    assert spent == GatewaySpend({CHAT_KEY[:12]: 0.75, JUDGE_KEY[:12]: 2.0}, {"nova-pro": 2.75})
    assert asked == ["/v1/models", "/spend/logs?start_date=2026-10-01&end_date=2026-10-31"]
    assert spent.rows == [
        {"by": "caller", "name": JUDGE_KEY[:12], "usd": 2.0},
        {"by": "caller", "name": CHAT_KEY[:12], "usd": 0.75},
        {"by": "model", "name": "nova-pro", "usd": 2.75},
    ]


def test_a_refusal_is_no_spend_of_nothing(gateway: tuple[str, list[str]]) -> None:
    with pytest.raises(SpendRefused, match="answers 401 to the question what was spent") as refusal:
        spend_at(gateway[0], [SecretStr("sk-caller")], SINCE, UNTIL)
    assert "sk-caller" not in str(refusal.value), "the gateway quotes the key"


def test_a_gateway_that_has_the_former_key_still_is_asked_with_it(gateway: tuple[str, list[str]]) -> None:
    address, asked = gateway

    assert spend_at(address, [SecretStr("sk-renewed"), SecretStr("sk-master")], SINCE, UNTIL).by_model
    assert asked[:2] == ["/v1/models"] * 2

    with pytest.raises(GatewayKeyRefused, match="/v1/models with 401, 401 to the present and") as refusal:
        spend_at(address, [SecretStr("sk-renewed"), SecretStr("sk-renewed-again")], SINCE, UNTIL)
    assert "sk-renewed" not in str(refusal.value)
