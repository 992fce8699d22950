"""What goes on in a cluster beside a rehearsal: looked at again and again until the rehearsal ends."""

import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager

from rehearsal.cluster import Cluster
from rehearsal.cluster.api import KubernetesApi, Refused

LOOK_EVERY_SECONDS = 0.5


@contextmanager
def again_and_again(name: str, cluster: Cluster, look: Callable[[KubernetesApi], None]) -> Generator[None]:
    """Call `look` until the block ends, in a thread called `name`.

    Where the API refuses, somebody changed or removed a thing at the same time: it is looked at again.
    """
    ended = threading.Event()

    def run(api: KubernetesApi) -> None:
        while not ended.wait(LOOK_EVERY_SECONDS):
            try:
                look(api)
            except Refused:
                continue

    with closing(KubernetesApi(cluster.kubeconfig)) as api:
        thread = threading.Thread(target=run, args=(api,), name=name)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
