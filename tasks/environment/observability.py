"""How an environment on AWS is watched: metrics, alerts, dashboards and the logs of its pods."""

import re
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tasks.environment.section import Section

LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
NAMESPACE = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"


def _is_part_of_the_internet(text: str) -> str:
    try:
        network = IPv4Network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not an IPv4 range that starts at its first address: {error}") from error
    if network.prefixlen == 0:
        raise ValueError(f"{text!r} is everybody; name the ranges that people come from")
    return text


AllowedRange = Annotated[str, AfterValidator(_is_part_of_the_internet)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", description="a mail address")]
Group = Annotated[
    str,
    Field(
        pattern=r"^([0-9a-f]{10}-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description='the id of an Identity Center group, such as "906712345e-11111111-2222-3333-4444-555555555555"',
    ),
]


class MetricsStore(Section):
    """How many days metrics are kept, and how often they are collected, in seconds.

    The collector can do no less than 30 seconds, and rules over 5 minutes need no more than 300.
    """

    retention_days: Annotated[int, Field(ge=1, le=1095)]
    scrape_seconds: Annotated[int, Field(ge=30, le=300)]


class Alerts(Section):
    """Who is told of an alert; every address has to confirm once."""

    emails: Annotated[tuple[Email, ...], Field(min_length=1)]


class Grafana(Section):
    """The dashboards: from where they can be reached, and which groups have which role there."""

    version: Literal["9.4", "10.4"]
    allowed_cidrs: Annotated[tuple[AllowedRange, ...], Field(min_length=1)]
    admins: Annotated[tuple[Group, ...], Field(min_length=1)]
    editors: tuple[Group, ...] = ()
    viewers: tuple[Group, ...] = ()


class Observability(Section):
    """Metrics, alerts, dashboards and logs.

    `log_days` holds for what AWS runs (metrics, search, databases, caches, firewall); `pod_logs` has
    the days of each namespace.
    """

    log_days: LogDays
    pod_logs: dict[str, LogDays]
    metrics: MetricsStore
    alerts: Alerts | None = None
    grafana: Grafana | None = None

    @model_validator(mode="after")
    def _logs_are_of_namespaces(self) -> Self:
        for namespace in self.pod_logs:
            if not re.fullmatch(NAMESPACE, namespace):
                raise ValueError(f"pod_logs has {namespace!r}; it must be the name of a Kubernetes namespace")
        return self
