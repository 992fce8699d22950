"""Network, cluster and edge fit each other, and what the service takes."""

from typing import TYPE_CHECKING

from tasks.environment.edge import Oidc
from tasks.environment.identity import EnvironmentName
from tasks.environment.network import overlap

if TYPE_CHECKING:
    from tasks.environment import Environment


def require_network_for_cluster(environment: "Environment") -> None:
    """Zones are of the region, ranges do not overlap, and the API is open to nobody but those who may reach it.

    Raises `ValueError`.
    """
    if environment.network is None or environment.cluster is None:
        return
    for zone in environment.network.zones:
        if zone[:-1] != environment.environment.region:
            raise ValueError(
                f"network.zones.{zone} is not a zone of environment.region = {environment.environment.region!r}, "
                f"such as {environment.environment.region}a"
            )
    if overlap(environment.cluster.service_cidr, environment.network.cidr):
        raise ValueError(
            f"cluster.service_cidr = {environment.cluster.service_cidr!r} overlaps "
            f"network.cidr = {environment.network.cidr!r}"
        )
    relied_on = environment.environment.protected or environment.name is EnvironmentName.PROD
    if relied_on and any(cidr.endswith("/0") for cidr in environment.cluster.public_access_cidrs):
        raise ValueError(
            "cluster.public_access_cidrs opens the API of a protected environment to everybody: name the ranges "
            "that may reach it"
        )


def require_edge_for_agents(environment: "Environment") -> None:
    """What the firewall lets through is what the service takes, and signing in has its secret. Raises `ValueError`."""
    if environment.edge is None or environment.data is None:
        return
    if environment.edge.firewall.largest_request_bytes < environment.agents.question_bytes:
        raise ValueError(
            f"edge.firewall.largest_request_bytes = {environment.edge.firewall.largest_request_bytes} must be "
            f"agents.question_bytes = {environment.agents.question_bytes} or more: a question comes with its "
            "conversation"
        )
    supplied = sorted(name for name, secret in environment.data.secrets.items() if secret.origin == "person")
    if isinstance(environment.edge.sign_in, Oidc) and environment.edge.sign_in.client_secret not in supplied:
        raise ValueError(
            f"edge.sign_in.client_secret = {environment.edge.sign_in.client_secret!r} must be a name of data.secrets "
            f"whose origin is 'person'; there are {', '.join(supplied) or 'none'}"
        )
