"""The environment's cluster, opened for what works on the releases in it but describes none."""

from collections.abc import Generator
from contextlib import contextmanager

from tasks.environment import Environment
from tasks.helm.command import open_helm
from tasks.helm.upgrade import Target
from tasks.kubernetes.connection import open_connection
from tasks.kubernetes.identity import Destination, recognise_cluster
from tasks.runs.log import run_log


@contextmanager
def open_target(settings: Environment, destination: Destination) -> Generator[Target]:
    """Connect to the cluster, once it is sure that it is the environment's.

    Raises:
        WrongCluster: it is another one.
        ClusterFault: the API refuses or does not answer.
    """
    with open_connection(destination.kubeconfig) as connection, open_helm(destination.kubeconfig) as helm:
        recognise_cluster(connection, destination.identity, destination.address)
        yield Target(connection, helm, settings.name.value, run_log().info)
