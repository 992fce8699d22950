"""Images of a commit become those of an environment; ECR's API is emulated, and what was pushed is put there."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient

from flows.images import NoCommit, images
from rehearsal.aws import EmulatedAws
from tasks.environment import EnvironmentName
from tasks.environment.data import IMAGES
from tasks.environment.variable_file import load_environment
from tasks.images.architectures import ARCHITECTURES, Architecture, platform_tag
from tasks.images.registry import LIST, Registry, RepositoryMissing, TagTaken
from tasks.images.releasing import NotBuilt
from tasks.released_images import ReleasedImages, images_block_name, load_images
from tests.artifacts import newest_artifact

pytestmark = [pytest.mark.prefect_server, pytest.mark.usefixtures("prefect_server")]

DEV = EnvironmentName.DEV
OLD, NEW = "0" * 40, "1" * 40
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture
def registry(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """The registry of an environment that was provisioned and has no image yet."""
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    registry = Registry.of(load_environment(DEV))
    for name in IMAGES:
        registry.ecr.create_repository(repositoryName=registry.repository(name), imageTagMutability="IMMUTABLE")
    yield registry
    for name in IMAGES:
        registry.ecr.delete_repository(repositoryName=registry.repository(name), force=True)


def push(registry: Registry, commit: str, *architectures: Architecture) -> None:
    """What a push leaves in ECR, with a size of its own for each image."""
    for name in IMAGES:
        for architecture in architectures:
            about = f"{name} {commit} {architecture}"
            config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 7, "digest": digest(about)}
            layer = {
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "size": 9,
                "digest": digest(name),
            }
            manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]})
            registry.ecr.put_image(
                repositoryName=registry.repository(name),
                imageManifest=manifest,
                # The emulator would make one of the layers alone.
                imageDigest=digest(manifest),
                imageTag=platform_tag(commit, architecture),
            )


def digest(content: str) -> str:
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def manifest_of(registry: Registry, reference: str) -> dict[str, Any]:
    repository, _, wanted = reference.removeprefix(f"{registry.host}/").partition("@")
    answer = registry.ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": wanted}])
    (found,) = answer["images"]
    assert digest(found["imageManifest"]) == wanted
    return json.loads(found["imageManifest"])


def test_both_architectures_become_one_image_by_digest_and_an_older_commit_goes_back(
    registry: Registry, prefect_client: SyncPrefectClient
) -> None:
    push(registry, OLD, *ARCHITECTURES)
    push(registry, NEW, *ARCHITECTURES)

    images(DEV, commit=OLD)
    old = load_images(DEV)
    images(DEV, commit=NEW)
    new = load_images(DEV)
    images(DEV, commit=OLD)

    assert load_images(DEV) == old
    assert old.keys() == new.keys() == set(IMAGES)
    assert not set(old.values()) & set(new.values())
    manifest = manifest_of(registry, new["agents"])
    assert manifest["mediaType"] == LIST
    assert [entry["platform"] for entry in manifest["manifests"]] == [
        {"architecture": architecture, "os": "linux"} for architecture in sorted(ARCHITECTURES)
    ]
    for entry, architecture in zip(manifest["manifests"], sorted(ARCHITECTURES), strict=True):
        stored = registry.find("agents", platform_tag(NEW, architecture))
        assert stored is not None
        assert (entry["digest"], entry["mediaType"]) == (stored.digest, MANIFEST)
        assert manifest_size(registry, stored.digest) == entry["size"]
    rows = json.loads(newest_artifact(prefect_client, "dev-images-released"))
    assert [row["target"] for row in rows] == list(IMAGES)
    assert {"digest", "commit", "arm64 MiB", "amd64 MiB"} <= rows[0].keys()


def manifest_size(registry: Registry, wanted: str) -> int:
    answer = registry.ecr.batch_get_image(
        repositoryName=registry.repository("agents"), imageIds=[{"imageDigest": wanted}]
    )
    return len(answer["images"][0]["imageManifest"].encode())


def test_a_commit_of_one_architecture_is_refused_and_nothing_is_recorded(
    registry: Registry, prefect_client: SyncPrefectClient
) -> None:
    ReleasedImages(images={}).save(images_block_name(DEV), overwrite=True)
    push(registry, NEW, "amd64")

    with pytest.raises(
        NotBuilt, match=r"agents for arm64, flows for arm64, ray for arm64: run the workflow"
    ) as refused:
        images(DEV, commit=NEW)

    assert "amd64" not in str(refused.value)
    assert load_images(DEV) == {}
    assert registry.find("agents", NEW) is None


def test_a_tag_that_is_something_else_is_left_alone(registry: Registry) -> None:
    push(registry, NEW, *ARCHITECTURES)
    stored = registry.find("agents", platform_tag(NEW, "amd64"))
    assert stored is not None
    before = registry.put_list("agents", NEW, {"amd64": stored})

    with pytest.raises(TagTaken, match=f"is {before}, and not the list of"):
        images(DEV, commit=NEW)

    found = registry.find("agents", NEW)
    assert found is not None
    assert found.digest == before


def test_an_environment_that_was_not_provisioned_is_refused(
    emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RepositoryMissing, match="no repository 'agentic-eks-dev/agents': run provision/dev first"):
        images(DEV, commit=NEW)


@pytest.mark.parametrize("commit", ["main", "1" * 39, "A" * 40])
def test_what_is_no_whole_commit_is_refused(registry: Registry, commit: str) -> None:
    with pytest.raises(NoCommit, match="must be the full hash"):
        images(DEV, commit=commit)


def test_the_laptop_needs_no_images() -> None:
    assert images(EnvironmentName.LOCAL).startswith("Nothing to do")


def test_credentials_of_the_registry_are_a_user_and_a_password(registry: Registry) -> None:
    assert registry.credentials().startswith("AWS:")
