"""What a rehearsal asks of the Kubernetes API itself: a few verbs on documents, with a person's kubeconfig."""

import json
import ssl
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import httpx
import yaml

from rehearsal.cluster.kubeconfig import Access, read_kubeconfig

# Changes that the rehearsal makes are recorded under this name.
FIELD_MANAGER = "rehearsal"
Document = Mapping[str, Any]
_SECONDS = 90
_PATIENCE_SECONDS = 240
_LOOK_AGAIN_SECONDS = 0.1


def trusting(access: Access) -> ssl.SSLContext:
    """What a TLS client needs to trust the API server, and to be known by it where it goes by certificates."""
    context = ssl.create_default_context(cadata=access.authority)
    if access.certificate and access.key:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:  # the ssl module reads them from files only
            pair.write(access.certificate + access.key)
            pair.flush()
            context.load_cert_chain(pair.name)
    return context


class Refused(Exception):
    """The API server did not do what it was asked; says what it answered."""


class NotSo(Exception):
    """Something in the cluster did not become what it was waited for; says what it is."""


class KubernetesApi:
    """The API that the current context of a kubeconfig leads to, in whatever way it authenticates."""

    def __init__(self, kubeconfig: Path):
        access = read_kubeconfig(kubeconfig)
        self.address = access.server
        self._http = httpx.Client(
            base_url=self.address,
            headers={"authorization": f"Bearer {access.token}"} if access.token else {},
            verify=trusting(access),
            timeout=_SECONDS,
            trust_env=False,
        )
        self._paths: dict[tuple[str, str], tuple[str, bool]] = {}

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def is_ready(self) -> bool:
        """Whether the API server has finished its start."""
        try:
            return self._http.get("/readyz", timeout=30).is_success
        except httpx.TransportError:
            return False  # nothing listens yet

    def get(self, path: str) -> dict[str, Any]:
        """What the API answers at `path`; raises Refused."""
        return self._answer("GET", path)

    def list(self, path: str, **selectors: str) -> list[dict[str, Any]]:
        """The objects at `path`; `selectors` are labelSelector and fieldSelector. Raises Refused."""
        return self._answer("GET", path, params=selectors)["items"]

    def create(self, path: str, document: Document) -> dict[str, Any]:
        """Create an object in the collection at `path`, and return it; raises Refused."""
        return self._answer("POST", path, json=document)

    def delete(self, path: str) -> None:
        """Delete the object at `path`, or all of a collection; raises Refused."""
        self._answer("DELETE", path)

    def exists(self, path: str) -> bool:
        """Whether something is at `path`; raises Refused for any other answer than yes or no."""
        answer = self._http.get(path)
        if answer.status_code == 404:
            return False
        _check(answer)
        return True

    def wait_until(
        self, path: str, so: Callable[[dict[str, Any]], bool], seconds: float = _PATIENCE_SECONDS
    ) -> dict[str, Any]:
        """Wait until what is at `path` is `so`, and return it.

        Raises:
            Refused: nothing is there.
            NotSo: it is not in time; says what it was last.
        """
        deadline = time.monotonic() + seconds
        while not so(found := self.get(path)):
            if time.monotonic() > deadline:
                raise NotSo(f"{path} was not as expected within {seconds} s: {json.dumps(found)[-3000:]}")
            time.sleep(_LOOK_AGAIN_SECONDS)
        return found

    def wait_until_served(self, version: str, kind: str) -> None:
        """Wait until the API has a kind, such as that of a new definition; raises NotSo when it is not in time."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (version, kind) not in self._paths:
            if self.exists(f"/apis/{version}"):
                self._learn(version)
            if time.monotonic() > deadline:
                raise NotSo(f"{self.address} has no kind {kind!r} in {version!r} within {_PATIENCE_SECONDS} s")
            time.sleep(_LOOK_AGAIN_SECONDS)

    def apply(self, *documents: Document, manager: str = FIELD_MANAGER) -> None:
        """Make each document so, in this order, by server-side apply in the name of `manager`; raises Refused."""
        for document in documents:
            self._answer(
                "PATCH",
                self.path_of(document),
                params={"fieldManager": manager, "force": "true"},
                content=json.dumps(document),  # which is YAML, too
                headers={"content-type": "application/apply-patch+yaml"},
            )

    def merge(self, path: str, change: Document) -> None:
        """Merge `change` into the object at `path` (RFC 7396); raises Refused."""
        headers = {"content-type": "application/merge-patch+json"}
        self._answer("PATCH", path, params={"fieldManager": FIELD_MANAGER}, json=change, headers=headers)

    def set_status(self, document: Document) -> None:
        """Replace the status of an object; raises Refused."""
        self._answer(
            "PATCH",
            f"{self.path_of(document)}/status",
            json={"status": document["status"]},
            headers={"content-type": "application/merge-patch+json"},
        )

    def path_of(self, document: Document) -> str:
        """Where the object that `document` describes is; raises Refused for a kind that the API does not know."""
        version, kind = str(document["apiVersion"]), str(document["kind"])
        plural, namespaced = self._resource(version, kind)
        metadata = document["metadata"]
        prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
        namespace = f"/namespaces/{quote(metadata.get('namespace', 'default'))}" if namespaced else ""
        return f"{prefix}{namespace}/{plural}/{quote(metadata['name'])}"

    def _resource(self, version: str, kind: str) -> tuple[str, bool]:
        if (version, kind) not in self._paths:
            self._learn(version)
        if (version, kind) not in self._paths:
            raise Refused(f"{self.address} has no kind {kind!r} in {version!r}: its definition is not installed")
        return self._paths[version, kind]

    def _learn(self, version: str) -> None:
        prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
        for resource in self.get(prefix)["resources"]:
            if "/" not in resource["name"]:
                self._paths[version, resource["kind"]] = (resource["name"], resource["namespaced"])

    def _answer(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._http.request(method, path, **options)
        _check(answer)
        return cast("dict[str, Any]", answer.json())


def read_documents(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """All documents of YAML files."""
    return [
        document
        for path in sorted(paths)
        # Definitions of custom resources are long: the parser in C reads them in a tenth of the time.
        for document in yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        if document is not None
    ]


def _check(answer: httpx.Response) -> None:
    if not answer.is_success:
        request = answer.request
        raise Refused(f"{request.method} {request.url} answered {answer.status_code}: {answer.text[:2000]}")
