"""A connection to the session's cluster."""

from collections.abc import Iterator

import pytest

from rehearsal.cluster import Cluster
from tasks.kubernetes.connection import Connection, open_connection


@pytest.fixture
def connection(kubernetes_cluster: Cluster) -> Iterator[Connection]:
    with open_connection(kubernetes_cluster.kubeconfig) as connection:
        yield connection
