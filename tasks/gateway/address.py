"""Where a cluster's gateway is for a flow that runs in the cluster, and a key that it lets in."""

import httpx

from tasks.environment import Environment
from tasks.environment.gateway import GatewayClient
from tasks.gateway import Gateway
from tasks.gateway.key import accepted_gateway_key
from tasks.helm.derivations.agents import GATEWAY_IN_CLUSTER
from tasks.secret_value import stored_values

GATEWAY_SECONDS = 60


class GatewayKeyMissing(Exception):
    """Nobody may ask the gateway, because the environment has no secret for the key."""


def gateway_in_cluster(settings: Environment) -> Gateway:
    """The gateway's release, and the value of the evaluation's key that it lets in.

    Raises:
        GatewayKeyMissing: the file has no secret for the key.
        GatewayKeyRefused, HTTPError: it lets in no value of the key, or does not answer.
    """
    secret = GatewayClient.EVALUATION.secret
    keys = stored_values(settings, secret)
    if not keys:
        raise GatewayKeyMissing(
            f"data.secrets of {settings.name.value!r} has no {secret!r}: add it, and run "
            f"provision/{settings.name.value} and models/{settings.name.value}"
        )
    with httpx.Client(base_url=GATEWAY_IN_CLUSTER, timeout=GATEWAY_SECONDS) as gateway:
        key = accepted_gateway_key(gateway, keys)
    return Gateway(GATEWAY_IN_CLUSTER, key)
