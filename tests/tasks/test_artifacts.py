import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from tasks.artifacts import artifact_key, begin_progress, publish_markdown, publish_table
from tasks.environment import EnvironmentName

LOCAL = EnvironmentName.LOCAL


def data(client: SyncPrefectClient, key: str) -> object:
    (found,) = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])))
    return found.data


def test_key_is_lower_case_with_dashes() -> None:
    assert artifact_key(LOCAL, "knowledge", "Read_Documents (new)") == "local-knowledge-read-documents-new"


@flow
def publishing() -> None:
    publish_table(LOCAL, "artifacts", "table", [{"path": LOCAL, "n": 1, "none": None}], "a table")
    publish_markdown(LOCAL, "artifacts", "text", "# Heading", "text")
    begin_progress(LOCAL, "artifacts", "begun", "progress").update(1, 3)
    begin_progress(LOCAL, "artifacts", "done", "progress").update(0, 0)


@pytest.mark.prefect_server
def test_table_text_and_progress_reach_the_server(prefect_client: SyncPrefectClient) -> None:
    publishing()

    assert '"path": "local"' in str(data(prefect_client, "local-artifacts-table"))
    assert data(prefect_client, "local-artifacts-text") == "# Heading"
    assert data(prefect_client, "local-artifacts-begun") == 33.3
    assert data(prefect_client, "local-artifacts-done") == 100
