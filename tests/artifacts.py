"""The artifacts that flows publish, as tests read them."""

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.sorting import ArtifactSort


def newest_artifact(client: SyncPrefectClient, key: str) -> str:
    """What was published last under a key; a session's server keeps what the tests before have published."""
    wanted = ArtifactFilter(key=ArtifactFilterKey(any_=[key]))
    found = client.read_artifacts(artifact_filter=wanted, sort=ArtifactSort.CREATED_DESC, limit=1)
    assert found, f"there is no artifact {key!r}"
    return str(found[0].data)
