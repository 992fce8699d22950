"""Objects of any kind as plain mappings: where they are served, listed, read, tried and deleted.

The official client's models refuse what controllers write (null for an empty list), and know no custom resources.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tasks.kubernetes.connection import Connection
from tasks.kubernetes.faults import ObjectMissing

APPLY = "application/apply-patch+yaml"
PAGE = 500
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Resource:
    """One kind as the API serves it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()

    @property
    def path(self) -> str:
        """Where the objects of all namespaces are listed."""
        return f"{_prefix(self.api_version)}/{self.plural}"

    def path_of(self, name: str, namespace: str) -> str:
        """Where one object is; `namespace` counts for namespaced kinds only."""
        place = f"/namespaces/{quote(namespace)}" if self.namespaced else ""
        return f"{_prefix(self.api_version)}{place}/{self.plural}/{quote(name)}"


INGRESSES = Resource("networking.k8s.io/v1", "Ingress", "ingresses", namespaced=True)
SERVICES = Resource("v1", "Service", "services", namespaced=True)
PODS = Resource("v1", "Pod", "pods", namespaced=True)
NODES = Resource("v1", "Node", "nodes", namespaced=False)
CLAIMS = Resource("v1", "PersistentVolumeClaim", "persistentvolumeclaims", namespaced=True)
VOLUMES = Resource("v1", "PersistentVolume", "persistentvolumes", namespaced=False)
BUDGETS = Resource("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", namespaced=True)
DEFINITIONS = Resource(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)
NODE_POOLS = Resource("karpenter.sh/v1", "NodePool", "nodepools", namespaced=False)
NODE_CLAIMS = Resource("karpenter.sh/v1", "NodeClaim", "nodeclaims", namespaced=False)


@dataclass(frozen=True)
class ServedResources:
    """The kinds of a cluster, asked for once a group and version."""

    connection: Connection
    _known: dict[str, dict[str, Resource]] = field(default_factory=dict[str, dict[str, Resource]])

    def find(self, api_version: str, kind: str) -> Resource | None:
        """The kind, or None where the API does not serve it."""
        if api_version not in self._known:
            self._known[api_version] = self._ask(api_version)
        return self._known[api_version].get(kind)

    def _ask(self, api_version: str) -> dict[str, Resource]:
        try:
            answer = get(self.connection, _prefix(api_version))
        except ObjectMissing:
            return {}
        return {
            each["kind"]: Resource(
                api_version, each["kind"], each["name"], bool(each["namespaced"]), frozenset(each["verbs"])
            )
            for each in answer["resources"]
            if "/" not in each["name"]
        }


def get(connection: Connection, path: str) -> Document:
    """What the API answers at `path`.

    Raises:
        ObjectMissing: nothing is there.
        ClusterFault: the API refuses or does not answer.
    """
    return _ask(connection, f"read {path}", path, "GET")


def list_all(connection: Connection, resource: Resource) -> list[Document]:
    """All objects of a kind in all namespaces; none where the kind is not served. Raises `ClusterFault`."""
    found: list[Document] = []
    query = {"limit": str(PAGE)}
    with suppress(ObjectMissing):
        while True:
            page = _ask(connection, f"list {resource.plural}", resource.path, "GET", query)
            found += page["items"] or ()
            following = page["metadata"].get("continue")
            if not following:
                return found
            query["continue"] = following
    return found


def delete(connection: Connection, resource: Resource, document: Document) -> None:
    """Ask for the deletion of an object, which its finalizers may hold up; one that is gone is fine.

    Raises:
        ClusterFault: the API refuses or does not answer.
    """
    path = resource.path_of(document["metadata"]["name"], document["metadata"].get("namespace", ""))
    with suppress(ObjectMissing):
        _ask(connection, f"delete {title(resource, document)}", path, "DELETE", {"propagationPolicy": "Background"})


def try_apply(connection: Connection, path: str, document: Document, manager: str) -> Document:
    """What the object at `path` would be if `manager` applied `document` again; nothing is changed.

    Raises:
        ClusterFault: the API refuses or does not answer.
    """
    query = {"fieldManager": manager, "force": "true", "dryRun": "All"}
    return _ask(connection, f"compare {path}", path, "PATCH", query, document, APPLY)


def title(resource: Resource, document: Document) -> str:
    """An object for a person, such as `Ingress agents/agents`."""
    metadata = document["metadata"]
    namespace = metadata.get("namespace")
    return f"{resource.kind} {namespace}/{metadata['name']}" if namespace else f"{resource.kind} {metadata['name']}"


def finalizers(document: Document) -> Sequence[str]:
    """Who has to do something before the object goes."""
    return document["metadata"].get("finalizers") or ()


def _ask(
    connection: Connection,
    what: str,
    path: str,
    method: str,
    query: Mapping[str, str] | None = None,
    body: Document | None = None,
    content_type: str = "application/json",
) -> Any:
    return connection.read(
        what,
        connection.api.call_api,
        path,
        method,
        query_params=list((query or {}).items()),
        header_params={"Accept": "application/json", "Content-Type": content_type},
        body=None if body is None else json.loads(json.dumps(body)),
        auth_settings=["BearerToken"],
        response_type="object",
        _return_http_data_only=True,
    )


def _prefix(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
