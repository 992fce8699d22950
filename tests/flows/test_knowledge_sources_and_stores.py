"""The refresh from an emulated S3, and into a real OpenSearch server."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from agents.knowledge.store import Filters
from rehearsal.programs import wait_until_healthy
from tests.flows.own_knowledge_base import OwnKnowledgeBase
from tests.ports import free_port

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = [pytest.mark.prefect_server, pytest.mark.timeout(1200)]


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["S3Client"]:
    """A client of an S3 in a process of its own, which the processes of the refresh reach too."""
    port = free_port()
    log = tmp_path / "moto.log"
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_healthy(server, "moto", f"http://127.0.0.1:{port}/moto-api/", log)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client = boto3.client("s3")
        yield client
        client.close()
    finally:
        server.terminate()
        server.wait(timeout=180)


def test_documents_of_a_bucket(tmp_path: Path, model_files: Path, prefect_server: str, s3: "S3Client") -> None:
    base = OwnKnowledgeBase(tmp_path, model_files)
    base.set("sources", '[{ name = "library", uri = "s3://library/docs", include = ["**/*.md"] }]')
    s3.create_bucket(Bucket="library")
    for key, text in {
        "docs/apples.md": "# Apples\n\nApples ripen in September.",
        "docs/sub/pears.md": "# Pears\n\nPears ripen in August.",
        "docs/empty.md": "",
        "docs/notes.txt": "Not asked for.",
        "other/plums.md": "Elsewhere.",
    }.items():
        s3.put_object(Bucket="library", Key=key, Body=text.encode())

    first = base.refresh()

    assert (first.new, first.documents, first.embedded) == (True, 2, 2)
    assert first.unreadable == {"s3://library/docs/empty.md": "the file is empty (0 bytes)"}
    assert base.texts().keys() == {"apples.md", "sub/pears.md"}

    unchanged = base.refresh()
    assert (unchanged.new, unchanged.embedded) == (False, 0)

    s3.delete_object(Bucket="library", Key="docs/sub/pears.md")
    without_pears = base.refresh()
    assert (without_pears.new, without_pears.embedded, without_pears.copied, without_pears.deleted) == (True, 0, 1, 1)

    s3.delete_object(Bucket="library", Key="docs/apples.md")
    s3.delete_object(Bucket="library", Key="docs/empty.md")
    emptied = base.refresh_elsewhere()
    assert emptied.returncode == 1
    assert "no documents in 's3://library/docs/'" in emptied.stderr
    assert base.texts().keys() == {"apples.md"}


@pytest.mark.opensearch
def test_an_opensearch_server_as_the_store(
    tmp_path: Path, model_files: Path, prefect_server: str, opensearch_address: str
) -> None:
    base = OwnKnowledgeBase(tmp_path, model_files)
    base.set(
        "store",
        f'{{ engine = "opensearch", endpoint = "{opensearch_address}", index_prefix = "refresh-{os.getpid()}", '
        "shards = 1, replicas = 0 }",
    )
    base.set("generations_kept", "1")
    apples = base.write("apples.md", "# Apples\n\nApples ripen in September.")
    base.write("pears.md", "# Pears\n\nPears ripen in August.")

    first = base.refresh()
    assert (first.new, first.documents, first.embedded) == (True, 2, 2)
    unchanged = base.refresh()
    assert (unchanged.new, unchanged.generation, unchanged.embedded) == (False, first.generation, 0)

    base.write("apples.md", b"")
    (base.library / "pears.md").rename(base.library / "fruit.md")
    second = base.refresh()

    assert (second.new, second.documents, second.embedded, second.deleted, second.moved) == (True, 2, 0, 0, 1)
    assert second.unreadable == {apples: "the file is empty (0 bytes)"}
    assert base.texts().keys() == {"apples.md", "fruit.md"}
    with base.store() as store:
        assert [manifest.generation for manifest in store.manifests()] == [second.generation]
        legs = store.search(second.generation, "apples september", [1.0] + [0.0] * 383, 5, Filters())
        assert legs.lexical[0].chunk.document_uri == apples
        assert len(legs.dense) == 2
