"""What was spent at a gateway, asked of a local HTTP server that answers as LiteLLM: its own needs a database."""

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import SecretStr

from tasks.environment.variable_file import load_environment
from tasks.gateway.account import GatewaySpend, SpendRefused, spend_at
from tasks.gateway.key import GatewayKeyRefused
from tasks.gateway.spend import judges_of

SINCE, UNTIL = date(2026, 10, 1), date(2026, 10, 31)
CHAT_KEY, JUDGE_KEY, OLD_KEY, UNKNOWN_KEY = "ab" * 32, "cd" * 32, "ef" * 32, "01" * 32
MASTER = "litellm_proxy_master_key"
ALIASES = {CHAT_KEY: "agents-abababab", OLD_KEY: "agents-efefefef", JUDGE_KEY: "evaluation-cdcdcdcd"}


def day(number: int, **keys: float) -> dict[str, object]:
    models = {"qwen3-8b" if number == 1 else "us.amazon.nova-pro-v1:0": sum(keys.values())}
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
            first = day(1, **{OLD_KEY: 0.25, UNKNOWN_KEY: 0.0625, MASTER: 0.125})
            answer: object = [first, day(2, **{CHAT_KEY: 0.5, JUDGE_KEY: 2.0})]
            status = 200
            if self.path.startswith("/key/info?key="):
                hashed = self.path.partition("=")[2]
                # What it knows of a key is more than its name; of the master key nothing.
                answer, status = {"key": hashed, "info": {"key_alias": ALIASES.get(hashed), "spend": 1.0}}, 200
                if hashed in (UNKNOWN_KEY, MASTER):
                    answer, status = {"error": {"message": "Key not found in database"}}, 404
            content = json.dumps(answer if known else {"error": f"Received API Key = {key}"}).encode()
            self.send_response(status if known else 401)
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

    judges = judges_of(load_environment("dev").models)
    spent = spend_at(address, [SecretStr("sk-master")], SINCE, UNTIL, judges)

    by_caller = {"agents": 0.75, "evaluation": 2.0, "the master key": 0.125, UNKNOWN_KEY[:12]: 0.0625}
    assert spent == GatewaySpend(by_caller, {"us.amazon.nova-pro-v1:0": 2.5, "qwen3-8b": 0.4375}, judges)
    assert asked[:2] == ["/v1/models", "/spend/logs?start_date=2026-10-01&end_date=2026-10-31"]
    assert spent.rows == [
        {"by": "caller", "name": "evaluation", "usd": 2.0},
        {"by": "caller", "name": "agents", "usd": 0.75},
        {"by": "caller", "name": "the master key", "usd": 0.125},
        {"by": "caller", "name": UNKNOWN_KEY[:12], "usd": 0.0625},
        {"by": "model", "name": "us.amazon.nova-pro-v1:0", "usd": 2.5},
        {"by": "model", "name": "qwen3-8b", "usd": 0.4375},
        {"by": "judge", "name": "us.amazon.nova-pro-v1:0", "usd": 2.5},
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
