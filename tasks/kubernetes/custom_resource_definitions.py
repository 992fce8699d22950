"""CRDs: applied server-side before the chart that needs them, never deleted, with old stored versions dealt with."""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from kubernetes import client

from tasks.kubernetes.connection import FIELD_MANAGER, Connection
from tasks.kubernetes.faults import ClusterFault, ObjectMissing

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
ESTABLISHED_WITHIN_SECONDS = 30
PAGE = 500
PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
Definition = Mapping[str, Any]


class StoredVersionGone(ClusterFault):
    """Objects are stored in a version that the new CRD no longer has, and cannot be rewritten first."""


class NotEstablished(ClusterFault):
    """The API server does not serve a CRD that was applied: says what it reports."""


def apply_definitions(connection: Connection, definitions: Iterable[Definition]) -> list[str]:
    """Apply CRDs and wait until the API serves them; returns the names of those whose objects were rewritten.

    Raises:
        StoredVersionGone: a version in which objects are stored would go; says which, and the way around.
        OwnedByAnother: someone else set a field of the CRD: says who, and which field.
        NotEstablished: the API does not serve a CRD.
        ClusterFault: the API refuses or does not answer.
    """
    api = client.ApiextensionsV1Api(connection.api)
    applied = list(definitions)
    rewritten = [definition["metadata"]["name"] for definition in applied if _make_way(connection, api, definition)]
    for definition in applied:
        name = definition["metadata"]["name"]
        # Not forced: a field that somebody else set is an error that says who.
        options = {"fieldManager": FIELD_MANAGER, "force": "false"}
        connection.patch(f"apply the CRD {name!r}", f"{PATH}/{name}", definition, APPLY, options)
    for definition in applied:
        _wait_until_established(connection, api, definition["metadata"]["name"])
    return rewritten


def _make_way(connection: Connection, api: client.ApiextensionsV1Api, wanted: Definition) -> bool:
    """Rewrite the objects that are stored in a version that `wanted` no longer has; whether there were any.

    The API server refuses a CRD without a version that `status.storedVersions` lists, and never clears that list:
    https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning
    """
    name = wanted["metadata"]["name"]
    try:
        current: Any = connection.read(f"read the CRD {name!r}", api.read_custom_resource_definition, name)
    except ObjectMissing:
        return False
    kept = {version["name"] for version in wanted["spec"]["versions"]}
    stored: list[str] = current.status.stored_versions or []
    gone = sorted(set(stored) - kept)
    if not gone:
        return False
    storage = next(version.name for version in current.spec.versions if version.storage)
    if storage not in kept:
        raise StoredVersionGone(
            f"the CRD {name!r}: objects are stored as {', '.join(gone)}, which the new CRD no longer has "
            f"({', '.join(sorted(kept))}); first roll out a version of the chart whose CRD has both, and "
            "stores the newer one"
        )
    _rewrite_objects(connection, current, storage)
    status = {"status": {"storedVersions": [storage]}}
    connection.patch(f"note the stored version of the CRD {name!r}", f"{PATH}/{name}/status", status, MERGE)
    return True


def _rewrite_objects(connection: Connection, current: Any, version: str) -> None:
    objects = client.CustomObjectsApi(connection.api)
    group, plural = current.spec.group, current.spec.names.plural
    following = ""
    while True:
        what = f"list {plural}.{group}"
        page: Any = connection.read(
            what, objects.list_cluster_custom_object, group, version, plural, limit=PAGE, _continue=following
        )
        for item in page["items"]:
            _rewrite(connection, f"/apis/{group}/{version}", plural, item["metadata"])
        following = page["metadata"].get("continue", "")
        if not following:
            return


def _rewrite(connection: Connection, path: str, plural: str, metadata: Mapping[str, Any]) -> None:
    """An update that changes nothing: the API server stores the object anew, in the storage version."""
    namespace, name = metadata.get("namespace"), metadata["name"]
    place = f"{path}/namespaces/{namespace}/{plural}/{name}" if namespace else f"{path}/{plural}/{name}"
    # One that was deleted meanwhile is not stored any more.
    with suppress(ObjectMissing):
        connection.patch(f"rewrite {plural} {name!r}", place, {}, MERGE)


def _wait_until_established(connection: Connection, api: client.ApiextensionsV1Api, name: str) -> None:
    deadline = time.monotonic() + ESTABLISHED_WITHIN_SECONDS
    while True:
        current: Any = connection.read(f"read the CRD {name!r}", api.read_custom_resource_definition, name)
        conditions = {condition.type: condition for condition in current.status.conditions or []}
        refused = conditions.get("NamesAccepted")
        if refused is not None and refused.status == "False":
            raise NotEstablished(f"the CRD {name!r} is not served: {refused.message}")
        if (established := conditions.get("Established")) is not None and established.status == "True":
            return
        if time.monotonic() > deadline:
            raise NotEstablished(f"the CRD {name!r} is not served {ESTABLISHED_WITHIN_SECONDS} s after it was applied")
        time.sleep(0.1)
