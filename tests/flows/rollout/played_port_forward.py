"""A kubectl that opens no way into the cluster, whose pods run nothing, but to services that a test plays.

All that it is asked besides goes to the real one, and helm is the real one.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

from tasks.kubernetes.binaries import cluster_binaries

SCRIPT = """#!/bin/sh
case "$*" in
{cases}
esac
exec {kubectl} "$@"
"""
CASE = """*" port-forward "*" {target} "*)
  echo "Forwarding from {address} -> 8080"
  exec sleep 600 ;;"""


def played_port_forward(directory: Path, addresses: Mapping[str, str]) -> dict[str, str]:
    """Put it into a cache below `directory`, with the host and port of each target, such as `service/agents`.

    Returns the variables by which a flow finds it.
    """
    real = cluster_binaries()
    programs = directory / "agentic-eks" / "binaries" / real.kubectl.parent.name
    programs.mkdir(parents=True)
    (programs / "helm").symlink_to(real.helm)
    cases = "\n".join(CASE.format(target=target, address=address) for target, address in addresses.items())
    kubectl = programs / "kubectl"
    kubectl.write_text(SCRIPT.format(cases=cases, kubectl=shlex.quote(str(real.kubectl))), encoding="utf-8")
    kubectl.chmod(0o755)
    return {"XDG_CACHE_HOME": str(directory)}
