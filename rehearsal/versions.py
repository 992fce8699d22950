"""What is rehearsed in which version, and what is shipped in which."""

from collections.abc import Mapping
from dataclasses import dataclass

from rehearsal.cluster.programs import CONTROL_PLANE, KARPENTER, RAY_OPERATOR
from tasks.environment import Environment
from tasks.helm.releases_file import OwnChart, Release

# The releases whose program the rehearsal runs itself; their charts carry the program's version.
PROGRAMS = {"karpenter": KARPENTER, "kuberay-operator": RAY_OPERATOR}


@dataclass(frozen=True)
class Versions:
    """One part: `shipped` is None where no release brings it yet."""

    part: str
    rehearsed: str
    shipped: str | None

    @property
    def differ(self) -> bool:
        """Whether another version is rehearsed than the one that is shipped; the shipped one may name less of it."""
        rehearsed, shipped = (text.removeprefix("v").split(".") for text in (self.rehearsed, self.shipped or ""))
        return rehearsed[: len(shipped)] != shipped


def versions(settings: Environment, releases: Mapping[str, Release]) -> list[Versions]:
    """Kubernetes and the controllers of an environment."""
    assert settings.cluster is not None  # noqa: S101 - the model guarantees it on AWS
    rows = [Versions("Kubernetes", CONTROL_PLANE.version, settings.cluster.kubernetes_version)]
    for name, program in PROGRAMS.items():
        release = releases.get(name)
        chart = release.chart if release else None
        shipped = None if chart is None or isinstance(chart, OwnChart) else chart.version
        rows.append(Versions(name, program.version, shipped))
    return rows
