"""The clients of the cluster's gateway: whose keys it lets in, and what each may spend."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from prefect import task
from prefect.cache_policies import NO_CACHE
from pydantic import SecretStr

from tasks.environment import Environment
from tasks.environment.gateway import ClientBudget, GatewayClient
from tasks.environment_outputs import load_outputs
from tasks.gateway.key import accepted_gateway_key, bearer, forwarded_client
from tasks.gateway.registration import ClientNotRegistered, Registration, register
from tasks.helm.derivations.gateway import MASTER_KEY
from tasks.helm.target import open_target
from tasks.kubernetes.environment_cluster import open_environment_cluster
from tasks.kubernetes.port_forward import forwarded
from tasks.kubernetes.probe_result import Outcome
from tasks.models.readiness import GATEWAY, GATEWAY_NAMESPACE, GATEWAY_PORT, simulated_gateway_node
from tasks.secret_value import stored_values


@dataclass(frozen=True)
class RegisteredClient:
    """A client of the gateway with its budget; without a `registration` nothing could be asked to register it."""

    client: GatewayClient
    budget: ClientBudget | None
    registration: Registration | None = None

    @property
    def row(self) -> dict[str, object]:
        """As people read it."""
        done = self.registration
        return {
            "client": self.client.value,
            "budget": "none" if self.budget is None else f"{self.budget.usd:g} USD a {self.budget.every}",
            "registered": (Outcome.NOT_PROVED if done is None else Outcome.PROVED).value,
            "keys": None if done is None else done.keys,
            "added": None if done is None else done.added,
            "removed": None if done is None else done.removed,
        }


@task(task_run_name="register-gateway-clients", cache_policy=NO_CACHE, persist_result=False)
def register_gateway_clients(settings: Environment) -> list[RegisteredClient]:
    """Have the gateway let each client in with the present and the former value of its key, and with no other.

    May be repeated at any time. On simulated nodes the gateway answers nobody: the outcome is not-proved.

    Raises:
        ClientNotRegistered: the environment file has no secret for a client's key, or the gateway refuses.
        GatewayKeyRefused, HTTPError: the gateway lets in no value of its master key, or does not answer.
        MissingCredentials, ClientError: a key cannot be read.
        ClusterFault: no way leads to the gateway.
    """
    keys = {client: _values(settings, client.secret) for client in GatewayClient}
    given = settings.models.budgets
    budgets = {client: None if given is None else given.of(client) for client in GatewayClient}
    outputs = load_outputs(settings.name)
    with open_environment_cluster(settings, outputs) as destination, open_target(settings, destination) as target:
        if simulated_gateway_node(target.connection) is not None:
            return [RegisteredClient(client, budget) for client, budget in budgets.items()]
        with (
            forwarded(destination.kubeconfig, GATEWAY_NAMESPACE, f"service/{GATEWAY}", GATEWAY_PORT) as address,
            forwarded_client(address) as gateway,
        ):
            gateway.headers.update(bearer(accepted_gateway_key(gateway, _values(settings, MASTER_KEY))))
            return [
                RegisteredClient(client, budget, register(gateway, client, keys[client], budget))
                for client, budget in budgets.items()
            ]


def client_key_among(secrets: Set[str]) -> bool:
    """Whether one of these secrets is a client's key, which the gateway has to know before the client reads it."""
    return not secrets.isdisjoint(client.secret for client in GatewayClient)


def _values(settings: Environment, secret: str) -> Sequence[SecretStr]:
    values = stored_values(settings, secret)
    if not values:
        raise ClientNotRegistered(
            f"data.secrets of {settings.name.value!r} has no {secret!r}: add it, and run "
            f"provision/{settings.name.value}"
        )
    return values
