"""The gateway's configuration of `dev` and `prod` in the real LiteLLM; only addresses are changed."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import yaml

from tasks.environment import Environment
from tasks.environment.variable_file import load_environment
from tasks.gateway.smoke_test import GatewayRefused, smoke_test
from tasks.helm.derivations.gateway import cluster_gateway_configuration, gateway, model_addresses
from tests.ports import free_port
from tests.real_gateway import running_gateway
from tests.tasks.helm.test_shipped_releases import sample_outputs

KEY = "sk-of-the-test"

pytestmark = pytest.mark.timeout(900)


class ModelServers(BaseHTTPRequestHandler):
    """Every model of the cluster at one address, as vLLM and Ray answer; `broken` fails, as often as it is asked."""

    broken = ""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if request["model"] == self.broken:
            return self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": {"message": "no node"}})
        if self.path.endswith("/embeddings"):
            data = [{"object": "embedding", "index": 0, "embedding": [0.5] * 384}]
            return self._answer(HTTPStatus.OK, {"object": "list", "data": data, "model": request["model"]})
        message = {"role": "assistant", "content": f"I am {request['model']}"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage}
        return self._answer(HTTPStatus.OK, {**answer, "model": request["model"]})

    def _answer(self, status: HTTPStatus, document: Any) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), ModelServers)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@contextmanager
def gateway_of_the_cluster(settings: Environment, servers: str, directory: Path) -> Generator[str]:
    """LiteLLM with the configuration of the environment's cluster, where only addresses are others."""
    text = cluster_gateway_configuration(settings, sample_outputs(settings.name.value))
    for address in model_addresses(settings).values():
        text = text.replace(address, servers)
    configuration = yaml.safe_load(text)
    # Who connects to the cache signs for AWS; there is none here, and without an answer LiteLLM goes on.
    for name in ("host", "port"):
        if "cache_params" in configuration["litellm_settings"]:
            configuration["litellm_settings"]["cache_params"][name] = "127.0.0.1" if name == "host" else free_port()
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    text = yaml.safe_dump(configuration)
    with running_gateway(text, directory, {**credentials, "LITELLM_MASTER_KEY": KEY}) as address:
        yield address


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_real_gateway_loads_the_configuration_and_every_model_answers(
    name: str, servers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_environment(name)
    with gateway_of_the_cluster(settings, servers, tmp_path) as address:
        offered = httpx.get(f"{address}/v1/models", headers={"Authorization": f"Bearer {KEY}"}, timeout=60).json()
        refused = httpx.get(f"{address}/v1/models", headers={"Authorization": "Bearer sk-other"}, timeout=60)
        priced = httpx.get(
            f"{address}/model_group/info", headers={"Authorization": f"Bearer {KEY}"}, timeout=60
        ).json()["data"]
        tried = smoke_test(address, KEY, settings.models)
        monkeypatch.setattr(ModelServers, "broken", settings.models.chat)
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client:
            body = {"model": settings.models.chat, "messages": [{"role": "user", "content": "Who are you?"}]}
            helped = client.post("/v1/chat/completions", json=body)
        with pytest.raises(GatewayRefused, match=f"model '{settings.models.chat}' does not answer"):
            smoke_test(address, KEY, settings.models, [settings.models.chat])

    assert {model["id"] for model in offered["data"]} == set(settings.models.catalogue)
    # By these prices LiteLLM decides whether a client without budget is still let to a model.
    costs = {each["model_group"]: each["input_cost_per_token"] + each["output_cost_per_token"] for each in priced}
    assert {name for name, usd in costs.items() if usd > 0} == {settings.models.judge}
    assert set(costs) == set(settings.models.catalogue)
    # Without its database LiteLLM calls a key that it does not know an error of its own.
    assert not refused.is_success
    assert [(row.model, row.size) for row in tried] == [
        ("all-minilm-l6-v2", 384),
        ("qwen2-5-7b-instruct", 4),
        ("qwen3-8b", 4),
    ]
    (fallback,) = settings.models.catalogue[settings.models.chat].fallbacks
    assert helped.json()["choices"][0]["message"]["content"] == f"I am {fallback}"


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_stores_of_the_environment_are_shared_by_the_replicas(name: str) -> None:
    settings, outputs = load_environment(name), sample_outputs(name)
    values: Any = gateway(settings, outputs)
    configuration = yaml.safe_load(values["configuration"])

    assert configuration["general_settings"]["allow_requests_on_db_unavailable"] is True
    assert values["postgres"]["secret"] == outputs["data"]["postgres"]["litellm"]["secret_arn"]
    cached = configuration["litellm_settings"].get("cache_params")
    if "litellm" in outputs["valkey"]:
        assert (cached["aws_iam_auth"], cached["aws_iam_cache_name"]) == (True, f"agentic-eks-{name}-litellm")
    else:
        assert cached is None
    assert "sk-" not in values["configuration"]
