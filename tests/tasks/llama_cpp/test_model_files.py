import os
from pathlib import Path

import pytest

from tasks.environment import EnvironmentName
from tasks.environment.models import PackagedWeights
from tasks.environment.variable_file import load_environment
from tasks.llama_cpp.model_files import ModelUnavailable, ensure_model, sha256

NAMES = ["smollm2-135m", "all-minilm-l6-v2"]


def packaged(name: str) -> PackagedWeights:
    found = load_environment(EnvironmentName.LOCAL).models.catalogue[name].packaged
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_file_is_built_once_and_kept(name: str, tmp_path: Path) -> None:
    first = ensure_model(name, packaged(name), tmp_path)
    written = first.path.stat().st_mtime_ns
    second = ensure_model(name, packaged(name), tmp_path)

    assert (first.origin, second.origin) == ("built", "kept")
    assert sha256(first.path) == first.fingerprint == packaged(name).sha256
    assert second.path.stat().st_mtime_ns == written
    # Nothing is left of the building.
    assert {path.name for path in first.path.parent.iterdir()} <= {"model.gguf", "tokenizer.json"}


def test_only_the_converted_model_has_a_tokenizer(tmp_path: Path) -> None:
    chat = ensure_model("smollm2-135m", packaged("smollm2-135m"), tmp_path)
    embedding = ensure_model("all-minilm-l6-v2", packaged("all-minilm-l6-v2"), tmp_path)

    assert chat.tokenizer_path is None
    assert embedding.tokenizer_path is not None
    assert b"WordPiece" in embedding.tokenizer_path.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_corrupted_file_is_rebuilt_and_said_so(name: str, tmp_path: Path) -> None:
    path = ensure_model(name, packaged(name), tmp_path).path
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"\0 not these bytes \0")

    rebuilt = ensure_model(name, packaged(name), tmp_path)

    assert rebuilt.origin == "rebuilt"
    assert sha256(path) == packaged(name).sha256


def test_truncated_file_is_rebuilt(tmp_path: Path) -> None:
    path = ensure_model("smollm2-135m", packaged("smollm2-135m"), tmp_path).path
    os.truncate(path, 10)

    assert ensure_model("smollm2-135m", packaged("smollm2-135m"), tmp_path).origin == "rebuilt"


def test_tokenizer_that_went_missing_or_was_changed_comes_back(tmp_path: Path) -> None:
    tokenizer = ensure_model("all-minilm-l6-v2", packaged("all-minilm-l6-v2"), tmp_path).tokenizer_path
    assert tokenizer is not None
    content = tokenizer.read_bytes()

    for damage in (b"", content[:100], content.replace(b'"[UNK]"', b'"[???]"')):
        tokenizer.write_bytes(damage)
        assert ensure_model("all-minilm-l6-v2", packaged("all-minilm-l6-v2"), tmp_path).origin == "rebuilt"
        assert tokenizer.read_bytes() == content


def test_missing_package_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    absent = packaged("smollm2-135m").model_copy(update={"package": "no_such_package"})

    with pytest.raises(ModelUnavailable, match=r"'no_such_package'.*requirements/models\.txt"):
        ensure_model("smollm2-135m", absent, tmp_path)


def test_other_weights_than_the_variable_file_wants_are_refused(tmp_path: Path) -> None:
    other = packaged("smollm2-135m").model_copy(update={"source_sha256": "0" * 64})

    with pytest.raises(ModelUnavailable, match=f"wants '{'0' * 64}'"):
        ensure_model("smollm2-135m", other, tmp_path)
    assert list(tmp_path.rglob("model.gguf")) == []


def test_other_result_than_the_variable_file_promises_is_refused_and_not_kept(tmp_path: Path) -> None:
    other = packaged("all-minilm-l6-v2").model_copy(update={"sha256": "0" * 64})

    with pytest.raises(ModelUnavailable, match=r"catalogue\.all-minilm-l6-v2\.packaged\.sha256"):
        ensure_model("all-minilm-l6-v2", other, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_directory_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    occupied = tmp_path / "models"
    occupied.write_text("a file where the directory should be")

    with pytest.raises(ModelUnavailable, match=r"cannot be written to .*MiB are free"):
        ensure_model("smollm2-135m", packaged("smollm2-135m"), occupied)
