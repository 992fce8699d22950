"""A connection to one cluster by a kubeconfig file, with the official client."""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import stamina
import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from tasks.kubernetes.faults import ApiAway, ClusterFault, ObjectMissing, UnknownIdentity, known_fault

# Who owns the fields that the flows set themselves, in every object's managedFields.
FIELD_MANAGER = "agentic-eks"
CALL_SECONDS = 30
BUSY = (429, 500, 502, 503, 504)

Result = TypeVar("Result")


class NoKubeconfig(Exception):
    """A kubeconfig cannot be used: says which, and why."""


@dataclass(frozen=True)
class Connection:
    """An open connection. `server` and `certificate_authority` (PEM, or empty) are the kubeconfig's."""

    kubeconfig: Path
    api: client.ApiClient
    server: str
    certificate_authority: str

    def call(self, what: str, function: Callable[..., Result], *arguments: object, **options: object) -> Result:
        """Call the API once; `what` says in an error what was being done.

        Raises:
            ApiAway, MissingRights, OwnedByAnother, WebhookAway: what the API refused.
            ClusterFault: any other refusal.
            ObjectMissing: there is no such object.
            UnknownIdentity: the API does not take the credentials.
        """
        try:
            return function(*arguments, _request_timeout=CALL_SECONDS, **options)
        except urllib3.exceptions.HTTPError as error:
            raise ApiAway(f"{what}: the Kubernetes API at {self.server} does not answer: {error}") from error
        except ApiException as error:
            body = str(error.body or error.reason)
            if fault := known_fault(_unquoted(body), what):
                raise fault from error
            if error.status in BUSY:
                raise ApiAway(f"{what}: the Kubernetes API at {self.server} answers {error.status}: {body}") from error
            if error.status == 401:
                raise UnknownIdentity(f"{what}: the Kubernetes API at {self.server} does not know who asks") from error
            if error.status == 404:
                raise ObjectMissing(f"{what}: {body}") from error
            raise ClusterFault(f"{what}: the Kubernetes API refuses ({error.status}): {body}") from error

    def patch(
        self, what: str, path: str, body: Mapping[str, Any], content_type: str, query: Mapping[str, str] | None = None
    ) -> None:
        """Patch the object at an API `path`; the client's own methods cannot choose the kind of patch.

        Raises:
            As `call`.
        """
        self.call(
            what,
            self.api.call_api,
            path,
            "PATCH",
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
            response_type="object",
        )

    def read(self, what: str, function: Callable[..., Result], *arguments: object, **options: object) -> Result:
        """As `call`, again and again for a minute while the API is away: for calls that can be repeated."""
        for attempt in stamina.retry_context(on=ApiAway, attempts=None, timeout=60, wait_max=3):
            with attempt:
                return self.call(what, function, *arguments, **options)
        raise AssertionError("stamina returns or raises")


def _unquoted(body: str) -> str:
    return body.replace('\\"', '"')


@contextmanager
def open_connection(kubeconfig: Path) -> Generator[Connection]:
    """Connect to the cluster of the file's current context.

    Raises:
        NoKubeconfig: the file cannot be used.
    """
    settings = client.Configuration()
    try:
        config.load_kube_config(config_file=str(kubeconfig), client_configuration=settings)
    except (ConfigException, OSError) as error:
        raise NoKubeconfig(f"the kubeconfig {kubeconfig} cannot be used: {error}") from error
    # The client's own retries would hide for how long the API was away.
    settings.retries = 0  # pyright: ignore[reportAttributeAccessIssue]
    # It reads HTTPS_PROXY and HTTP_PROXY, and then forgets what it read of NO_PROXY.
    settings.no_proxy = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")  # pyright: ignore[reportAttributeAccessIssue]
    authority: Any = settings.ssl_ca_cert
    text = Path(authority).read_text(encoding="ascii") if authority else ""
    with client.ApiClient(settings) as api:
        try:
            yield Connection(kubeconfig, api, str(settings.host), text)
        finally:
            # The client closes its threads, not its connections.
            api.rest_client.pool_manager.clear()
