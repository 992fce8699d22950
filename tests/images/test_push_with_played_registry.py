"""What buildah pushes arrives, and who pushes says who it is, in no place where others could read it."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from tasks.images.buildah import Buildah, BuilderFailed
from tests.images.played_registry import played_registry

pytestmark = pytest.mark.buildah
PLAIN_HTTP = ("--tls-verify=false",)
PASSWORD = "a-password-of-ecr"


@pytest.fixture
def builder(tmp_path: Path) -> Buildah:
    storage = ("--root", str(tmp_path / "root"), "--runroot", str(tmp_path / "run"), "--storage-driver", "vfs")
    return Buildah(storage, environment={**os.environ, "TMPDIR": str(tmp_path)})


@pytest.fixture
def small_image(builder: Buildah, tmp_path: Path) -> str:
    (tmp_path / "file").write_text("content", encoding="utf-8")
    container = builder.run("from", "scratch").strip()
    builder.run("add", container, str(tmp_path / "file"), "/file")
    return builder.run("commit", "--quiet", "--rm", "--format=docker", container).strip()


def test_the_digest_is_that_of_what_arrived(builder: Buildah, small_image: str) -> None:
    with played_registry(f"AWS:{PASSWORD}") as registry:
        digest = builder.push(
            small_image, f"{registry.address}/agentic-eks-dev/agents:tag", f"AWS:{PASSWORD}", PLAIN_HTTP
        )

    manifest = registry.manifests["agentic-eks-dev/agents:tag"]
    assert digest == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    described = json.loads(manifest)
    assert described["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert {layer["digest"] for layer in described["layers"]} | {
        described["config"]["digest"]
    } <= registry.contents.keys()


def test_a_refusal_is_an_error_without_the_password(builder: Buildah, small_image: str, tmp_path: Path) -> None:
    with (
        played_registry("AWS:another") as registry,
        pytest.raises(BuilderFailed, match="buildah push ended") as refused,
    ):
        builder.push(small_image, f"{registry.address}/agentic-eks-dev/agents:tag", f"AWS:{PASSWORD}", PLAIN_HTTP)

    assert registry.refused > 0
    assert registry.manifests == {}
    assert PASSWORD not in str(refused.value)
