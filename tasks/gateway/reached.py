"""The environment's model gateway, as a command on somebody's machine reaches it."""

from collections.abc import Generator
from contextlib import contextmanager

from pydantic import SecretStr

from tasks.environment import Environment
from tasks.environment.gateway import GatewayClient
from tasks.environment.identity import Laptop
from tasks.gateway import Gateway
from tasks.laptop.secret_file import GATEWAY_KEY
from tasks.platforms.component_names import GATEWAY
from tasks.platforms.local import LocalPlatform


class GatewayOutOfReach(Exception):
    """No way leads from here to the environment's gateway, or nobody may ask it: says why."""


def gateway_on_laptop(laptop: Laptop) -> Gateway:
    """The gateway that the stage `models` started.

    Raises:
        UnknownComponent: it is not deployed.
    """
    platform = LocalPlatform(laptop)
    return Gateway(platform.address(GATEWAY), SecretStr(platform.secrets[GATEWAY_KEY]))


@contextmanager
def reached_gateway(settings: Environment) -> Generator[Gateway]:
    """The gateway for the block: the laptop's own, or the cluster's through the Kubernetes API.

    Raises:
        UnknownComponent: it is not deployed on the laptop.
        GatewayOutOfReach: there is no way to the one in the cluster, or none of its keys is let in.
        HTTPError: the one in the cluster does not answer.
    """
    if settings.laptop is not None:
        yield gateway_on_laptop(settings.laptop)
        return
    with _in_cluster(settings) as reached:
        yield reached


@contextmanager
def _in_cluster(settings: Environment) -> Generator[Gateway]:
    # They take seconds to import, which a laptop would pay for nothing.
    from botocore.exceptions import ClientError

    from tasks.aws_session import MissingCredentials
    from tasks.environment_outputs import OutputsMissing, load_outputs
    from tasks.gateway.key import GatewayKeyRefused, accepted_gateway_key, forwarded_client
    from tasks.kubernetes.environment_cluster import NoCluster, open_environment_cluster
    from tasks.kubernetes.faults import ClusterFault
    from tasks.kubernetes.port_forward import forwarded
    from tasks.models.readiness import GATEWAY as RELEASE
    from tasks.models.readiness import GATEWAY_NAMESPACE, GATEWAY_PORT
    from tasks.secret_value import stored_values

    try:
        # What people try out with the models is an evaluation too.
        secret = GatewayClient.EVALUATION.secret
        keys = stored_values(settings, secret)
        if not keys:
            raise GatewayOutOfReach(f"data.secrets of {settings.name.value!r} has no {secret!r}: add it")
        with (
            open_environment_cluster(settings, load_outputs(settings.name)) as destination,
            forwarded(destination.kubeconfig, GATEWAY_NAMESPACE, f"service/{RELEASE}", GATEWAY_PORT) as address,
            forwarded_client(address) as gateway,
        ):
            yield Gateway(address, accepted_gateway_key(gateway, keys))
    except (OutputsMissing, NoCluster, ClusterFault, MissingCredentials, ClientError, GatewayKeyRefused) as error:
        raise GatewayOutOfReach(f"the gateway of {settings.name.value!r} is out of reach: {error}") from error
