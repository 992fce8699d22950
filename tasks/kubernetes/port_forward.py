"""A way from this process to a port in the cluster, through the Kubernetes API: flows run outside the pods' network."""

import re
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

from tasks.kubernetes.binaries import cluster_binaries
from tasks.kubernetes.faults import ClusterFault

OPEN_WITHIN_SECONDS = 30.0
STOPPED_WITHIN_SECONDS = 10
_FORWARDING = re.compile(r"Forwarding from (?P<address>127\.0\.0\.1:\d+)")


class ForwardFailed(ClusterFault):
    """kubectl opened no way to the port; carries what it says."""


@contextmanager
def forwarded(kubeconfig: Path, namespace: str, target: str, port: int) -> Generator[str]:
    """The base URL of `port` of `target` (such as `service/litellm`) on this machine's loopback, for the block.

    Raises:
        ForwardFailed: there is no such target, or none of its pods is ready.
    """
    command = [str(cluster_binaries().kubectl), "--kubeconfig", str(kubeconfig), "--namespace", namespace]
    command += ["port-forward", "--address", "127.0.0.1", target, f":{port}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield f"http://{_address(process, f'{namespace}/{target}')}"
        finally:
            process.terminate()
            try:
                process.wait(STOPPED_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _address(process: "subprocess.Popen[str]", what: str) -> str:
    lines: Queue[str] = Queue()

    def read() -> None:
        for line in process.stdout or ():
            lines.put(line)
        lines.put("")

    # It also keeps the pipe empty for as long as the way is open.
    threading.Thread(target=read, daemon=True).start()
    said = ""
    while True:
        try:
            line = lines.get(timeout=OPEN_WITHIN_SECONDS)
        except Empty:
            line = ""
        said += line
        if match := _FORWARDING.match(line):
            return match["address"]
        if not line:
            raise ForwardFailed(f"no way to {what}: kubectl port-forward says: {said.strip() or 'nothing'}")
