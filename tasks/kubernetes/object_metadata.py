"""Lists of objects without their content: one call, however large the objects are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tasks.kubernetes.connection import Connection

_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True)
class ObjectMetadata:
    """Name, labels and annotations of one object."""

    name: str
    namespace: str
    created: datetime
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def list_metadata(connection: Connection, path: str, label_selector: str = "") -> list[ObjectMetadata]:
    """The metadata of the objects at an API `path`, such as `/api/v1/secrets`.

    Raises:
        ClusterFault: the API refuses or does not answer.
    """
    answer: Any = connection.read(
        f"list {path}",
        connection.api.call_api,
        path,
        "GET",
        query_params=[("labelSelector", label_selector)] if label_selector else [],
        header_params={"Accept": _METADATA_ONLY},
        auth_settings=["BearerToken"],
        response_type="object",
        _return_http_data_only=True,
    )
    return [_metadata(item["metadata"]) for item in answer["items"] or ()]


def _metadata(item: Mapping[str, Any]) -> ObjectMetadata:
    created = datetime.fromisoformat(str(item["creationTimestamp"]).replace("Z", "+00:00"))
    return ObjectMetadata(
        item["name"], item.get("namespace", ""), created, item.get("labels", {}), item.get("annotations", {})
    )
