"""Who stands behind the Service `agents`, looked at again and again while releases crash beside it."""

import threading
from contextlib import closing
from pathlib import Path

from rehearsal.cluster.api import KubernetesApi

PODS = "/api/v1/namespaces/agents/pods"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/agents/endpointslices"
OF_THE_SERVICE = "kubernetes.io/service-name=agents"


class Endpoints:
    """Looks until it is stopped: `digests` are those of the pods that requests could be sent to, `bare` counts the
    looks at which there was none, and `failures` holds whatever a look raised.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self.digests: set[str] = set()
        self.looks = 0
        self.bare = 0
        self.failures: list[str] = []
        self._kubeconfig = kubeconfig
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_until_stopped)

    def __enter__(self) -> "Endpoints":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def assert_never_bare(self) -> None:
        """There was always a pod to send a request to."""
        assert self.failures == []
        assert self.looks > 0
        assert self.bare == 0, f"at {self.bare} of {self.looks} looks no pod was ready behind the service"

    def _look_until_stopped(self) -> None:
        with closing(KubernetesApi(self._kubeconfig)) as api:
            try:
                while not self._stop.wait(0.2):
                    self._look(api)
            except Exception as error:  # noqa: BLE001 - a failure of the looker is what the test looks for
                self.failures.append(repr(error))

    def _look(self, api: KubernetesApi) -> None:
        # The pods first: one that is in no list any more cannot have become ready meanwhile.
        images = {
            pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"].partition("@")[2] for pod in api.list(PODS)
        }
        ready = [
            endpoint["targetRef"]["name"]
            for piece in api.list(SLICES, labelSelector=OF_THE_SERVICE)
            for endpoint in piece.get("endpoints") or ()
            if endpoint["conditions"].get("ready")
        ]
        self.looks += 1
        self.bare += not ready
        self.digests |= {images[name] for name in ready if name in images}
