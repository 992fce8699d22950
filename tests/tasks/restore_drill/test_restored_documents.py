"""The drill of the documents against an emulated S3."""

import boto3
import pytest
from mypy_boto3_s3 import S3Client

from agents.knowledge.generation import Manifest
from rehearsal.aws import EmulatedAws
from tasks.environment import Environment, EnvironmentName
from tasks.environment.variable_file import load_environment
from tasks.restore_drill.documents import drill_documents
from tests.contracts.generations import manifest, passage

BUCKET = "restore-drill-of-a-test"
OUTPUTS = {"data": {"buckets": {"knowledge": {"name": BUCKET}}}}
SETTINGS: Environment = load_environment(EnvironmentName.DEV)


@pytest.fixture
def s3(emulated_aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> S3Client:
    for name, value in emulated_aws.environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="documents/guide.md", Body=b"# Guide")
    return client


def served(uri: str) -> Manifest:
    """The manifest of a generation of one document."""
    generation = manifest("one", [passage("guide.md", 0, "Guide", ["upgrade"])])
    (record,) = generation.documents.values()
    return generation.model_copy(update={"documents": {uri: record}})


@pytest.mark.parametrize("place", ["", "/", "/restore-drill", "/restore-drill/mine/"])
def test_a_source_that_would_read_what_the_drill_writes_is_named_and_nothing_is_written(place: str) -> None:
    source = SETTINGS.knowledge.sources[0].model_copy(update={"name": "all", "uri": f"s3://{BUCKET}{place}"})
    knowledge = SETTINGS.knowledge.model_copy(update={"sources": (*SETTINGS.knowledge.sources, source)})
    settings = SETTINGS.model_copy(update={"knowledge": knowledge})

    # No S3 answers here.
    drilled = drill_documents.fn(settings, OUTPUTS, served(f"s3://{BUCKET}/documents/guide.md"))

    assert drilled is not None
    assert drilled.faults == ("sources that read restore-drill/: expected 'none', found 'all'",)


def test_a_deleted_document_comes_back_from_its_version_where_the_bucket_keeps_them(s3: S3Client) -> None:
    serving = served(f"s3://{BUCKET}/documents/guide.md")
    without = drill_documents.fn(SETTINGS, OUTPUTS, serving)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    drilled = drill_documents.fn(SETTINGS, OUTPUTS, serving)

    assert without is not None
    assert "versioning: expected 'Enabled', found 'None'" in without.faults
    assert any("no version is kept" in fault for fault in without.faults)
    assert drilled is not None
    assert drilled.faults == ()
    assert drilled.restored == "a version of documents/guide.md"
    left = s3.list_object_versions(Bucket=BUCKET)
    assert [version.get("Key") for version in left.get("Versions", [])] == ["documents/guide.md"]
    assert left.get("DeleteMarkers", []) == []

    assert drill_documents.fn(SETTINGS, OUTPUTS, served("s3://elsewhere/guide.md")) is None
    assert drill_documents.fn(SETTINGS, OUTPUTS, None) is None
    s3.delete_object(Bucket=BUCKET, Key="documents/guide.md")
