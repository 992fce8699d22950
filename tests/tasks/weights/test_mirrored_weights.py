"""Weights from a hub on this machine into an emulated bucket and back, with the real clients of both."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from pydantic import SecretStr

from rehearsal.aws import EmulatedAws
from rehearsal.model_hub import HubModel, ModelHub, running_model_hub
from tasks.environment.models import RepositoryWeights
from tasks.weights.hub import ENDPOINT_VARIABLE, open_hub
from tasks.weights.load import fetch, keep, main
from tasks.weights.manifest import Manifest, WeightsRefused, read_manifest
from tasks.weights.mirror import Mirrored, Place, mirror

REPOSITORY, REVISION = "owner/model", "a" * 40
LARGE = bytes(range(256)) * 4096
FILES = {
    "config.json": b"{}",
    "model.safetensors": LARGE,
    "LICENSE": b"free",
    "onnx/model.json": b"another format",
    "pytorch_model.bin": b"the same weights again",
    "1_Pooling/config.json": b"[]",
}
PATHS = ["1_Pooling/config.json", "LICENSE", "config.json", "model.safetensors"]
Run = Callable[..., Mirrored]


@pytest.fixture
def model() -> HubModel:
    return HubModel(REVISION, "apache-2.0", FILES)


@pytest.fixture
def hub(model: HubModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHub]:
    with running_model_hub({REPOSITORY: model}) as hub:
        monkeypatch.setenv(ENDPOINT_VARIABLE, hub.address)
        yield hub


@pytest.fixture
def place(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    s3: Any = boto3.client("s3")
    bucket = f"models-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    return Place(s3, bucket, f"weights/{REPOSITORY}/{REVISION}")


@pytest.fixture
def run(hub: ModelHub, place: Place) -> Run:
    def run(licence: str = "apache-2.0", pinned: str | None = None, token: str | None = None) -> Mirrored:
        weights = RepositoryWeights(repository=REPOSITORY, revision=REVISION, licence=licence, manifest_sha256=pinned)
        with open_hub(REPOSITORY, REVISION, SecretStr(token) if token else None) as opened:
            return mirror("model", weights, opened, place, lambda line: None)

    return run


def stored(place: Place) -> Manifest:
    manifest = read_manifest(place.s3, place.bucket, place.prefix)
    assert manifest is not None
    return manifest


def test_what_a_server_reads_is_mirrored_with_hashes_and_licence(run: Run, place: Place) -> None:
    done = run()

    manifest = stored(place)
    assert [file.path for file in manifest.files] == PATHS
    assert all(file.sha256 == hashlib.sha256(FILES[file.path]).hexdigest() for file in manifest.files)
    assert (manifest.licence, manifest.origin) == ("apache-2.0", f"{REPOSITORY}@{REVISION}")
    assert (done.files, done.copied, done.size) == (4, done.size, sum(len(FILES[path]) for path in PATHS))


def test_a_second_run_asks_the_hub_for_nothing(run: Run, hub: ModelHub) -> None:
    first = run()
    hub.requests.clear()

    again = run(pinned=first.manifest_sha256)

    assert hub.requests == []
    assert (again.copied, again.manifest_sha256) == (0, first.manifest_sha256)


def test_a_file_that_breaks_off_is_taken_up_where_it_broke(run: Run, hub: ModelHub, model: HubModel) -> None:
    model.breaks_after = 300_000

    run()

    path = f"/{REPOSITORY}/resolve/{REVISION}/model.safetensors"
    assert hub.requests.count(path) == 2


def test_a_run_that_was_stopped_goes_on_with_the_next_file(run: Run, hub: ModelHub, place: Place) -> None:
    run()
    place.s3.delete_object(Bucket=place.bucket, Key=f"{place.prefix}/manifest.json")
    hub.requests.clear()

    run()

    assert [path for path in hub.requests if path.endswith("model.safetensors")] == []
    assert [file.path for file in stored(place).files] == PATHS


@pytest.mark.parametrize("path", ["model.safetensors", "config.json"])
def test_another_content_than_the_hub_promises_is_not_kept(run: Run, model: HubModel, place: Place, path: str) -> None:
    model.promised[path] = "0" * 64

    with pytest.raises(WeightsRefused, match=path):
        run()

    assert read_manifest(place.s3, place.bucket, place.prefix) is None
    assert place.s3.list_multipart_uploads(Bucket=place.bucket).get("Uploads", []) == []


def test_another_licence_than_the_file_says_is_refused(run: Run, place: Place) -> None:
    with pytest.raises(WeightsRefused, match=r"weights.licence = 'mit', but the repository says 'apache-2.0'"):
        run(licence="mit")

    assert "Contents" not in place.s3.list_objects_v2(Bucket=place.bucket)


def test_other_files_than_the_pinned_ones_are_refused_before_and_after_they_are_there(run: Run) -> None:
    for _ in range(2):
        with pytest.raises(WeightsRefused, match=r"manifest_sha256 = '1{64}', but the files of owner/model@a+ have"):
            run(pinned="1" * 64)
    run()
    with pytest.raises(WeightsRefused, match="manifest_sha256"):
        run(pinned="1" * 64)


def test_a_repository_that_wants_a_token_gets_it_or_says_so(run: Run, model: HubModel) -> None:
    model.token = "hf_secret"

    with pytest.raises(WeightsRefused, match="supply an access token as the secret weights-token") as refused:
        run(token="hf_other")
    assert "hf_" not in str(refused.value)

    assert run(token="hf_secret").files == 4


def test_a_pod_loads_what_was_mirrored_and_nothing_twice(run: Run, place: Place, tmp_path: Path) -> None:
    run()
    arguments = ["fetch", "--bucket", place.bucket, "--prefix", place.prefix, "--directory", str(tmp_path)]

    main(arguments)
    first = (tmp_path / "model.safetensors").stat()
    main(arguments)

    assert (tmp_path / "model.safetensors").stat().st_mtime_ns == first.st_mtime_ns
    loaded = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert loaded == {path: FILES[path] for path in PATHS}


def test_a_changed_object_is_not_loaded(run: Run, place: Place, tmp_path: Path) -> None:
    run()
    place.s3.put_object(Bucket=place.bucket, Key=f"{place.prefix}/config.json", Body=b"{!")

    with pytest.raises(WeightsRefused, match=r"config.json has SHA-256 .* somebody changed it"):
        fetch(place.s3, place.bucket, place.prefix, tmp_path)

    assert not (tmp_path / "config.json").exists()


def test_nothing_there_is_an_error_unless_it_may_be_so(place: Place, tmp_path: Path) -> None:
    arguments = ["fetch", "--bucket", place.bucket, "--prefix", "compiled/x", "--directory", str(tmp_path)]

    with pytest.raises(SystemExit, match=r"compiled/x has no manifest: run the flow models"):
        main(arguments)

    main([*arguments, "--if-there"])
    assert list(tmp_path.iterdir()) == []


def test_what_was_compiled_is_kept_once(place: Place, tmp_path: Path) -> None:
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph" / "model.neff").write_bytes(b"compiled")
    keep(place.s3, place.bucket, "compiled/x", tmp_path)
    (tmp_path / "graph" / "model.neff").write_bytes(b"compiled again")

    keep(place.s3, place.bucket, "compiled/x", tmp_path)

    assert fetch(place.s3, place.bucket, "compiled/x", tmp_path / "elsewhere") is not None
    assert (tmp_path / "elsewhere" / "graph" / "model.neff").read_bytes() == b"compiled"
