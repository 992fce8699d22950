"""Where components run, in one set of verbs: supervised processes on a laptop, Helm releases on EKS."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol


class NotReady(Exception):
    """A component did not become ready; the message ends with the tail of its log."""


class UnknownComponent(Exception):
    """No component of that name is deployed."""


@dataclass(frozen=True)
class Component:
    """One long-running part of the platform.

    `health_path` answers 200 on `host`:`port` while the component is well. `ready_seconds` is how long a start may
    take on a busy machine. `health_seconds` is how long a health check may take before the component counts as
    hung and is restarted, `stop_seconds` how long it may take to end what it is doing. `environment` holds no secrets.
    `files` maps the path of each file that it reads at its start to the text, which deploying writes. `fingerprint`
    identifies what the component runs with beyond these fields, such as the content of its model: a change of it
    replaces the process. A `switched` one is replaced without losing a request: it takes its listening socket from the
    platform (AGENTS_LISTEN_FD), which lends it to the old process and the new one at the same time.
    """

    name: str
    command: tuple[str, ...]
    host: str
    port: int
    health_path: str
    environment: Mapping[str, str]
    ready_seconds: int
    fingerprint: str
    health_seconds: int = 30
    stop_seconds: int = 8
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    switched: bool = False

    @property
    def address(self) -> str:
        """The base URL, without a slash at its end."""
        return base_url(self.host, self.port)


State = Literal["ready", "starting", "unhealthy", "stopped", "failed"]


@dataclass(frozen=True)
class ComponentState:
    """What is known of a deployed component now; `pid` and `started` are None while no process runs."""

    name: str
    state: State
    address: str
    fingerprint: str
    pid: int | None
    started: datetime | None


class Platform(Protocol):
    """The verbs that every place to run components has."""

    def deploy(self, component: Component) -> bool:
        """Make `component` run as described; False when it already did, and was left alone."""
        ...

    def runs_as_described(self, component: Component) -> bool:
        """Whether `component` was deployed exactly so, and its files are as they were written."""
        ...

    def wait_until_ready(self, name: str) -> None:
        """Return once the component's health path answers 200.

        Raises:
            UnknownComponent: it is not deployed.
            NotReady: it gave up, or did not answer within its `ready_seconds`.
        """
        ...

    def address(self, name: str) -> str:
        """Base URL of a deployed component. Raises `UnknownComponent`."""
        ...

    def remove(self, name: str) -> None:
        """Stop the component and forget it; nothing happens when it is not deployed."""
        ...

    def list_components(self) -> list[ComponentState]:
        """All deployed components, in the order of their names."""
        ...


def base_url(host: str, port: int) -> str:
    """Where a server that listens on `host`:`port` is reached from this machine."""
    # A wildcard is where a server listens, not where it is reached.
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
